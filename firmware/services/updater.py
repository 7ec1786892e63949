"""Takes an update into the slot that does not run, from whichever way it comes; loaded for as long as that takes."""

import asyncio
import json

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

    def __init__(self, root, box, announced_b):
        """root: of the slot to fill, "/b"; box: (board, version, least security, modulus); announced_b: its length."""
        board, version, security, modulus = box
        self._bundle = Bundle(announced_b, modulus, board, (version, security))
        self._slot = SlotWriter(root)
        self._clearing = None
        self.has_begun = False  # the slot is no longer what it was
        self.outcome = ""

    def advance(self, octets):
        """Take the bytes that the last call asked for; how many it wants next, 0: call again with none."""
        try:
            return self._advanced(octets)
        except OSError:  # full or broken flash (faults.md F3)
            self.give_up("not_stored")
            return 0

    def _advanced(self, octets):
        if self._clearing is not None:
            for _ in self._clearing:
                return 0
            self._clearing = None
            return 0
        kind, value, wanted = self._bundle.feed(octets)
        if kind == "clear":
            self.has_begun = True
            self._clearing = self._slot.clear()
        elif kind == "open":
            self._slot.open(value)
        elif kind == "write":
            self._slot.write(value)
        elif kind == "close":
            self._slot.close()
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
        self._clearing = None
        try:
            self._slot.close()
        except OSError:
            pass  # the flash that failed before

    def clear(self):
        """Empty the slot again after a no: yields after each step; a full flash must not stay full."""
        try:
            for _ in self._slot.clear():
                yield
        except OSError:
            pass  # it stays without its manifest


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
        wanted = updater.advance(octets)
        code = why_not()
        if code and not updater.outcome:
            updater.give_up(code)
        await asyncio.sleep(0)
    if updater.outcome != "stored" and updater.has_begun:
        for _ in updater.clear():
            await asyncio.sleep(0)
    return updater.outcome
