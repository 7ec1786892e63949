"""The ledger of the files, and what the journal knows better of it after a start; loaded once, and dropped."""

from firmware.services import ledger, ledger_start, record_files
from firmware.wire import journal_record, ledger_record

KINDS = (journal_record.HEAD, journal_record.ENERGY, journal_record.QUARTER, journal_record.SESSION)


class Replay:
    """take() each value of the journal, oldest first; found: Found of ledger_start, which gets newer by them."""

    def __init__(self, found):
        self.found = found
        self.newest = ledger_start.newest_sessions(found.sessions)
        self.is_ahead = False  # the journal holds what files do not have
        self._is_newer = False  # its counts go on from a Head that files do not have

    def take(self, kind, octets):
        """One value of KINDS; bytes that are no such value are passed over."""
        head, running, quarters, sessions, words = self.found
        if kind == journal_record.HEAD:
            made = ledger_record.head_of(octets)
            self._is_newer = made is not None and made.seq >= head.seq
            if made is not None and self._is_newer:
                head = behind_files(made, quarters, sessions)
        elif kind == journal_record.ENERGY:
            counted = ledger_record.counted_of(octets)
            if counted is not None and self._is_newer:
                head = ledger_record.with_counted(head, counted)
        elif kind == journal_record.QUARTER:
            quarter = ledger_record.quarter_of(octets)
            if quarter is not None and quarter.seq >= head.quarter_seq:
                head = ledger_start.without_minutes(head, quarter)
        else:
            head = self._ended(head, octets)
        files = quarters if kind == journal_record.QUARTER else sessions
        is_record = kind == journal_record.QUARTER or kind == journal_record.SESSION
        if self._is_newer or (is_record and record_files.seq_of(octets) >= files.next_seq):
            self.is_ahead = True
        self.found = ledger_start.Found(head, ledger_start.running_of(head), quarters, sessions, words)

    def _ended(self, head, octets):
        """Head after a session that the journal has."""
        session = ledger_record.session_of(octets)
        if session is None:
            return head
        if not self.newest or session.seq > record_files.seq_of(self.newest[-1]):
            self.newest = self.newest[1 - ledger.MOST_NEWEST :] + (octets,)
        return ledger_start.without_session(head, session) if session.seq >= head.session_seq else head


def behind_files(head, quarters, sessions):
    """Head of the journal without what files have had since: with the coil off records go there before their head."""
    if head.quarter_seq < quarters.next_seq:
        head = ledger_start.without_minutes(head, ledger_start.last_record(quarters, ledger_record.quarter_of))
    if head.session_seq < sessions.next_seq:
        head = ledger_start.without_session(head, ledger_start.last_record(sessions, ledger_record.session_of))
    return head
