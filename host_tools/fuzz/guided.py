"""Fuzzing guided by coverage: atheris (libFuzzer) changes what reaches new code of a parser, and keeps the fewest.

Run as a program it is the fuzzer of one target: `python -m host_tools.fuzz.guided NAME LIBFUZZER-OPTION…`.
"""

import importlib.util
import random
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from host_tools import bootstrap
from host_tools.fuzz import campaign, corpus, mutation, targets

LIBRARY = "atheris"
LOCK = bootstrap.ROOT / "requirements-guided.txt"
FOUND = 77  # exit code of libFuzzer where an input broke something
REPAIRED = 0.5  # share of inputs whose checksum, length or end is put right, so that more than that is looked at
SLACK_S = 60


def ensure():
    """Install atheris where it is missing: 35 MB that nothing else needs, for Linux on x86-64 alone."""
    if importlib.util.find_spec(LIBRARY) is None:
        bootstrap.say("installing atheris (once, 35 MB)")
        command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", sys.executable]
        bootstrap.run([*command, "--require-hashes", "-r", str(LOCK)], "install atheris")


def report(names, seconds, seed):
    """Print what so many seconds of each target reach; True when nothing was found. What reaches new code is kept."""
    ensure()
    print(f"guided_seed: {seed} seed")
    runs, finds = 0, []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="ebb-guided-") as folder:
            found = fuzzed(name, seconds, seed, Path(folder))
        kept = corpus.keep(name, found["corpus"])
        print(f"guided_{name}: {found['runs']} inputs, {found['coverage']} edges, {kept} kept", flush=True)
        runs += found["runs"]
        finds += [(name, octets) for octets in found["finds"]]
    print(f"guided_inputs: {runs} inputs")
    print(f"guided_finds: {len(finds)} inputs")
    for name, octets in finds:
        words = campaign.words_of(targets.target(name), octets)
        print(f"{name}: {words}\n  --show {name}:{octets.hex()}")
    return not finds


def fuzzed(name, seconds, seed, folder):
    """{"runs", "coverage", "corpus": [bytes], "finds": [bytes]} of one target. Errors: SystemExit if it cannot run."""
    for part in ("seeds", "fewest", "finds"):
        (folder / part).mkdir()
    for number, octets in enumerate(targets.target(name).seeds() + corpus.of(name)):
        (folder / "seeds" / str(number)).write_bytes(octets)
    words = ['"%s"' % "".join(f"\\x{octet:02x}" for octet in token) for token in targets.target(name).TOKENS]
    (folder / "words").write_text("\n".join(words) + "\n")
    told = called(
        name,
        f"-dict={folder / 'words'}",
        f"-max_total_time={seconds}",
        f"-seed={seed % 0xFFFFFFFF + 1}",
        f"-max_len={mutation.MOST_B}",
        f"-artifact_prefix={folder / 'finds'}/",
        str(folder / "seeds"),
        for_s=seconds + SLACK_S,
    )
    finds = [path.read_bytes() for path in sorted((folder / "finds").iterdir())]
    if not finds:
        called(name, "-merge=1", str(folder / "fewest"), str(folder / "seeds"), for_s=seconds + SLACK_S)
    edges = re.findall(r"cov: (\d+)", told)
    runs = re.findall(r"^(?:Done |#)(\d+)\s", told, re.M)
    return {
        "runs": int(runs[-1]) if runs else 0,
        "coverage": int(edges[-1]) if edges else 0,
        "corpus": [path.read_bytes() for path in (folder / "fewest").iterdir()] or corpus.of(name),
        "finds": finds,
    }


def called(name, *options, for_s):
    """What the fuzzer of a target prints. Errors: SystemExit when it ends otherwise than well or with a find."""
    command = [sys.executable, "-m", "host_tools.fuzz.guided", name, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=bootstrap.ROOT, timeout=for_s)
    if done.returncode not in (0, FOUND):
        raise SystemExit(f"ebb: the fuzzer of {name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stderr


def mutated(change, repaired, octets, most_b, seed):
    """One input more. change: function (bytes, most) of the fuzzer; repaired: of a target."""
    chance = random.Random(seed).random
    made = bytes(change(octets, most_b))
    return repaired(made, chance)[:most_b] if chance() < REPAIRED else made


def run_one(name, options):
    """The fuzzer of one target, until its own end."""
    atheris = importlib.import_module(LIBRARY)
    with atheris.instrument_imports(include=["firmware"]):
        tested = targets.target(name)

    def custom(octets, most_b, seed):
        return mutated(atheris.Mutate, tested.repaired, octets, most_b, seed)

    def one(octets):
        tested.tried(octets)

    # libFuzzer starts itself again by the shell where it looks for the fewest inputs.
    program = f"{shlex.quote(sys.executable)} -m host_tools.fuzz.guided {name}"
    atheris.Setup([program, *options], one, custom_mutator=custom)
    atheris.Fuzz()


if __name__ == "__main__":
    run_one(sys.argv[1], sys.argv[2:])
