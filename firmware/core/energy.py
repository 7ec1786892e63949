"""Energy through the meter in whole microjoules, counted up to watt-hours and never down."""

from firmware.core.records import Energy

UJ_PER_MWH = 3_600_000  # 1 mWh = 3.6 J; keeps every sum of one tick inside a 31-bit integer
MWH_PER_WH = 1000
NOISE_MW = 20_000  # under 20 W the reading is sensor noise, not a car (unconfirmed on a board)
LONGEST_STEP_MS = 10_000  # after a longer stall nobody knows what flowed: count no more than this


def first_energy(wh: int) -> "Energy":
    """Energy at power-on with a lifetime counter of `wh`."""
    return Energy(wh, 0, 0, None, 0, 0)


def counted(energy: "Energy", power_mw: int, for_ms: int) -> "Energy":
    """Energy after `power_mw` flowed for `for_ms`; the same object when nothing flowed."""
    if power_mw < NOISE_MW or for_ms <= 0:
        return energy
    for_ms = min(for_ms, LONGEST_STEP_MS)
    uj = energy.uj + power_mw * for_ms
    if uj < UJ_PER_MWH:
        return Energy(energy.wh, energy.mwh, uj, energy.session_wh, energy.session_mwh, energy.session_at_ms)
    mwh = energy.mwh + uj // UJ_PER_MWH
    uj %= UJ_PER_MWH
    wh = energy.wh + mwh // MWH_PER_WH
    return Energy(wh, mwh % MWH_PER_WH, uj, energy.session_wh, energy.session_mwh, energy.session_at_ms)


def with_session(energy: "Energy", now_ms: int) -> "Energy":
    """Energy with a new session that begins at this reading of the counter."""
    return Energy(energy.wh, energy.mwh, energy.uj, energy.wh, energy.mwh, now_ms)


def without_session(energy: "Energy") -> "Energy":
    """Energy after the car left: the lifetime counter goes on, the session is over."""
    return Energy(energy.wh, energy.mwh, energy.uj, None, 0, 0)


def session_wh(energy: "Energy") -> int:
    """Watt-hours of the running session, rounded down; 0 when there is none."""
    if energy.session_wh is None:
        return 0
    return energy.wh - energy.session_wh - (1 if energy.mwh < energy.session_mwh else 0)
