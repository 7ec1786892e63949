"""What cut programs and erases leave on a flash in memory, by kind: the PC's and the interpreter's tear alike."""

BLOCK, PROGRAM_B, TRIES = 4096, 256, 300
KINDS = (
    "falls_later",
    "half_erased",
    "not_erased",
    "all_bits",
    "no_trace",
    "some_bits",
    "first_bytes",
    "rose",
)


def counted(made):
    """{kind: how often} of TRIES torn erases and programs. made: function () -> a flash of two blocks."""
    counts = dict([(kind, 0) for kind in KINDS])
    data = bytes([index % 251 for index in range(PROGRAM_B)])
    for _ in range(TRIES):
        flash = made()
        count_erase(flash, counts)
        flash = made()
        flash.power_on(1)
        assert flash.writeblocks(0, data, 32) < 0 and flash.is_dead
        assert flash.writeblocks(0, b"x", 0) < 0 and flash.buffer[0] == 0xFF
        flash.power_on(0)
        count_program(flash, data, counts)
    return counts


def count_erase(flash, counts):
    """One of a block of zeros."""
    flash.writeblocks(1, bytes(BLOCK), 0)
    flash.power_on(1)
    assert flash.ioctl(6, 1) < 0 and flash.is_dead
    left = bytes(flash.buffer[BLOCK : 2 * BLOCK])
    if left != b"\xff" * BLOCK:
        counts["half_erased" if any(left) else "not_erased"] += 1
        return
    for _ in range(40):
        flash.power_on(0)
    counts["falls_later"] += bytes(flash.buffer[BLOCK : 2 * BLOCK]) != left
    assert flash.ioctl(6, 1) == 0
    for _ in range(40):
        flash.power_on(0)
    assert bytes(flash.buffer[BLOCK : 2 * BLOCK]) == left, "an erase that came to its end is one"


def count_program(flash, data, counts):
    """One that is longer than a place."""
    left, again = bytearray(PROGRAM_B), bytearray(PROGRAM_B)
    flash.readblocks(0, left, 32)
    flash.readblocks(0, again, 32)
    counts["rose"] += any([octet | one != octet for octet, one in zip(left, data)]) or left != again
    done = 0
    while done < PROGRAM_B and left[done] == data[done]:
        done += 1
    is_rest_blank = bytes(left[done:]) == b"\xff" * (PROGRAM_B - done)
    kind = "some_bits"
    if done == PROGRAM_B:
        kind = "all_bits"
    elif bytes(left) == b"\xff" * PROGRAM_B:
        kind = "no_trace"
    elif is_rest_blank and done > 32:
        kind = "first_bytes"
    counts[kind] += 1
