"""docs/event-log.md from the firmware's tables: what is kept, for how long, and what it wears."""

FREE_BLOCKS = 384  # a quarter of 6 MB; littlefs spreads its wear over what is free
CYCLES = 100_000
MINUTES_A_YEAR = 525_600


def page(head, table, phrase):
    """The page; head: its first lines, table and phrase: as in docs_task."""
    from firmware.services import log_segments, log_store
    from firmware.wire import log_lines

    rows = [
        (number, f"`{name}`", log_lines.SEVERITIES[severity], "yes" if is_security else "", phrase(f"log.{name}")[0])
        for number, (name, severity, is_security, _) in enumerate(log_lines.CODES, 1)
    ]
    rows.append((log_lines.OTHER_NUMBER, f"`{log_lines.OTHER}`", "warning", "", phrase(f"log.{log_lines.OTHER}")[0]))
    each = log_segments.SEGMENT_B // log_lines.ENTRY_B
    streams = [(f"`{name}<number>.bin`", kept, (kept - 1) * each, kept * each) for name, kept in log_store.STREAMS]
    most_a_year = len(streams) * MINUTES_A_YEAR * 60_000 // log_store.SOON_MS
    usual_a_year = MINUTES_A_YEAR * 60_000 // log_store.EVERY_MS
    whole_kb = sum(kept for _, kept in log_store.STREAMS) * log_segments.SEGMENT_B // 1024
    moments = (log_store.SOON_MS // 1000, log_store.AT_ONCE, log_store.EVERY_MS // 60_000)
    return "\n".join(
        (
            f"{head}# Event log\n",
            "`GET /api/log` gives it as text, `?format=jsonl` as JSON lines, `?stream=security` without everyday",
            f"events. A record has {log_lines.ENTRY_B} bytes: number, start, moment, code, severity, two short",
            "texts of printable ASCII without blanks, a number, how often, checksum. Garbled ones are skipped.\n",
            table(("number", "code", "severity", "security", "words"), rows),
            "A fault that charging goes on with is a warning. Trouble told by "
            f"{', '.join(f'`{name}`' for name in log_lines.GUARDED_SERVICES)} is security too.\n",
            f"Wrong passwords push nothing out: `{log_store.GUESSES}` is one entry of them all, with the moment of the",
            "first whose time is known, how often, the address of the last, and as number the seconds to it. It is",
            f"written at once, but {moments[2]} minutes apart: at most {usual_a_year} times a year, with 0.11 erases",
            "each (measured with littlefs and 4 KiB blocks on 2026-12-01). While the coil is on it waits; a power cut",
            "takes what was counted since. No entry of security is counted on one with another address or text.\n",
            table(("files", "at most", "records at least", "at most"), streams),
            f"Together at most {whole_kb} KiB. Nothing is written in the first minute after a start. Alarms and",
            "security go to flash at once, but {} s apart; the rest when {} wait or after {} minutes.".format(*moments),
            "A write costs one erase (1.0, measured with littlefs and 4 KiB blocks on 2026-11-21):",
            f"some {usual_a_year} a year, and at the very most {most_a_year}. Spread over the {FREE_BLOCKS} blocks",
            f"that are always free on 6 MB, with {CYCLES} cycles each, that is",
            f"{CYCLES * FREE_BLOCKS // usual_a_year} years,",
            f"and at the very least {CYCLES * FREE_BLOCKS // most_a_year}.\n",
        )
    )
