"""What the box remembers of the place it hangs in: button, heat, cable, mains, and what its contactor did there."""

from firmware.core import claims, faults, offer, units
from firmware.core.records import Local, Ref

# tenths of a degree at which a level begins and ends: half of the wiring, a quarter, stop (requirements §2)
HEAT_TENTHS_C = ((650, 620), (680, 650), (710, 660))
HEAT_STOP, HEAT_UNKNOWN = 3, 9
# up to so many ohm: rating in mA, a gap between two classes of cable counted to the lower (requirements §1, proximity)
RATINGS = ((140, 63_000), (308, 32_000), (936, 20_000), (4500, 13_000))
PLUG_LEAST_OHM, PLUG_MOST_OHM = 60, 4500
PRESS_MOST_MS = 1000  # bench.md, panel: a short press
KNOWN_AFTER_MS = 1000  # frequency and volts are measured by then
R37_HELD_MS = 60_000  # requirements §2, mains
FLOW_MA = 500  # less through a closed contactor may be a sensor that sees nothing (faults.md S10; unconfirmed)
LASTED_MS = 60_000
BLIND_SESSIONS, BLIND_MA = 2, 10_000  # faults.md S10

# What the box itself claims, in the order of limits_of().
OWN = (
    ("heat", Ref("board", "heat", 0)),
    ("cable", Ref("board", "plug", 0)),
    ("lock", Ref("board", "lock", 0)),
    ("sensor", Ref("board", "sensor", 0)),
)
NO_LIMITS = (None, None, None, None)
NO_PLUG: "Plug" = (None, None, None, None)
PLUG_BOUNCES_MS, PLUG_HELD_MS = 1000, 500  # requirements §1, proximity (unconfirmed)

# Places of the fields of Local, for with_part().
BUTTON, PRESSED, HEAT, MOVED, MAINS, B_AT, FLOWED, LASTED, BLIND = 0, 1, 2, 3, 4, 5, 6, 7, 8
MAY_WAKE, ALLOWED, LIMITS, HOT_AT, DAMPED, CLOSINGS, CHANCE = 9, 10, 11, 12, 13, 14, 15
PLUG, ASKED, OVER = 17, 19, 20
INRUSH_MS = 1000  # of a car's filters and electronics; the short circuit is the breaker's (faults.md S12)
SENSOR_RELEASES_MS = 2000  # a leakage sensor that was asked to trip has cleared by then (unconfirmed)


def first_local(now_ms: int, is_power_return: bool, kit: "Kit") -> "Local":
    """Local at power-on; after a power cut the mains must prove themselves first, after a restart they need not."""
    mains_at_ms = now_ms if is_power_return else now_ms - R37_HELD_MS
    return Local(
        None,
        None,
        0,
        now_ms,
        mains_at_ms,
        None,
        False,
        False,
        0,
        True,
        False,
        NO_LIMITS,
        (),
        False,
        (),
        kit.chance,
        kit,
        NO_PLUG,
        now_ms,
        None,
        0,
    )


def with_part(local: "Local", index: int, value: object) -> "Local":
    """Local with one field changed; the same object when it was so already."""
    if local[index] == value:
        return local
    parts: list[object] = list(local)
    parts[index] = value
    return Local(*parts)  # pyright: ignore[reportArgumentType]  its own parts but for one


def watched(memory: "Memory", readings: "Readings", settings: "SettingsRecord", passed_ms: int = 0) -> "Local":
    """Local after this tick's readings, passed_ms after those before; memory holds the pilot of this tick."""
    local = memory.local
    now_ms = readings.now_ms
    if readings.is_button_pressed or local.button_at_ms is not None:
        local = pressed(local, readings.is_button_pressed, now_ms)
    heat = heat_after(local.heat, readings.temperature_tenths_c)
    if heat != local.heat:
        local = with_part(local, HEAT, heat)
    if local.mains_at_ms == local.moved_at_ms - R37_HELD_MS and now_ms - local.moved_at_ms < KNOWN_AFTER_MS:
        pass  # started a moment ago, and not by a power return: the sensors' own windows are not full yet
    elif not is_startable(readings, settings):
        local = with_part(local, MAINS, None)
    elif local.mains_at_ms is None:
        local = with_part(local, MAINS, now_ms)
    if memory.pilot.letter != "B":
        local = with_part(local, B_AT, None)
    elif local.b_at_ms is None:
        local = with_part(local, B_AT, now_ms)
    if readings.proximity_ohm is not None or local.plug != NO_PLUG:
        plug = plug_after(local.plug, plug_rating_ma(readings.proximity_ohm), memory.pilot.letter, now_ms)
        if plug is not local.plug:
            local = with_part(local, PLUG, plug)
    if memory.outputs.wants_residual_test or local.asked is not None:
        asked = sensor_asked_after(
            local.asked, memory.outputs.wants_residual_test, readings.is_residual_tripped, now_ms
        )
        local = with_part(local, ASKED, asked)
    over = 0
    if memory.stage.state == "charging" and now_ms - local.moved_at_ms >= INRUSH_MS:
        most_ma, passed_ms = max(readings.currents_ma), min(passed_ms, faults.TICK_MOST_MS)
        over = offer.heated(local.over, most_ma, offer.reference_ma(memory.offer, now_ms), passed_ms)
    if over != local.over:
        local = with_part(local, OVER, over)
    if memory.stage.state == "charging":
        if not local.has_flowed and max(readings.currents_ma) >= FLOW_MA:
            local = with_part(with_part(local, FLOWED, True), BLIND, 0)
        if not local.has_lasted and now_ms - memory.stage.since_ms >= LASTED_MS:
            local = with_part(local, LASTED, True)
    return local


def pressed(local: "Local", is_down: bool, now_ms: int) -> "Local":
    """Local after the button went down or came up; a short press is remembered with the moment of its end."""
    if is_down:
        return local if local.button_at_ms is not None else with_part(local, BUTTON, now_ms)
    if local.button_at_ms is not None and now_ms - local.button_at_ms < PRESS_MOST_MS:
        local = with_part(local, PRESSED, now_ms)
    return with_part(local, BUTTON, None)


def heat_after(level: int, tenths_c: "int | None") -> int:
    """Level of heat 0–3 with its hysteresis; HEAT_UNKNOWN without a believable sensor."""
    if tenths_c is None:
        return HEAT_UNKNOWN
    level = min(level, HEAT_STOP)
    while level and tenths_c <= HEAT_TENTHS_C[level - 1][1]:
        level -= 1
    while level < HEAT_STOP and tenths_c >= HEAT_TENTHS_C[level][0]:
        level += 1
    return level


def is_startable(readings: "Readings", settings: "SettingsRecord") -> bool:
    """Whether the mains are within what a start needs: 0.85–1.11 pu and 2 Hz, R37 closer (requirements §2, mains)."""
    off_mhz = 100 if settings.has_r37_rules else 2000
    if readings.frequency_mhz is None or abs(readings.frequency_mhz - settings.nominal_hz * 1000) > off_mhz:
        return False
    low, high = (90, 109) if settings.has_r37_rules else (85, 111)
    return is_within(readings, settings, settings.nominal_mv * low // 100, settings.nominal_mv * high // 100)


def is_within(readings: "Readings", settings: "SettingsRecord", low_mv: int, high_mv: int) -> bool:
    """Whether the voltage of every wired phase lies between two ends."""
    for index in range(settings.phases):
        if not low_mv <= readings.voltages_mv[index] <= high_mv:
            return False
    return True


def limits_of(known: "Memory", local: "Local", readings: "Readings", settings: "SettingsRecord") -> "OwnLimits":
    """What the box itself allows now, in mA: (heat, cable's resistor, lock, current sensor); None: no limit."""
    plug_ma = plug_rating_ma(readings.proximity_ohm)
    if plug_ma is None and known.pilot.letter != "A":
        plug_ma = local.limits[1]  # a cable does not get thicker because nobody can read it (faults.md S7)
    kept_ma = local.plug[0]
    if plug_ma is not None and kept_ma is not None:
        plug_ma = min(plug_ma, kept_ma)
    lock_ma = 0 if settings.locked_until_allowed and not local.is_allowed else None
    is_blind = local.blind >= BLIND_SESSIONS or faults.is_active(known.faults.active, faults.S10)
    blind_ma = BLIND_MA if is_blind else None
    heat_ma = None
    if local.heat:
        heat_ma = units.MIN_OFFER_MA
        if local.heat != HEAT_UNKNOWN:
            cold_ma = claims.limit_without(known.claims.rows, OWN, known.now_ms)
            for limit_ma in (settings.wiring_limit_ma, plug_ma, blind_ma):
                if limit_ma is not None:
                    cold_ma = min(cold_ma, limit_ma)
            heat_ma = max(heat_ma, cold_ma // (2 if local.heat == 1 else 4))
    return heat_ma, plug_ma, lock_ma, blind_ma


def sensor_asked_after(
    asked: "tuple[int, bool] | None", is_asked: bool, is_tripped: bool, now_ms: int
) -> "tuple[int, bool] | None":
    """Local.asked after this tick. A trip that nobody asked for is a leak from the moment the last one has cleared."""
    has_tripped = is_tripped or (asked is not None and asked[1])
    if is_asked:
        return now_ms, has_tripped
    if asked is None or (asked[1] and not is_tripped) or now_ms - asked[0] >= SENSOR_RELEASES_MS:
        return None
    return asked[0], has_tripped


def plug_rating_ma(ohm: "int | None") -> "int | None":
    """Rating in mA that a cable's resistor tells; None where there is none to read."""
    if ohm is None or not PLUG_LEAST_OHM <= ohm <= PLUG_MOST_OHM:
        return None
    index = 0
    while ohm > RATINGS[index][0]:
        index += 1
    return RATINGS[index][1]


def plug_after(plug: "Plug", rating_ma: "int | None", letter: "Letter", now_ms: int) -> "Plug":
    """What is known of the cable: the lowest rating that held for PLUG_HELD_MS counts until the car leaves.

    In the first second after a plug-in the contacts bounce, and nothing is kept; a lower rating counts at once all the
    same, as long as it is read. plug: (kept mA, rating read last, since when, plugged in since when), None: not yet.
    """
    kept_ma, seen_ma, since_ms, plugged_ms = plug
    if letter == "A":
        return plug if kept_ma is not None or plugged_ms is None else NO_PLUG
    if plugged_ms is None:
        return kept_ma, rating_ma, now_ms, now_ms
    if rating_ma != seen_ma:
        return kept_ma, rating_ma, now_ms, plugged_ms
    from_ms = max(since_ms or 0, plugged_ms + PLUG_BOUNCES_MS)
    if rating_ma is None or now_ms - from_ms < PLUG_HELD_MS or (kept_ma is not None and kept_ma <= rating_ma):
        return plug
    return rating_ma, seen_ma, since_ms, plugged_ms


def unplugged(local: "Local") -> "Local":
    """Local after the car left: the box locks again; a session that saw no current is remembered (faults.md S10)."""
    if local.has_lasted and not local.has_flowed:
        local = with_part(local, BLIND, local.blind + 1)
    for index in (FLOWED, LASTED, ALLOWED, DAMPED):
        local = with_part(local, index, False)
    return with_part(with_part(local, PLUG, NO_PLUG), MAY_WAKE, True)


def rolled(local: "Local", count: int) -> "tuple[Local, int]":
    """(Local, a number 0..count−1): the next one of a chain that the board's own chance began."""
    chance = (local.chance * 1103515245 + 12345) & 0x7FFFFFFF
    return with_part(local, CHANCE, chance), (chance >> 8) % count
