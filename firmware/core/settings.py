"""The settings table: one row a setting, and every way in goes through its one check."""

from collections import namedtuple

from firmware.core.records import Refusal

# kind: "int" low..high in steps | "bool" | "text" low..high characters | "names" comma-separated, high names at most
# who may change: "installer" | "owner"; low and high are inclusive. Labels: firmware/words_en.txt.
SETTINGS = (
    ("wiring_limit_ma", "int", 6000, 80000, 100, 6000, "installer", "ma", False),
    ("phases", "int", 1, 3, 2, 3, "installer", "", False),
    ("nominal_mv", "int", 100000, 250000, 1000, 230000, "installer", "mv", False),
    ("nominal_hz", "int", 50, 60, 10, 50, "installer", "hz", False),
    ("has_r37_rules", "bool", 0, 1, 1, False, "installer", "", False),
    ("guards_open_pen", "bool", 0, 1, 1, False, "installer", "", False),
    ("is_ventilated", "bool", 0, 1, 1, False, "installer", "", False),
    ("locked_until_allowed", "bool", 0, 1, 1, False, "owner", "", False),
    ("restart_spread_s", "int", 0, 1800, 1, 600, "owner", "s", False),
    ("utc_offset_s", "int", -43200, 50400, 900, 0, "owner", "s", False),
    ("groups", "names", 0, 8, 1, "", "owner", "", False),
    ("wifi_ssid", "text", 0, 32, 1, "", "owner", "", False),
    ("wifi_password", "text", 0, 63, 1, "", "owner", "", True),
    ("mqtt_host", "text", 0, 64, 1, "", "owner", "", False),
    ("mqtt_port", "int", 1, 65535, 1, 8883, "owner", "", False),
    ("mqtt_user", "text", 0, 64, 1, "", "owner", "", False),
    ("mqtt_password", "text", 0, 64, 1, "", "owner", "", True),
    ("mqtt_is_tls", "bool", 0, 1, 1, True, "owner", "", False),
    ("plain_may_bind", "bool", 0, 1, 1, False, "owner", "", False),
    ("may_update_by_mqtt", "bool", 0, 1, 1, False, "owner", "", False),
)

KEYS = tuple(row[0] for row in SETTINGS)
Settings: "type[SettingsRecord]" = namedtuple("Settings", KEYS)  # pyright: ignore[reportUntypedNamedTuple, reportAssignmentType]

MAX_NAME = 32  # characters of one group's name
NAME_MARKS = "-_."


def defaults() -> "SettingsRecord":
    """Settings as the box leaves the factory: 6 A, no broker."""
    return Settings(*[row[5] for row in SETTINGS])  # pyright: ignore[reportArgumentType]  a test checks each row


def changed(settings: "SettingsRecord", changes: "dict[str, Json]") -> "SettingsRecord | Refusal":
    """Settings with `changes` (dict key → value) all applied, or the Refusal of the first one that may not be."""
    for key in changes:
        if key not in KEYS:
            return Refusal("unknown_setting", str(key)[:32], "There is no setting of this name.", None)
    values = ()
    for index in range(len(SETTINGS)):
        row = SETTINGS[index]
        value = changes.get(row[0], settings[index])
        refusal = refused(row, value)
        if refusal is not None:
            return refusal
        values += (value,)
    return Settings(*values)  # pyright: ignore[reportArgumentType]  each passed the check of its row


def fitted(settings: "SettingsRecord", phases: int) -> "SettingsRecord":
    """Settings that a board with so many phases can have: what it does not measure cannot be wired to it."""
    if settings.phases <= phases:
        return settings
    parts: list[object] = list(settings)
    parts[KEYS.index("phases")] = phases
    return Settings(*parts)  # pyright: ignore[reportArgumentType]  its own parts but for one


def refused(row: "SettingRow", value: object) -> "Refusal | None":
    """Refusal with words when `value` does not fit the row of SETTINGS, else None."""
    key, kind, low, high, step = row[:5]
    if kind == "bool":
        words = None if value is True or value is False else "must be true or false"
    elif kind == "int":
        words = refused_int(value, low, high, step)
    elif type(value) is not str:
        words = "must be text"
    elif kind == "text":
        is_plain = all(" " <= mark <= "~" for mark in value)
        words = None if low <= len(value) <= high and is_plain else "must be %d to %d plain characters" % (low, high)
    else:
        words = refused_names(value, high)
    return None if words is None else Refusal("bad_setting", key, "%s %s." % (key, words), None)


def refused_int(value: object, low: int, high: int, step: int) -> "str | None":
    """Words when a whole number does not fit, else None; a boolean is no number."""
    if type(value) is not int:
        return "must be a whole number"
    if value < low or value > high:
        return "must be %d to %d" % (low, high)
    return None if (value - low) % step == 0 else "must be %d plus a multiple of %d" % (low, step)


def refused_names(value: str, most: int) -> "str | None":
    """Words when a comma-separated list of names does not fit, else None."""
    names = value.split(",") if value else []
    if len(names) > most:
        return "may hold at most %d names" % most
    for name in names:
        if not 0 < len(name) <= MAX_NAME:
            return "must hold names of 1 to %d characters" % MAX_NAME
        for mark in name:
            if not ("a" <= mark <= "z" or "A" <= mark <= "Z" or "0" <= mark <= "9" or mark in NAME_MARKS):
                return "may hold only letters, digits, dots, - and _"
    return None
