"""`esp32` of the virtual chip: its partitions and its small store."""

import json
import time

import fake_machine
import flash_image

# ESP-IDF programming guide, NVS library: a page holds 126 entries of 32 B; a number that changes is a new entry whose
# state is programmed, and the state of the old one; a page that is full is erased.
ENTRY_B, STATE_B, PAGE_ENTRIES = 32, 4, 126
HEAP_DATA, HEAP_EXEC = 1 << 2, 1 << 0  # MALLOC_CAP_8BIT, MALLOC_CAP_EXEC
# Set by chip_boot before the host's file system goes away: {label: FlashFile}, and the store's open file.
partitions = {}
store_file = None
_store = {}
_entries = [0]  # written since the start


class Partition:
    """Partitions by their label."""

    TYPE_APP = 0
    TYPE_DATA = 1

    @staticmethod
    def find(type=1, subtype=0xFF, label=None, block_size=4096):
        """List of partitions of that label."""
        return [partitions[name] for name in sorted(partitions) if label is None or name == label]


def opened(path):
    """Read the store from its file, which stays open."""
    global store_file
    try:
        store_file = open(path, "r+b")
    except OSError:
        store_file = open(path, "w+b")
    text = store_file.read()
    try:
        _store.update(json.loads(text))
    except ValueError:
        pass  # an empty store, as after an erase


def noted():
    """The time that one more entry takes, and every 126th that of an erase."""
    times = flash_image.times
    if times is None:
        return
    _entries[0] += 1
    times.read(ENTRY_B)
    for count in (STATE_B, ENTRY_B, STATE_B):
        times.program(0, count)
    if _entries[0] % PAGE_ENTRIES == 0:
        times.erase()


class NVS:
    """One namespace of the store; commit() writes it."""

    def __init__(self, namespace):
        self._own = _store.setdefault(namespace, {})

    def get_i32(self, key):
        """A number. Errors: OSError when there is none."""
        if flash_image.times is not None:
            flash_image.times.read(ENTRY_B)
        if type(self._own.get(key)) is not int:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return self._own[key]

    def set_i32(self, key, value):
        """Put a number away."""
        if self._own.get(key) != int(value):
            noted()
        self._own[key] = int(value)

    def erase_key(self, key):
        """Forget a key. Errors: OSError when there is none."""
        if key not in self._own:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        noted()
        del self._own[key]

    def commit(self):
        """Write the store."""
        text = json.dumps(_store).encode()
        store_file.seek(0)
        store_file.write(text + b" " * 64)
        store_file.flush()


class RMT:
    """The remote-control peripheral as a maker of finite pulse trains; the bench plays them without the program."""

    def __init__(self, channel, *, pin=None, clock_div=8, idle_level=False):
        self._pin = pin.id
        self._step_us = clock_div / 80
        self._end_us = 0

    def write_pulses(self, duration, data=True):
        """Begin a train: lengths of levels that alternate."""
        each_us = int(duration[0] * self._step_us)
        self._end_us = time.ticks_add(time.ticks_us(), each_us * len(duration))
        fake_machine.world.pulses(self._pin, len(duration), each_us)

    def wait_done(self, *, timeout=0):
        """Whether the train is over."""
        return time.ticks_diff(time.ticks_us(), self._end_us) >= 0

    def deinit(self):
        """Give the pin back."""
        fake_machine.world.pulses(self._pin, 0, 0)
