"""Decides a flight record's ticks anew and finds the first one that differs; runs on both interpreters."""

from firmware.core import decide, faults
from firmware.services import flight_ring
from firmware.wire import flight_record
from host_tools.flight import reader


def next_memory(memory, tick, chosen):
    """(Memory after one tick, words of an exception or ""), as the control loop would have it."""
    words = ""
    if tick.crash is not None:
        words = "an exception: " + tick.crash[1]
        return decide.after_crash(memory, tick.crash[0]).memory, words
    try:
        return decide.decide(memory, tick.readings, tick.asked, chosen).memory, words
    except Exception as error:  # what the box would have caught too
        words = "decide() raised %s: %s" % (type(error).__name__, error)
        return decide.after_crash(memory, tick.readings.now_ms).memory, words


def told(memory):
    """What a person follows: (state, letter, offer in A, ids of the active faults, holder of the limit)."""
    active = " ".join(
        [faults.FAULTS[one.row][0] + (" latched" if one.is_latched else "") for one in memory.faults.active]
    )
    holder = memory.claims.holder.source if memory.claims.holder else "nobody"
    return (
        "state " + memory.stage.state,
        "letter " + memory.pilot.letter,
        "offer %d.%d A" % (memory.offer.offered_ma // 1000, memory.offer.offered_ma % 1000 // 100),
        "faults " + (active or "none"),
        "limit by " + holder,
        "pilot " + memory.outputs.pilot_mode,
    )


def asked_words(asked):
    """Words on the commands of a tick."""
    return ["command %s from %s, %d mA" % (one.kind, one.source, one.limit_ma) for one in asked]


class Rerun:
    """One run over a record: `say` (function of a line) hears what happens; `first` is (tick, ms, words) or None."""

    def __init__(self, record, say):
        self._record = record
        self._say = say
        self._end_ms = record.last.now_ms
        self.first = None
        self.memory = None
        self.ticks = 0

    def _line(self, now_ms, words):
        before_ms = self._end_ms - now_ms
        self._say("%s-%d.%03d s  %s" % ("* " if self.first else "", before_ms // 1000, before_ms % 1000, words))

    def run(self):
        """Every tick in turn; returns self."""
        shown = ()
        digest = flight_record.Digest()
        for segment in self._record.segments:
            if segment.memory is not None:
                if self.memory is not None:
                    self._line(segment.memory.now_ms, "(the record has a gap before this moment)")
                self.memory = segment.memory
            for tick in segment.ticks:
                self.ticks += 1
                self.memory, trouble = next_memory(self.memory, tick, segment.settings)
                now_ms = self.memory.now_ms
                if self.first is None and digest.of(self.memory) != tick.digest:
                    self.first = (self.ticks, self._end_ms - now_ms, trouble)
                now = told(self.memory)
                for words in asked_words(tick.asked) + [word for word in now if word not in shown]:
                    self._line(now_ms, words)
                if trouble:
                    self._line(now_ms, trouble)
                shown = now
        return self

    def differences(self):
        """Lines on the fields of Memory that differ at the end."""
        if self.first is None:
            return []
        lines = []
        for recorded, found in zip(self._record.last, self.memory or ()):
            if recorded != found:
                lines.append("at the end: recorded %r, now %r" % (recorded, found))
        return lines


def report(octets, say):
    """Say everything about the bytes of a record; True when no tick differs. Errors: reader.Broken."""
    record = reader.opened(octets)
    about = record.about
    say(
        "record of box %s, firmware %s, %d ticks before and after %s"
        % (about["box"], about["firmware"], record.ticks(), about["fault"])
    )
    if about["tables"] != flight_ring.tables_digest():
        say("note: the tables of faults, states or settings have changed since; the fault numbers may mean others")
    run = Rerun(record, say)
    try:
        run.run()
    except reader.UNREADABLE as error:
        raise reader.Broken("the record is whole but makes no sense here (%s: %s)" % (type(error).__name__, error))
    if run.first is None:
        say("no difference in %d ticks" % run.ticks)
        return True
    for line in run.differences():
        say(line)
    tick, before_ms, trouble = run.first
    say("first_difference: tick %d, %d.%03d s before the end%s" % (tick, before_ms // 1000, before_ms % 1000, trouble))
    return False
