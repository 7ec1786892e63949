"""What a box told its flash, and whether a start finds it: all that was certain, and nothing that was never told."""

import re
from collections import deque

from firmware.core import faults, settings
from firmware.services import last_time, ledger, log_store, record_files
from firmware.wire import journal_record, ledger_record, log_lines
from host_tools.power_cuts.lfs_files import FOLDER
from host_tools.power_cuts.life import Broken, bytes_of, count_in

STREAMS = (("log-", 3), ("security-", 2))
KINDS = {journal_record.QUARTER: "quarters-", journal_record.SESSION: "sessions-"}
LATCHES = (faults.S14, faults.S11, faults.S2, faults.K1)
LOOKS_MS = 3000  # a quarter hour and a session that end are put first, each in a look of its own
LOST_MS = ledger.SAVE_MS + LOOKS_MS


class Certain:
    """A value that only grows: what must be found at least, what may be, and what waits in the journal."""

    def __init__(self):
        self.least = self.most = 0
        self.waits = 0  # put into the journal, not programmed yet

    def put(self, value, is_stored):
        """Something tells this value; is_stored: it is on flash now, else in the journal's queue."""
        self.most = max(self.most, value)
        if is_stored:
            self.least = max(self.least, value)
        else:
            self.waits = max(self.waits, value)

    def look(self, value, words):
        """Errors: Broken."""
        if not self.least <= value <= self.most:
            raise Broken(f"{words} {value}, stored was {self.least}, told {self.most}")
        self.least = self.most = value
        self.waits = 0


class Rows:
    """Records by number: those that are certain, and all that were told since the last start."""

    def __init__(self):
        self.certain, self.told = {}, {}
        self.waits = []

    def put(self, number, octets, is_stored):
        """As Certain.put()."""
        self.told.setdefault(number, set()).add(octets)
        if is_stored:
            self.certain[number] = octets
        else:
            self.waits.append((number, octets))

    def look(self, found, least, words):
        """found: [(number, bytes)] in the order of storing; at least so many of them. Errors: Broken."""
        numbers = [number for number, _ in found]
        if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise Broken(f"{words} {numbers}")
        if self.certain and (not numbers or numbers[-1] < max(self.certain)):
            raise Broken(f"{words} end with {numbers[-1:]}, stored was {max(self.certain)}")
        if len(found) < min(least, len(self.certain)):
            raise Broken(f"{words} {len(found)} of {len(self.certain)}")
        for number, octets in found:
            if self.certain.get(number, octets) != octets:
                raise Broken(f"{words} {number} is another one than was stored")
            if number not in self.certain and octets not in self.told.get(number, ()):
                raise Broken(f"{words} {number} was never told")
            self.certain[number] = octets
        self.told, self.waits = {}, []


class Judge:
    """Notes each value on its way to files and journal; look() at a start."""

    def __init__(self):
        self.rows = {"quarters-": Rows(), "sessions-": Rows()}
        self.values = {name: Certain() for name in ("count", "settings", "state", "time")}
        self.settings = [settings.defaults()]  # by number
        self.logs = [Rows(), Rows()]
        self.guesses = Certain()
        self.flow_ms = self.mwh = 0  # time in which energy flowed, and what flowed
        self.flowed = deque([(0, 0)], maxlen=200)
        self.most_lost_ms = 0

    def flows(self, for_ms, mwh):
        """So much energy in so long."""
        self.flow_ms += for_ms
        self.mwh += mwh
        self.flowed.append((self.flow_ms, self.mwh))

    def note(self, name, data, is_stored):
        """A file with this name gets these bytes; is_stored: it has them."""
        if name in ledger.HEADS:
            head = ledger_record.head_of(data)
            self.values["count"].put(head.wh * 1000 + head.mwh, is_stored)
        elif name.startswith(tuple(KINDS.values())):
            self._note_row(name[: name.index("-") + 1], data, is_stored)
        elif name.startswith("state."):
            self._note_state(data, is_stored)
        elif name == last_time.FILE:
            self.values["time"].put(int(data.split()[0]), is_stored)
        elif name == log_store.GUESSES:
            self.guesses.put(log_lines.opened(data, 0).times, is_stored)
        for index, (prefix, _) in enumerate(STREAMS):
            if name.startswith(prefix):
                for at in range(0, len(data), log_lines.ENTRY_B):
                    entry = log_lines.opened(data, at)
                    self.logs[index].put(entry.seq, data[at : at + log_lines.ENTRY_B], is_stored)

    def _note_row(self, kind, data, is_stored):
        """A quarter hour or a session; either tells the count as well."""
        self.rows[kind].put(record_files.seq_of(data), data, is_stored)
        self.values["count"].put(count_in(kind, data), is_stored)

    def _note_state(self, data, is_stored):
        """The newest number that a state or a change of it tells."""
        numbers = re.findall(rb'"n(\d+)"', data)
        if numbers:
            self.values["state"].put(max(map(int, numbers)), is_stored)

    def put(self, kind, octets):
        """The journal has taken this value, and programs it later."""
        if kind in KINDS:
            self._note_row(KINDS[kind], bytes(octets), False)
        elif kind == journal_record.HEAD:
            head = ledger_record.head_of(octets)
            self.values["count"].put(head.wh * 1000 + head.mwh, False)
        elif kind == journal_record.ENERGY:
            counted = ledger_record.counted_of(octets)
            self.values["count"].put(counted.wh * 1000 + counted.mwh, False)
        elif kind == journal_record.STATE:
            self._note_state(octets, False)
        elif kind == journal_record.TIME:
            self.values["time"].put(int.from_bytes(octets[:4], "little"), False)

    def settle(self):
        """The journal has all that was put."""
        for value in self.values.values():
            value.put(value.waits, True)
        for rows in self.rows.values():
            rows.certain.update(rows.waits)
            rows.waits = []

    def look(self, box, is_late):
        """All that was certain is there, and nothing else but what was under way. Errors: Broken.

        box: Stores after its start; is_late: whether the life before it had outlived its first minute.
        """
        chip, head = box.chip, box.replay.found.head
        if chip.over_written or chip.unsound:
            raise Broken(f"{chip.over_written} places programmed twice, {chip.unsound} in half-erased sectors")
        codes = box.replay.found.words, box.settings_code.replace("previous", ""), box.state_code
        if any(codes):
            raise Broken(f"the start says {codes}")
        for name in self.rows:
            self._look_at_rows(box, name)
        self._look_at_count(head, is_late)
        self._look_at_history(head, box.replay.found.session)
        self._look_at_settings(box.chosen)
        self._look_at_state(box.memory)
        self.values["time"].look(box.last_time.last_s, "time")
        for index in (0, 1):
            self._look_at_log(index, box.log_store.streams[index].segments)
        octets = bytes_of(FOLDER + log_store.GUESSES, 2 * log_lines.ENTRY_B)
        entry = log_lines.opened(octets, 0)
        if octets and (entry is None or len(octets) > log_lines.ENTRY_B):
            raise Broken(f"the entry of wrong passwords is torn: {octets!r}")
        self.guesses.look(entry.times if entry else 0, "wrong passwords")

    def _look_at_rows(self, box, name):
        """Those of the files, and behind them what the journal has more."""
        found = box.replay.found
        files = found.quarters if name == "quarters-" else found.sessions
        made = []
        for number in range(files.first, files.last + 1):
            octets = bytes_of(files.path(number), files.record_b * files.most[0])
            made += [octets[at : at + files.record_b] for at in range(0, len(octets), files.record_b)]
        made += [
            octets
            for kind, octets in box.journal.values()
            if KINDS.get(kind) == name and record_files.seq_of(octets) >= files.next_seq
        ]
        if any(ledger_record.quarter_of(one) is None and ledger_record.session_of(one) is None for one in made):
            raise Broken(f"{name} has torn records")
        least = files.most[0] * files.most[1]
        self.rows[name].look([(record_files.seq_of(one), one) for one in made], least, name)

    def _look_at_count(self, head, is_late):
        """Some seconds of energy are lost at most, and what was shown has not fallen."""
        found_mwh = head.wh * 1000 + head.mwh
        self.values["count"].most = self.mwh
        self.values["count"].look(found_mwh, "mWh")
        if is_late:
            need_mwh = max(mwh for flow_ms, mwh in self.flowed if flow_ms <= max(0, self.flow_ms - LOST_MS))
            if found_mwh < need_mwh:
                raise Broken(f"{found_mwh} mWh of {self.mwh}, where {need_mwh} had flowed {LOST_MS} ms before")
            lost_ms = self.flow_ms - min(flow_ms for flow_ms, mwh in self.flowed if mwh >= found_mwh)
            self.most_lost_ms = max(self.most_lost_ms, lost_ms)
        self.flow_ms, self.mwh = 0, found_mwh
        self.flowed.clear()
        self.flowed.append((0, found_mwh))

    def _look_at_history(self, head, running):
        """Minutes and sessions are counted once; running: (wh, mwh, at_ms) of the session that goes on, or None."""
        quarters, sessions = self.rows["quarters-"].certain, self.rows["sessions-"].certain
        if (head.quarter_seq, head.session_seq) != (len(quarters), len(sessions)):
            told = f"{len(quarters)} quarter hours and {len(sessions)} sessions"
            raise Broken(f"of {told} the head goes on behind {head.quarter_seq} and {head.session_seq}")
        told_mwh = sum(sum(ledger_record.quarter_of(octets).minutes_mwh) for octets in quarters.values())
        if told_mwh + sum(head.minutes_mwh) != self.mwh:
            raise Broken(f"the minutes sum to {told_mwh + sum(head.minutes_mwh)}, the count is {self.mwh}")
        end = 0
        for number in range(len(sessions)):
            one = ledger_record.session_of(sessions[number])
            if one.from_wh * 1000 + one.from_mwh < end:
                raise Broken(f"session {number} begins before the one before it ended")
            end = one.to_wh * 1000 + one.to_mwh
        if running is not None and running[0] * 1000 + running[1] < end:
            raise Broken("a session runs that has ended")

    def _look_at_settings(self, chosen):
        """One of those that were made, as a whole."""
        if chosen not in self.settings:
            raise Broken("settings are mixed")
        self.values["settings"].look(self.settings.index(chosen), "settings")
        del self.settings[self.settings.index(chosen) + 1 :]

    def _look_at_state(self, memory):
        """Claim, latch and id are of one number."""
        grid = [row.ref.id for row in memory.claims.rows if row.source == "grid"]
        number = int(grid[0][1:]) if grid else 0
        latch = [LATCHES[number % len(LATCHES)]] if number else []
        seen = [ref.id for ref in memory.seen[-1:]]
        if [one.row for one in memory.faults.active] != latch or seen != grid or len(grid) > 1:
            raise Broken(f"the state is mixed: {grid} {seen} {memory.faults.active}")
        self.values["state"].look(number, "state")

    def _look_at_log(self, index, segments):
        """Entries that were written, in order; of old ones whole files have gone."""
        octets = b"".join(segments.read(number) for number in segments.numbers())
        rows = [octets[at : at + log_lines.ENTRY_B] for at in range(0, len(octets), log_lines.ENTRY_B)]
        logs, name = self.logs[index], STREAMS[index][0]
        known = {row: number for number, row in logs.certain.items()}
        numbers = []
        for row in rows:
            entry = None if row in known else log_lines.opened(row, 0)
            if row not in known and (entry is None or row not in logs.told.get(entry.seq, ())):
                raise Broken(f"{name} has an entry that was never told: {entry}")
            numbers.append(known[row] if entry is None else entry.seq)
        if numbers != sorted(set(numbers)):
            raise Broken(f"{name} {numbers}")
        # A file ends where the next write, of AT_ONCE entries at most, does not fit any more.
        least = (STREAMS[index][1] - 1) * (4096 // log_lines.ENTRY_B - log_store.AT_ONCE + 1)
        wanted = sorted(logs.certain)[-max(len(numbers), min(least, len(logs.certain))) :]
        missing = [number for number in wanted if numbers and number >= numbers[0] and number not in numbers]
        if missing or len(numbers) < min(least, len(logs.certain)):
            raise Broken(f"{name} lacks {missing or wanted}")
        logs.certain = dict(zip(numbers, rows))
        logs.told, logs.waits = {}, []
