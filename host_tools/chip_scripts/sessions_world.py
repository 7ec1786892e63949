"""Runs on the interpreter: the plant around the whole firmware in simulated time, what a chip takes, and who judges it.

Time passes only where the chip file says that something takes it, and where the loop waits. The peers (broker, viewer,
plant) run in the same process and take none.
"""

import builtins
import gc
import random
import sys
from array import array
from collections import deque

LATE_MOST_MS = 2000  # later ticks are counted with these
TICK_MS = 23
PUMP_US = 200_000  # the shortest that the charge pump holds (architecture, one tick: 200–300 ms)
COLLECTED_ONE_IN = 8
ROUNDS = 16  # of firmware/drivers/current_sensor.py …
BURST_READS = 6 * ROUNDS  # … of six channels; the pilot is read beside them
LAZY = "open_connection Event StreamReader StreamWriter gather wait_for_ms wait_for Lock ThreadSafeFlag start_server"


class Random:
    """What the plant asks of CPython's random.Random."""

    def __init__(self, seed):
        self.randrange, self.randint = random.randrange, random.randint

    def gauss(self, middle, width):
        """The sum of twelve, near enough to a bell."""
        return middle + width * (sum([random.random() for _ in range(12)]) - 6)


class RandomModule:
    """`random` for the plant."""

    Random = Random


class CollectionsModule:
    """`collections` for the plant, whose words for a bounded row are CPython's."""

    @staticmethod
    def deque(maxlen):
        """The newest `maxlen`."""
        return deque((), maxlen)  # noqa: RUF037 - MicroPython takes no keyword


asked_for = [""]  # the page's last request


def plant_modules():
    """(module of the plant, of the pins), which see a random and collections of their own."""
    sys.modules["random"], sys.modules["collections"] = RandomModule, CollectionsModule
    from host_tools.sim import pin_world, plant

    sys.modules["random"] = random
    del sys.modules["collections"]
    plant.PUMP_US = PUMP_US
    return plant, pin_world


class Costs:
    """What the processor takes, in us. chip: {"cpu.…": number} by the chip file."""

    def __init__(self, chip, pass_us, sizes):
        """sizes: {module: bytes of its .mpy}; of the chip also its first heap and how full that gets."""
        self._chip, self._pass_us, self._sizes = chip, pass_us, sizes
        self.harness_b = 0
        self._paid_us = 0
        self.live_b = self.most_b = 0  # of the firmware, once collected
        self._collections = 0

    def tick(self):
        """What comes between the last reading and the pins."""
        self._pass_us(self._chip["tick_us"])

    def read(self, count):
        """So many reads of the ADC."""
        self._pass_us(count * self._chip["adc_read_us"])

    def collect(self):
        """A collection, by what is left of the firmware. The PC's own is long: each eighth is made."""
        if self._collections % COLLECTED_ONE_IN == 0:
            gc.collect()
            self.live_b = max(0, gc.mem_alloc() - self.harness_b)
            self.most_b = max(self.most_b, self.live_b)
        self._collections += 1
        self._pass_us(self._chip["gc_us"] + self.live_b // 1024 * self._chip["gc_us_per_live_kb"])

    def free_b(self):
        """Bytes free in a heap that doubles as often as it must, after the last collection."""
        size_b = self._chip["initial_heap_b"]
        while self.live_b * 100 > size_b * self._chip["heap_fill_percent"]:
            size_b *= 2
        return size_b - self.live_b

    def page(self, count, is_file):
        """So many bytes of an answer of the page, that are built or lie ready in a file."""
        self._pass_us(count * self._chip["file_us_per_kb" if is_file else "page_us_per_kb"] // 1024)

    def request(self, share):
        """One of so many parts of a request that is read."""
        self._pass_us(self._chip["request_us"] // share)

    def message(self):
        """One message of MQTT that was taken or sent."""
        self._pass_us(self._chip["mqtt_message_us"])

    def module(self, name):
        """One module that was not loaded before, less what its pieces have cost already."""
        us = self._sizes.get(name, 0) * self._chip["import_us_per_kb"] // 1024
        paid_us = min(us, self._paid_us)
        self._paid_us -= paid_us
        self._pass_us(us - paid_us)

    def piece(self, count):
        """So many bytes of a module that is read piece by piece: the loader works them off before it asks for more."""
        us = count * self._chip["import_us_per_kb"] // 1024
        self._paid_us += us
        self._pass_us(us)

    def charge_pieces(self, stream):
        """From now on the pieces of this class of streams cost their time (firmware/slot_archive.py)."""
        real = stream.readinto

        def readinto(one, buffer):
            count = real(one, buffer)
            self.piece(count)
            return count

        stream.readinto = readinto


class Collector:
    """`gc` whose collections take time."""

    mem_alloc, threshold = gc.mem_alloc, gc.threshold
    enable, disable, isenabled = gc.enable, gc.disable, gc.isenabled
    costs = None

    @staticmethod
    def collect():
        """As the chip's."""
        Collector.costs.collect()

    @staticmethod
    def mem_free():
        """Of the heap that the chip would have, not of this process."""
        return Collector.costs.free_b()


def charge_imports(costs, loaded):
    """From now on each module costs its import; loaded(name, module) is called for each new one."""
    import asyncio

    for name in LAZY.split():  # the interpreter's own are frozen, and find each other by a dot
        getattr(asyncio, name)
    real = builtins.__import__
    charged = []  # modules that imports inside the outermost one have charged already
    depth = [0]

    def imported(name, *rest):
        before = set(sys.modules)
        depth[0] += 1
        try:
            found = real(name, *rest)
        finally:
            depth[0] -= 1
        for one in sys.modules:
            if one not in before and one not in charged:
                charged.append(one)
                costs.module(one)
                loaded(one, sys.modules[one])
        if not depth[0]:
            charged.clear()
        return found

    builtins.__import__ = imported


class Judge:
    """What happened that must not, and how late ticks were."""

    def __init__(self, now, flash, plant):
        self._now, self._flash, self._plant = now, flash, plant
        self.late = {True: array("I", [0] * (LATE_MOST_MS + 1)), False: array("I", [0] * (LATE_MOST_MS + 1))}
        self._tick_ms = None
        self.first_tick_ms = None
        self.start_commands = 0  # of flash, before the loop runs
        self.most_turn_us = {True: 0, False: 0}  # by whether the coil was on
        self.worst_turn = ""
        self.busy_turns = 0  # with the coil on, and flash in them
        self.between_us = 0  # most between two ticks with the coil on
        self.on = [0, 0, 0]  # reads, programs, erases while the coil is on
        self._turn = self._counts()
        self._last = self._counts()
        self._was_on = False

    def _counts(self):
        flash = self._flash
        return flash.busy_us, flash.reads, flash.programs, flash.erases

    def begun(self):
        """The start is over: what follows are turns of the loop."""
        self.start_commands = self._flash.commands()
        self._turn = self._last = self._counts()

    def turn(self):
        """The loop begins a turn: what flash did in the last one."""
        counts = self._counts()
        us = counts[0] - self._turn[0]
        is_on = self._plant.is_coil_on or self._was_on
        if us:
            if us > self.most_turn_us[is_on]:
                self.most_turn_us[is_on] = us
                if is_on:
                    self.worst_turn = "%d reads, %d programs, %d erases at %d ms, asked for %s" % (
                        counts[1] - self._turn[1],
                        counts[2] - self._turn[2],
                        counts[3] - self._turn[3],
                        self._now.passed_ms,
                        asked_for[0],
                    )
            if is_on:
                self.busy_turns += 1
                for index in range(3):
                    self.on[index] += counts[1 + index] - self._turn[1 + index]
        self._turn = counts
        self._was_on = self._plant.is_coil_on

    def ticked(self):
        """A tick begins: how late, against 23 ms after the one before."""
        now_ms = self._now.passed_ms
        is_on = self._plant.is_coil_on or self._was_on
        if self._tick_ms is None:
            self.first_tick_ms = now_ms
        else:
            self.late[is_on][min(LATE_MOST_MS, max(0, now_ms - self._tick_ms - TICK_MS))] += 1
        counts = self._counts()
        if is_on:
            self.between_us = max(self.between_us, counts[0] - self._last[0])
        self._last = counts
        self._tick_ms = now_ms


def world_class(pin_world, now, ticked):
    """Class of a PinWorld that lives in simulated time; ticked: list of functions () called once a tick."""

    class ChipWorld(pin_world.PinWorld):
        """The wires of the board; the plant is brought to this instant before each use."""

        watchdog_ms = 0
        starved = 0  # how often the watchdog would have bitten

        def _come(self):
            self.plant.advance_to(now.passed_ms * 1000 + now.passed_us)

        def read_pin(self, pin):
            self._come()
            return pin_world.PinWorld.read_pin(self, pin)

        def set_pin(self, pin, level):
            if level and pin == self.facts.pins.peak_reset:
                for act in ticked:  # each tick reads the pilot's peaks and lets them go
                    act()
            self._come()
            pin_world.PinWorld.set_pin(self, pin, level)

        def set_pwm(self, pin, duty_u16):
            self._come()
            pin_world.PinWorld.set_pwm(self, pin, duty_u16)

        def read_uv(self, pin):
            self._come()
            found_uv = pin_world.PinWorld.read_uv(self, pin)
            now.pass_us(self.extra_us)
            self.extra_us = 0
            return found_uv

        def set_watchdog(self, timeout_ms):
            """From now on feed() must come within timeout_ms."""
            self.watchdog_ms, self._fed_ms = timeout_ms, now.passed_ms

        def feed(self):
            """One more timeout."""
            self.starved += now.passed_ms - self._fed_ms > self.watchdog_ms
            self._fed_ms = now.passed_ms

    return ChipWorld


class Currents:
    """Stands in for the firmware's CurrentSensor: what the plant carries, without its hundred reads one by one."""

    plant = costs = None
    SEEN_AFTER = 11  # ticks of its window (firmware/drivers/current_sensor.py)

    def __init__(self, facts):
        self._window = [(0, 0, 0)] * self.SEEN_AFTER

    def frequency_mhz(self):
        """Of the mains."""
        return self.plant.frequency_mhz

    def age_ms(self):
        """Always fresh."""
        return 0

    def sense(self, beside, is_open):
        """(currents_ma, voltages_mv, power_mw), a mean over the window."""
        self.costs.read(BURST_READS)
        for index in range(ROUNDS):
            beside(index)
        self.costs.tick()
        window = self._window
        window.pop(0)
        window.append(self.plant.currents_ma)
        currents_ma = tuple([sum([row[phase] for row in window]) // self.SEEN_AFTER for phase in range(3)])
        volts_mv = tuple(self.plant.volts_mv)
        return currents_ma, volts_mv, sum([currents_ma[phase] * volts_mv[phase] // 1000 for phase in range(3)])
