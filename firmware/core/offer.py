"""How many amperes the pilot offers: lowered at once, raised with patience, and what over-current is judged against."""

from firmware.core import units
from firmware.core.records import Offer

FOLLOW_MS = 5000  # a car follows a lower duty within 5 s (requirements §1)
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


def reference_ma(offer: "Offer", now_ms: int) -> int:
    """Amperes in mA against which over-current is judged now (requirements §2)."""
    most_ma = offer.offered_ma
    if now_ms < offer.held_until_ms:
        most_ma = max(most_ma, offer.held_ma)
    return max(most_ma, offer.reference_ma) if now_ms < offer.reference_until_ms else most_ma
