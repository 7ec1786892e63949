"""New inputs from old ones: bits, bytes, pieces, numbers and words changed by chance, the same for the same chance."""

MOST_B = 2600
MOST_POOL = 300
NUMBERS = b"0 1 -1 5 6 127 128 255 256 5999 6000 32767 65535 65536 80000 80001 86400 2147483647 2147483648 -2147483648 "
NUMBERS = (NUMBERS + b"4294967295 9999999999 10000000000 1e9 0.5 00 1e999 NaN").split()
BYTES = bytes((0, 1, 9, 10, 13, 27, 32, 34, 39, 45, 47, 48, 57, 58, 92, 123, 125, 127, 128, 192, 237, 239, 254, 255))


def mutated(chance, pool, tokens):
    """One input as bytes. chance: function 0.0 … 1.0; pool: inputs so far; tokens: words that mean something."""
    made = bytearray(pool[int(chance() * len(pool))])
    changes = 1
    while chance() < 0.55 and changes < 12:
        changes += 1
    for _ in range(changes):
        CHANGES[int(chance() * len(CHANGES))](chance, made, pool, tokens)
    return bytes(made[:MOST_B])


def place(chance, made):
    """A place in the bytes, or behind them."""
    return int(chance() * (len(made) + 1))


def flip(chance, made, pool, tokens):
    """One bit."""
    if made:
        at = int(chance() * len(made))
        made[at] ^= 1 << int(chance() * 8)


def byte(chance, made, pool, tokens):
    """One byte that often means something, or any."""
    if made:
        value = BYTES[int(chance() * len(BYTES))] if chance() < 0.7 else int(chance() * 256)
        made[int(chance() * len(made))] = value


def insert(chance, made, pool, tokens):
    """A few bytes more."""
    at = place(chance, made)
    made[at:at] = bytes(int(chance() * 256) for _ in range(1 + int(chance() * 4)))


def token(chance, made, pool, tokens):
    """A word more, or in place of as many bytes."""
    if tokens:
        word = tokens[int(chance() * len(tokens))]
        at = place(chance, made)
        made[at : at + (len(word) if chance() < 0.5 else 0)] = word


def number(chance, made, pool, tokens):
    """Another number in place of the digits at some place."""
    at = place(chance, made)
    while at < len(made) and not 48 <= made[at] <= 57:
        at += 1
    end = at
    while end < len(made) and 48 <= made[end] <= 57:
        end += 1
    made[at:end] = NUMBERS[int(chance() * len(NUMBERS))]


def remove(chance, made, pool, tokens):
    """A piece less."""
    at = place(chance, made)
    del made[at : at + 1 + int(chance() * chance() * 64)]


def cut(chance, made, pool, tokens):
    """The end is missing."""
    if chance() < 0.4:
        del made[place(chance, made) :]


def double(chance, made, pool, tokens):
    """A piece twice, now and then many times."""
    at = place(chance, made)
    piece = bytes(made[at : at + 1 + int(chance() * 32)])
    made[at:at] = piece * (1 if chance() < 0.95 else 1 + int(chance() * 60))


def splice(chance, made, pool, tokens):
    """The beginning of this and the end of another."""
    other = pool[int(chance() * len(pool))]
    at = int(chance() * (len(other) + 1))
    made[place(chance, made) :] = other[at:]


def swap(chance, made, pool, tokens):
    """A piece of another in place of one of these."""
    other = pool[int(chance() * len(pool))]
    at = int(chance() * (len(other) + 1))
    piece = other[at : at + 1 + int(chance() * 24)]
    to = place(chance, made)
    made[to : to + len(piece)] = piece


CHANGES = (flip, flip, byte, byte, insert, token, token, token, number, number, remove, cut, double, splice, swap)


def shrunk(octets, is_bad, most_tries=4000):
    """The shortest input found for which is_bad() still holds: pieces are left out as long as any can be."""
    size = max(1, len(octets) // 2)
    while size and most_tries > 0:
        at = 0
        has_shrunk = False
        while at < len(octets) and most_tries > 0:
            less = octets[:at] + octets[at + size :]
            most_tries -= 1
            if is_bad(less):
                octets, has_shrunk = less, True
            else:
                at += size
        if not has_shrunk:
            size //= 2
    return octets
