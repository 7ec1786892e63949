"""An update cut at every byte of its coming, on the interpreter's own littlefs: the next start is old or new."""

import os
import random
import re
import subprocess
import tempfile
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.device import bundle
from host_tools.updates import tampered, trial_keys

SCRIPT = bootstrap.ROOT / "tests" / "chip" / "cut_updates.py"
BUNDLE_B = 64 * 1024
FILES = 24


def of_length(chance, key, version, whole_b):
    """An update of exactly so many bytes."""
    sizes = [chance.randint(200, 4000) for _ in range(FILES)]
    for _ in range(8):  # the manifest's length hangs on the digits of the sizes
        octets = bundle.packed(tampered.slot_files(chance, version=version, security=0, sizes=sizes), key)
        sizes[-1] += whole_b - len(octets)
        if len(octets) == whole_b:
            return octets
    raise SystemExit("updates: no update of this length can be made")


def counts(seed, step, bug="", whole_b=BUNDLE_B):
    """{name: count} that the script prints; step: every so many flash operations. Errors: chip.NoChip."""
    chance = random.Random(f"cuts:{seed}")
    key = trial_keys.key(seed)
    root = bootstrap.ROOT
    with tempfile.TemporaryDirectory() as folder:
        for name, version in (("oldest", "1.0.0"), ("old", "1.1.0"), ("new", "1.2.0")):
            (Path(folder) / name).write_bytes(of_length(chance, key, version, whole_b))
        (Path(folder) / "modulus").write_bytes(trial_keys.modulus(key))
        paths = f"{root}:{root / 'firmware'}:.frozen"
        command = [*chip.interpreter(), "-X", "heapsize=24m", str(SCRIPT), folder, str(step), *filter(None, (bug,))]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MICROPYPATH": paths})
    if done.returncode:
        raise SystemExit(f"updates: {SCRIPT.name} failed:\n{done.stdout}{done.stderr}")
    print(done.stdout, end="")
    return {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", done.stdout.splitlines()[-1])}


def report(seed, step):
    """Print the figures; True when every start found the old version or the new one."""
    print(f"cuts_seed: {seed} seed")
    found = counts(seed, step)
    for name, value in sorted(found.items()):
        print(f"update_cuts_{name}: {value} {'B' if name == 'bytes' else 'times'}")
    return not found["bad"] and not found["none"]
