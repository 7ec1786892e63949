"""Runs on MicroPython: settings on its own littlefs, cut before, inside and behind every flash operation of a save.

Prints one line of counts: cuts, of which old, new; second cuts during the start that follows; bad.
"""

import sys

import vfs
from cut_flash import READ_B, Flash, mounted, unmounted

from firmware.core import settings
from firmware.services import flash_files
from firmware.services.settings_store import SettingsStore
from firmware.wire import settings_file


def saved(flash, rows):
    """How many of `rows` were saved before the power went."""
    done = 0
    try:
        store = SettingsStore("/d")
        store.load()
        for row in rows:
            store.save(row)
            done += 1
    except OSError:
        pass
    return done


def loaded(flash):
    """What the next start finds."""
    flash.error = 0
    mounted(flash)
    try:
        return SettingsStore("/d").load()
    finally:
        unmounted()


def numbered(limit_ma):
    """Settings that can be told apart."""
    return settings.changed(settings.defaults(), {"wiring_limit_ma": limit_ma, "mqtt_host": "h%d" % limit_ma})


def cut_at(begun, cut, part):
    """(Flash after three saves that were cut at operation `cut`, how many were done); no error: they were not cut."""
    flash = Flash()
    flash.memory[:] = begun
    mounted(flash)
    flash.left, flash.part = cut, part
    done = saved(flash, ROWS[1:])
    unmounted()
    return flash, done


def judged(flash, done, counts):
    """Settings that the start after the cut finds, counted as old, new or bad."""
    counts["cuts"] += 1
    chosen, code = loaded(flash)
    allowed = ROWS[done : done + 2]  # what was in force, and what was being saved
    if chosen not in allowed or code not in ("", "previous"):
        counts["bad"] += 1
        print("bad: after", done, "saves", chosen[0], code)
    counts["old" if chosen == allowed[0] else "new"] += 1
    return chosen


def cut_again(flash, chosen, counts):
    """The next save is cut too, at every third operation."""
    again = bytes(flash.memory)
    for second in range(0, 40, 3):
        flash.memory[:] = again
        flash.error = 0
        mounted(flash)
        flash.left = second
        saved(flash, (ROWS[0],))
        unmounted()
        flash.left = 1 << 29
        later, code = loaded(flash)
        counts["second"] += 1
        if later not in (chosen, ROWS[0]) or code == "factory_safe":
            counts["bad"] += 1
            print("bad: second cut", second, later[0], code)


def without_care(self, chosen):
    """A planted bug: the old file goes before the new one is there."""
    flash_files.removed("/d/settings.json")
    flash_files.write_whole("/d/settings.json", settings_file.packed(chosen, 1))


ROWS = [numbered(10_000), numbered(11_000), numbered(12_000), numbered(13_000)]


def main():
    """Cut at every operation of three saves in a row, and then in the save that follows."""
    if len(sys.argv) > 1:
        SettingsStore.save = without_care
    first = Flash()
    vfs.VfsLfs2.mkfs(first, progsize=READ_B, readsize=READ_B)
    mounted(first)
    saved(first, ROWS[:1])
    unmounted()
    begun = bytes(first.memory)
    counts = {"cuts": 0, "old": 0, "new": 0, "second": 0, "bad": 0}
    for part in range(5):
        cut = 0
        while True:
            flash, done = cut_at(begun, cut, part)
            if not flash.error:
                break
            cut_again(flash, judged(flash, done, counts), counts)
            cut += 1
    print(" ".join("%s: %d" % (name, counts[name]) for name in ("cuts", "old", "new", "second", "bad")))


main()
