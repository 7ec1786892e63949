"""Sentences for people, put together from the phrases that lie outside the firmware's memory, one to each code."""

MARK = " | "


def phrase_in(line: str, code: str) -> "tuple[str, str] | None":
    """(words, what to do) when this line of words_en.txt is that of `code`, else None."""
    start = code + MARK
    if not line.startswith(start):
        return None
    words, _, todo = line[len(start) :].rstrip().partition(MARK)
    return words, todo


def time_words(until_wall_s: int, for_s: int, utc_offset_s: int) -> str:
    """ " until 18:30", or " for 42 min" while the clock is not set; "" for no end."""
    if for_s <= 0:
        return ""
    if not until_wall_s:
        return " for %d min" % ((for_s + 59) // 60)
    # Rounded up: at 18:30 it is really over.
    minutes = (until_wall_s + utc_offset_s + 59) // 60 % 1440
    return " until %02d:%02d" % (minutes // 60, minutes % 60)


def limit_words(who: str, until: str, is_pause: bool) -> str:
    """ "Paused by the grid until 18:30" or "limited by the wiring"; who: the holder in words."""
    return ("Paused by " if is_pause else "limited by ") + who + until
