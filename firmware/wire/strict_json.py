"""JSON as the grid contract means it: objects, whole numbers, text and booleans, every doubt refused."""

from firmware.wire import utf8

MOST_DEPTH = 3
MOST_INT = 2**31 - 1
MOST_TEXT = 128  # longer text than any field allows
ESCAPES = (('"', '"'), ("\\", "\\"), ("/", "/"), ("b", "\b"), ("f", "\f"), ("n", "\n"), ("r", "\r"), ("t", "\t"))


class BadJson(Exception):
    """Refused; code is "bad_json" (not JSON at all) or "bad_field" (JSON the contract does not take)."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


def opened(payload: "Octets") -> "Fields":
    """Dict of a JSON object in bytes. Values: int, str, bool, None, list, dict. Errors: BadJson."""
    try:
        text = utf8.text_of(payload)
    except ValueError:
        raise BadJson("bad_json", "")
    scanner = Scanner(text)
    scanner.skip()
    if scanner.peek() != "{":
        raise BadJson("bad_json", "")
    made = scanner.value(1)
    scanner.skip()
    if scanner.at != len(text):
        raise BadJson("bad_json", "")
    return made  # pyright: ignore[reportReturnType]  what begins with { is a dict


class Scanner:
    """One pass over the text; `at` never goes back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at: int = 0
        self.field = ""

    def peek(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip(self) -> None:
        """Over white space."""
        while self.peek() and self.peek() in " \t\r\n":
            self.at += 1

    def bad(self) -> "BadJson":
        """The error for text that is not JSON."""
        return BadJson("bad_json", self.field)

    def value(self, depth: int) -> "Json":
        """The value that begins here."""
        mark = self.peek()
        if mark == "{" or mark == "[":
            if depth > MOST_DEPTH:
                raise BadJson("bad_field", self.field)
            return self.members(depth) if mark == "{" else self.items(depth)
        if mark == '"':
            return self.string()
        for word, meaning in (("true", True), ("false", False), ("null", None)):
            if self.text[self.at : self.at + len(word)] == word:
                self.at += len(word)
                return meaning
        return self.number()

    def members(self, depth: int) -> "Fields":
        """An object; a key twice refuses it."""
        made: Fields = {}
        self.at += 1
        self.skip()
        if self.peek() == "}":
            self.at += 1
            return made
        while True:
            self.skip()
            if self.peek() != '"':
                raise self.bad()
            key = self.string()
            if depth == 1:
                self.field = key
            if key in made:
                raise BadJson("bad_field", key)
            self.skip()
            if self.peek() != ":":
                raise self.bad()
            self.at += 1
            self.skip()
            made[key] = self.value(depth + 1)
            if self.closed("}"):
                return made

    def items(self, depth: int) -> "list[Json]":
        """A list."""
        made: list[Json] = []
        self.at += 1
        self.skip()
        if self.peek() == "]":
            self.at += 1
            return made
        while True:
            self.skip()
            made.append(self.value(depth + 1))
            if self.closed("]"):
                return made

    def closed(self, mark: str) -> bool:
        """Whether the closing mark comes; False for a comma, which is taken."""
        self.skip()
        found = self.peek()
        self.at += 1
        if found == mark:
            return True
        if found != ",":
            raise self.bad()
        return False

    def string(self) -> str:
        """Text in quotes, at most MOST_TEXT characters."""
        made = ""
        self.at += 1
        while True:
            mark = self.peek()
            self.at += 1
            if mark == '"':
                return made
            if mark == "" or mark < " ":
                raise self.bad()
            made += self.escaped() if mark == "\\" else mark
            if len(made) > MOST_TEXT:
                raise BadJson("bad_field", self.field)

    def escaped(self) -> str:
        """The character after a backslash; halves of surrogate pairs are refused."""
        mark = self.peek()
        self.at += 1
        for name, meaning in ESCAPES:
            if mark == name:
                return meaning
        digits = self.text[self.at : self.at + 4]
        self.at += 4
        if mark != "u" or len(digits) != 4 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise self.bad()
        code = int(digits, 16)
        if 0xD800 <= code < 0xE000:
            raise BadJson("bad_field", self.field)
        return chr(code)

    def number(self) -> int:
        """A whole number up to 2^31 − 1; anything else that means a number is refused as a field."""
        rest = self.text[self.at : self.at + 9]
        if rest.startswith("NaN") or rest.startswith("Infinity") or rest.startswith("-Infinity"):
            raise BadJson("bad_field", self.field)
        start = self.at
        if self.peek() == "-":
            self.at += 1
        whole = self.digits()
        if not whole or (len(whole) > 1 and whole[0] == "0"):
            raise self.bad()
        is_whole = True
        if self.peek() == ".":
            self.at += 1
            is_whole = False
            if not self.digits():
                raise self.bad()
        if self.peek() and self.peek() in "eE":
            self.at += 1
            is_whole = False
            if self.peek() and self.peek() in "+-":
                self.at += 1
            if not self.digits():
                raise self.bad()
        if not is_whole or len(whole) > 10 or int(whole) > MOST_INT:
            raise BadJson("bad_field", self.field)
        return int(self.text[start : self.at])

    def digits(self) -> str:
        """The digits that come next, "" for none."""
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.at += 1
        return self.text[start : self.at]
