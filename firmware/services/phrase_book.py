"""The words of the box, read from flash a few lines at a time and only when somebody asks for them."""

from firmware.wire import words

MOST_LINE = 240
MOST_CODE = 40
WINDOW_B = 1024  # so many bytes are read for a phrase; where each window begins is known
MOST_KEPT = 24  # a status asks for its own again each second: with fewer places it would read all of them each time
END = 2  # of seek(): from the end of the file


class PhraseBook:
    """phrase(code) of words_en.txt; the last few stay in memory."""

    def __init__(self, path):
        """left: so many more may be read in this turn of the loop, None: any; is_short: one was not read for that."""
        self._path = path
        self._kept = []
        self.left = None
        self.is_short = False
        try:
            with open(path, "rb") as file:
                self._windows = windows_of(file)
        except OSError:
            self._windows = []  # each code then stands for itself

    def phrase(self, code):
        """(words, what to do) of a code; the code itself where the file does not know it or cannot be read."""
        for known, found in self._kept:
            if known == code:
                return found
        if self.left == 0:
            self.is_short = True
            return code, ""
        if self.left is not None:
            self.left -= 1
        found = self._read(code)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(0)
        self._kept.append((code, found))
        return found

    def _read(self, code):
        try:
            with open(self._path, "rb") as file:
                found = words.phrase_in(line_of(file, self._windows, code.encode()).decode(), code)
        except (OSError, ValueError):
            found = None  # an unreadable file must not take the status with it: the code says enough
        return found or (code.split(".")[-1], "")


def windows_of(file):
    """[place, code and a blank, …] of the first line that begins in each window of a sorted file. Errors: OSError.

    file: open in binary mode; it may be anything with seek() and read().
    """
    made = []
    for at in range(WINDOW_B, file.seek(0, END), WINDOW_B):
        file.seek(at)
        octets = file.read(MOST_LINE + MOST_CODE)
        begin = octets.find(b"\n") + 1
        if begin and begin < len(octets):
            made += (at + begin, octets[begin : octets.find(b" ", begin) + 1])
    return made


def line_of(file, windows, code):
    """The line of a code (bytes), b"" where there is none: one read of a sorted file. Errors: OSError.

    windows: of windows_of().
    """
    key = code + b" "  # as in the line: a.b comes before a.b_c
    low, index = 0, 0
    while index < len(windows) and windows[index + 1] <= key:
        low = windows[index]
        index += 2
    file.seek(low)
    octets = file.read(windows[index] - low if index < len(windows) else WINDOW_B + MOST_LINE)
    at = 0 if octets.startswith(key) else octets.find(b"\n" + key) + 1
    return octets[at:].partition(b"\n")[0] if at or octets.startswith(key) else b""
