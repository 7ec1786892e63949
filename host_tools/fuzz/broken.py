"""What a fuzzed parser must not do."""


class Broken(Exception):
    """A property of the parser does not hold; the words say which."""


def must(is_so, words):
    """Errors: Broken with the words unless it is so."""
    if not is_so:
        raise Broken(words)
