"""SNTP as bytes: one question for the time of day, and an answer that can only be to this question."""

# The month in which these sources were made (2026-11-01): no true time is earlier. Raised with each release, which a
# house rule checks against CHANGELOG.md. A number in the sources, so that they make the same bytes wherever built.
BUILT_S = 1_793_491_200
# The last date that time.gmtime() of MicroPython 1.24 and 1.25 reckons on an ESP32, where a signed machine word counts
# from 2000 (extmod/modtime.c): 2068-01-19. A later one raises OverflowError there; no true time is so late.
LAST_S = 946_684_800 + (1 << 31) - 1

SIZE = 48
CLIENT = 0x23  # no leap warning, version 4, mode 3 (RFC 5905 §7.3)
SERVER_MODE = 4
UNKNOWN_LEAP = 3  # the server has no time itself
MOST_STRATUM = 15  # 0 is a kiss of death, 16 has no time (RFC 5905 §7.4)
EPOCH_S = 2_208_988_800  # 1900 to 1970
ERA_S = 1 << 32


def request(cookie8: bytes) -> bytes:
    """The question; cookie8: 8 random bytes in place of our time, which the answer must repeat."""
    return bytes((CLIENT,)) + b"\x00" * 39 + cookie8


def opened(payload: bytes, cookie8: bytes) -> "int | None":
    """UTC seconds since 1970 (1968 to 2104), rounded, or None when these bytes are no good answer to that question."""
    if len(payload) < SIZE or bytes(payload[24:32]) != cookie8:
        return None
    if payload[0] & 7 != SERVER_MODE or payload[0] >> 6 == UNKNOWN_LEAP or not 0 < payload[1] <= MOST_STRATUM:
        return None
    wall_s = (payload[40] << 24 | payload[41] << 16 | payload[42] << 8 | payload[43]) - EPOCH_S
    if payload[40] < 128:
        wall_s += ERA_S  # the count of seconds began anew on 2036-02-07
    return wall_s + (payload[44] >> 7)
