"""The plant's end of the wire: the shared clock, and the pins of a firmware in another process."""

import asyncio
import struct
import time

from host_tools.sim.shared_clock import SharedClock

SEND_PIN, SEND_PWM, READ, TIME = 1, 2, 3, 4
WATCHDOG, FEED, STATE, RESET, RESYNC, PULSES, AIR = 5, 6, 7, 8, 9, 10, 11
MARK = b"\x00again\xff\x01"
INTERRUPT = b"\x03"  # in place of b"\x01"
ANALOG = 0x80
TICKS_PERIOD = 1 << 30  # ticks wrap as on the chip
CLOCK_WRONG_S = 20 * 31_557_600  # faults.md T1: jumps of 20 years
# What keeps the firmware's program for so many ms when the bench asks for it; link_world.py has the same kinds.
STALLS = (("loop", 3000), ("look_up", 3000), ("flash", 400))


class RealTime:
    """Drives a plant by the shared clock, `speed` simulated seconds a second."""

    def __init__(self, plant, speed, is_wall=False):
        """is_wall: by the wall clock, whatever keeps the PC."""
        self.plant = plant
        self.speed = speed
        self.clock = SharedClock(is_wall)
        self.stall = 0  # that the firmware's program is to meet next: 1 + index of STALLS
        self.wall_offset_s = int(time.time())  # the world's time of day at plant time 0; None: nobody tells it

    def settle(self):
        """Bring the plant to this instant."""
        self.plant.advance_to(self.clock.now_us() * self.speed)

    def wall_s(self):
        """The outside world's time of day in UTC epoch seconds, or None."""
        return None if self.wall_offset_s is None else self.wall_offset_s + self.plant.now_us // 1_000_000

    def told_wall_s(self):
        """What the box hears of it: nothing without Wi-Fi, 20 years too much with a clock that is wrong."""
        faults, wall_s = self.plant.faults, self.wall_s()
        if wall_s is None or faults["wifi_down"]:
            return None
        return wall_s + CLOCK_WRONG_S if faults["clock_wrong"] else wall_s

    def set_wall_s(self, wall_s):
        """Set the outside world's time of day, or None."""
        self.settle()
        self.wall_offset_s = None if wall_s is None else wall_s - self.plant.now_us // 1_000_000


class LinkServer:
    """One firmware at a time on a loopback port; `world` is the PinWorld its pins end in."""

    def __init__(self, real_time, world):
        self.real_time = real_time
        self.world = world
        self.port = 0
        self.is_attached = False
        self.is_busy = True
        self.states = 0  # how often the chip told whether it is busy
        self.has_ctrl_c = False  # one was typed that its program is not told of yet
        self.on_ctrl_c = None  # function () called when it is
        self.on_reset = None  # function (1 soft | 2 hard) called when the chip starts itself anew
        self.fed_at_us = None  # None: no watchdog runs
        self.watchdog_us = 0
        self._server = None
        self._writer = None

    def is_starved(self):
        """Whether the chip's watchdog has waited too long. A chip that runs fast is fed by a PC that does not."""
        if self.fed_at_us is None:
            return False
        return self.real_time.plant.now_us - self.fed_at_us > self.watchdog_us * max(1, self.real_time.speed)

    async def start(self):
        """Listen on a free loopback port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self):
        """Listen no more."""
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    def drop(self):
        """Cut the wire, as when the chip loses its supply; its output pins float low."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.is_attached = False
        self.real_time.settle()
        self.world.power_down()

    async def _serve(self, reader, writer):
        if self._writer is not None:
            writer.close()
            return
        self._writer = writer
        self.is_attached = True
        try:
            while True:
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return  # the firmware is gone, or the demo ends
        finally:
            writer.close()
            if self._writer is writer:
                self.drop()

    async def _one(self, reader, writer):
        """Serve one message."""
        kind = (await reader.readexactly(1))[0]
        if kind == SEND_PIN:
            pin, level = await reader.readexactly(2)
            self.real_time.settle()
            self.world.set_pin(pin, level)
        elif kind == SEND_PWM:
            pin, low, high = await reader.readexactly(3)
            self.real_time.settle()
            self.world.set_pwm(pin, low | high << 8)
        elif kind == READ:
            count = struct.unpack("<H", await reader.readexactly(2))[0]
            names = await reader.readexactly(count)
            self.real_time.settle()
            writer.write(self._answer(names))
        elif kind == TIME:
            writer.write(struct.pack("<I", self.real_time.told_wall_s() or 0))
        elif kind == RESYNC:
            writer.write(MARK)
        elif kind == AIR:
            writer.write(bytes((self.real_time.plant.faults["wifi_down"],)))
        else:
            await self._chip(kind, reader, writer)

    async def _chip(self, kind, reader, writer):
        """What the chip says of itself and not of its pins."""
        self.real_time.settle()
        if kind == WATCHDOG:
            self.watchdog_us = struct.unpack("<H", await reader.readexactly(2))[0] * 1000
            self.fed_at_us = self.real_time.plant.now_us
        elif kind == FEED and self.fed_at_us is not None:
            self.fed_at_us = self.real_time.plant.now_us
        elif kind == STATE:
            self.is_busy = (await reader.readexactly(1)) == b"\x01"
            self.states += 1
            writer.write(INTERRUPT if self._is_interrupted() else b"\x01")
        elif kind == PULSES:
            self.world.pulses(*struct.unpack("<BHI", await reader.readexactly(7)))
        elif kind == RESET:
            which = (await reader.readexactly(1))[0]
            if self.on_reset is not None:
                self.on_reset(which)

    def _is_interrupted(self):
        """Whether a Ctrl-C was typed; it is told once."""
        has_ctrl_c, self.has_ctrl_c = self.has_ctrl_c, False
        if has_ctrl_c and self.on_ctrl_c is not None:
            asyncio.get_running_loop().call_soon(self.on_ctrl_c)
        return has_ctrl_c

    def _answer(self, names):
        """The plant's us and ms, four bytes each; then four a read: 24 bits of value, 8 bits of what it cost in us.

        The last bit of the us tells of a Ctrl-C, the last two of the ms of a stall (STALLS).
        """
        world = self.world
        now_us = world.plant.now_us
        stall, self.real_time.stall = self.real_time.stall, 0
        told_us = now_us % TICKS_PERIOD | self._is_interrupted() << 31
        made = bytearray(struct.pack("<II", told_us, now_us // 1000 % TICKS_PERIOD | stall << 30))
        world.extra_us = 0
        for name in names:
            before_us = world.extra_us
            value = world.read_uv(name & 0x7F) if name & ANALOG else world.read_pin(name)
            made += struct.pack("<I", value | min(world.extra_us - before_us, 255) << 24)
        world.extra_us = 0
        return bytes(made)
