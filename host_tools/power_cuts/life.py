"""One box that loses its supply again and again while it stores; after each cut all that was stored must be there.

Runs on the PC, with littlefs-python under it, and on the 32-bit interpreter with its own VfsLfs2 (ledger_cuts.py).
"""

import errno

from firmware.core.records import Energy
from firmware.services import flash_files, ledger, ledger_start
from firmware.wire import ledger_record

BLOCKS = 48
SETTINGS = "settings.json"
DAYS = 40
SMALL = {"quarters-": (4, 2), "sessions-": (3, 2)}  # records in a file and full files kept: files come and go often
NOON_S = 1_795_176_000
CUT_SOON, CUT_LATE = 6, 50  # a second cut while the box comes up again, or one somewhere in its life
MOST_STEPS = 400


class Broken(Exception):
    """Something stored is lost, mixed or unreadable; the text says what."""


class Kept:
    """What writes that returned have put on flash, and the one that is under way."""

    def __init__(self, folder):
        """folder: path that ends in "/"."""
        self.folder = folder
        self.mwh = 0  # highest count
        self.heads = {}  # path: Head
        self.rows = {"quarters-": [], "sessions-": []}  # bytes of every record, oldest first
        self.minutes_mwh = 0  # sum over all quarter records
        self.settings = None
        self.flying = None  # (path, bytes)
        self.writes = 0

    def note(self, path, data):
        """A write has returned."""
        self.writes += 1
        name = path[len(self.folder) :]
        if name == SETTINGS:
            self.settings = data
        elif name in ledger.HEADS:
            self.heads[name] = head = ledger_record.head_of(data)
            self.mwh = max(self.mwh, head.wh * 1000 + head.mwh)
        else:
            kind = name[: name.index("-") + 1]
            self.rows[kind].append(data)
            self.mwh = max(self.mwh, count_in(kind, data))
            if kind == "quarters-":
                self.minutes_mwh += sum(ledger_record.quarter_of(data).minutes_mwh)


def bytes_of(path, most):
    """Bytes of a file, none where there is none. Errors: Broken."""
    try:
        return flash_files.read_bounded(path, most)
    except OSError as error:
        if error.args[0] == errno.ENOENT:
            return b""
        raise Broken(f"{path} cannot be read: {error}") from None


def count_in(kind, data):
    """Lifetime mWh that a record tells."""
    if kind == "quarters-":
        one = ledger_record.quarter_of(data)
        return one.wh * 1000 + one.mwh
    one = ledger_record.session_of(data)
    return one.to_wh * 1000 + one.to_mwh


class Life:
    """Starts, stores, is cut, and is looked at; counts tell how often what was met."""

    def __init__(self, seed, ground=None):
        """ground: what has FOLDER, chance_of(), chip_of(), formatted(), mounted() and take_away(); None: lfs_files."""
        if ground is None:
            from host_tools.power_cuts import lfs_files as ground
        self.ground = ground
        self.chance = ground.chance_of(seed)
        self.chip = ground.chip_of(BLOCKS, self.chance)
        self.kept = Kept(ground.FOLDER)
        self.counts = {"cuts": 0, "inside": 0, "in_erase": 0, "second": 0, "writes": 0, "operations": 0}
        self.genuine = flash_files.write_whole, flash_files.append
        ground.formatted(self.chip)

    def run(self, cuts):
        """So many cuts. Errors: Broken."""
        flash_files.write_whole = self._recorded(self.genuine[0])
        flash_files.append = self._recorded(self.genuine[1])
        try:
            while self.counts["cuts"] < cuts:
                self.boot()
                self.live()
        finally:
            flash_files.write_whole, flash_files.append = self.genuine
            self.ground.take_away()
        return self.counts

    def _recorded(self, genuine):
        """A storing function that tells Kept."""

        def write(path, data):
            if not self.chip.is_dead:
                self.kept.flying = (path, bytes(data))
            genuine(path, data)
            self.kept.flying = None
            self.kept.note(path, bytes(data))

        return write

    def boot(self):
        """Mount, find the ledger, and see that everything is there. Errors: Broken."""
        chance = self.chance
        self.chip.power_on(0)
        try:
            self.ground.mounted(self.chip)
        except OSError as error:
            raise Broken(f"cannot be mounted: {error}") from None
        start = ledger_start.found(self.ground.FOLDER, DAYS)
        for rows, name in ((start.quarters, "quarters-"), (start.sessions, "sessions-")):
            rows.most = SMALL[name]
        self.look(start)
        self.ledger = ledger.Ledger(self.ground.FOLDER, start)
        wh, mwh, at_ms = start.session or (None, 0, 0)
        self.meter = Energy(start.head.wh, start.head.mwh, 0, wh, mwh, at_ms)
        self.now_ms = 0
        self.wall_s = None if chance.random() < 0.2 else NOON_S + chance.randrange(10**7)
        self.writes_before = self.kept.writes
        self.chip.power_on(chance.randint(1, CUT_SOON if chance.random() < 0.5 else CUT_LATE))

    def live(self):
        """Until the supply fails, or nothing more is worth it."""
        for _ in range(MOST_STEPS):
            self.step()
            if self.chip.is_dead:
                self.counts["cuts"] += 1
                self.counts["inside"] += self.chip.was_inside
                self.counts["in_erase"] += self.chip.was_erase
                self.counts["operations"] = self.chip.operations
                self.counts["second"] += self.kept.writes == self.writes_before
                self.counts["writes"] += self.kept.writes - self.writes_before
                return
        raise Broken("nothing was written")

    def step(self):
        """A minute: energy, sessions and settings by chance, and what the ledger stores of it."""
        chance, meter = self.chance, self.meter
        self.pass_time(chance.choice((51, 60, 61, 400, 900)))
        session = meter.session_wh, meter.session_mwh, meter.session_at_ms
        if chance.random() < 0.3:
            session = (None, 0, 0) if session[0] is not None else (meter.wh, meter.mwh, self.now_ms)
        mwh = meter.mwh + (chance.randrange(200_000) if chance.random() < 0.9 else 0)
        self.meter = Energy(meter.wh + mwh // 1000, mwh % 1000, 0, *session)
        for _ in range(4):
            self.ledger.step(self.now_ms, self.wall_s, self.meter)
            self.pass_time(1)
        if chance.random() < 0.2:
            try:
                flash_files.write_whole(self.kept.folder + SETTINGS, chance.randbytes(chance.randrange(1, 900)))
            except OSError:
                if not self.chip.is_dead:
                    raise Broken("a write failed with power on") from None

    def pass_time(self, for_s):
        """Seconds on both clocks; now and then the time of day is set."""
        self.now_ms += for_s * 1000
        if self.wall_s is not None:
            self.wall_s += for_s
        if self.chance.random() < 0.02:
            self.wall_s = NOON_S + self.chance.randrange(-(10**9), 10**7)

    def look(self, start):
        """Everything that a returned write has put there is there, and nothing else but what was under way."""
        kept = self.kept
        if start.words:
            raise Broken(f"the ledger says '{start.words}'")
        flying, kept.flying = kept.flying, None
        before_mwh = kept.mwh
        self._look_at_settings(flying)
        for rows, kind in ((start.quarters, "quarters-"), (start.sessions, "sessions-")):
            self._look_at_rows(rows, kind, flying)
        self._look_at_head(start, flying, before_mwh)

    def _look_at_settings(self, flying):
        """Old or new, never mixed."""
        path = self.kept.folder + SETTINGS
        found = bytes_of(path, 1000) or None
        if flying and flying[0] == path and found == flying[1]:
            self.kept.note(*flying)
        if found != self.kept.settings:
            raise Broken("settings are neither the old nor the new")

    def _look_at_rows(self, rows, kind, flying):
        """The newest records, each once and whole."""
        found = []
        for number in range(rows.first, rows.last + 1):
            octets = bytes_of(rows.path(number), rows.record_b * rows.most[0])
            found += [octets[at : at + rows.record_b] for at in range(0, len(octets), rows.record_b)]
        told = self.kept.rows[kind]
        if (
            flying
            and flying[0].startswith(self.kept.folder + kind)
            and found[-1:] == [flying[1]]
            and found != told[-len(found) :]
        ):
            self.kept.note(*flying)
        if len(found) < min(len(told), rows.most[0] * rows.most[1]) or found != told[len(told) - len(found) :]:
            raise Broken(f"{kind} {len(found)} of {len(told)} records, or others than were written")
        del told[: -rows.most[0] * (rows.most[1] + 2)]

    def _look_at_head(self, start, flying, before_mwh):
        """The count is the last stored or the one under way; the minutes sum to it; the session is the one that ran."""
        kept, head = self.kept, start.head
        found_mwh = head.wh * 1000 + head.mwh
        if flying and flying[0][len(kept.folder) :] in ledger.HEADS:
            under_way = ledger_record.head_of(flying[1])
            if head.seq == under_way.seq + 1:
                kept.note(*flying)
        if found_mwh != kept.mwh or found_mwh < before_mwh:
            raise Broken(f"{found_mwh} mWh where {kept.mwh} were stored, {before_mwh} before the cut")
        if kept.minutes_mwh + sum(head.minutes_mwh) != found_mwh:
            raise Broken(f"the minutes sum to {kept.minutes_mwh + sum(head.minutes_mwh)}, the count is {found_mwh}")
        newest = max(kept.heads.values(), key=lambda one: one.seq, default=None)
        if newest is not None and head.seq != newest.seq + 1:
            raise Broken("the newest head is not the one that counts")
        ran = None
        if newest is not None and newest.session_wh != ledger_record.NO_WH:
            ran = (newest.session_wh, newest.session_mwh)
        if kept.rows["sessions-"] and ledger_record.session_of(kept.rows["sessions-"][-1]).seq >= newest_session(
            newest
        ):
            ran = None
        if ran != (start.session and start.session[:2]):
            raise Broken(f"session {start.session}, stored was {ran}")


def newest_session(head):
    """Number of the session that a head tells of, 0 without a head."""
    return 0 if head is None else head.session_seq
