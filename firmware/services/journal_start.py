"""Finds the journal on its area after a start: where it ends, and what its values are; loaded once, and dropped."""

from collections import namedtuple

from firmware.wire import journal_record
from firmware.wire.journal_record import BLANK, HEADER, SECTOR_B, SLOT_B, SLOTS

PIECE_SLOTS = 16  # read at once
TURN_SLOTS = 8  # judged in one turn of the loop where that goes on: 4 ms by the chip file's worst, and a read
HEADER_PIECES = 3  # of a sector in which its header is looked for: journal.MOST_BEHIND and all tries behind
LOOKS = 4  # at each place where the ring ends: a bit that read 0 in one of them counts as 0
BLANK_PIECE = BLANK * PIECE_SLOTS

# open: sector that is written, -1: there is no ring yet; seq: of the last slot; header: Header that holds now;
# last: (seq, kind, bytes) of the last whole slots, which a start programs again; touched: the last place seen touched,
# counted on into the sector behind where that was begun.
Found = namedtuple("Found", ("open", "seq", "header", "last", "touched"))


def found(area):
    """Found of an area. Errors: OSError."""
    buffer = bytearray(PIECE_SLOTS * SLOT_B)
    best = None
    for sector in range(area.sectors):
        header = header_in(area, sector, buffer)
        if header is not None and (best is None or header[1].opened > best[2].opened):
            best = (sector, header[0], header[1])
    if best is None:
        return Found(-1, 0, journal_record.Header(0, 0, 0, 0, area.sectors), (), 0)
    return end_of(area, best[0], *(header_in(area, best[0], buffer, True) or best[1:]))


def header_in(area, sector, buffer, is_last=False):
    """(base seq, Header) of a sector, None where its first places hold none. Errors: OSError.

    is_last: the last one, which counts. A start that was cut may have left another one before it, which tells of a
    slot that the next start did not see.
    """
    found = None
    for piece in range(HEADER_PIECES):
        area.read_into(sector * SECTOR_B + piece * len(buffer), buffer)
        if buffer == BLANK_PIECE:
            continue  # a torn slot before the header may read blank by now
        for at in range(0, len(buffer), SLOT_B):
            slot = journal_record.slot_of(bytes(buffer[at : at + SLOT_B]))
            if slot is None:
                continue
            header = journal_record.header_of(slot)
            if header is not None and header.sectors == area.sectors:
                found = slot.seq, header
                if not is_last:
                    return found
    return found


def end_of(area, sector, base_seq, header):
    """Found of the sector opened last. Errors: OSError."""
    marks = journal_record.Assembly()
    touched, last = 0, ()
    opener = (base_seq, HEADER, journal_record.packed_header(base_seq, header))  # it may not read so a second time
    for place, octets, slot in slots_in(area, sector, LOOKS):
        touched = place
        if slot is None:
            continue
        if slot.kind != HEADER:
            last = (slot.seq, slot.kind, octets)
        header = marked(header, sector, marks.take(slot), base_seq)
    header = marked(header, sector, marks.rest(), base_seq)
    again = (last,)
    if not last:
        again = (opener,)
        last = (base_seq,)
        if header.tail != sector:
            before = last_in(area, (sector - 1) % area.sectors, base_seq)
            if before:
                again, last = (opener, before), before
    if header.ahead:
        for place, _, _ in slots_in(area, (sector + 1) % area.sectors, LOOKS):
            touched = SLOTS + place  # an opening that was cut
    return Found(sector, seq_behind(last[0], base_seq), header, again, touched)


def seq_behind(seq, base_seq):
    """The number that new slots follow, behind the last slot and the header of its sector.

    The header may know of a slot that reads no more. Its number is not given again: a mark of it would count as one of
    the sector before, and a value as one before a checkpoint of that number. The next slot and the last have different
    parities, and so places of their own.
    """
    return seq if seq >= base_seq else base_seq + (base_seq - seq) % 2


def last_in(area, sector, base_seq):
    """(seq, kind, bytes) of the last whole slot of a sector, headers apart, or (). Errors: OSError.

    base_seq: of the header that opened the next one. A torn slot that did not read then, and does now, is none: as a
    mark it would count the erased sectors from the wrong one.
    """
    found = ()
    for _, octets, slot in slots_in(area, sector, LOOKS):
        if slot is not None and slot.kind != HEADER and slot.seq <= base_seq:
            found = (slot.seq, slot.kind, octets)
    return found


def marked(header, sector, value, base_seq):
    """Header after a mark of the ring in the open sector; another value changes nothing.

    Nor does a mark of the sector before, which a start programmed again here: it counts the erased sectors from there,
    one more than there are ahead of this one, and the header that opened this one knows of it. base_seq: its sequence.
    """
    tail, ahead, checkpoint_seq = header[1:4]
    if value is None or value[0] <= base_seq:
        return header
    if value[1] == journal_record.ERASED:
        ahead = journal_record.ahead_of(value[2])
    elif value[1] == journal_record.CHECKPOINT:
        tail, checkpoint_seq = sector, value[0]
    return journal_record.Header(header.opened, tail, ahead, checkpoint_seq, header.sectors)


def slots_in(area, sector, looks=1, has_pauses=False):
    """(place, bytes, Slot or None) of each touched place of a sector, in order. Errors: OSError.

    With several looks a bit is 0 that read 0 in any of them. With pauses b"" stands in place of the bytes
    once behind each TURN_SLOTS of a piece that is not blank.
    """
    buffer = bytearray(PIECE_SLOTS * SLOT_B)
    again = buffer if looks == 1 else bytearray(PIECE_SLOTS * SLOT_B)
    for first in range(0, SLOTS, PIECE_SLOTS):
        area.read_into(sector * SECTOR_B + first * SLOT_B, buffer)
        for _ in range(looks - 1):
            area.read_into(sector * SECTOR_B + first * SLOT_B, again)
            if again != buffer:
                for index, octet in enumerate(again):
                    buffer[index] &= octet
        if buffer == BLANK_PIECE:
            continue
        for index in range(PIECE_SLOTS):
            octets = bytes(buffer[index * SLOT_B : (index + 1) * SLOT_B])
            if octets != BLANK:
                yield first + index, octets, journal_record.slot_of(octets)
            if has_pauses and index % TURN_SLOTS == TURN_SLOTS - 1:
                yield first, b"", None


def values(area, start, has_pauses=False):
    """(kind, bytes) of each whole value behind the last checkpoint, oldest first; start: Found. Errors: OSError.

    With pauses None stands between at most TURN_SLOTS slots that are judged: what the loop may do in one turn.
    """
    if start.open < 0:
        return
    made = journal_record.Assembly()
    sector = start.header.tail
    while True:
        for _, octets, slot in slots_in(area, sector, 1, has_pauses):
            if not octets:
                yield None
            elif slot is not None:
                yield from wanted(made.take(slot), start)
        if sector == start.open:
            break
        sector = (sector + 1) % area.sectors
    yield from wanted(made.rest(), start)


def wanted(value, start):
    """((kind, bytes),) of a value of the box that no file holds yet, () of others and of None."""
    if value is None or value[1] < journal_record.FIRST_VALUE:
        return ()
    return ((value[1], value[2]),) if start.header.checkpoint_seq < value[0] <= start.seq else ()
