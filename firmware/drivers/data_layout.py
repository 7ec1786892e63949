"""Divides the data partition: a lid, a smaller littlefs, and behind it the sectors of the journal.

Today's starters mount the whole partition and make it anew where that fails, and an update does not replace them. So
the first two blocks stay a littlefs of the whole partition, the lid, which holds nothing but words that lock an older
firmware (faults.md F1); the one that is used begins behind it, and is mounted in its place before anything is read.

A partition of an older firmware is divided at a start: its files are copied to the file system of the slots, and only
once all of them lie there whole, one rename says so, with a number of its own. From then on each start begins again
with dividing until that number stands among the files that are back: these are the newer ones then.
"""

import os

import vfs

from firmware.drivers.flash_area import RINGS

DATA, KEPT = "/data", "/moving"
WHOLE, FILES = KEPT + "/whole", KEPT + "/files"
BACK = DATA + "/moved"  # all files are back, from the copy with this number; gone once the copy is
LID_BLOCKS, LID_MARK, LOST = 2, "divided", "lost"
BLOCK = 4096
READ_B, PROGRAM_B, LOOKAHEAD_B = 128, 32, 128
PIECE_B = 512
FOLDER = 0x4000  # of os.stat
SPARE_BLOCKS = 16


class Part:
    """Some blocks of a partition, as littlefs wants them."""

    def __init__(self, partition, first, count):
        self._partition = partition
        self._first = first
        self._count = count

    def readblocks(self, number, buffer, offset=0):
        """Read into a buffer."""
        return self._partition.readblocks(self._first + number, buffer, offset)

    def writeblocks(self, number, buffer, offset=0):
        """Write a buffer to what is erased."""
        return self._partition.writeblocks(self._first + number, buffer, offset)

    def ioctl(self, what, argument):
        """4 tells the blocks, 6 erases one."""
        if what == 4:
            return self._count
        return self._partition.ioctl(what, self._first + argument if what == 6 else argument)


class Layout:
    """The division of one partition. code: of why it is not divided, stored.… of words_en.txt, or ""."""

    def __init__(self, partition, feed):
        """partition: as esp32.Partition; feed: called between operations, for the watchdog."""
        blocks = partition.ioctl(4, 0)
        rings = [sectors for least, sectors in RINGS if blocks >= least]
        self.sectors = rings[0] if rings else 0
        self.first = blocks - self.sectors
        self.code = ""
        self.partition = partition
        self._part = Part(partition, LID_BLOCKS, self.first - LID_BLOCKS)
        self._feed = feed

    def prepare(self, may_move):
        """Whether the partition is divided now, and its littlefs mounted at DATA.

        may_move: whether one of an older firmware may be divided now, which takes many seconds. Errors: OSError.
        """
        if not self.sectors:
            return False
        names = listed(DATA)
        if is_there(WHOLE):
            if not self._is_back():
                self._bring_back()
            elif LID_MARK not in names:
                self._make_lid()
            self._forget()
            return True
        if is_old(names):
            if not may_move:
                self.code = "later"
                return False
            if not self._carry_out():
                self.code = "cable"
                return False
            self._bring_back()
            self._forget()
        elif self._is_mounted():
            if LID_MARK not in names:
                self._make_lid()
            self._forget()
        elif LID_MARK in names:
            self._made_anew()
        else:
            self._mount(self.partition, 32)
            self._carry_nothing(names)
            self._bring_back()
            self._forget()
        return True

    def _is_back(self):
        """Whether all files of this copy are behind the lid already, and mounted: what lies there is newer by now."""
        number = content(WHOLE)
        return bool(number) and self._is_mounted() and content(BACK) == number

    def _is_mounted(self):
        """Whether there is a littlefs behind the lid; it is mounted then, and nothing is without it."""
        try:
            self._mount(self._part, READ_B)
        except OSError:
            return False
        return True

    def _mount(self, device, read_b):
        """In place of what was mounted there. Errors: OSError, and then nothing is."""
        unmounted()
        vfs.mount(vfs.VfsLfs2(device, readsize=read_b, progsize=PROGRAM_B, lookahead=read_b), DATA)

    def _made_anew(self):
        """What is behind the lid cannot be read any more: settings were lost (faults.md F1, F2). Errors: OSError."""
        self._format()
        write(DATA + "/settings.json", LOST)

    def _format(self):
        """A fresh littlefs behind the lid, mounted. Errors: OSError."""
        unmounted()
        self._feed()
        device: Any = self._part
        vfs.VfsLfs2.mkfs(device, readsize=READ_B, progsize=PROGRAM_B, lookahead=LOOKAHEAD_B)
        self._mount(self._part, READ_B)

    def _make_lid(self):
        """A littlefs of the whole partition in its first blocks, which locks an older firmware. Errors: OSError."""
        unmounted()
        vfs.VfsLfs2.mkfs(self.partition)
        self._mount(self.partition, 32)
        write(DATA + "/settings.json", LOST)
        write(DATA + "/" + LID_MARK, "")
        self._mount(self._part, READ_B)

    def _carry_out(self):
        """Copy all files to the file system of the slots; whether they lie there whole."""
        try:
            paths = [path for path in found(DATA) if path != "/" + LID_MARK]
            blocks = SPARE_BLOCKS + sum([os.stat(DATA + path)[6] // (BLOCK - 64) + 1 for path in paths])
            self._emptied(KEPT)
            room = os.statvfs("/")
            if blocks * BLOCK > room[0] * room[3] or blocks > (self.first - LID_BLOCKS) * 9 // 10:
                return False
            os.mkdir(KEPT)
            self._copied(paths, DATA, FILES)
            say_whole()
        except OSError:
            self._emptied(KEPT)
            return False
        return True

    def _carry_nothing(self, names):
        """As _carry_out, for a new box, or one whose settings were lost before. Errors: OSError."""
        self._emptied(KEPT)
        os.mkdir(KEPT)
        self._copied(["/" + name for name in names], DATA, FILES)
        say_whole()

    def _bring_back(self):
        """Divide, copy back, make the lid; after a cut before BACK is written the next start does it again.

        Errors: OSError, and then nothing is mounted: what the box stored there the next start would take away.
        """
        unmounted()
        try:
            for sector in range(self.sectors):
                self._feed()
                self.partition.ioctl(6, self.first + sector)
            self._format()
            self._copied(found(FILES), FILES, DATA)
            write(BACK, content(WHOLE))
            self._make_lid()
        except OSError:
            unmounted()
            raise

    def _forget(self):
        """The copy is not needed any more; what flash does not let go now waits for the next start."""
        try:
            if is_there(WHOLE):
                os.remove(WHOLE)
            self._emptied(KEPT)
            if is_there(BACK):
                os.remove(BACK)
        except OSError:
            pass

    def _copied(self, paths, source, target):
        """Copy files, and see that they read alike. paths: behind both roots. Errors: OSError."""
        for path in paths:
            self._feed()
            made = target
            for name in ("." + path).split("/")[:-1]:
                made = made if name == "." else made + "/" + name
                if not is_there(made):
                    os.mkdir(made)
            with open(source + path, "rb") as old:
                with open(target + path, "wb") as new:
                    piece = old.read(PIECE_B)
                    while piece:
                        new.write(piece)
                        self._feed()
                        piece = old.read(PIECE_B)
                old.seek(0)
                with open(target + path, "rb") as new:
                    while piece or old:
                        piece = old.read(PIECE_B)
                        if new.read(PIECE_B) != piece:
                            raise OSError(5)  # EIO
                        if not piece:
                            break

    def _emptied(self, folder):
        """Take a folder away with all that is in it. Errors: OSError."""
        if not is_there(folder):
            return
        for name in os.listdir(folder):
            path = folder + "/" + name
            self._feed()
            if os.stat(path)[0] & FOLDER:
                self._emptied(path)
            else:
                os.remove(path)
        os.rmdir(folder)


def is_old(names):
    """Whether these files of the whole partition are an older firmware's: it may also have come back, over a lid."""
    settings = content(DATA + "/settings.json") if "settings.json" in names else LOST
    return settings != LOST or bool([name for name in names if name not in ("settings.json", LID_MARK)])


def of_chip(feed):
    """Layout of this chip's data partition, None where it has none."""
    from esp32 import Partition

    partitions = Partition.find(Partition.TYPE_DATA, label="data")
    return Layout(partitions[0], feed) if partitions else None


def shown():
    """For a tool at the prompt: what lies behind the lid is at DATA; a division that the tool cut short is ended first.

    Else the next start would begin with it again, and take away what the tool wrote.
    """
    if is_there(WHOLE) or LID_MARK in listed(DATA):
        layout = of_chip(lambda: None)
        if layout is not None:
            layout.prepare(False)


def lock():
    """What was stored cannot be reached: the box takes itself for one that lost it, and not for a new one (F1)."""
    try:
        if not is_there(DATA):
            os.mkdir(DATA)  # in the file system of the slots, where nothing is mounted
        if not is_there(DATA + "/settings.json"):
            write(DATA + "/settings.json", LOST)
    except OSError:
        pass


def say_whole():
    """All files lie in the copy, under a number that no copy had before. Errors: OSError."""
    write(WHOLE + ".new", str(int.from_bytes(os.urandom(6), "big") + 1))
    os.rename(WHOLE + ".new", WHOLE)


def unmounted():
    """Nothing is mounted at DATA any more."""
    try:
        vfs.umount(DATA)
    except OSError:
        pass  # nothing was


def is_there(path):
    """Whether there is such a file or folder."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def listed(folder):
    """Names in a folder, none where it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def found(root):
    """Paths of all files behind a root, from "/" on. Errors: OSError."""
    folders, paths = [""], []
    while folders:
        folder = folders.pop()
        if not is_there(root + folder):
            continue
        for name in os.listdir(root + folder):
            path = folder + "/" + name
            (folders if os.stat(root + path)[0] & FOLDER else paths).append(path)
    return paths


def content(path):
    """The first bytes of a file as text, "" where it cannot be read."""
    try:
        with open(path) as file:
            return file.read(16)
    except (OSError, ValueError):
        return ""


def write(path, text):
    """Errors: OSError."""
    with open(path, "w") as file:
        file.write(text)
