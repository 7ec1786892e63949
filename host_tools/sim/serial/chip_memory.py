"""Memory of the virtual chip: what the interpreter holds becomes areas of a heap in the pool that the network shares.

The PC's heap has a fixed size, so growth is reckoned: its live bytes are looked at every few ticks and flash reads, and
before each use of the pool. A peak between two looks is not seen.
"""

import gc
import sys
import time

import idf_memory
import vfs

EVERY = 16  # ticks or sixteen times so many flash reads from one look to the next; a look takes some 140 us of a PC
SHAKES_MS = 2000  # how long a handshake holds its blocks (estimate: RSA-3072 at 160 MHz and three round trips)

pool = heap = users = None
_harness_b = _files = 0
_descriptors = vfs.VfsPosix("/proc/self/fd")  # each socket is one; the chip's files are none
_turns = 0
_is_short = False


def built(facts, has_psram, is_old):
    """The pool as a stock image leaves it before boot.py. facts: numbers of the chip file's part `memory`."""
    global pool, heap, users, _harness_b, _files
    pool = idf_memory.Pool(facts, has_psram)
    heap = idf_memory.Heap(pool)
    users = idf_memory.Users(pool, is_old, print)
    _descriptors.mount(False, False)
    gc.collect()
    _harness_b, _files = gc.mem_alloc(), len(_open())


def _open():
    """Numbers of all open descriptors, as text."""
    return [row[0] for row in _descriptors.ilistdir("/")]


def looked():
    """Bring the pool up to this moment."""
    global _is_short
    if pool is None:
        return
    if not heap.holds(gc.mem_alloc() - _harness_b):
        gc.collect()  # as the image does before it grows
        was = len(heap.areas_b)
        heap.lives(gc.mem_alloc() - _harness_b)
        if len(heap.areas_b) > was:
            print("heap: areas of", heap.areas_b, "B, IDF has", pool.free_b(), "B free")
    users.looked()
    _is_short = not users.sockets(max(0, len(_open()) - _files))


def turned(count):
    """A tick (16) or a flash read (1) went by."""
    global _turns
    _turns += count
    if _turns >= EVERY * 16:
        _turns = 0
        looked()


def counted(method, weight):
    """The method, with turned() before it."""

    def stands_in(self, *options):
        turned(weight)
        return method(self, *options)

    return stands_in


def idf_heap_info(caps):
    """esp32.idf_heap_info."""
    looked()
    return pool.told(caps)


class Context:
    """tls.SSLContext whose sessions take their memory from the pool."""

    def __init__(self, real):
        self._real = real
        self.load_verify_locations = real.load_verify_locations
        self.load_cert_chain = real.load_cert_chain

    @property
    def verify_mode(self):
        """As the real one's."""
        return self._real.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._real.verify_mode = mode

    def wrap_socket(self, sock, **options):
        """As the real one's. Errors: OSError(12) too."""
        looked()
        number, begun_ms = str(sock.fileno()), time.ticks_ms()
        users.handshake(lambda: number not in _open(), lambda: time.ticks_diff(time.ticks_ms(), begun_ms) > SHAKES_MS)
        return self._real.wrap_socket(sock, **options)


class Module:
    """A module whose names are another's but for some."""

    def __init__(self, real, own):
        self._real = real
        for name in own:
            setattr(self, name, own[name])

    def __getattr__(self, name):
        return getattr(self._real, name)


def stood_in(*steps):
    """From now on `socket` and `tls` ask the pool first.

    steps: (class, method, weight) at whose calls a look may come.
    """
    import socket

    import tls

    for owner, name, weight in steps:
        setattr(owner, name, counted(getattr(owner, name), weight))

    def made_socket(*options):
        looked()
        if _is_short:
            raise OSError(105)  # ENOBUFS, as lwIP tells it (micropython #14421)
        return socket.socket(*options)

    def made_context(protocol):
        return Context(tls.SSLContext(protocol))

    sys.modules["socket"] = Module(socket, {"socket": made_socket})
    sys.modules["tls"] = Module(tls, {"SSLContext": made_context})


# What the radio of fake_network asks.


def radio_made():
    """network.WLAN(). Errors: OSError, RuntimeError."""
    looked()
    users.radio_made()


def switched(is_point, is_on):
    """WLAN.active(). Errors: OSError, RuntimeError."""
    looked()
    users.switched(is_point, is_on)


def may_join():
    """Whether the station finds the memory to join."""
    return users.may_join()
