"""Updates that no box may take: every bit of head, manifest and signature, cuts, forgeries, older and foreign ones."""

import hashlib
import json
import random
from collections import Counter, namedtuple

from firmware.wire import rsa, update_header
from host_tools.device import bundle
from host_tools.updates import trial_keys

BOARD, VERSION, SECURITY = "reference", "1.2.3", 7
LEAST = ((1, 2, 3), 7)
FILE_BYTES = (60, 900, 0, 2600, 511, 512, 513)
PAYLOAD_BITS = 2000
HEAD_B, SIGNATURE_B = update_header.HEAD_B, update_header.SIGNATURE_B
Set = namedtuple("Set", ("key", "modulus", "good", "others"))
Set.__doc__ = "A key, its modulus, an update that is right, and {name: update} of those made well and not for this box."


def slot_files(chance, sizes=FILE_BYTES, **head):
    """{path: bytes} as a build has it, with files of nothing in particular; head: what else its manifest says."""
    contents = {f"a/firmware/file{number:02}.mpy": chance.randbytes(size) for number, size in enumerate(sizes)}
    rows = [
        {"path": path[2:], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(contents.items())
    ]
    manifest = {"version": VERSION, "security": SECURITY, "board": BOARD, "files": rows, **head}
    return {**contents, "a/manifest.json": json.dumps(manifest, separators=(",", ":")).encode()}


def made(seed):
    """The Set of a seed."""
    chance = random.Random(f"updates:{seed}")
    key, foreign = trial_keys.key(seed), trial_keys.key(seed + 1)
    good = bundle.packed(slot_files(chance), key)
    others = {
        "older version": bundle.packed(slot_files(chance, version="1.2.2"), key),
        "older security": bundle.packed(slot_files(chance, version="2.0.0", security=6), key),
        "foreign board": bundle.packed(slot_files(chance, board="burst"), key),
        "foreign key": bundle.packed(slot_files(chance), foreign),
    }
    return Set(key, trial_keys.modulus(key), good, others)


def parts(octets):
    """[head, manifest, signature, files] of an update that is well formed."""
    signed = HEAD_B + update_header.number(octets, update_header.MANIFEST_AT, 4)
    return [
        octets[:HEAD_B],
        octets[HEAD_B:signed],
        octets[signed : signed + SIGNATURE_B],
        octets[signed + SIGNATURE_B :],
    ]


def flipped(octets, bits):
    """The same with some bits turned."""
    changed = bytearray(octets)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def systematic(known):
    """[(kind, function that makes it)] of the cases that are complete: all bits that are signed, and every cut."""
    signed_b = len(known.good) - len(parts(known.good)[3])
    payload = range(signed_b * 8, len(known.good) * 8)
    payload = payload[:: max(1, len(payload) // PAYLOAD_BITS)]
    rows = [("head bit", bit) for bit in range(HEAD_B * 8)]
    rows += [("signature bit", bit) for bit in range((signed_b - SIGNATURE_B) * 8, signed_b * 8)]
    rows += [(name, None) for name in sorted(known.others)]
    rows += [("manifest bit", bit) for bit in range(HEAD_B * 8, (signed_b - SIGNATURE_B) * 8)]
    rows += [("file bit", bit) for bit in payload]
    rows += [("cut", length) for length in range(len(known.good))]
    return rows


def of_row(known, row):
    """(octets, announced bytes) of a systematic case."""
    kind, number = row
    if kind == "cut":
        return known.good[:number], len(known.good)
    octets = known.others[kind] if number is None else flipped(known.good, (number,))
    return octets, len(octets)


def few_bits(known, chance):
    """Two to sixteen bits anywhere."""
    return flipped(known.good, chance.sample(range(len(known.good) * 8), chance.randint(2, 16)))


def block(known, chance):
    """A stretch of bytes replaced, left out, doubled or put in."""
    at, length = chance.randrange(len(known.good)), chance.randint(1, 600)
    put = (chance.randbytes(length), b"", known.good[at : at + length] * 2, bytes(length))[chance.randrange(4)]
    return known.good[:at] + put + known.good[at + length * chance.randrange(2) :]


def spliced(known, chance):
    """Parts of updates that were each signed."""
    sources = [parts(octets) for octets in (known.good, *known.others.values())]
    return b"".join(chance.choice(sources)[index] for index in range(4))


def unsigned(known, chance):
    """Anything in place of the signature, which may also lack."""
    head, manifest, signature, files = parts(known.good)
    put = (bytes(384), b"\xff" * 384, chance.randbytes(384), known.modulus, b"", signature[::-1])[chance.randrange(6)]
    return head + manifest + put + files


def forged(known, chance):
    """Signed with the right key in a form that PKCS#1 v1.5 with SHA-256 does not have."""
    head, manifest, _, files = parts(known.good)
    digest = hashlib.sha256(head + manifest).digest()
    info, zero = rsa.DIGEST_INFO, b"\x00"
    short = chance.randint(8, 320)
    tail = chance.randbytes(330 - short)
    blocks = (
        b"\x00\x01" + b"\xff" * short + zero + info + digest + tail,  # Bleichenbacher 2006: not all of it is judged
        b"\x00\x02" + b"\xff" * 330 + zero + info + digest,
        b"\x00\x00" + b"\xff" * 330 + zero + info + digest,
        b"\x00\x01" + b"\xff" * 332 + zero + info.replace(b"\x05\x00", b"") + digest,
        b"\x00\x01" + b"\xff" * 349 + zero + digest,
        b"\x00\x01" + b"\xff" * 329 + b"\xfe" + zero + info + digest,
        b"\x00\x01" + b"\xff" * 330 + zero + info + hashlib.sha256(files).digest(),
        (b"\x00\x01" + b"\xff" * 334 + zero + info[:15] + hashlib.sha1(head + manifest).digest()).ljust(384, zero),
    )
    return head + manifest + trial_keys.raw(known.key, chance.choice(blocks)) + files


def other_fields(known, chance):
    """A head with other numbers or another board under the old signature."""
    head, manifest, signature, files = parts(known.good)
    at, count = chance.choice(((8, 32), (40, 2), (42, 2), (44, 2), (46, 4), (50, 4), (54, 4), (58, 6), (0, 8)))
    low = int.from_bytes(head[at : at + count], "big")
    put = chance.choice((low + 1, max(0, low - 1), 0, (1 << count * 8) - 1, chance.getrandbits(count * 8)))
    head = head[:at] + (put % (1 << count * 8)).to_bytes(count, "big") + head[at + count :]
    return head + manifest + signature + files


RANDOM = (("few bits", few_bits), ("block", block), ("spliced", spliced), ("unsigned", unsigned))
RANDOM += (("forged", forged), ("other fields", other_fields))
WEIGHTS = (6, 6, 3, 1, 1, 3)


def case_of(known, rows, seed, number):
    """(kind, octets, announced bytes) of a case by its number; rows: of systematic()."""
    if number < len(rows):
        return rows[number][0], *of_row(known, rows[number])
    chance = random.Random(f"{seed}:{number}")
    octets = known.good
    while octets == known.good:
        kind, make = chance.choices(RANDOM, WEIGHTS)[0]
        octets = make(known, chance)
    announced_b = len(octets) if chance.random() < 0.5 else len(known.good)
    if octets.startswith(known.good) and announced_b == len(known.good):
        announced_b = len(octets)  # the sender told the true length and the line ends there: that is the right update
    return kind, octets, announced_b


def wrong_of(known, octets, announced_b):
    """(code, what the box did that it should not, or "")."""
    files, manifest, code = bundle.outcome(octets, known.modulus, BOARD, LEAST, announced_b)
    signed_b = len(known.good) - len(parts(known.good)[3])
    if code == "whole" or manifest is not None:
        return code, "accepted"
    if files and octets[:signed_b] != known.good[:signed_b]:
        return code, "written though not signed"
    return code, ""


def batch(job):
    """{"kinds", "codes", "found": [[number, words]]} of the cases of a job (seed, first, last)."""
    seed, first, last = job
    known = made(seed)
    rows = systematic(known)
    kinds, codes, found = Counter(), Counter(), []
    if wrong_of(known, known.good, len(known.good))[0] != "whole":
        return {"kinds": {}, "codes": {}, "found": [[-1, "the right update is refused"]]}
    for number in range(first, last):
        kind, octets, announced_b = case_of(known, rows, seed, number)
        code, words = wrong_of(known, octets, announced_b)
        kinds[kind] += 1
        codes[code] += 1
        if words:
            found.append([number, f"{kind}: {words}"])
    return {"kinds": dict(kinds), "codes": dict(codes), "found": found}
