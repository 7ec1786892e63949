"""Finds the ledger on flash after a start: the newest whole copy of each part; loaded once, and dropped."""

import os
from collections import namedtuple

from firmware.core.records import Energy, Memory
from firmware.services import flash_files, ledger, record_files
from firmware.wire import ledger_record

QUARTERS_IN_FILE = 255  # 4 blocks of 4096 bytes with littlefs's own pointers in them
SESSIONS_IN_FILE, SESSION_FILES = 123, 32  # one block; 13 months of ten sessions a day
QUARTERS_A_DAY = 96
MOST_DIGITS = 6  # of a file's number: more files than seven thousand years make, and no loop over more
ENERGY = 6  # place in Memory
LEAST_DAYS = 40
NO_MINUTES = (0,) * ledger_record.MINUTES

# head: Head to go on from; session: (wh, mwh, at_ms) of the one that runs, or None; words: code of what was wrong, "".
Found = namedtuple("Found", ("head", "session", "quarters", "sessions", "words"))


def found(folder, history_days):
    """Found of a folder, path that ends in "/". Never raises: what cannot be read counts as not there."""
    most = -(-max(history_days, LEAST_DAYS) * QUARTERS_A_DAY // QUARTERS_IN_FILE)
    try:
        names = os.listdir(folder)
    except OSError:
        names = ()
    quarters = record_files.RecordFiles(folder + "quarters-", ledger_record.QUARTER_B, (QUARTERS_IN_FILE, most))
    sessions = record_files.RecordFiles(
        folder + "sessions-", ledger_record.SESSION_B, (SESSIONS_IN_FILE, SESSION_FILES)
    )
    look_for(quarters, "quarters-", names)
    look_for(sessions, "sessions-", names)
    head, words = newest_head(folder)
    quarter = last_record(quarters, ledger_record.quarter_of)
    session = last_record(sessions, ledger_record.session_of)
    if quarter is not None and quarter.seq >= head.quarter_seq:
        # The cut came between the record and the head: what it says of this quarter hour is in the record.
        head = without_minutes(head, quarter)
    if session is not None and session.seq >= head.session_seq:
        head = without_session(head, session)
    quarters.next_seq = 0 if quarter is None else quarter.seq + 1
    sessions.next_seq = 0 if session is None else session.seq + 1
    return Found(head, running_of(head), quarters, sessions, words)


def running_of(head):
    """(wh, mwh, at_ms) of the session of a Head, None where none runs."""
    if head.session_wh == ledger_record.NO_WH:
        return None
    return head.session_wh, head.session_mwh, -1 - head.session_s * 1000


def look_for(files, prefix, names):
    """Tell RecordFiles which of the names are theirs."""
    numbers = []
    for name in names:
        digits = name[len(prefix) : -4]
        if name == prefix + digits + ".bin" and digits.isdigit() and len(digits) <= MOST_DIGITS:
            numbers.append(int(digits))
    if numbers:
        files.first, files.last = min(numbers), max(numbers)


def newest_head(folder):
    """(Head with the next seq, code of what was wrong): of the copies that are whole, the newer one."""
    best, bad = None, 0
    for name in ledger.HEADS:
        try:
            octets = flash_files.read_bounded(folder + name, ledger_record.HEAD_B)
        except OSError as error:
            bad += error.args[0] != 2  # ENOENT: the first start
            continue
        head = ledger_record.head_of(octets)
        bad += head is None
        if head is not None and (best is None or head.seq > best.seq):
            best = head
    words = ("copy" if best else "lost") if bad else ""
    if best is None:
        return ledger_record.Head(0, 0, 0, 0, 0, ledger_record.NO_WH, 0, 0, 0, 0, 0, NO_MINUTES), words
    return ledger_record.Head(best.seq + 1, *best[1:]), words


def last_record(files, record_of):
    """The newest whole record of RecordFiles, None when there is none."""
    number = files.last
    while number >= files.first_kept():
        count = record_files.length_of(files.path(number)) // files.record_b
        while count:
            count -= 1
            record = record_of(read_at(files.path(number), count * files.record_b, files.record_b))
            if record is not None:
                return record
        number -= 1
    return None


def newest_sessions(files):
    """Bytes of the last MOST_NEWEST whole sessions of RecordFiles, oldest first."""
    made = ()
    number = files.last
    while number >= files.first_kept() and len(made) < ledger.MOST_NEWEST:
        count = record_files.length_of(files.path(number)) // files.record_b
        some = min(count, ledger.MOST_NEWEST - len(made))
        octets = read_at(files.path(number), (count - some) * files.record_b, some * files.record_b)
        rows = [octets[at : at + files.record_b] for at in range(0, len(octets), files.record_b)]
        made = tuple([row for row in rows if ledger_record.session_of(row) is not None]) + made
        number -= 1
    return made


def read_at(path, at, count):
    """`count` bytes of a file from `at`, b"" where it cannot be read."""
    try:
        return flash_files.read_at(path, at, count)
    except OSError:
        return b""


def without_minutes(head, quarter):
    """Head after its quarter hour was recorded, with the higher of the two counts."""
    wh, mwh = max((head.wh, head.mwh), (quarter.wh, quarter.mwh))
    numbers = (quarter.seq + 1, quarter.quarter_no, NO_MINUTES)
    return ledger_record.Head(*(head[:2] + (wh, mwh) + head[4:9] + numbers))


def without_session(head, session):
    """Head after its session was recorded, with the higher of the two counts; what it lacked was the last minute's."""
    minutes_mwh = list(head.minutes_mwh)
    lacked_mwh = (session.to_wh - head.wh) * 1000 + session.to_mwh - head.mwh
    if lacked_mwh > 0:
        minutes_mwh[session.to_wall_s // 60 % ledger_record.MINUTES] += lacked_mwh
    wh, mwh = max((head.wh, head.mwh), (session.to_wh, session.to_mwh))
    none = (session.seq + 1, ledger_record.NO_WH, 0, 0, 0)
    return ledger_record.Head(*(head[:2] + (wh, mwh) + none + head[9:11] + (tuple(minutes_mwh),)))


def resumed(memory, start):
    """Memory that counts on from a Found; a session that ran goes on if its car is still there."""
    wh, mwh, at_ms = start.session or (None, 0, 0)
    parts = list(memory)
    parts[ENERGY] = Energy(start.head.wh, start.head.mwh, 0, wh, mwh, at_ms)
    return Memory(*parts)
