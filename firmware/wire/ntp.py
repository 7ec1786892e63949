"""SNTP as bytes: one question for the time of day, and an answer that can only be to this question."""

SIZE = 48
CLIENT = 0x23  # no leap warning, version 4, mode 3 (RFC 5905 §7.3)
SERVER_MODE = 4
UNKNOWN_LEAP = 3  # the server has no time itself
MOST_STRATUM = 15  # 0 is a kiss of death, 16 has no time (RFC 5905 §7.4)
EPOCH_S = 2_208_988_800  # 1900 to 1970
ERA_S = 1 << 32
FIRST_S = 1_735_689_600  # 2025: an earlier time is a wrong one; the latest is 2104, where the folded era ends


def request(cookie8: bytes) -> bytes:
    """The question; cookie8: 8 random bytes in place of our time, which the answer must repeat."""
    return bytes((CLIENT,)) + b"\x00" * 39 + cookie8


def opened(payload: bytes, cookie8: bytes) -> "int | None":
    """UTC seconds since 1970, rounded, or None when these bytes are no good answer to that question."""
    if len(payload) < SIZE or bytes(payload[24:32]) != cookie8:
        return None
    if payload[0] & 7 != SERVER_MODE or payload[0] >> 6 == UNKNOWN_LEAP or not 0 < payload[1] <= MOST_STRATUM:
        return None
    wall_s = (payload[40] << 24 | payload[41] << 16 | payload[42] << 8 | payload[43]) - EPOCH_S
    if payload[40] < 128:
        wall_s += ERA_S  # the count of seconds began anew on 2036-02-07
    wall_s += payload[44] >> 7
    return wall_s if wall_s >= FIRST_S else None
