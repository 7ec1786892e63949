"""What may happen to a box: faults by name and weight, moves of the car, words of grid, owner and network."""

# Faults of the control side (bench.md); those of storage and network are proved elsewhere.
FAULTS = (
    "contactor_welded contactor_welded_l1 contactor_welded_l2 contactor_welded_l3 contactor_welded_n "
    "contactor_stuck_open coil_broken feedback_broken relay_pin_stuck diode_missing pilot_short_earth "
    "pilot_short_12v pilot_short_minus12 pilot_open adc_stuck adc_zero adc_full adc_offset adc_noise "
    "current_sensor_unplugged current_sensor_reversed current_sensor_saturated residual_trip residual_test_dead "
    "residual_test_always_good earth_lost proximity_open proximity_short proximity_between temperature_sensor_dead "
    "lid_open voltage_low voltage_high frequency_off"
).split()
# Their deadlines are long: they come more rarely in random sequences, so that a night holds more of the others.
SLOW = ("temperature_sensor_dead", "current_sensor_reversed")
PER_PHASE = tuple(
    "mains " + " ".join(str(volts if phase == index else 230) for index in range(3)) + " V"
    for phase in range(3)
    for volts in (0, 180, 270)
)
WORLD = (
    *PER_PHASE,
    "mains 190 190 190 V",
    "mains 230 230 230 V",
    "mains 47.5 Hz",
    "mains 50 Hz",
    "temperature 66 C",
    "temperature 69 C",
    "temperature 72 C",
    "temperature 25 C",
    "button pressed",
    "button released",
)
CAR = ("plug out", "plug in", "the car is full", "the car wants to charge")
WORDS = (
    "grid pauses for 2 s, resume now",
    "grid pauses for 30 s, resume now",
    "grid limits to 5 A for 20 s, resume now",
    "grid limits to 6 A for 20 s, resume now",
    "grid limits to 9 A for 20 s, resume now",
    "grid limits to 20 A for 20 s, resume now",
    "grid says pause",
    "grid says resume",
    "owner pauses",
    "owner resumes",
    "owner charges now",
    "owner clears the fault",
    "house forbids",
    "house allows",
    *(f"network nonsense {number}" for number in range(7)),
    *(f"house nonsense {number}" for number in range(4)),
)
SINGLES = (*(f"fault {name} on" for name in FAULTS), *PER_PHASE, *WORLD[9:10], *WORLD[11:12], *WORLD[13:16], *CAR)


def drawn_sequence(chance):
    """((wait_ms, line), …): 2–5 faults, commands or car moves, the first of them soon and mostly a fault."""
    moves = []
    on = []
    for number in range(chance.randrange(2, 6)):
        wait_ms = drawn_wait(chance) if number else chance.choice((0, 3, 11, 17, 23, 40, 150))
        line = drawn_move(chance, on, is_first=not number)
        # A plug that comes and goes between two ticks is seen by nobody.
        moves.append((max(wait_ms, 60) if line.startswith("plug") else wait_ms, line))
    return tuple(moves)


def drawn_wait(chance):
    """Milliseconds between two moves: within a tick, within a deadline, or a few seconds."""
    kind = chance.random()
    if kind < 0.45:
        return chance.randrange(1, 60)
    return chance.randrange(60, 700) if kind < 0.85 else chance.randrange(700, 7000)


def drawn_move(chance, on, is_first):
    """One line; `on` (list) holds the faults that stand, so that some of them end."""
    kind = chance.random()
    if kind < (0.8 if is_first else 0.45):
        name = chance.choice(FAULTS)
        while name in SLOW and chance.random() < 0.9:
            name = chance.choice(FAULTS)
        on.append(name)
        return f"fault {name} on"
    if on and kind < 0.6:
        return f"fault {on.pop(chance.randrange(len(on)))} off"
    table = WORLD if kind < 0.72 else CAR if kind < 0.82 else WORDS
    return chance.choice(table)
