"""The floor of the chip's own memory (ESP-IDF): below it radio, sockets and TLS fail, and none of them says why.

A memory is (free, largest block, least free since the start) in bytes, None where there is none to ask (a PC).
"""

HANDSHAKE_B, HANDSHAKE_BLOCK_B = 24 * 1024, 20 * 1024  # a TLS record of 16,717 B lies in one block
WELL_B, WELL_BLOCK_B = 32 * 1024, 22 * 1024  # "low" is over only here: no word at each breath
LEAST_B = 8 * 1024
LOW, LEAST = 1, 2  # bits of what was told


def is_enough(memory: "tuple[int, int, int] | None") -> bool:
    """Whether a TLS handshake may begin."""
    return memory is None or (memory[0] >= HANDSHAKE_B and memory[1] >= HANDSHAKE_BLOCK_B)


def stepped(told: int, memory: "tuple[int, int, int] | None") -> "tuple[int, tuple[str, ...]]":
    """(bits told now, tuple of codes to tell) of a look; told: the bits before it, 0 at the start.

    "low" and "well" alternate; "least" comes once a start.
    """
    if memory is None:
        return told, ()
    codes: tuple[str, ...] = ()
    if not is_enough(memory):
        if not told & LOW:
            codes = ("low",)
        told |= LOW
    elif told & LOW and memory[0] >= WELL_B and memory[1] >= WELL_BLOCK_B:
        codes = ("well",)
        told ^= LOW
    if memory[2] < LEAST_B and not told & LEAST:
        codes += ("least",)
        told |= LEAST
    return told, codes
