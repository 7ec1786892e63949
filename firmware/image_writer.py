"""The app partition that does not run: filled, read back and chosen; loaded for an update with an image, or its trial.

Each step is one piece of flash work and asks the gate first: OSError, EBUSY, while the coil is on. An erase takes up to
400 ms (docs/decisions/0011-flash-takes-time.md), so it has a turn of its own. choose() and confirm() cannot be split:
ESP-IDF reads the whole image, and writes a sector.
"""

import hashlib

from firmware.services.flash_gate import gate

SECTOR_B = 4096
CHECK_B = 1024  # read back in one step
DIGEST_MARKS = 64


def found(frozen, image_b):
    """ImageWriter of the app partition that does not run, or the code of a no.

    frozen: digest of the modules that the image's own slot needs, as text; image_b: bytes of the image.
    """
    import starter

    if not starter.image()[0] or not hasattr(starter, "IMAGE"):
        return "no_place"  # a stock image, or a starter that knows nothing of a trial of images
    from esp32 import Partition

    try:
        running = Partition(Partition.RUNNING)  # pyright: ignore[reportArgumentType]  the stub knows labels alone
        other = running.get_next_update()
    except OSError:  # a board with one app partition
        return "no_place"
    if other.info()[2] == running.info()[2]:
        return "no_place"
    return "image_too_big" if image_b > other.info()[3] else ImageWriter(other, frozen, image_b)


class ImageWriter:
    """One image on its way into the other app partition."""

    def __init__(self, partition, frozen, image_b):
        """partition: as esp32.Partition; the others as found()."""
        self._partition = partition
        self._frozen = frozen.encode()
        self._length_b = image_b
        self._at = 0

    def place(self):
        """Bits of the stored slot's number that say where it lies."""
        import starter

        return starter.IMAGE | (starter.PLACE if self._partition.info()[1] & 1 else 0)

    def written(self, octets):
        """Append a piece, which does not cross the end of a sector; yields after an erase. Errors: OSError."""
        block, at = divmod(self._at, SECTOR_B)
        if not at:
            gate.ask()
            self._partition.ioctl(6, block)
            yield
        gate.ask()
        self._partition.writeblocks(block, octets, at)
        self._at += len(octets)

    def checked(self, sha256):
        """Read back what lies in flash: yields after each step, and at last the code of a no. Errors: OSError."""
        made = hashlib.sha256()
        # Before each piece stands the end of the one before, so that a digest that lies across both is found.
        buffer = bytearray(DIGEST_MARKS + CHECK_B)
        view = memoryview(buffer)
        is_right = False
        for at in range(0, self._length_b, CHECK_B):
            count = min(CHECK_B, self._length_b - at)
            gate.ask()
            piece = view[DIGEST_MARKS : DIGEST_MARKS + count]
            self._partition.readblocks(at // SECTOR_B, piece, at % SECTOR_B)
            made.update(piece)
            is_right = is_right or buffer.find(self._frozen) >= 0
            view[:DIGEST_MARKS] = view[CHECK_B:]
            yield ""
        if made.digest() != sha256:
            yield "bad_flash"
        elif not is_right:
            yield "no_own_slot"

    def choose(self):
        """The next start is the image's. Errors: OSError, where ESP-IDF finds that it is none, or not the maker's."""
        gate.ask()
        self._partition.set_boot()


def confirm():
    """The image that runs stays. Errors: OSError."""
    from esp32 import Partition

    gate.ask()
    Partition.mark_app_valid_cancel_rollback()
