"""Runs on MicroPython: the state of a box on its own littlefs, cut or failing at every flash operation of a save.

Prints one line of counts, and one of the longest times that a save or a start kept the interpreter, in microseconds.
"""

import asyncio
import sys
import time

import vfs
from cut_flash import READ_B, Flash, mounted, unmounted
from samples import Box, claim

from firmware.core import claims, faults
from firmware.core.records import Active, Faults, Memory, Ref
from firmware.services import flash_files, state_files
from firmware.services.state_store import StateStore

FIRST = Box().memory
SEQS = tuple([("i" * 32, "group " + "%032d" % number, 2**31 - 1) for number in range(32)])


class App:
    """What the store asks of the App."""

    def __init__(self, memory):
        self.loop = self.board = self
        self.memory = memory
        self.noticed = []

    def wall_s(self):
        return 1_790_000_000

    def notice(self, name, code):
        self.noticed.append(code)


def numbered(number, ids=3, rows=2):
    """Memory that can be told from others: its claims, its ids and its latch all say the number."""
    refs = tuple([Ref("i" * 32, "n%d-%060d" % (number, index), number) for index in range(ids)])
    made = tuple([claim(ref=refs[0], from_ms=0, until_ms=1000 + number) for _ in range(rows)])
    active = (Active((faults.S14, faults.S11, faults.S2, faults.K1)[number], True, 0),)
    rest = (Faults((), active, (), "locked"), FIRST.offer, FIRST.energy, FIRST.wear, FIRST.outputs, refs, FIRST.local)
    return Memory(FIRST.now_ms, FIRST.pilot, FIRST.stage, claims.first_claims(made, FIRST.now_ms), *rest)


def number_of(memory):
    """Which of numbered() it is; None for none, −1 for a mixture."""
    if not memory.seen:
        return None
    number = memory.seen[0].rev
    wanted = numbered(number)
    is_whole = memory.seen == wanted.seen and memory.faults.active == wanted.faults.active
    return number if is_whole and [row.ref.rev for row in memory.claims.rows[1:]] == [number] * 2 else -1


def kept(numbers):
    """How many of these were kept before the flash failed."""
    store = StateStore("/d")
    store.restored(FIRST, False)
    done = 0
    for number in numbers:
        app = App(numbered(number))
        asyncio.run(store.keep(app))
        if app.noticed:
            break
        done += 1
    return done


def found():
    """(number, code) of what the next start finds."""
    memory, code = StateStore("/d").restored(FIRST, False)
    return number_of(memory), code


def run(begun, is_once, counts):
    """Cut, or let fail once, every operation of three saves in a row."""
    for part in (0, 1, 3, 4):
        cut = 0
        while True:
            flash = Flash()
            flash.memory[:] = begun
            mounted(flash)
            flash.left, flash.part, flash.is_once = cut, part, is_once
            done = kept((1, 2, 3))
            is_over = flash.left >= 0
            if is_once:
                flash.left = 1 << 29
                flash.error = 0
                last = found()
                kept((3,))
                if found() != (3, ""):
                    counts["bad"] += 1
            unmounted()
            if is_over:
                break
            if not is_once:
                flash.error, flash.left = 0, 1 << 29
                mounted(flash)
                last = found()
                unmounted()
            counts["cuts"] += 1
            if last[0] not in (done, done + 1) or last[1] not in ("", "state_before"):
                counts["bad"] += 1
                print("bad:", "error" if is_once else "cut", cut, part, done, last)
            cut += 1


def longest():
    """(each step of a save, its write, a start) in microseconds, for the longest state that there can be."""
    memory = numbered(1, 64, 24)
    steps = []
    begun_us = time.ticks_us()
    from firmware.wire import sealed_text, state_record

    text = ""
    for part in state_record.parts(memory, 1 << 31, SEQS):
        text += part
        steps.append(time.ticks_diff(time.ticks_us(), begun_us))
        begun_us = time.ticks_us()
    payload = sealed_text.sealed(text, 1, 1)
    flash_files.write_whole("/d/state.1", payload)
    write_us = time.ticks_diff(time.ticks_us(), begun_us)
    begun_us = time.ticks_us()
    state_files.restored(state_files.found("/d/state.")[:2], FIRST, False)
    return len(payload), max(steps[1:]), write_us, time.ticks_diff(time.ticks_us(), begun_us)


async def carelessly(app, memory, place):
    """A planted bug: always the same file, and the old one goes first."""
    flash_files.removed(place[0] + "1")
    try:
        flash_files.write_whole(place[0] + "1", text_of(app, memory))
    except OSError:
        app.notice("state", "")


def text_of(app, memory):
    """The bytes of a state file."""
    from firmware.wire import sealed_text, state_record

    return sealed_text.sealed("".join(state_record.parts(memory, app.wall_s(), ())), state_record.VERSION, 1)


def main():
    """All of it."""
    if len(sys.argv) > 1:
        StateStore.keep = lambda self, app: carelessly(app, app.memory, (self._path, 1))
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash, progsize=READ_B, readsize=READ_B)
    mounted(flash)
    kept((0,))
    unmounted()
    begun = bytes(flash.memory)
    counts = {"cuts": 0, "bad": 0}
    run(begun, False, counts)
    cuts = counts["cuts"]
    run(begun, True, counts)
    mounted(flash)
    print("longest: %d B, step %d us, write %d us, start %d us" % longest())
    print("cuts: %d errors: %d bad: %d" % (cuts, counts["cuts"] - cuts, counts["bad"]))


main()
