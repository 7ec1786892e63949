"""Packets of a hostile broker, down to the command in them: refused with MqttError, or read as they were written."""

from firmware.connections import MOST_PACKET
from firmware.core.records import Command, Refusal
from firmware.wire import grid_contract, mqtt_packets, mqtt_topics
from host_tools.fuzz import commands
from host_tools.fuzz.broken import must

BOX = "garage"
TOKENS = (b"ebb/1/", b"box/garage/cmd", b"ebb/1/all/cmd", b"set/enable", b"set/max_current_ma", b"pause", b"\x80\x01")
TOKENS += (
    b"\xff\xff\xff\x7f",
    b"\x80\x80\x80\x01",
    b"\x00\x00",
    b"\xff\xff",
    b"0123456789",
    b"\xc3\xa4",
    b"\xed\xa0\x80",
)


def seeds():
    """A packet of each kind, and some behind each other."""
    topic = mqtt_topics.built(BOX, "cmd")
    paused = b'{"id":"a","kind":"pause","duration_s":60}'
    limited = b'{"id":"b","kind":"limit","limit_ma":8000,"duration_s":60}'
    made = [
        mqtt_packets.publish(topic, paused, 7, (False, False)),
        mqtt_packets.publish(topic, b"pause", 0, (True, False)),
        mqtt_packets.publish("ebb/1/group/north/cmd", paused, 65_535, (True, True)),
        mqtt_packets.publish(mqtt_topics.built(BOX, "set") + "/max_current_ma", b"16000", 1, (False, True)),
        mqtt_packets.publish("a" * 100, bytes(1000), 1, (False, False)),
        b"\x20\x02\x00\x00",
        b"\x20\x02\x01\x05",
        b"\x40\x02\x00\x07",
        b"\x90\x05\x00\x01\x01\x80\x02",
        b"\xb0\x02\x00\x01",
        b"\xd0\x00",
        mqtt_packets.publish(topic, limited, 8, (False, False)),
    ]
    return [*made, made[5] + made[8] + made[0] + made[10]]


def fresh(chance):
    """A message in good form on one of the box's topics, with a command a little changed."""
    topic = TOPICS[int(chance() * len(TOPICS))]
    packet_id = int(chance() * 3) * 32_767
    return mqtt_packets.publish(topic, commands.fresh(chance), packet_id, (chance() < 0.2, chance() < 0.2))


TOPICS = (mqtt_topics.built(BOX, "cmd"), "ebb/1/all/cmd", "ebb/1/group/north/cmd", "ebb/1/box/garage/set/enable", "x")


def repaired(octets, chance):
    """Half of them with a length that fits, so that more than lengths is looked at."""
    if len(octets) < 3 or chance() < 0.5:
        return octets
    at = 1
    while at < 5 and at < len(octets) and octets[at] & 128:
        at += 1
    return mqtt_packets.sized_packet(octets[0], octets[at + 1 :])


def tried(octets):
    """What became of the bytes, as a short label. Errors: Broken, or whatever the parser lets out."""
    label = ""
    for _ in range(3):
        try:
            found = mqtt_packets.header(octets, len(octets), MOST_PACKET)
            early = mqtt_packets.header(octets, 3, MOST_PACKET) if len(octets) > 3 else None
            must(early is None or early == found, "a header changes when more bytes come")
            if found is None:
                return label + "more"
            start, length = found
            must(2 <= start <= 5 and 0 <= length <= MOST_PACKET, "a length over the limit")
            if len(octets) < start + length:
                return label + "wait"
            body = octets[start : start + length]
            label += opened(octets[0], body) + " "
        except mqtt_packets.MqttError as error:
            must(error.code in CODES, "an error without words")
            return label + error.code
        octets = octets[start + length :]
        if not octets:
            return label
    return label + "…"


CODES = "bad_flags bad_length bad_type bad_qos bad_topic bad_id bad_connack".split()


def opened(first, body):
    """Label of a whole packet. Errors: MqttError, Broken."""
    kind = first >> 4
    if kind == mqtt_packets.CONNACK:
        return "connack%d" % mqtt_packets.opened_connack(body)[1]
    if kind == mqtt_packets.SUBACK:
        return "suback%d" % mqtt_packets.is_subscribed(body)
    if kind != mqtt_packets.PUBLISH:
        if len(body) >= 2:
            must(0 <= mqtt_packets.opened_id(body) <= 65_535, "a packet id")
        return "kind%d" % kind
    topic, payload, packet_id, is_retained, is_dup = mqtt_packets.opened_publish(first, body)
    again = mqtt_packets.publish(topic, payload, packet_id, (is_retained, is_dup))
    start, length = mqtt_packets.header(again, len(again), MOST_PACKET) or (0, 0)
    must(again[0] == first and again[start : start + length] == body, "a message that reads otherwise")
    scope, name = mqtt_topics.parsed(topic, BOX)
    if scope == "set":
        made = mqtt_topics.house_command(name, payload, (is_retained, 5))
        must(isinstance(made, (Command, Refusal)), "neither command nor refusal")
        return "set " + (made.kind if isinstance(made, Command) else made.code)
    if scope:
        message = grid_contract.Message(scope, payload, is_retained)
        return scope + commands.judged(grid_contract.parse(message, commands.CONTEXTS[0]), commands.CONTEXTS[0])
    return "publish"
