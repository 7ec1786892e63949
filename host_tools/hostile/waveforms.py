"""What a broken, odd or evil car could put on the pilot: tables of (for_ms, high_mv, low_mv, current_ma, ohm)."""

import math

from host_tools.sim import pilot_circuit

TICK_MS = 23
LATE_ONE_IN, LATE_MS = 100, 20  # faults.md N3: a tick is late by at most 20 ms
SOURCE_MV = (11_400, 12_600)  # requirements §1, ±5 %
NOISE_MV = 12
STUBBORN_MA = 5000  # more than "let go" (1 A), too little for the fast step of over-current to help
EDGES_MV = (10_500, 7500, 4500, 1500)  # requirements §1; hysteresis 300 mV around each
RAILS_MV = (12_000, -12_000, 0, 13_000, 16_000, -16_000, 10_800, 7800, 7801, 4200, 4199, 1200, -1500)
LOADS_OHM = (None, 2740.0, 881.6, 245.8)  # A B C D


def nominal_mv(chance):
    """Both halves of a random healthy letter; C as often as all others together."""
    load_ohm = LOADS_OHM[2] if chance.random() < 0.5 else chance.choice(LOADS_OHM)
    return halves_mv(load_ohm, chance.randint(*SOURCE_MV))


def halves_mv(load_ohm, source_mv, has_diode=True):
    """(high, low) in mV for a car's resistance."""
    return tuple(pilot_circuit.pin_mv(sign * source_mv, load_ohm, has_diode) for sign in (1, -1))


def steady(chance):
    """A healthy car that stays at one letter."""
    halves = nominal_mv(chance)
    return lambda at_ms: halves


def ramp(chance):
    """From one voltage to another, from a step of 5 ms to a drift of 8 s; the low half may go along."""
    from_mv, to_mv = chance.uniform(-13_000, 13_000), chance.uniform(-13_000, 13_000)
    if chance.random() < 0.7:
        from_mv, to_mv = chance.uniform(5000, 7000), chance.uniform(-2000, 13_000)
    if chance.random() < 0.5:
        from_mv, to_mv = to_mv, from_mv
    for_ms = 5 * 1600 ** chance.random()
    low_to_mv = chance.uniform(-12_500, 0) if chance.random() < 0.2 else -12_000

    def at(at_ms):
        part = min(1, at_ms / for_ms)
        return from_mv + (to_mv - from_mv) * part, -12_000 + (low_to_mv + 12_000) * part

    return at


def step(chance):
    """One level that no car shows, as a short or a rail does."""
    halves = chance.choice(RAILS_MV), chance.choice((-12_000, -12_000, *RAILS_MV))
    return lambda at_ms: halves


def alias(chance):
    """Two letters in turn, at a rate that beats with the tick: what a 1 kHz disturbance becomes when sampled."""
    one, two = nominal_mv(chance), nominal_mv(chance)
    hertz = 1000 + chance.choice((0, chance.uniform(-5, 5), chance.uniform(-45, 45)))
    phase = chance.random()
    return lambda at_ms: one if (at_ms * hertz / 1000 + phase) % 1 < 0.5 else two


def toggle(chance):
    """Two letters in turn, each for a whole number of ticks."""
    one, two = nominal_mv(chance), nominal_mv(chance)
    first_ms = TICK_MS * chance.choice((1, 1, 2, 3, 4, 5, 8, 20, 22, 23, 40))
    second_ms = TICK_MS * chance.choice((1, 1, 2, 3, 4, 5, 8, 20, 22, 23, 40))
    return lambda at_ms: one if at_ms % (first_ms + second_ms) < first_ms else two


def wrong_resistors(chance):
    """A load that belongs to no letter, switched on and off slowly or not at all."""
    source_mv = chance.randint(*SOURCE_MV)
    has_diode = chance.random() < 0.8
    one, two = (halves_mv(50 * 400 ** chance.random(), source_mv, has_diode) for _ in range(2))
    period_ms = 200 * 20 ** chance.random()
    return lambda at_ms: one if at_ms % period_ms * 2 < period_ms else two


def leaky_diode(chance):
    """Letter C whose low half is too small: steadily, ever more, or now and then."""
    high_mv = nominal_mv(chance)[0] if chance.random() < 0.3 else 6000
    leak_mv = chance.uniform(0, 12_000) if chance.random() < 0.6 else chance.uniform(1900, 2100)
    kind = chance.randrange(3)
    period_ms = TICK_MS * chance.randint(1, 40)

    def at(at_ms):
        part = (1, min(1, at_ms / 2000), at_ms % (2 * period_ms) < period_ms)[kind]
        return high_mv, -12_000 + leak_mv * part

    return at


def capacitive(chance):
    """A wire with far too much capacitance: each change creeps, and the low half does not get there."""
    begin_mv, end_mv = nominal_mv(chance)[0], nominal_mv(chance)[0]
    tau_ms = 300 ** chance.random()
    low_mv = -12_000 + 6000 * chance.random() ** 3
    return lambda at_ms: (end_mv + (begin_mv - end_mv) * math.exp(-at_ms / tau_ms), low_mv)


def half_wave(chance):
    """Only one half arrives, or none."""
    halves = chance.choice(((6000, 0), (9000, 0), (0, -12_000), (-12_000, -12_000), (0, 0), (6000, 6000)))
    return lambda at_ms: halves


def noise(chance):
    """A burst of noise around a letter."""
    high_mv, low_mv = nominal_mv(chance)
    spread_mv = 100 * 40 ** chance.random()
    return lambda at_ms: (high_mv + chance.gauss(0, spread_mv), low_mv + chance.gauss(0, spread_mv))


def bcb(chance):
    """One to three pulses of C of 200–400 ms from B, which wake a wallbox and must close nothing (requirements §1)."""
    b, c = (halves_mv(LOADS_OHM[index], 12_000) for index in (1, 2))
    pulses, on_ms, off_ms = chance.randint(1, 3), chance.randint(200, 400), chance.randint(100, 400)

    def at(at_ms):
        return c if at_ms < pulses * (on_ms + off_ms) and at_ms % (on_ms + off_ms) < on_ms else b

    return at


def drift(chance):
    """A slow swing across one edge of the bands."""
    edge_mv = chance.choice(EDGES_MV)
    swing_mv, period_ms, phase = chance.uniform(50, 900), chance.uniform(300, 10_000), chance.random() * 7
    return lambda at_ms: (edge_mv + swing_mv * math.sin(at_ms * 2 * math.pi / period_ms + phase), -12_000)


def chatter(chance):
    """A plug that is being pulled: A, B and C in turn, each for 5–60 ms, or nearly stable with short gaps."""
    letters = [nominal_mv(chance) for _ in range(64)]
    dwell_ms = 5 * 12 ** chance.random()
    return lambda at_ms: letters[int(at_ms / dwell_ms) % 64]


KINDS = (steady, ramp, step, alias, toggle, wrong_resistors, leaky_diode)
KINDS += (capacitive, half_wave, noise, bcb, drift, chatter)


def currents_of(chance):
    """Function (at_ms) -> mA of the largest phase, or None: 16 A while the contactor is closed."""
    kind = chance.randrange(8)
    begin_ms, ma = chance.uniform(0, 3000), int(6000 * 20 ** chance.random())
    if kind < 4:
        return None
    if kind == 4:
        return lambda at_ms: ma if at_ms > begin_ms else 15_000
    if kind == 5:
        return lambda at_ms: 1_000_000 if begin_ms < at_ms < begin_ms + ma // 10 else 12_000
    if kind == 6:
        return lambda at_ms: min(120_000, int(at_ms * ma / 2000))
    return lambda at_ms: ma if at_ms % 700 < 230 else 0


def proximity_of(chance):
    """Function (at_ms) -> ohm of the plug's coding, mostly a healthy cable."""
    if chance.random() < 0.75:
        return lambda at_ms: 220
    ohm = chance.choice((0, 40, 59, 61, 110, 350, 680, 1500, 3000, 4499, 4600, 1_000_000))
    begin_ms, period_ms = chance.uniform(0, 3000), chance.choice((1e9, 1e9, 500, 92, 46))
    return lambda at_ms: ohm if at_ms > begin_ms and at_ms % (2 * period_ms) < period_ms else 220


def table_of(chance, ticks):
    """(rows, names of the kinds in it): one row a tick, (for_ms, high_mv, low_mv, current_ma, ohm)."""
    rows, names = [], []
    current, proximity = currents_of(chance), proximity_of(chance)
    at_ms = 0
    while len(rows) < ticks:
        kind = chance.choice(KINDS)
        names.append(kind.__name__)
        wave = kind(chance)
        begin_ms = at_ms
        for _ in range(min(ticks - len(rows), chance.choice((3, 10, 30, 60, 150)))):
            for_ms = TICK_MS + (chance.randrange(LATE_MS) if chance.randrange(LATE_ONE_IN) == 0 else 0)
            at_ms += for_ms
            high_mv, low_mv = wave(at_ms - begin_ms)
            noise_mv = chance.gauss(0, NOISE_MV)
            flow_ma = None if current is None else current(at_ms)
            rows.append((for_ms, int(high_mv + noise_mv), int(low_mv - noise_mv), flow_ma, proximity(at_ms)))
    return rows, names


def stubborn_of(chance, ticks):
    """(rows, names) of a car that asks and draws whatever happens: it alone gets to the limits in seconds."""
    high_mv, low_mv = (int(half_mv) for half_mv in halves_mv(LOADS_OHM[2], chance.randint(*SOURCE_MV)))
    return [(TICK_MS, high_mv, low_mv, STUBBORN_MA, 220)] * ticks, ["stubborn"]
