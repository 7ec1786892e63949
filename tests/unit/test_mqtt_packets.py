"""MQTT packets: exact bytes out, and in every packet cut at every byte, every length at its edge."""

import os
import unittest

from samples import phrase

from firmware.wire import mqtt_packets as mqtt
from firmware.wire.mqtt_packets import MqttError

LIMIT = 300


def header(packet, limit=LIMIT):
    return mqtt.header(packet, len(packet), limit)


def code_of(packet, limit=LIMIT):
    """Code of the refusal of a packet's header, or what header() gives."""
    try:
        return header(packet, limit)
    except MqttError as error:
        return error.code


class Out(unittest.TestCase):
    def test_connect(self):
        self.assertEqual(mqtt.connect("box", None, 20, None), b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x14\x00\x03box")
        self.assertEqual(
            mqtt.connect("box", ("me", "pw"), 300, ("t", b"0")),
            b"\x10\x1d\x00\x04MQTT\x04\xec\x01\x2c\x00\x03box\x00\x01t\x00\x010\x00\x02me\x00\x02pw",
        )

    def test_publish(self):
        self.assertEqual(mqtt.publish("a/b", b"hi", 0, (False, False)), b"\x30\x07\x00\x03a/bhi")
        self.assertEqual(mqtt.publish("a/b", b"hi", 258, (True, True)), b"\x3b\x09\x00\x03a/b\x01\x02hi")

    def test_small_ones(self):
        self.assertEqual(mqtt.puback(258), b"\x40\x02\x01\x02")
        self.assertEqual(mqtt.subscribe(1, ("a", "b")), b"\x82\x0a\x00\x01\x00\x01a\x01\x00\x01b\x01")
        self.assertEqual(mqtt.PINGREQ_BYTES, b"\xc0\x00")

    def test_lengths_of_one_to_four_bytes(self):
        for size, head in (
            (0, b"\x00"),
            (127, b"\x7f"),
            (128, b"\x80\x01"),
            (16383, b"\xff\x7f"),
            (16384, b"\x80\x80\x01"),
        ):
            self.assertEqual(mqtt.sized_packet(0x30, b"x" * size)[: 1 + len(head)], b"\x30" + head)

    def test_text_too_long(self):
        self.assertEqual(mqtt.sized_text("ä"), b"\x00\x02\xc3\xa4")
        self.assertEqual(mqtt.sized_text("x" * 4096), b"\x10\x00" + b"x" * 4096)
        with self.assertRaises(ValueError):
            mqtt.sized_text("x" * 4097)


GOOD = (
    b"\x20\x02\x00\x00",
    mqtt.publish("a/b", b"hello", 0, (False, False)),
    mqtt.publish("a/b", b"x" * 200, 7, (True, True)),
    mqtt.puback(9),
    b"\x90\x03\x00\x01\x01",
    b"\xb0\x02\x00\x01",
    b"\xd0\x00",
)


class Header(unittest.TestCase):
    def test_every_packet_cut_at_every_byte_wants_more(self):
        for packet in GOOD:
            found = header(packet)
            self.assertEqual(sum(found), len(packet))
            for size in range(len(packet)):
                cut = packet[:size]
                got = header(cut)
                self.assertTrue(got is None or (got == found and sum(got) > size))

    def test_declared_lengths(self):
        self.assertEqual(code_of(b"\x30\x00"), "bad_length")
        self.assertEqual(code_of(b"\x30\x01"), "bad_length")
        self.assertEqual(code_of(b"\x30\x02"), (2, 2))
        self.assertEqual(code_of(b"\x30\xab\x02"), (3, 299))
        self.assertEqual(code_of(b"\x30\xac\x02"), (3, 300))
        self.assertEqual(code_of(b"\x30\xad\x02"), "bad_length")
        self.assertEqual(code_of(b"\x30\xff\xff\xff\x7f"), "bad_length")
        self.assertEqual(code_of(b"\x30\xff\xff\xff\xff"), "bad_length")
        self.assertEqual(code_of(b"\x30\xff\xff\xff\xff\x01"), "bad_length")
        self.assertEqual(code_of(b"\x30\xff\xff\xff"), None)
        self.assertEqual(code_of(b"\x30\xff\xff\xff\x7f", 2**28 - 1), (5, 2**28 - 1))
        self.assertEqual(code_of(b"\x30\xff\xff\xff\x7f", 2**28 - 2), "bad_length")

    def test_fixed_lengths(self):
        for kind, size in ((0x20, 2), (0x40, 2), (0xB0, 2), (0xD0, 0)):
            for other in range(5):
                self.assertEqual(code_of(bytes((kind, other))), (2, size) if other == size else "bad_length")
        self.assertEqual(code_of(b"\x90\x02"), "bad_length")
        self.assertEqual(code_of(b"\x90\x03"), (2, 3))

    def test_types_and_flags(self):
        for kind in (0, 1, 5, 6, 7, 8, 10, 12, 14, 15):
            self.assertEqual(code_of(bytes((kind << 4, 2))), "bad_type")
        for first in (0x21, 0x41, 0x91, 0xB1, 0xD1):
            self.assertEqual(code_of(bytes((first, 2))), "bad_flags")
        self.assertEqual(header(b""), None)
        self.assertEqual(header(b"\x30"), None)

    def test_any_bytes_at_all(self):
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        state = seed | 1
        for _ in range(3000):
            made = bytearray()
            for _ in range(12):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                made.append(state >> 16 & 255)
            try:
                found = mqtt.header(made, len(made), LIMIT)
            except MqttError:
                continue
            self.assertTrue(found is None or 0 <= found[1] <= LIMIT)
            body = bytes(made[2:])
            try:
                mqtt.opened_publish(made[0], body)
            except MqttError:
                pass
            try:
                mqtt.opened_connack(body)
            except MqttError:
                pass


class Bodies(unittest.TestCase):
    def test_publish(self):
        packet = mqtt.publish("a/ä", b"hi", 258, (True, True))
        self.assertEqual(mqtt.opened_publish(packet[0], packet[2:]), ("a/ä", b"hi", 258, True, True))
        packet = mqtt.publish("a", b"", 0, (False, False))
        self.assertEqual(mqtt.opened_publish(packet[0], memoryview(packet)[2:]), ("a", b"", 0, False, False))

    def test_bad_publish(self):
        for first, body, code in (
            (0x34, b"\x00\x01a\x00\x01", "bad_qos"),
            (0x36, b"\x00\x01a\x00\x01", "bad_qos"),
            (0x30, b"\x00\x00", "bad_topic"),
            (0x30, b"\x00\x02a", "bad_topic"),
            (0x32, b"\x00\x01a\x00", "bad_topic"),
            (0x30, b"\x00\x01\xff", "bad_topic"),
            (0x32, b"\x00\x01a\x00\x00", "bad_id"),
        ):
            with self.assertRaises(MqttError) as caught:
                mqtt.opened_publish(first, body)
            self.assertEqual(caught.exception.code, code)
            self.assertNotEqual(phrase("mqtt." + code), (code, ""))

    def test_publish_body_cut_at_every_byte(self):
        body = mqtt.publish("topic", b"payload", 7, (False, False))[2:]
        for size in range(2, len(body)):
            try:
                mqtt.opened_publish(0x32, body[:size])
            except MqttError as error:
                self.assertEqual(error.code, "bad_topic")

    def test_connack(self):
        self.assertEqual(mqtt.opened_connack(b"\x01\x00"), (True, 0))
        self.assertEqual(mqtt.opened_connack(b"\x00\x05"), (False, 5))
        for body in (b"\x02\x00", b"\x00\x06"):
            with self.assertRaises(MqttError):
                mqtt.opened_connack(body)
        for code in range(1, mqtt.MOST_CONNACK + 1):
            self.assertNotEqual(phrase("mqtt.refused%d" % code)[0], "refused%d" % code)

    def test_ids_and_grants(self):
        self.assertEqual(mqtt.opened_id(b"\x01\x02"), 258)
        self.assertTrue(mqtt.is_subscribed(b"\x00\x01\x00\x01\x02"))
        self.assertFalse(mqtt.is_subscribed(b"\x00\x01\x01\x80"))
