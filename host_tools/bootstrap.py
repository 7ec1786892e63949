"""Makes .venv with the pinned packages on a bare Python 3.11+ and goes on inside it."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
LOCKS = (ROOT / "requirements-uv.txt", ROOT / "requirements.txt")


def ensure():
    """Return inside the project's own environment; otherwise make it and start this command again in it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the one line an older Python is told
        raise SystemExit("ebb needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")
    wanted = fingerprint()
    if not STAMP.exists() or STAMP.read_text() != wanted:
        install(wanted)
    if Path(sys.prefix).resolve() != VENV.resolve():
        python = VENV / "bin" / "python"
        os.execv(python, [str(python), "-m", "host_tools", *sys.argv[1:]])


def fingerprint():
    """Hash of both locks: what .venv must hold."""
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()


def install(wanted):
    """Make .venv and put the pinned packages into it; stops with one clear line when that fails."""
    say("setting up .venv (once, under a minute)")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        install_venv_module()
    python = str(VENV / "bin" / "python")
    if not Path(python).exists():
        run([sys.executable, "-m", "venv", str(VENV)], "make .venv")
    run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(LOCKS[0])],
        "install uv",
    )
    run(
        [python, "-m", "uv", "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(LOCKS[1])],
        "install the packages",
    )
    STAMP.write_text(wanted)


def install_venv_module():
    """Debian ships venv and ensurepip apart: installed when root, else one clear line."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() != 0:
        raise SystemExit(f"ebb needs Python's venv module: run 'apt-get install python{version}-venv' as root.")
    apt_install([f"python{version}-venv"])


def apt_install(packages):
    """Install Debian packages as root; stops with one clear line when that fails."""
    say("installing Debian packages: " + " ".join(packages))
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-qq", "update"], "read Debian's package lists", env)
    run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages], "install Debian packages", env)


def run(command, words, env=None):
    """Run a quiet command; on failure its output and one line, exit 2."""
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
        raise SystemExit(f"ebb could not {words}: {Path(command[0]).name} ended with {done.returncode}.")


def say(words):
    """One line of progress on standard error."""
    print("ebb: " + words, file=sys.stderr, flush=True)
