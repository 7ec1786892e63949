"""The words of the box, read from flash one line at a time and only when somebody asks for them."""

from firmware.wire import words

MOST_LINE = 240
MOST_KEPT = 6  # a status asks for two or three again each second


class PhraseBook:
    """phrase(code) of words_en.txt; the last few stay in memory."""

    def __init__(self, path):
        self._path = path
        self._kept = []

    def phrase(self, code):
        """(words, what to do) of a code; the code itself where the file does not know it or cannot be read."""
        for known, found in self._kept:
            if known == code:
                return found
        found = self._read(code)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(0)
        self._kept.append((code, found))
        return found

    def _read(self, code):
        try:
            with open(self._path) as file:
                line = file.readline(MOST_LINE)
                while line:
                    found = words.phrase_in(line, code)
                    if found:
                        return found
                    line = file.readline(MOST_LINE)
        except (OSError, ValueError):
            pass  # an unreadable file must not take the status with it: the code says enough
        return code.split(".")[-1], ""
