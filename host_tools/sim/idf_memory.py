"""Memory of an ESP32 in the simulation: one pool that radio, sockets, TLS and MicroPython's heap all take from.

Runs on the virtual chip and on CPython. Sizes come from the chip file (hardware/chips, memory). What is real: the
order of the regions, first fit, the rounding of the largest block, and the rule by which MicroPython's heap grows
(py/gc.c, gc_try_add_heap, 1.24 to 1.28). What is not: holes inside a region; each region's free bytes are one block.
"""

HEADER_B = 4  # of one allocation (IDF's multi_heap on TLSF, 32 bit)
STEPS = (
    16  # IDF's TLSF rounds a large block down to a 16th of its power of two: 53,248 of a 54,8xx (micropython #18859)
)
PIECE_B = 512  # what is said to take many small blocks is taken in such ones
AREA_HEAD_B = 64  # a heap area's own structure and its gap (py/gc.c, gc_setup_area)
CAP_8BIT, CAP_DMA, CAP_SPIRAM, CAP_INTERNAL = 1 << 2, 1 << 3, 1 << 10, 1 << 11  # esp_heap_caps.h


class NoMemory(Exception):
    """The pool has no block of that size."""


def fit_b(block_b):
    """The largest allocation that the pool promises of one free block."""
    step_b = 1
    while step_b * STEPS * 2 <= block_b:
        step_b *= 2
    return block_b - block_b % step_b


class Pool:
    """What IDF calls its heaps: regions of internal memory in their order, then PSRAM where the module has it."""

    def __init__(self, facts, has_psram):
        """facts: dict of numbers of the chip file's part `memory`."""
        self.facts = facts
        self.has_psram = has_psram
        self._rows = [
            [total_b, free_b, free_b]
            for total_b, free_b in zip(facts["region_totals_b"], facts["region_free_b"])  # noqa: B905 - MicroPython has no strict
        ]
        self._internal = len(self._rows)
        if has_psram:
            self._rows.append([facts["psram_b"]] * 3)

    def _order(self, size_b, is_internal):
        """Rows in which a block of that size is looked for, as malloc() does or as one who needs internal memory."""
        inside, outside = range(self._internal), range(self._internal, len(self._rows))
        if is_internal:
            return list(inside)
        if size_b > self.facts["always_internal_b"]:  # CONFIG_SPIRAM_MALLOC_ALWAYSINTERNAL
            return list(outside) + list(inside)
        return list(inside) + list(outside)

    def take(self, size_b, is_internal=False):
        """A block: (row, bytes) to give back. Errors: NoMemory."""
        for index in self._order(size_b, is_internal):
            row = self._rows[index]
            if fit_b(row[1]) >= size_b + HEADER_B:
                row[1] -= size_b + HEADER_B
                row[2] = min(row[2], row[1])
                return (index, size_b + HEADER_B)
        raise NoMemory()

    def take_pieces(self, total_b, is_internal=False):
        """Blocks of PIECE_B that make up total_b: list for give(). Errors: NoMemory, and nothing is taken."""
        taken = []
        try:
            while total_b > 0:
                taken.append(self.take(max(min(PIECE_B, total_b) - HEADER_B, 1), is_internal))
                total_b -= PIECE_B
        except NoMemory:
            self.give(taken)
            raise
        return taken

    def give(self, taken):
        """Blocks are free again; the list is emptied."""
        while taken:
            index, size_b = taken.pop()
            self._rows[index][1] += size_b

    def largest_b(self):
        """heap_caps_get_largest_free_block(MALLOC_CAP_DEFAULT): what MicroPython's heap may grow by at once."""
        return max([fit_b(row[1]) for row in self._rows])

    def free_b(self):
        """Free internal memory."""
        return sum([row[1] for row in self._rows[: self._internal]])

    def told(self, caps):
        """What esp32.idf_heap_info(caps) gives: list of (total, free, largest, least), regions without room too."""
        rows = self._rows[: self._internal] if caps & (CAP_INTERNAL | CAP_DMA) else self._rows
        if caps & CAP_SPIRAM:
            rows = self._rows[self._internal :]
        return [(total_b, free_b, fit_b(free_b), least_b) for total_b, free_b, least_b in rows]


class Heap:
    """MicroPython's heap as the image would have grown it, from the live bytes of the PC's 32-bit interpreter.

    They carry over: 126,048 B on the PC for the whole box with MQTT and without a page, 123 kB on an emulated image.
    What does not are the holes, so areas count as full early (heap_fill_percent).
    """

    def __init__(self, pool):
        self._pool = pool
        self._fill_percent = pool.facts["heap_fill_percent"]
        self.areas_b = [pool.facts["initial_heap_b"]]
        pool.take(self.areas_b[0])
        self.is_full = False  # the image would have raised MemoryError

    def room_b(self):
        """Bytes of Python objects that fit: 64 of 65.5 bytes of an area are theirs, less the holes between them."""
        return sum([(area_b - AREA_HEAD_B) * 128 // 131 for area_b in self.areas_b]) * self._fill_percent // 100

    def holds(self, live_b):
        """Whether so many live bytes fit without growth."""
        return live_b <= self.room_b()

    def lives(self, live_b):
        """The heap holds live_b bytes after a collection; it grows as gc_try_add_heap does.

        An area is never given back: an area with one live block stays, and after a start each has some.
        """
        while not self.holds(live_b):
            if not self._grow(live_b - self.room_b()):
                self.is_full = True
                return

    def _grow(self, missing_b):
        """Double the heap, or take the largest block where that is smaller. False: even that is too little."""
        needed_b = min(missing_b, PIECE_B) + 2048
        available_b = self._pool.largest_b() - HEADER_B
        if available_b < needed_b:
            return False
        area_b = min(available_b, max(sum(self.areas_b), needed_b))
        self._pool.take(area_b)
        self.areas_b.append(area_b)
        return True


class Users:
    """Radio, access point, sockets and TLS; each fails as the real one where the pool has too little."""

    def __init__(self, pool, is_old, say):
        """is_old: MicroPython below 1.27, which names no memory in its error; say: function (text), the console."""
        self._pool = pool
        self._is_old = is_old
        self._say = say
        self._radio = None
        self._station, self._point = [], []
        self._join = []
        self._sockets = []
        self._sessions = []  # (is_over, is_shaken: functions, blocks of the session, blocks of its handshake)

    def _failed(self):
        """The error of an IDF function that ended with ESP_ERR_NO_MEM (ports/esp32/network_common.c)."""
        if self._is_old:
            raise RuntimeError("Wifi Unknown Error 0x0101")
        raise OSError("WiFi Out of Memory")

    def radio_made(self):
        """network.WLAN(): esp_wifi_init; once, and never given back. Errors: OSError, RuntimeError."""
        if self._radio is not None:
            return
        facts, taken, count = self._pool.facts, [], 0
        try:
            taken += self._pool.take_pieces(facts["radio_init_b"], True)
            for count in range(facts["radio_rx_buffers"]):
                taken.append(self._pool.take(facts["radio_rx_buffer_b"], True))
            if self._pool.has_psram:
                taken += self._pool.take_pieces(facts["radio_psram_extra_b"], True)
        except NoMemory:
            self._pool.give(taken)
            self._say("E (9999) wifi:Expected to init %d rx buffer, actual is %d" % (facts["radio_rx_buffers"], count))
            self._failed()
        self._radio = taken

    def switched(self, is_point, is_on):
        """WLAN.active() of station or access point; a join ends with its station. Errors: OSError, RuntimeError."""
        if not is_point and not is_on:
            self._pool.give(self._join)
        taken = self._point if is_point else self._station
        self._pool.give(taken)
        if is_on:
            size_b = self._pool.facts["access_point_b" if is_point else "radio_active_b"]
            try:
                taken += self._pool.take_pieces(size_b, True)
            except NoMemory:
                self._failed()

    def may_join(self):
        """Whether the driver has the memory for authentication, association and DHCP; it is kept from then on."""
        if not self._join:
            try:
                self._join = self._pool.take_pieces(self._pool.facts["radio_join_b"], True)
            except NoMemory:
                return False
        return True

    def sockets(self, count):
        """So many sockets are open now; False where there is no memory for one more of the least size."""
        while len(self._sockets) > count:
            self._pool.give(self._sockets.pop())
        try:
            while len(self._sockets) < count:
                self._sockets.append(self._pool.take_pieces(self._pool.facts["socket_b"]))
            return True
        except NoMemory:
            return False

    def handshake(self, is_over, is_shaken):
        """A TLS session begins; its handshake's blocks are given back once is_shaken() is true, all once is_over() is.

        Errors: OSError(12), as MBEDTLS_ERR_SSL_ALLOC_FAILED is told (extmod/modtls_mbedtls.c).
        """
        facts, taken, brief = self._pool.facts, [], []
        try:
            taken.append(self._pool.take(facts["tls_in_b"]))
            taken.append(self._pool.take(facts["tls_out_b"]))
            brief += self._pool.take_pieces(facts["tls_handshake_b"])
        except NoMemory:
            self._pool.give(taken)
            raise OSError(12)
        self._sessions.append((is_over, is_shaken, taken, brief))

    def looked(self):
        """Give back what is over by now."""
        for row in list(self._sessions):
            is_over, is_shaken, taken, brief = row
            has_ended = is_over()
            if has_ended or is_shaken():
                self._pool.give(brief)
            if has_ended:
                self._pool.give(taken)
                self._sessions.remove(row)
