"""Third-party packages as requirements.txt locks them: version, hashes, and the wheel itself, checked at every use."""

import hashlib
import importlib.metadata
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import namedtuple

from host_tools import bootstrap

LOCK = bootstrap.ROOT / "requirements.txt"
WHEELS = bootstrap.ROOT / ".cache" / "wheels"
Wheel = namedtuple("Wheel", ("name", "version", "sha256", "path"))


class BadWheel(Exception):
    """A locked package cannot be used; the text is one clear line."""


def locked(name):
    """(version, list of sha256) of a package. Errors: BadWheel."""
    found = re.search(
        rf"^{re.escape(name)}==(\S+)((?: \\\n\s+--hash=sha256:[0-9a-f]{{64}})+)$", LOCK.read_text("utf-8"), re.M
    )
    if not found:
        raise BadWheel(f"requirements.txt does not lock {name} with its hashes.")
    return found[1], re.findall(r"sha256:([0-9a-f]{64})", found[2])


def tool_version(name):
    """Version of a tool, the locked one and no other. Errors: BadWheel."""
    version, _ = locked(name)
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != version:
        raise BadWheel(f"{name} {version} is locked and {found} is installed; run 'python3 -m host_tools setup'.")
    return version


def wheel(name):
    """Wheel of a package that runs anywhere; downloaded at first use, its hash checked each time. Errors: BadWheel."""
    version, hashes = locked(name)
    path = WHEELS / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if not path.exists():
        download(name, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 not in hashes:
        raise BadWheel(f"{path.name} in .cache/wheels is not the file that requirements.txt locks: delete it.")
    return Wheel(name, version, sha256, path)


def download(name, path):
    """Fetch a locked wheel to `path`; pip checks its hash before it lies there. Errors: BadWheel."""
    version, hashes = locked(name)
    bootstrap.say(f"fetching the wheel of {name} {version} (once)")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        asked = path.parent / folder / "asked.txt"
        asked.write_text(f"{name}=={version} " + " ".join(f"--hash=sha256:{one}" for one in hashes) + "\n")
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary", ":all:", "-d", folder, "-r", str(asked)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not (asked.parent / path.name).exists():
            raise BadWheel(f"the wheel of {name} {version} cannot be had: {reason(done.stderr)}")
        (asked.parent / path.name).replace(path)


def reason(said):
    """Why pip fetched nothing, in one line."""
    if "DO NOT MATCH THE HASHES" in said:
        return "what came has another hash than requirements.txt locks."
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else "pip fetched another file."


def sources(found, names):
    """{path: bytes} of some modules in a wheel. Errors: BadWheel."""
    try:
        with zipfile.ZipFile(found.path) as archive:
            return {name: archive.read(name) for name in names}
    except (KeyError, zipfile.BadZipFile) as error:
        raise BadWheel(f"{found.path.name} does not hold what the firmware needs: {error}") from None
