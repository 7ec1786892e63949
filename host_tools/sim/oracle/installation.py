"""What the oracle knows of the house and of breaking a rule: installation facts, never a number of the firmware."""

from typing import NamedTuple


class Broken(AssertionError):
    """An invariant of faults.md does not hold; the text begins with its name."""


class Installation(NamedTuple):
    """Facts of the house, as the installer chose them; has_proximity: the board reads the plug's resistor."""

    wiring_ma: int
    is_ventilated: bool = False
    phases: int = 3
    nominal_mv: int = 230_000
    nominal_mhz: int = 50_000
    has_proximity: bool = False
    is_locked: bool = False  # the setting locked_until_allowed
    has_valid_settings: bool = True


HARMLESS = ("adc_noise", "flash_full", "flash_io_error", "wifi_down", "broker_down", "dns_dead", "clock_wrong")
BLIND = ("adc_stuck", "adc_zero", "adc_full")


def has_fault(plant):
    """Whether any fault stands that may open a contactor."""
    return any(is_on and name not in HARMLESS for name, is_on in plant.faults.items())


def is_blind(plant):
    """Whether nothing new comes from the ADC."""
    return any(plant.faults[name] for name in BLIND)


def mains_of(plant, house):
    """Mains at the box's terminals: ([voltage of each wired phase in mV], frequency off in mHz)."""
    faults = plant.faults
    percent = 75 if faults["voltage_low"] else 120 if faults["voltage_high"] else 100
    volts_mv = [mv * percent // 100 for mv in plant.volts_mv[: house.phases]]
    off_mhz = abs(plant.frequency_mhz - 4000 * faults["frequency_off"] - house.nominal_mhz)
    return volts_mv, off_mhz


def cable_ma(ohm):
    """Rating of the plug's resistor in mA, 0 for a fault (requirements §1, proximity; in a gap the lower rating)."""
    if ohm is None or ohm < 60 or ohm > 4500:
        return 0
    for least_ohm, rating_ma in ((936, 13_000), (308, 20_000), (140, 32_000)):
        if ohm > least_ohm:
            return rating_ma
    return 63_000


def proximity_ohm(plant):
    """Resistance at the proximity contact in ohm, None for an open wire."""
    faults = plant.faults
    if faults["proximity_open"]:
        return None
    return 0 if faults["proximity_short"] else 350 if faults["proximity_between"] else plant.cable_ohm


def signalled_ma(plant):
    """What the duty on the wire allows a car to draw, in mA; 0 without PWM (requirements §1)."""
    if plant.pilot_mode != "pwm":
        return 0
    duty = plant.duty_permille
    return duty * 60 if duty <= 850 else (duty - 640) * 250
