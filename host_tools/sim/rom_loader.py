"""A stand-in for the chip's ROM loader on a pseudo-terminal, with flash behind it and faults on its line.

Written after the chapter "Serial Protocol" of Espressif's esptool documentation. Not a proof of the real chip: a block
sent twice because its answer was lost is taken at its place by its number; unconfirmed on a board.
"""

import contextlib
import hashlib
import os
import random
import select
import struct
import termios
import threading
import tty
import zlib

from host_tools.sim import rom_chips

FLASH_BEGIN, FLASH_DATA, FLASH_END, SYNC, WRITE_REG, READ_REG = 0x02, 0x03, 0x04, 0x08, 0x09, 0x0A
SPI_SET_PARAMS, SPI_ATTACH, READ_FLASH, CHANGE_BAUDRATE = 0x0B, 0x0D, 0x0E, 0x0F
DEFL_BEGIN, DEFL_DATA, DEFL_END, FLASH_MD5, SECURITY_INFO = 0x10, 0x11, 0x12, 0x13, 0x14
INVALID_MESSAGE, FAILED_TO_ACT, INVALID_CHECKSUM = 0x05, 0x06, 0x07
SYNC_BODY = b"\x07\x07\x12\x20" + b"\x55" * 32
SYNC_ANSWERS = 8
SYNC_VALUE = 0x20120707  # not 0, which would be the answer of a stub
CHECKSUM_SEED = 0xEF
SECTOR_BYTES = 4096
AUTO_BAUD = 115200  # up to here the ROM finds the host's rate by itself
BAUDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


class Faults:
    """What is wrong with the line; every field may be changed while it runs."""

    def __init__(self, seed=0):
        self.random = random.Random(seed)
        self.is_garbled = False  # every answer is garbage: another program talks, at another rate
        self.highest_baud = None  # above it every answer is garbage
        self.noise_permille = 0  # answers with garbage bytes before them
        self.noise_after_bytes = None  # of flash data: one garbage byte before an answer, once
        self.flip_permille = 0  # requests with one bit turned
        self.pulled_after_bytes = None  # of flash data: then the port is gone
        self.weak_at = None  # a flash address whose byte takes one bit wrong, unnoticed by the checksum
        self.happened = 0  # noises and flips so far

    def strikes(self, permille):
        """Whether a fault of this likelihood happens now."""
        is_now = self.random.randrange(1000) < permille
        self.happened += is_now
        return is_now

    def flipped(self, frame):
        """A request as it arrives."""
        if not self.strikes(self.flip_permille):
            return frame
        at = self.random.randrange(len(frame))
        return frame[:at] + bytes([frame[at] ^ 1 << self.random.randrange(8)]) + frame[at + 1 :]


class RomLoader:
    """One board in its loader: `port` is the path to open, `flash` what it holds, `chip` "esp32" or "esp32s3".

    `link`, if told, is a path that points to the port while the cable is in; it stays the same over start() and stop().
    """

    def __init__(self, chip="esp32s3", flash_bytes=8 << 20, link=None, mac=rom_chips.MAC):
        self.chip = chip
        self.flash = bytearray(b"\xff" * flash_bytes)
        self.faults = Faults()
        self.port = None
        self.link = link
        self.baud = AUTO_BAUD
        self.data_bytes = 0  # flash data taken since the last start, padding included
        self.written = []  # (offset, length in bytes) of every block taken since the last start
        self._registers = rom_chips.Registers(chip, flash_bytes, mac)
        self._region = None  # offset, next block, bytes a block, inflating object or None
        self._thread = None
        self._fds = []

    def start(self):
        """Plug in: open a fresh pseudo-terminal and answer on it in a thread. The flash keeps what it held."""
        self.stop()
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)  # what a host does not read is lost, as on a UART
        self._fds = [master, slave, *os.pipe()]
        self.port = os.ttyname(slave)
        if self.link is not None:
            os.symlink(self.port, self.link)
            self.port = str(self.link)
        self.baud, self.data_bytes, self.written, self._region = AUTO_BAUD, 0, [], None
        self._thread = threading.Thread(target=self._serve, name="rom loader", daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Pull the cable; returns once the thread has ended. A second call does nothing."""
        if self._thread is not None:
            with contextlib.suppress(OSError):
                os.write(self._fds[3], b"x")
            self._thread.join()
            for fd in self._fds[2:]:
                os.close(fd)
            self._thread, self._fds = None, []

    def _serve(self):
        master, slave, wake, _ = self._fds
        frame, is_open = bytearray(), False
        try:
            while wake not in select.select([master, wake], [], [])[0]:
                chunk = self._heard(os.read(master, 4096))
                for byte in chunk:
                    if byte != 0xC0:
                        frame.append(byte)
                    elif is_open and frame:
                        self._take(unescaped(self.faults.flipped(bytes(frame))))
                        frame, is_open = bytearray(), False
                    else:
                        frame, is_open = bytearray(), True
                    if self._is_pulled():
                        return
        finally:
            if self.link is not None:
                os.unlink(self.link)
            os.close(slave)
            os.close(master)

    def _heard(self, chunk):
        """What the chip makes of the bytes of the host; nothing when their rates differ."""
        host_baud = BAUDS.get(termios.tcgetattr(self._fds[0])[5], self.baud)
        if host_baud <= AUTO_BAUD:
            self.baud = host_baud  # a pseudo-terminal has no reset line; a host back at this rate has reset the chip
        too_fast = self.faults.highest_baud is not None and self.baud > self.faults.highest_baud
        if self.faults.is_garbled or too_fast or host_baud != self.baud:
            self._send(b"\x80" + self.faults.random.randbytes(min(len(chunk), 64)))
            return b""
        return chunk

    def _is_pulled(self):
        return self.faults.pulled_after_bytes is not None and self.data_bytes >= self.faults.pulled_after_bytes

    def _send(self, chunk):
        with contextlib.suppress(OSError):
            while chunk:
                chunk = chunk[os.write(self._fds[0], chunk) :]

    def _take(self, packet):
        """Act on one request and answer it."""
        if packet is None or len(packet) < 8 or packet[0] != 0:
            return
        op, size, checksum = struct.unpack("<BHI", packet[1:8])
        body = packet[8:]
        if len(body) != size:
            return
        value, data, error = self._act(op, body, checksum)
        if self._is_pulled():
            return  # the answer is what the cable takes with it
        status = bytes((1 if error else 0, error, 0, 0))
        answer = struct.pack("<BBHI", 1, op, len(data) + len(status), value) + data + status
        if self.faults.noise_after_bytes is not None and self.data_bytes >= self.faults.noise_after_bytes:
            self.faults.noise_after_bytes = None
            self._send(b"\x80")
        for _ in range(SYNC_ANSWERS if op == SYNC and not error else 1):
            if self.faults.strikes(self.faults.noise_permille):
                self._send(self.faults.random.randbytes(1 + self.faults.random.randrange(6)))
            self._send(escaped(answer))
        if op == CHANGE_BAUDRATE and not error:
            self.baud = struct.unpack_from("<I", body)[0]

    def _act(self, op, body, checksum):
        """(value, data, error) of one request."""
        words = struct.unpack(f"<{len(body) // 4}I", body[: len(body) // 4 * 4])
        if op == SYNC and body == SYNC_BODY:
            return SYNC_VALUE, b"", 0
        if op == READ_REG and len(words) == 1:
            return self._registers.read(words[0]), b"", 0
        if op == WRITE_REG and len(words) >= 4:
            self._registers.write(words[0], words[1], words[2])
            return 0, b"", 0
        if op == SECURITY_INFO and rom_chips.CHIP_IDS[self.chip]:
            return 0, struct.pack("<IB7xII", 0, 0, rom_chips.CHIP_IDS[self.chip], 0), 0
        if op in (SPI_SET_PARAMS, SPI_ATTACH, CHANGE_BAUDRATE, FLASH_END, DEFL_END):
            return 0, b"", 0
        if op == FLASH_MD5 and len(words) == 4:
            return 0, hashlib.md5(self.flash[words[0] : words[0] + words[1]]).hexdigest().encode(), 0
        if op == READ_FLASH and len(words) == 2:
            return 0, bytes(self.flash[words[0] : words[0] + 64]).ljust(64, b"\xff"), 0
        if op in (FLASH_BEGIN, DEFL_BEGIN) and len(words) >= 4:
            return 0, b"", self._begin(words, zlib.decompressobj() if op == DEFL_BEGIN else None)
        if op in (FLASH_DATA, DEFL_DATA) and len(body) >= 16:
            return 0, b"", self._block(words[:2], body[16:], checksum)
        return 0, b"", INVALID_MESSAGE

    def _begin(self, words, inflating):
        """Erase whole sectors and wait for blocks; the error or 0."""
        size, _, block_bytes, offset = words[:4]
        if offset + size > len(self.flash) or not block_bytes:
            return FAILED_TO_ACT
        first = offset - offset % SECTOR_BYTES
        end = offset + size + -(offset + size) % SECTOR_BYTES
        self.flash[first:end] = b"\xff" * (end - first)
        self._region = [offset, 0, block_bytes, inflating]
        return 0

    def _block(self, words, block, checksum):
        """Write one block; the error or 0. As in NOR flash a write only turns ones into zeros."""
        size, number = words
        if checksum != xor(block) or size != len(block):
            return INVALID_CHECKSUM
        if self._region is None or (self._region[3] and number != self._region[1]):
            return FAILED_TO_ACT
        offset, _, block_bytes, inflating = self._region
        at = offset if inflating else offset + number * block_bytes
        content = inflating.decompress(block) if inflating else block
        if at + len(content) > len(self.flash):
            return FAILED_TO_ACT
        both = int.from_bytes(content, "big") & int.from_bytes(self.flash[at : at + len(content)], "big")
        self.flash[at : at + len(content)] = both.to_bytes(len(content), "big")
        if self.faults.weak_at is not None and at <= self.faults.weak_at < at + len(content):
            self.flash[self.faults.weak_at] ^= 1
        self._region[1] = number + 1
        if inflating:
            self._region[0] += len(content)
        self.data_bytes += len(content)
        self.written.append((at, len(content)))
        return 0


def xor(block):
    """The protocol's checksum of a block."""
    checksum = CHECKSUM_SEED
    for byte in block:
        checksum ^= byte
    return checksum


def escaped(packet):
    """A packet in its SLIP frame."""
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def unescaped(frame):
    """The packet of a frame without its ends, or None when it is no SLIP."""
    whole = frame.replace(b"\xdb\xdc", b"\xc0")
    if frame.count(b"\xdb") != frame.count(b"\xdb\xdc") + frame.count(b"\xdb\xdd"):
        return None
    return whole.replace(b"\xdb\xdd", b"\xdb")
