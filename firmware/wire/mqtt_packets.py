"""MQTT 3.1.1 packets as bytes: what the box sends, and what a broker may send back, length checked first."""

from firmware.wire import utf8

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBACK, PINGREQ, PINGRESP = 8, 9, 11, 12, 13

# type: (allowed flags or None, shortest, longest body; 0 = the caller's limit), as MQTT 3.1.1 §2.2, §3
FROM_BROKER = (
    (CONNACK, 0, 2, 2),
    (PUBLISH, None, 2, 0),
    (PUBACK, 0, 2, 2),
    (SUBACK, 0, 3, 0),
    (UNSUBACK, 0, 2, 2),
    (PINGRESP, 0, 0, 0),
)

MOST_CONNACK = 5  # MQTT 3.1.1 §3.2.2.3: return codes 0–5
MOST_TEXT = 4096  # MQTT allows 65,535; no topic, name or will of a box comes near this
PINGREQ_BYTES = b"\xc0\x00"


class MqttError(Exception):
    """The broker broke the protocol; what each code means: mqtt.… in firmware/words_en.txt."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sized_text(text: "str | bytes") -> bytes:
    """A string as MQTT writes it: two bytes of length, then UTF-8. Errors: ValueError over MOST_TEXT bytes."""
    body = text if isinstance(text, bytes) else text.encode()
    if len(body) > MOST_TEXT:
        raise ValueError("text too long for MQTT")
    return bytes((len(body) >> 8, len(body) & 255)) + body


def sized_packet(first: int, body: bytes) -> bytes:
    """A whole packet: first byte, remaining length in 1–4 bytes, body."""
    left = len(body)
    length = b""
    while True:
        byte = left & 127
        left >>= 7
        length += bytes((byte | (128 if left else 0),))
        if not left:
            return bytes((first,)) + length + body


def connect(
    client_id: str, login: "tuple[str, str] | None", keepalive_s: int, will: "tuple[str, bytes] | None"
) -> bytes:
    """CONNECT with a persistent session. login: (user, password) or None; will: (topic, payload) retained, QoS 1."""
    flags = 0
    body = sized_text(client_id)
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        body += sized_text(will[0]) + sized_text(will[1])
    if login is not None:
        flags |= 0x80 | 0x40
        body += sized_text(login[0]) + sized_text(login[1])
    head = b"\x00\x04MQTT\x04" + bytes((flags, keepalive_s >> 8, keepalive_s & 255))
    return sized_packet(CONNECT << 4, head + body)


def publish(topic: str, payload: bytes, packet_id: int, marks: "tuple[bool, bool]") -> bytes:
    """PUBLISH; packet_id 0 means QoS 0. marks: (is_retained, is_dup)."""
    first = PUBLISH << 4 | (2 if packet_id else 0) | (1 if marks[0] else 0) | (8 if marks[1] else 0)
    number = bytes((packet_id >> 8, packet_id & 255)) if packet_id else b""
    return sized_packet(first, sized_text(topic) + number + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK for one packet id."""
    return bytes((PUBACK << 4, 2, packet_id >> 8, packet_id & 255))


def subscribe(packet_id: int, topics: "tuple[str, ...]") -> bytes:
    """SUBSCRIBE to topics, each with QoS 1."""
    body = bytes((packet_id >> 8, packet_id & 255))
    for topic in topics:
        body += sized_text(topic) + b"\x01"
    return sized_packet(SUBSCRIBE << 4 | 2, body)


def header(buffer: "Octets", count: int, limit: int) -> "tuple[int, int] | None":
    """(header bytes, body bytes) of the packet at the start of buffer[:count], or None while more bytes are needed.

    limit: longest body taken. Checked before anything is allocated. Errors: MqttError.
    """
    if count < 2:
        return None
    flags, shortest, longest = rules_of(buffer[0] >> 4)
    if flags is not None and buffer[0] & 15 != flags:
        raise MqttError("bad_flags")
    length = 0
    for index in range(1, 5):
        if index >= count:
            return None
        length |= (buffer[index] & 127) << 7 * (index - 1)
        if not buffer[index] & 128:
            break
    else:
        raise MqttError("bad_length")
    if buffer[0] >> 4 == PINGRESP:
        limit = 0
    if length < shortest or length > min(limit, longest or limit):
        raise MqttError("bad_length")
    return index + 1, length


def rules_of(kind: int) -> "tuple[int | None, int, int]":
    """(flags, shortest, longest) of a packet type that a broker may send. Errors: MqttError."""
    for row in FROM_BROKER:
        if row[0] == kind:
            return row[1:]
    raise MqttError("bad_type")


def opened_publish(first: int, body: "Octets") -> "tuple[str, bytes, int, bool, bool]":
    """(topic, payload, packet_id, is_retained, is_dup) of a PUBLISH body; packet_id 0 for QoS 0. Errors: MqttError."""
    qos = first >> 1 & 3
    if qos > 1:
        raise MqttError("bad_qos")
    length = body[0] << 8 | body[1]
    start = 2 + length
    if length == 0 or start + (2 if qos else 0) > len(body):
        raise MqttError("bad_topic")
    try:
        topic = utf8.text_of(body[2:start])
    except ValueError:
        raise MqttError("bad_topic")
    packet_id = 0
    if qos:
        packet_id = body[start] << 8 | body[start + 1]
        start += 2
        if packet_id == 0:
            raise MqttError("bad_id")
    return topic, bytes(body[start:]), packet_id, bool(first & 1), bool(first & 8)


def opened_connack(body: "Octets") -> "tuple[bool, int]":
    """(has_session, code) of a CONNACK body. Errors: MqttError."""
    if body[0] > 1 or body[1] > MOST_CONNACK:
        raise MqttError("bad_connack")
    return body[0] == 1, body[1]


def opened_id(body: "Octets") -> int:
    """Packet id at the start of a PUBACK, SUBACK or UNSUBACK body."""
    return body[0] << 8 | body[1]


def is_subscribed(body: "Octets") -> bool:
    """Whether a SUBACK body grants every topic."""
    return all(code < 3 for code in bytes(body[2:]))
