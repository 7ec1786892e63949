"""JSON objects by chance, near good ones: most of what only changes bytes is no JSON any more."""

import json


def made(chance, bases, members):
    """Bytes of a good object with up to three members changed. bases: dicts; members: (names, values)."""
    found = dict(bases[int(chance() * len(bases))])
    names, values = members
    for _ in range(int(chance() * 4)):
        name = (
            list(found)[int(chance() * len(found))] if found and chance() < 0.5 else names[int(chance() * len(names))]
        )
        if chance() < 0.15:
            found.pop(name, None)
        else:
            found[name] = values[int(chance() * len(values))]
    return json.dumps(found).encode()
