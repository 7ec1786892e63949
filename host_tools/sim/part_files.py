"""Parts of measuring that can be bought: what each may be off by, as ranges with their sources; plants draw from them.

A value is {"range": [least, most], "typical": one of them, "source": where it stands, "is_confirmed": false where its
text was not at hand}, in the unit that its name ends with.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "parts"
VALUE_KEYS = {"range", "typical", "source", "is_confirmed"}
# file: keys of each of its parts beside "about"
FILES = {
    "adc.json": {
        "gain_permille",
        "offset_uv",
        "noise_uv",
        "spike_one_in",
        "spike_uv",
        "bend_uv",
        "first_uv",
        "last_uv",
    },
    "current_transformers.json": {"ratio_permille", "mid_rail_uv", "saturated_ma"},
    "passives.json": {"resistor_permille", "ntc_permille", "ntc_kelvin"},
}
LEAST_SOURCE = 10  # characters


class BadPart(ValueError):
    """A part that is not there, or whose entry cannot be believed; the text names it."""


def loaded(file, folder=FOLDER):
    """{name: {key: (least, typical, most)}} of a file of parts. Errors: BadPart."""
    try:
        rows = json.loads((folder / file).read_text("utf-8"))
    except ValueError as error:
        raise BadPart(f"{file} is not JSON: {error}.") from None
    return {name: checked(f"{file}, {name}", row, FILES[file]) for name, row in rows.items()}


def checked(where, row, keys):
    """{key: (least, typical, most)} of one part. Errors: BadPart."""
    check_keys(where, row, {"about", *keys})
    return {key: value_of(f"{where}, {key}", row[key]) for key in sorted(keys)}


def value_of(where, value):
    """(least, typical, most) of one value. Errors: BadPart."""
    check_keys(where, value, VALUE_KEYS)
    if type(value["source"]) is not str or len(value["source"].strip()) < LEAST_SOURCE:
        raise BadPart(f"{where}: says no source.")
    if type(value["is_confirmed"]) is not bool:
        raise BadPart(f"{where}: is_confirmed is true or false.")
    ends = value["range"]
    if type(ends) is not list or len(ends) != 2 or not all(type(one) is int for one in (*ends, value["typical"])):
        raise BadPart(f"{where}: a range is two whole numbers, and typical is one.")
    if not ends[0] <= value["typical"] <= ends[1]:
        raise BadPart(f"{where}: {value['typical']} lies outside of its own range {ends[0]} to {ends[1]}.")
    return ends[0], value["typical"], ends[1]


def check_keys(where, row, keys):
    """Errors: BadPart for a key too many or too few."""
    if type(row) is not dict:
        raise BadPart(f"{where}: is no object.")
    for key in row:
        if key not in keys:
            raise BadPart(f"{where}: nobody knows '{key}'.")
    for key in sorted(keys):
        if key not in row:
            raise BadPart(f"{where}: lacks '{key}'.")


def drawn(part, chance):
    """{key: one value anywhere in its range}, the ends more often than what lies between."""
    return {key: chance.choice((least, most, chance.randint(least, most))) for key, (least, _, most) in part.items()}


def fitted(world, chip, chance):
    """Give the board behind a PinWorld and its plant parts of its own, by chance; what was drawn, by file and key.

    ESP32's reading of 142 mV at 0 V (first_uv) is not played yet, nor the transformer's saturation.
    """
    plant, facts = world.plant, world.facts
    adc = drawn(loaded("adc.json")[chip], chance)
    ct_rows, passive_rows = loaded("current_transformers.json"), loaded("passives.json")
    cts = [drawn(ct_rows[chance.choice(sorted(ct_rows))], chance) for _ in range(3)]
    passive = drawn(passive_rows[chance.choice(sorted(passive_rows))], chance)
    plant.pilot_gain = 1 + (adc["gain_permille"] + passive["resistor_permille"]) / 1000
    plant.pilot_offset_mv = adc["offset_uv"] * 1000 / facts.pilot_uv_per_v
    uv_per_a = facts.current_uv_per_a
    plant.current_offsets_ma = [round((one["mid_rail_uv"] + adc["offset_uv"]) * 1000 / uv_per_a) for one in cts]
    world.current_gains = [1 + (one["ratio_permille"] + adc["gain_permille"]) / 1000 for one in cts]
    world.noise_uv = [round(chance.gauss(0, adc["noise_uv"])) for _ in world.noise_uv]
    world.spike_one_in, world.spike_uv, world.bend_uv = adc["spike_one_in"], adc["spike_uv"], adc["bend_uv"]
    plant.wire_changed()
    return {"adc": adc, "cts": cts, "passive": passive}
