"""An update with an app image, cut inside every step up to the end of its trial: the next starts are old or new."""

import hashlib
import os
import random
import re
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.device import bundle
from host_tools.sim import app_images
from host_tools.updates import tampered, trial_keys

SCRIPT = bootstrap.ROOT / "tests" / "chip" / "cut_images.py"
SIZES = (300, 2100, 900)
IMAGE_B = 3 * app_images.SECTOR_B  # of one sector's sum more when it is made and signed
Version = namedtuple("Version", ("frozen", "image", "files"))
Version.__doc__ = "Digest of the frozen modules, the signed app image that holds it, {path: bytes} of the slot for it."


def version_of(chance, version, security, image_b=IMAGE_B, **head):
    """A Version; head: what else its manifest says."""
    frozen = hashlib.sha256(chance.randbytes(8)).hexdigest()
    # The digest lies across the end of a piece that the box reads back.
    payload = chance.randbytes(2 * 1024 - 40) + frozen.encode() + chance.randbytes(image_b - 2 * 1024 - 24)
    files = tampered.slot_files(chance, SIZES, version=version, security=security, **{"frozen": frozen, **head})
    return Version(frozen, app_images.signed(app_images.made(payload)), files)


def counts(seed, step=1, bug=""):
    """{name: count} that the script prints; step: every so many operations. Errors: chip.NoChip."""
    return {name: int(count) for name, count in re.findall(r"(\w+): (\d+)", said(seed, step, bug).splitlines()[-1])}


def said(seed, step, bug="", cases=None):
    """What the script prints; cases: {name: update} of those that end in a no. Errors: chip.NoChip."""
    chance = random.Random(f"image cuts:{seed}")
    key, root = trial_keys.key(seed), bootstrap.ROOT
    with tempfile.TemporaryDirectory() as folder:
        for name, octets in (cases or {}).items():
            (Path(folder) / f"{name}.case").write_bytes(octets)
        for name, version, security in (("oldest", "1.0.0", 0), ("old", "1.1.0", 1), ("new", "1.2.0", 2)):
            made = version_of(chance, version, security)
            for end, octets in (
                ("slot", bundle.packed(made.files, key)),
                ("update", bundle.packed(made.files, key, made.image)),
                ("image", made.image),
                ("frozen", made.frozen.encode()),
            ):
                (Path(folder) / f"{name}.{end}").write_bytes(octets)
        (Path(folder) / "modulus").write_bytes(trial_keys.modulus(key))
        paths = f"{root}:{root / 'firmware'}:{root / 'host_tools' / 'sim'}:.frozen"
        command = [*chip.interpreter(), "-X", "heapsize=24m", str(SCRIPT), folder, str(step), *filter(None, (bug,))]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MICROPYPATH": paths})
    if done.returncode:
        raise SystemExit(f"updates: {SCRIPT.name} failed:\n{done.stdout}{done.stderr}")
    print(done.stdout, end="")
    return done.stdout


def report(seed, step):
    """Print the figures; True when every start found the old version or the new one."""
    print(f"image_cuts_seed: {seed} seed")
    found = counts(seed, step)
    for name, value in sorted(found.items()):
        print(f"image_cuts_{name}: {value} times")
    return not found["bad"]
