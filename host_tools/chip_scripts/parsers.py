"""Runs on the interpreter: parsers.py FILE; a line for each input: what each parser makes of it, as a checksum."""

import sys
from binascii import crc32, unhexlify

from firmware.core import settings
from firmware.core.records import Refusal
from firmware.wire import (
    grid_contract,
    http_response,
    jws,
    ledger_record,
    log_lines,
    mqtt_packets,
    mqtt_topics,
    signed_command,
    strict_json,
    update_announcement,
    web_api,
)


def ordered(value):
    """The value in words that do not depend on the order of a dict or on a float's digits."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join(sorted([ordered(key) + ordered(value[key]) for key in value]))
    if isinstance(value, (tuple, list)):
        return "(%s)" % ", ".join([ordered(one) for one in value])
    if isinstance(value, str):
        return str(value.encode())
    return str(bytes(value)) if isinstance(value, (bytearray, memoryview)) else str(value)


def packet(octets):
    """What a packet of the broker holds."""
    try:
        found = mqtt_packets.header(octets, len(octets), 2304)
        if found is None or len(octets) < sum(found):
            return found
        body = octets[found[0] : sum(found)]
        if octets[0] >> 4 == mqtt_packets.PUBLISH:
            made = mqtt_packets.opened_publish(octets[0], body)
            return made, mqtt_topics.parsed(made[0], "garage")
        return mqtt_packets.opened_connack(body) if octets[0] >> 4 == mqtt_packets.CONNACK else body
    except mqtt_packets.MqttError as error:
        return error.code


def fields(octets):
    """What strict JSON holds."""
    try:
        return strict_json.opened(octets)
    except strict_json.BadJson as error:
        return error.code, error.field


def command(octets):
    """What grid and page make of it."""
    context = grid_contract.Context(10_000_000, 1_795_266_000, 230_000, 3, 5, False)
    found = web_api.fields_of(octets, 2048)
    changed = None if isinstance(found, Refusal) else settings.changed(settings.defaults(), found)
    # Of several wrong keys the first one is told, and the chip's dicts have another order.
    told = changed.code if isinstance(changed, Refusal) else changed
    return (
        grid_contract.parse(grid_contract.Message("box", octets, False), context),
        web_api.parse(octets, 5),
        told,
    )


def record(octets):
    """What a record of the log or the ledger holds."""
    made = log_lines.opened(octets, 0)
    shown = None if made is None else (made, log_lines.as_text(made), log_lines.as_json(made))
    return shown, ledger_record.head_of(octets), ledger_record.quarter_of(octets), ledger_record.session_of(octets)


def response(octets):
    """How long an HTTP answer is."""
    return http_response.length_of(octets, 803_264)


def announcement(octets):
    """Where an announced update lies."""
    made = update_announcement.opened(octets)
    return made if isinstance(made, Refusal) else (made.request(), made.host, made.port, made.version, made.sha256)


TRUST = signed_command.Trust((("dso1", "2026a", b"\xff" * 256),), bytes(range(32)))


def signed(octets):
    """What a signed command claims to be, and whether the box's own key has signed it."""
    context = grid_contract.Context(10_000_000, 1_795_266_000, 230_000, 3, 5, False)
    known = (TRUST, (("dso1", "box", 7),), ())
    made = signed_command.claimed(grid_contract.Message("box", octets, False), "box", context, known)
    is_shared = not isinstance(made, Refusal) and made.jws.alg == jws.SHARED
    return made, list(jws.proof(made.jws, made.keys)) if is_shared else None


PARSERS = {
    "mqtt": packet,
    "commands": command,
    "settings": command,
    "log": record,
    "ledger": record,
    "response": response,
}
PARSERS["announcement"], PARSERS["signed"] = announcement, signed


def line_of(name, octets):
    """Checksum and beginning of what comes of it; what escapes is told as well."""
    try:
        made = ordered((PARSERS[name](octets), fields(octets)))
    except Exception as error:
        made = "ESCAPED " + type(error).__name__
    return "%08x %s" % (crc32(made.encode()) & 0xFFFFFFFF, made[:60])


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        for row in file:
            name, hexed = row.split()
            print(line_of(name, unhexlify(hexed)))
