"""The app partition that does not run: one piece of flash work in a step, and what lies in flash is what counts."""

import hashlib
import unittest

from firmware.image_writer import CHECK_B, SECTOR_B, ImageWriter
from firmware.services.flash_gate import gate

FROZEN = hashlib.sha256(b"modules").digest().hex()
PIECE_B = 512


class Partition:
    """As esp32.Partition of a flash whose bits are only cleared; counts what is done to it."""

    def __init__(self, sectors):
        self.memory = bytearray(sectors * SECTOR_B)
        self.done = []

    def ioctl(self, what, sector):
        self.done.append(("erase", sector))
        self.memory[sector * SECTOR_B : (sector + 1) * SECTOR_B] = b"\xff" * SECTOR_B

    def writeblocks(self, sector, octets, at):
        self.done.append(("write", sector))
        at += sector * SECTOR_B
        for index in range(len(octets)):
            self.memory[at + index] &= octets[index]

    def readblocks(self, sector, buffer, at):
        self.done.append(("read", sector))
        at += sector * SECTOR_B
        buffer[:] = self.memory[at : at + len(buffer)]


class Shut:
    """A loop whose coil is on."""

    memory = None

    def __init__(self):
        self.memory = self.outputs = self
        self.is_contactor_closed = True


def image(at, length_b):
    """Bytes with the digest of the modules at a place."""
    made = bytes([(index * 7 + index // 256) % 251 for index in range(length_b)])
    return made[:at] + FROZEN.encode() + made[at + len(FROZEN) :]


def put(partition, octets):
    """ImageWriter that has written it, and the most operations of one step."""
    writer, most = ImageWriter(partition, FROZEN, len(octets)), 0
    for at in range(0, len(octets), PIECE_B):
        steps = writer.written(octets[at : at + PIECE_B])
        while True:
            before = len(partition.done)
            is_over = True
            for _ in steps:
                is_over = False
                break
            most = max(most, len(partition.done) - before)
            if is_over:
                break
    return writer, most


def code_of(writer, octets):
    """What the reading back says at last."""
    return [code for code in writer.checked(hashlib.sha256(octets).digest()) if code] or [""]


class Steps(unittest.TestCase):
    def test_one_operation_in_a_step(self):
        octets, partition = image(100, 2 * SECTOR_B + 1000), Partition(4)
        writer, most = put(partition, octets)
        self.assertEqual(most, 1)
        self.assertEqual(
            [row for row in partition.done if row[0] == "erase"], [("erase", 0), ("erase", 1), ("erase", 2)]
        )
        self.assertEqual(bytes(partition.memory[: len(octets)]), octets)
        self.assertEqual(partition.memory[3 * SECTOR_B :], bytes(SECTOR_B))
        partition.done.clear()
        steps = 0
        for _ in writer.checked(hashlib.sha256(octets).digest()):
            steps += 1
            self.assertEqual(len(partition.done), steps)
        self.assertEqual(steps, -(-len(octets) // CHECK_B))

    def test_nothing_while_the_coil_is_on(self):
        octets, partition = image(100, SECTOR_B), Partition(1)
        writer, _ = put(partition, octets)
        partition.done.clear()
        fresh = ImageWriter(partition, FROZEN, SECTOR_B)
        gate.watch(Shut())
        try:
            for steps in (fresh.written(octets[:PIECE_B]), writer.checked(bytes(32))):
                with self.assertRaises(OSError):
                    list(steps)
            with self.assertRaises(OSError):
                writer.choose()
        finally:
            gate.watch(None)
        self.assertEqual(partition.done, [])


class ReadBack(unittest.TestCase):
    def test_as_it_was_sent(self):
        octets, partition = image(100, SECTOR_B), Partition(1)
        self.assertEqual(code_of(put(partition, octets)[0], octets), [""])

    def test_a_bit_that_flash_changed(self):
        octets = image(100, SECTOR_B + 700)
        for at in (0, CHECK_B, SECTOR_B - 1, SECTOR_B, len(octets) - 1):
            partition = Partition(2)
            writer, _ = put(partition, octets)
            partition.memory[at] ^= 1
            self.assertEqual(code_of(writer, octets), ["bad_flash"], at)

    def test_the_digest_of_its_modules_is_found_wherever_it_lies(self):
        for at in (0, 1, CHECK_B - 64, CHECK_B - 63, CHECK_B - 1, CHECK_B, 2 * CHECK_B - 30, 2 * CHECK_B + 700 - 64):
            octets, partition = image(at, 2 * CHECK_B + 700), Partition(1)
            self.assertEqual(code_of(put(partition, octets)[0], octets), [""], at)

    def test_other_modules(self):
        octets, partition = image(100, SECTOR_B), Partition(1)
        octets = octets[:130] + b"x" + octets[131:]
        self.assertEqual(code_of(put(partition, octets)[0], octets), ["no_own_slot"])


if __name__ == "__main__":
    unittest.main()
