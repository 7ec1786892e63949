"""How many amperes the pilot offers: lowered at once, raised with patience, and what over-current is judged against."""

from firmware.core import units
from firmware.core.records import Offer

FOLLOW_MS = 5000  # a car follows a lower duty within 5 s (requirements §1)
BASE_PERCENT, MINUTE_S = 95, 60
WITHDRAWN_MS = 6000  # in x1 the highest value of the last 6 s counts (requirements §2)


def first_offer() -> "Offer":
    """Nothing offered yet."""
    return Offer(0, 0, 0, 0, 0, 0)


def offered(offer: "Offer", wanted_ma: int, now_ms: int) -> "Offer":
    """Offer after one tick in which `wanted_ma` (0 in x1 and F) may be signalled; the same object when unchanged."""
    now_ma = offer.offered_ma
    if wanted_ma == now_ma or (wanted_ma > now_ma and now_ma and now_ms < offer.raise_at_ms):
        return offer
    if wanted_ma > now_ma:
        return Offer(wanted_ma, now_ms + units.RAISE_HOLD_MS, wanted_ma, now_ms, 0, 0)
    # A further lowering does not restart the 5 s (requirements §2), so a running reference is kept.
    if now_ms < offer.reference_until_ms:
        reference_ma, until_ms = offer.reference_ma, offer.reference_until_ms
    else:
        reference_ma, until_ms = now_ma, now_ms + FOLLOW_MS
    if wanted_ma:
        return Offer(wanted_ma, now_ms + units.RAISE_HOLD_MS, reference_ma, until_ms, 0, 0)
    # In x1 each value counts for 6 s after it was signalled last, an older one too.
    more_ms = WITHDRAWN_MS - FOLLOW_MS
    return Offer(0, now_ms + units.RAISE_HOLD_MS, reference_ma, until_ms + more_ms, now_ma, now_ms + WITHDRAWN_MS)


def heated(over: int, most_ma: int, reference_ma: int, passed_ms: int) -> int:
    """What over-current has heated so far, in A² s / 100, never below 0.

    It grows by I² above BASE_PERCENT of what may be carried for ever, 1.1 x + 0.5 A, and falls below it. While it stays
    under heat_most(), no minute carries more than that as RMS, whatever its pattern: 60 s x 95 % + 3 s = 60 s.
    """
    limit_da, most_da = limit_of(reference_ma), most_ma // 100
    return max(0, over + (most_da * most_da - limit_da * limit_da * BASE_PERCENT // 100) * passed_ms // 1000)


def heat_most(reference_ma: int) -> int:
    """Where heated() must end."""
    limit_da = limit_of(reference_ma)
    return limit_da * limit_da * MINUTE_S * (100 - BASE_PERCENT) // 100


def limit_of(reference_ma: int) -> int:
    """1.1 x + 0.5 A of what is signalled, in tenths of an ampere (requirements §2)."""
    return (reference_ma * 11 + 5000) // 1000


def reference_ma(offer: "Offer", now_ms: int) -> int:
    """Amperes in mA against which over-current is judged now (requirements §2)."""
    most_ma = offer.offered_ma
    if now_ms < offer.held_until_ms:
        most_ma = max(most_ma, offer.held_ma)
    return max(most_ma, offer.reference_ma) if now_ms < offer.reference_until_ms else most_ma
