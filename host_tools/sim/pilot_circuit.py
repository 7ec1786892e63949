"""The pilot wire as a circuit: ±12 V through 1 kΩ, the car's resistors and its diode (requirements §1)."""

SOURCE_OHM = 1000
DIODE_MV = 700  # 0.55–0.85 V
B_OHM = 2740.0
C_OHM = 1300.0
D_OHM = 270.0
OPEN_OHM, BETWEEN_OHM = 1_000_000, 350  # proximity: no resistor; between the codes of 20 A and 32 A (requirements §1)
PWM_PERIOD_US = 1002  # 998 Hz, as the chip's LEDC makes it


def parallel(first_ohm, second_ohm):
    """Resistance of two resistors side by side in ohm."""
    return first_ohm * second_ohm / (first_ohm + second_ohm)


LOADS_OHM = {
    "A": None,
    "B": B_OHM,
    "C": parallel(B_OHM, C_OHM),
    "D": parallel(B_OHM, D_OHM),
}


def pin_mv(source_mv, load_ohm, has_diode):
    """Voltage at the pilot pin in mV for a source of ±12 V and the car's resistance (None: nothing plugged in)."""
    if load_ohm is None:
        return source_mv
    if not has_diode:
        return source_mv * load_ohm / (load_ohm + SOURCE_OHM)
    if source_mv <= DIODE_MV:
        return source_mv
    return (source_mv - DIODE_MV) * load_ohm / (load_ohm + SOURCE_OHM) + DIODE_MV


def letter_of(high_mv, source_mv=12_000):
    """The plant's own letter for a high half: the nearest ideal voltage, without hysteresis or firmware."""
    high_mv = high_mv * 12_000 / source_mv
    ideal = ((12000, "A"), (9000, "B"), (6000, "C"), (3000, "D"), (0, "E"), (-12000, "F"))
    return min(ideal, key=lambda pair: abs(pair[0] - high_mv))[1]


def signalled_ma(duty_permille):
    """What a car may draw at this duty in permille, in mA (requirements §1, the car's reading of duty)."""
    if 80 <= duty_permille < 100:
        return 6000
    if 100 <= duty_permille <= 850:
        return duty_permille * 60
    if 850 < duty_permille <= 960:
        return (duty_permille - 640) * 250
    return 0


def proximity_ohm(cable_ohm, faults):
    """Resistance between proximity and earth in ohm, of a cable and with the plant's faults."""
    if faults["proximity_open"]:
        return OPEN_OHM
    if faults["proximity_short"]:
        return 0
    return BETWEEN_OHM if faults["proximity_between"] else cable_ohm
