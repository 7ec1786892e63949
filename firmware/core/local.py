"""What the box remembers of the place it hangs in: button, heat, cable, mains, and what its contactor did there."""

from firmware.core import faults, units
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

# Places of the fields of Local, for with_part().
BUTTON, PRESSED, HEAT, MOVED, MAINS, B_AT, FLOWED, LASTED, BLIND = 0, 1, 2, 3, 4, 5, 6, 7, 8
MAY_WAKE, ALLOWED, LIMITS, HOT_AT, DAMPED, CLOSINGS, CHANCE = 9, 10, 11, 12, 13, 14, 15


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
    )


def with_part(local: "Local", index: int, value: object) -> "Local":
    """Local with one field changed; the same object when it was so already."""
    if local[index] == value:
        return local
    parts: list[object] = list(local)
    parts[index] = value
    return Local(*parts)  # pyright: ignore[reportArgumentType]  its own parts but for one


def watched(memory: "Memory", readings: "Readings", settings: "SettingsRecord") -> "Local":
    """Local after this tick's readings; memory holds the pilot of this tick."""
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
    heat_ma = None
    if local.heat:
        heat_ma = units.MIN_OFFER_MA
        if local.heat != HEAT_UNKNOWN:
            heat_ma = max(heat_ma, settings.wiring_limit_ma // (2 if local.heat == 1 else 4))
    plug_ma = None
    ohm = readings.proximity_ohm
    if ohm is not None and PLUG_LEAST_OHM <= ohm <= PLUG_MOST_OHM:
        index = 0
        while ohm > RATINGS[index][0]:
            index += 1
        plug_ma = RATINGS[index][1]
    elif known.pilot.letter != "A":
        plug_ma = local.limits[1]  # a cable does not get thicker because nobody can read it (faults.md S7)
    lock_ma = 0 if settings.locked_until_allowed and not local.is_allowed else None
    is_blind = local.blind >= BLIND_SESSIONS or faults.is_active(known.faults.active, faults.S10)
    return heat_ma, plug_ma, lock_ma, BLIND_MA if is_blind else None


def unplugged(local: "Local") -> "Local":
    """Local after the car left: the box locks again; a session that saw no current is remembered (faults.md S10)."""
    if local.has_lasted and not local.has_flowed:
        local = with_part(local, BLIND, local.blind + 1)
    for index in (FLOWED, LASTED, ALLOWED, DAMPED):
        local = with_part(local, index, False)
    return with_part(local, MAY_WAKE, True)


def rolled(local: "Local", count: int) -> "tuple[Local, int]":
    """(Local, a number 0..count−1): the next one of a chain that the board's own chance began."""
    chance = (local.chance * 1103515245 + 12345) & 0x7FFFFFFF
    return with_part(local, CHANCE, chance), (chance >> 8) % count
