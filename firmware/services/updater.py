"""Takes an update into the slot that does not run, from whichever way it comes; loaded for as long as that takes."""

import asyncio
import json

from firmware.services.flash_gate import gate
from firmware.services.slot_writer import SlotWriter
from firmware.wire.update_bundle import Bundle

MOST_MANIFEST = 16384
MOST_KEY = 385
PIECE_S = 10  # a sender that is silent for so long has gone


def numbers_of(version):
    """(1, 2, 3) of "1.2.3"; (0, 0, 0) of what is no version."""
    try:
        return tuple([int(part) for part in version.split(".")])
    except ValueError:
        return (0, 0, 0)


def running(root):
    """(board, version, security, modulus) of the slot that runs. Errors: OSError, ValueError, KeyError.

    root: "/a". The modulus is b"" where the build knows no maker.
    """
    with open(root + "/manifest.json") as file:
        found = json.loads(file.read(MOST_MANIFEST))
    try:
        with open(root + "/update_key.bin", "rb") as file:
            modulus = file.read(MOST_KEY)
    except OSError:
        modulus = b""
    return found["board"], numbers_of(found["version"]), found.get("security", 0), modulus


class Updater:
    """One update. advance() does one step of a few ms; `outcome` is "" until it is "stored" or the code of a no."""

    def __init__(self, root, box, announced_b, fits=None, images=None):
        """root: of the slot to fill, "/b"; box: (board, version, least security, modulus); announced_b: its length.

        fits: of the starter: whether a slot may run under this image; None: any may. images: function (digest of frozen
        modules, bytes) that gives an ImageWriter, or the code of a no; None: the box has no place for an image.
        """
        board, version, security, modulus = box
        self._bundle = Bundle(announced_b, modulus, board, (version, security), fits, images and self._takes)
        self._images = images
        self._slot = SlotWriter(root)
        self._under_way = None  # what takes more than one step
        self.image = None  # ImageWriter, where an app image comes with the slot
        self.has_begun = False  # the slot is no longer what it was
        self.outcome = ""

    def advance(self, octets):
        """Take the bytes that the last call asked for; how many it wants next, 0: call again with none."""
        try:
            return self._advanced(octets)
        except OSError:  # full or broken flash (faults.md F3)
            self.give_up("not_stored")
            return 0

    def _takes(self, frozen, image_b):
        """As Bundle's takes."""
        found = self._images(frozen, image_b)  # pyright: ignore[reportOptionalCall]  else it is not asked
        if type(found) is str:
            return found
        self.image = found
        return ""

    def _advanced(self, octets):
        if self._under_way is not None:
            for code in self._under_way:
                if code:
                    self.give_up(code)
                return 0
            self._under_way = None
            return 0
        kind, value, wanted = self._bundle.feed(octets)
        if kind == "clear":
            self.has_begun = True
            self._under_way = self._slot.clear()
        elif kind == "open":
            self._slot.open(value)
        elif kind == "write":
            self._slot.write(value)
        elif kind == "close":
            self._slot.close()
        elif kind == "flash":
            self._under_way = self.image.written(value)  # pyright: ignore[reportOptionalMemberAccess]  _takes() made it
        elif kind == "check":
            self._under_way = self.image.checked(value)  # pyright: ignore[reportOptionalMemberAccess]
        elif kind == "seal":
            self._slot.seal(value)
        elif kind == "whole":
            self.outcome = "stored"
        elif kind == "refused":
            self.give_up(value)
        return wanted

    def give_up(self, code):
        """End it with the code of a no; what was written stays without its manifest, so it is never started."""
        self.outcome = code
        self._under_way = None

    def clear(self):
        """Empty the slot again after a no: yields after each step; a full flash must not stay full."""
        try:
            for _ in self._slot.clear():
                yield
        except OSError:
            pass  # it stays without its manifest: the flash fails, or the coil is on


async def received(updater, reader, why_not):
    """Code of what became of an update that comes over a stream; other tasks run between its steps.

    why_not: function that gives the code of a reason to stop, or "".
    """
    wanted = 0
    while not updater.outcome:
        octets = b""
        try:
            if wanted:
                octets = await asyncio.wait_for(reader.readexactly(wanted), PIECE_S)
        except (EOFError, OSError, asyncio.TimeoutError):
            updater.give_up("cut_short")
            break
        code = why_not()
        if not code:
            await gate.opened()  # a second after the coil at most; a car may come meanwhile
            code = why_not()
        if code:
            updater.give_up(code)
            break
        wanted = updater.advance(octets)
        await asyncio.sleep(0)
    if updater.outcome != "stored" and updater.has_begun:
        for _ in updater.clear():
            await asyncio.sleep(0)
    return updater.outcome
