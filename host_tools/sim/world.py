"""The plant as the bench shows it: one dict to read, one checked dict to change."""

from host_tools.sim.car import CHARACTERS, Car

# path of a value that the world may change: (section, key): (kind, low, high)
MAY_CHANGE = {
    ("car", "is_plugged"): ("bool", 0, 0),
    ("car", "wants_charge"): ("bool", 0, 0),
    ("car", "character"): ("character", 0, 0),
    ("car", "draw_ma"): ("int", 0, 80_000),
    ("car", "cable_ohm"): ("int", 0, 1_000_000),
    ("mains", "voltages_mv"): ("volts", 0, 400_000),
    ("mains", "frequency_mhz"): ("int", 40_000, 70_000),
    ("mains", "is_on"): ("bool", 0, 0),
    ("panel", "button_is_pressed"): ("bool", 0, 0),
}


def shown(plant):
    """GET /world of the bench: the whole world as a dict of plain values."""
    car = plant.car
    return {
        "now_ms": plant.now_us // 1000,
        "car": {
            "is_plugged": car.is_plugged,
            "wants_charge": car.wants_charge,
            "character": car.character,
            "draw_ma": car.draw_ma,
            "cable_ohm": plant.cable_ohm,
        },
        "pins": {
            "is_coil_on": plant.is_coil_on,
            "is_contactor_closed": plant.live_poles() & 7 != 0,
            "pilot_mode": plant.pilot_mode,
            "duty_permille": plant.duty_permille,
            "pilot_high_mv": round(plant.high_mv),
            "pilot_low_mv": round(plant.low_mv),
        },
        "currents_ma": list(plant.currents_ma),
        "mains": {
            "voltages_mv": list(plant.volts_mv),
            "frequency_mhz": plant.frequency_mhz,
            "is_on": plant.is_supplied,
        },
        "temperature_tenths_c": plant.temperature_tenths_c,
        "panel": {"button_is_pressed": plant.is_button_pressed, "led": plant.led},
        "faults": dict(plant.faults),
    }


def change(plant, wanted):
    """Merge any part of the world that the world decides; ValueError with words when anything is wrong, and then
    nothing is changed at all.
    """
    changes = checked(plant, wanted)
    for section, key, value in changes:
        apply(plant, section, key, value)


def checked(plant, wanted):
    """List of (section, key, value), all of them good. Errors: ValueError."""
    if not isinstance(wanted, dict):
        raise ValueError("The world is a JSON object.")
    changes = []
    for section, value in wanted.items():
        if section == "temperature_tenths_c":
            check("int", -500, 2000, value, section)
            changes.append(("", section, value))
        elif section not in ("car", "mains", "panel", "faults"):
            raise ValueError(f"The world has nothing to change under '{section}'.")
        elif not isinstance(value, dict):
            raise ValueError(f"'{section}' is a JSON object.")
        else:
            changes += [(section, key, one) for key, one in value.items() if check_one(plant, section, key, one)]
    # A new car comes before it is plugged in, whatever the order in the text was.
    return sorted(changes, key=lambda change: change[1] != "character")


def check_one(plant, section, key, value):
    """True when section.key may take this value. Errors: ValueError."""
    name = f"{section}.{key}"
    if section == "faults":
        if key not in plant.faults:
            raise ValueError(f"There is no fault '{key}'.")
        check("bool", 0, 0, value, name)
    elif (section, key) not in MAY_CHANGE:
        raise ValueError(f"'{name}' cannot be changed from outside.")
    else:
        check(*MAY_CHANGE[(section, key)], value, name)
    return True


def check(kind, low, high, value, name):
    """ValueError in words unless the value fits."""
    if kind == "bool":
        is_good = isinstance(value, bool)
        words = "true or false"
    elif kind == "int":
        is_good = type(value) is int and low <= value <= high
        words = f"a whole number from {low} to {high}"
    elif kind == "character":
        is_good = value in CHARACTERS
        words = "one of " + " ".join(CHARACTERS)
    else:
        is_good = (
            isinstance(value, list) and len(value) == 3 and all(type(v) is int and low <= v <= high for v in value)
        )
        words = f"a list of three whole numbers from {low} to {high}"
    if not is_good:
        raise ValueError(f"'{name}' must be {words}.")


def apply(plant, section, key, value):
    """Make one checked change."""
    if section == "faults":
        if plant.faults[key] != value:
            switch(plant, key, value)
    elif key == "character":
        swap_car(plant, value)
    elif key == "is_plugged":
        if plant.car.is_plugged != value:
            plant.car.plug(value)
    elif key == "wants_charge":
        plant.car.want(value)
    elif key == "draw_ma":
        plant.car.max_draw_ma = value
        plant.car.pilot_changed()
    elif key == "cable_ohm":
        plant.cable_ohm = value
    elif key == "temperature_tenths_c":
        plant.temperature_tenths_c = value
    elif key == "button_is_pressed":
        plant.is_button_pressed = value
    elif key == "is_on":
        plant.set_supply(value)
    elif key == "frequency_mhz":
        plant.frequency_mhz = value
    else:
        plant.settle_energy()
        plant.volts_mv = list(value)
        plant.flow_changed()


def switch(plant, name, is_on):
    """Switch one fault, and let everything on the wires follow at once."""
    plant.settle_energy()
    plant.faults[name] = is_on
    plant.trace("fault", f"{name} {'on' if is_on else 'off'}")
    if name == "residual_trip":
        plant.trip(is_on)
    plant.wire_changed()
    plant.coil_settled()
    plant.contacts_changed()
    plant.flow_changed()


def swap_car(plant, character):
    """Another car in place of this one: same plug, same wish; it starts from letter A or B."""
    before = plant.car
    if character == before.character:
        return
    is_plugged, wants_charge = before.is_plugged, before.wants_charge
    before.plug(False)
    plant.car = Car(plant, character)
    plant.car.wants_charge = wants_charge
    if is_plugged:
        plant.car.plug(True)
