"""Command `device divide`: the flash of an older box that has no room to be divided by itself is divided over this PC.

Every file of the data partition goes into a file of this PC, and back once the flash is divided; each is read back and
compared. Broken off anywhere it is run again: a mark on the box says what is under way (chip_scripts/divide.py).
"""

import argparse
import base64
import contextlib
import hashlib
import json
import sys
from pathlib import Path

from firmware.drivers import flash_area
from firmware.services import make_room
from host_tools import bootstrap
from host_tools.device import asked, box_file, data_file, flash, unit_tests, united, update
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

SCRIPT = bootstrap.ROOT / "host_tools" / "chip_scripts" / "divide.py"
# As in firmware/drivers/py, which only a chip can load.
DATA, LOST = "/data", b"lost"
BLOCK, LID_BLOCKS, SPARE_BLOCKS = 4096, 2, 16
LAST = ("/settings.old", "/settings.json")  # until all others are there the box counts its settings as lost
PIECE_B = 1024
TOLD_EVERY_B = 64 * 1024
AGAIN = "Nothing is lost: the box rests with its contactor open, and the same command goes on"


class Line:
    """A prompt; at the end the board starts its firmware, or rests where it has not got everything back."""

    def __init__(self, port, is_forced):
        """Errors: Trouble."""
        self.prompt = Prompt(port, asked.guard(is_forced, needs_answer=True))
        self.is_begun = False  # files of the box lie on this PC alone
        self.newer = {}  # {path: bytes} that counts beside what is kept, or in its place (united.py)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.is_begun:
            self.prompt.close()
            return
        if kind is KeyboardInterrupt:
            with contextlib.suppress(Trouble):
                self.prompt.interrupt()
        self.prompt.restart()

    def ask(self, call):
        """What a call of the script gives. Errors: Trouble."""
        return json.loads(self.prompt.run(f"print(json.dumps({call}))", box_file.SHOWN_S).strip().splitlines()[-1])

    def fresh(self):
        """A new interpreter: nothing that the firmware had open is written later, and /data is what boot.py mounts."""
        self.prompt.run(unit_tests.DOG_CODE)
        self.prompt.soft_reset()
        self.prompt.run(unit_tests.DOG_CODE)
        self.prompt.run(box_file.SHOWN_CODE, box_file.SHOWN_S)
        if self.prompt.run("try: import firmware.drivers.data_layout\nexcept ImportError: print('none')").strip():
            raise Trouble("this box's firmware does not divide its flash yet: update it first (device update).", code=2)
        self.prompt.run("import json\n" + SCRIPT.read_text("utf-8"))

    def lengths(self):
        """{path behind /data: bytes} of the files of the box. Errors: Trouble."""
        rows = [row.partition(" ") for row in self.prompt.run("tell_files()").splitlines()]
        return {path: int(length_b) for length_b, _, path in rows}

    def content(self, path, length_b):
        """Bytes of a file. Errors: Trouble."""
        pieces = []
        for at in range(0, length_b, PIECE_B):
            piece = self.prompt.run(f"tell_piece({path!r}, {at}, {PIECE_B})")
            pieces.append(base64.b64decode(piece))
        return b"".join(pieces)

    def digests(self, paths):
        """{path behind /data: SHA-256 or None}. Errors: Trouble."""
        found = self.prompt.digests([DATA + path for path in paths])
        return {path: found[DATA + path] for path in paths}

    def contents(self, lengths):
        """{path: bytes} of files, each compared with its SHA-256 on the board. Errors: Trouble."""
        made, done_b, told_b, all_b = {}, 0, 0, sum(lengths.values())
        digests = self.digests(lengths)
        for path, length_b in lengths.items():
            made[path] = self.content(path, length_b)
            if hashlib.sha256(made[path]).hexdigest() != digests[path]:
                raise Trouble(f"{DATA}{path} does not read alike twice: nothing was written.")
            done_b += length_b
            if done_b - told_b >= TOLD_EVERY_B:
                told_b = done_b
                bootstrap.say(f"{done_b >> 10} of {all_b >> 10} KiB are on this PC")
        return made


def blocks_of(files):
    """Blocks that files take at most, as the firmware reckons when it divides by itself."""
    blocks = [len(octets) // (BLOCK - 64) + 1 for octets in files.values()]
    return SPARE_BLOCKS + sum(blocks)


def room_of(blocks):
    """Blocks that files may take on a divided partition of so many. Errors: Trouble where it is too small for that."""
    rings = [sectors for least, sectors in flash_area.RINGS if blocks >= least]
    if not rings:
        raise Trouble("the data partition of this board is too small to be divided; it stays as it is.", code=2)
    return (blocks - rings[0] - LID_BLOCKS) * 9 // 10


def oldest_first(files):
    """Paths that may be left out, the least missed first: as firmware/services/make_room.py."""
    made = []
    for prefix in make_room.MAY_GO:
        numbers = sorted((make_room.number_in(path[1:], prefix), path) for path in files)
        numbers = [path for number, path in numbers if number >= 0]
        made += numbers if prefix == make_room.MAY_GO[0] else numbers[: -make_room.NEVER_LESS]
    return made


def left_out(files, room):
    """Paths that have to be left out. Errors: Trouble where even so there is not room enough."""
    rest, made = dict(files), []
    for path in oldest_first(files):
        if blocks_of(rest) <= room:
            break
        made.append(path)
        del rest[path]
    if blocks_of(rest) > room:
        words = f"what must stay takes {blocks_of(rest)} blocks, and a divided flash has room for {room}"
        raise Trouble(f"{words}. Nothing was written.", code=2)
    return made


def saved(line, chip, path, options, blocks):
    """What is kept of a box that is not divided yet, on the disk. Errors: Trouble, and nothing was written then."""
    if path.exists() and data_file.read(path)["chip"] != chip:
        raise Trouble(f"{path} is there already, and of another box. Name another one with --file.", code=2)
    kept = data_file.made(chip, line.contents(line.lengths()))
    room = room_of(blocks)
    kept["left_out"] = left_out(kept["files"], room)
    if kept["left_out"] and not options.drop_oldest:
        words = (
            f"{blocks_of(kept['files'])} blocks are stored, and a divided flash has room for {room}. The oldest would "
        )
        words += f"stay on this PC alone: {', '.join(name[1:] for name in kept['left_out'])}"
        raise Trouble(f"{words}. Nothing was written; --drop-oldest goes on so.", code=2)
    data_file.write(kept, path)
    bootstrap.say(f"{len(kept['files'])} files of the box are in {path}")
    return kept


def found_again(chip, path, mark):
    """What an earlier run has kept; mark: what the box says of it, or None. Errors: Trouble."""
    if not path.exists():
        words = f"this box's files are in {(mark or {}).get('file', 'another file')}, since its division broke off"
        raise Trouble(f"{words}: run this beside that file, or name it with --file.", code=2)
    kept = data_file.read(path)
    if kept["chip"] != chip or (mark is not None and data_file.name_of(kept) != mark["id"]):
        raise Trouble(f"{path} is not what was kept of this box when its division began.", code=2)
    return kept


def came_since(line, kept, options):
    """Whatever the box has stored by itself since an earlier run broke off goes to this PC as well, and counts.

    Errors: Trouble, also where it cannot be united with what was there before: then the box is as it was.
    """
    path, wanted = options.file, data_file.wanted(kept)
    lengths = line.lengths()
    digests = line.digests(lengths)
    own = {name: hashlib.sha256(octets).hexdigest() for name, octets in wanted.items()}
    strange = {name: length_b for name, length_b in lengths.items() if digests[name] != own.get(name)}
    number = 1 + max([since_of(name)[0] for name in kept["since"]], default=-1)
    for name, octets in line.contents(strange).items():
        # The beginning of a file is what an earlier run wrote of it.
        if not wanted.get(name.removesuffix(box_file.FRESH), b"").startswith(octets) and octets != LOST:
            kept["since"][f"/since-{number}{name}"] = octets
    if kept["since"]:
        data_file.write(kept, path)
    snapshots = [{} for _ in range(number + 1)]
    for name, octets in kept["since"].items():
        at, its_path = since_of(name)
        snapshots[at][its_path] = octets
    line.newer, apart = united.made(wanted, snapshots)
    if apart and not options.keep_older:
        words = f"what the box stored since its division broke off is in {path}, and part of it cannot be united with"
        words += f" what was there before: {', '.join(apart)}. Nothing was written; --keep-older takes that from before"
        raise Trouble(f"{words}.", code=2)
    for name in strange:
        if name not in wanted and name not in line.newer:
            line.prompt.remove(DATA + name)


def since_of(name):
    """(number of the run, path) of what a run has kept of a box that had stored something by itself."""
    number, _, path = name.removeprefix("/since-").partition("/")
    return int(number), "/" + path


def brought_back(line, kept):
    """Write what the box lacks; what locks it first, its settings last. Errors: Trouble."""
    wanted = {**data_file.wanted(kept), **line.newer}
    digests = line.digests(wanted)
    lacking = [name for name in wanted if digests[name] != hashlib.sha256(wanted[name]).hexdigest()]
    for name in lacking:
        if name in line.newer and name not in LAST:
            box_file.replace(line.prompt, {DATA + name: wanted[name]})
    others = [name for name in lacking if name not in LAST and name not in line.newer]
    all_b, done_b, told_b = sum(len(wanted[name]) for name in others), 0, 0
    for name in others:
        line.prompt.put(DATA + name, wanted[name])
        done_b += len(wanted[name])
        if done_b - told_b >= TOLD_EVERY_B:
            told_b = done_b
            bootstrap.say(f"{done_b >> 10} of {all_b >> 10} KiB are back on the box")
    for name in LAST:
        if name in lacking:
            box_file.replace(line.prompt, {DATA + name: wanted[name]})
    if LAST[-1] not in wanted:
        line.prompt.remove(DATA + LAST[-1])  # a box in factory state
    line.fresh()  # as a start will find it
    found = line.digests(line.lengths())
    made = {name: hashlib.sha256(octets).hexdigest() for name, octets in wanted.items()}
    odd = sorted(name for name in {*found, *made} if found.get(name) != made.get(name))
    if odd:
        raise Trouble(f"the box does not read back as it was: {', '.join(odd)[:200]}.")
    line.prompt.remove(f"{DATA}/divide.json")


def divided(line, options):
    """What to say of a box that is divided now. Errors: Trouble."""
    letter = update.slot_of(line.prompt)
    if not line.prompt.before:  # else a person knows of the car
        update.check_unplugged(line.prompt, letter)
    chip = box_file.chip_id(line.prompt)
    box = box_file.parsed(line.prompt.read(box_file.BOX), box_file.BOX).get("box", "ebb-" + chip[-6:])
    line.fresh()
    found = line.ask("state()")
    if found is None:
        raise Trouble(
            "the data partition of this board is not there, or not mounted: 'device doctor' says more.", code=2
        )
    blocks, mounted, is_old, told = found
    mark = json.loads(told) if told else None
    path = options.file or Path(mark["file"] if mark else f"data-of-{box}-before-dividing.json")
    is_divided = mounted != blocks
    if not mark and (is_divided or not is_old):
        said = (
            "its flash is divided already"
            if is_divided
            else "it holds nothing yet, and divides its flash when it starts"
        )
        more = f" {path} of an earlier run is not needed any more, and holds secrets." if path.exists() else ""
        return f"the box '{box}' needs no dividing: {said}.{more}"
    line.is_begun = bool(mark)
    if mark:
        kept = found_again(chip, path, mark)
        options.file = path
        came_since(line, kept, options)
    else:
        kept = saved(line, chip, path, options, blocks)
        told = json.dumps({"file": path.name, "id": data_file.name_of(kept)})
        line.is_begun = True
        if not line.ask(f"divide({told!r})"):
            line.is_begun = False
            raise Trouble("the box has no room for a note of what is done: nothing was changed.", code=2)
        bootstrap.say("the flash is divided; now its files come back")
    brought_back(line, kept)
    line.is_begun = False
    since = [name for name, octets in kept["since"].items() if line.newer.get(since_of(name)[1]) != octets]
    if kept["left_out"] or since:
        alone = [name[1:] for name in [*kept["left_out"], *since]]
        return f"the box '{box}' is divided; {path} alone holds {', '.join(alone)}: it stays, and holds secrets."
    path.unlink()
    return f"the box '{box}' is divided, and holds all of its {len(kept['files'])} files; {path} is removed."


def run(argv):
    """Run the command; 0 when the box is divided, 2 when it was not begun, 1 when it broke off."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools device divide", description=__doc__.split("\n")[0])
    parser.add_argument("--port", help="serial port (default: the only USB one)")
    parser.add_argument("--file", type=Path, help="where the box's files are kept (default: named after the box, here)")
    parser.add_argument("--drop-oldest", action="store_true", help="what has no room any more stays on this PC alone")
    words = "what the box stored since a division broke off and cannot be united stays on this PC alone"
    parser.add_argument("--keep-older", action="store_true", help=words)
    parser.add_argument("--force", action="store_true", help=asked.HELP)
    options = parser.parse_args(argv)
    line = None
    try:
        line = Line(flash.find_port(options.port), options.force)
        with line:
            said = divided(line, options)
    except Trouble as trouble:
        is_begun = line is not None and line.is_begun
        print(f"ebb: {trouble}{' ' + AGAIN + '.' if is_begun else ''}", file=sys.stderr)
        return trouble.code
    except KeyboardInterrupt:
        is_begun = line is not None and line.is_begun
        print(f"ebb: stopped. {AGAIN if is_begun else 'Nothing was changed'}.", file=sys.stderr)
        return 1
    print(said)
    return 0
