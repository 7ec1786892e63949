"""The simulation under PyPy where that is installed: the same files and the same draws, several times faster."""

import os
import platform
import shutil
import sys

from host_tools import bootstrap

PROGRAM = "pypy3"
PACKAGE = "pypy3"  # of Debian
NURSERY = "16M"  # lives are copied all the time: 1.6 times as many sequences a second as with PyPy's own choice
OLDEST = "3.9"  # language of Debian's; what is simulated is written in it
# Tasks that only compute, and the option without which they do not.
SIMULATED = (("faults", None), ("hostile", None), ("soak", None), ("latency", "--deadlines"), ("fuzz", None))
SIMULATED += (("rejoin", None), ("scenario", None))
ELSEWHERE = ("--whole", "--guided")  # run the 32-bit interpreter, or a fuzzer that is made for CPython


def is_simulated(argv):
    """Whether a command line only computes."""
    if any(option in argv for option in ELSEWHERE):
        return False
    return any(argv[:1] == [task] and (option is None or option in argv) for task, option in SIMULATED)


def ensure(argv):
    """Start a command line that only computes again under PyPy; one line and back when there is none."""
    if not is_simulated(argv) or "-h" in argv or "--help" in argv:
        return
    program = shutil.which(PROGRAM)
    if program is None:
        bootstrap.say(f"under PyPy this runs several times faster: 'apt-get install {PACKAGE}' as root")
        return
    os.chdir(bootstrap.ROOT)
    os.environ.setdefault("PYPY_GC_NURSERY", NURSERY)
    os.execv(program, [program, "-m", "host_tools.fast", *argv])


def name():
    """Interpreter that runs, as "pypy 7.3.11" or "cpython 3.11.7"."""
    found = getattr(sys, "pypy_version_info", None)
    version = platform.python_version() if found is None else ".".join(map(str, found[:3]))
    return f"{sys.implementation.name} {version}"


if __name__ == "__main__":
    from host_tools import tasks

    sys.exit(tasks.run(sys.argv[1:]))
