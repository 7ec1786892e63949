"""The topics of the grid contract: what the box listens to, where it speaks, and its plain scalars."""

from firmware.core.records import Command, Ref, Refusal

PREFIX = "ebb/1/"
MOST_GROUPS = 8
FROM_BOX = ("ack", "state", "meter", "report", "online")


def built(box: str, name: str) -> str:
    """Topic of one of FROM_BOX."""
    return PREFIX + "box/" + box + "/" + name


def value_topic(box: str, name: str) -> str:
    """Topic of a plain scalar."""
    return built(box, "value") + "/" + name


def subscriptions(box: str, groups: str) -> "tuple[str, ...]":
    """Tuple of topics this box listens to; groups: comma-separated names, at most 8."""
    topics = (built(box, "cmd"), PREFIX + "all/cmd", built(box, "set") + "/+")
    for group in groups.split(",")[:MOST_GROUPS] if groups else ():
        topics += (PREFIX + "group/" + group + "/cmd",)
    return topics


def parsed(topic: str, box: str) -> "tuple[str, str]":
    """(scope, name) of a topic, ("", "") of any other.

    Commands: ("box" | "all", "") and ("group", its name); of the house: ("set", name).
    """
    if topic == built(box, "cmd"):
        return "box", ""
    if topic == PREFIX + "all/cmd":
        return "all", ""
    if topic.startswith(PREFIX + "group/") and topic.endswith("/cmd"):
        return "group", topic[len(PREFIX) + 6 : -4]
    start = built(box, "set") + "/"
    return ("set", topic[len(start) :]) if topic.startswith(start) else ("", "")


def house_command(name: str, payload: "Octets", frame: "tuple[bool, int]") -> "Command | Refusal":
    """Command of source "house" for set/<name>, or a Refusal. frame: (is_retained, now_ms)."""
    is_retained, now_ms = frame
    if is_retained:
        return Refusal("expired", name, "Retained values from the house are ignored.", None)
    digits = bytes(payload)
    if not 0 < len(digits) <= 10 or not digits.isdigit():
        return Refusal("bad_field", name, "The value must be a whole number.", None)
    value = int(digits)
    if name == "max_current_ma" and value <= 80_000:
        return Command("limit", "house", value, now_ms, None, Ref("house", name, 0), "", 0, None, "")
    if name == "enable" and value == 0:
        return Command("limit", "house", 0, now_ms, None, Ref("house", name, 0), "", 0, None, "")
    if name == "enable" and value == 1:
        return Command("resume", "house", 0, now_ms, None, Ref("house", name, 0), "", 0, name, "")
    return Refusal("bad_field", name, "The house cannot set this, or not to this value.", None)


def values(status: "StatusDict") -> "tuple[tuple[str, str], ...]":
    """Tuple of (name, text) of the plain scalars for evcc, Home Assistant and people."""
    session = status["session"]
    currents = status["currents_ma"]
    faults = status["faults"]
    return (
        ("status", status["letter"]),
        ("enabled", "0" if status["limit_ma"] < 6000 else "1"),
        ("max_current_ma", str(status["offered_ma"])),
        ("power_w", str(status["power_w"])),
        ("energy_wh", str(status["energy_wh"])),
        ("session_wh", str(session["wh"] if session else 0)),
        ("current_l1_ma", str(currents[0])),
        ("current_l2_ma", str(currents[1])),
        ("current_l3_ma", str(currents[2])),
        ("held_by", status["held_by"]),
        ("held_until", str(status["held_until"])),
        ("fault", faults[0]["code"] if faults else ""),
    )
