"""Announcements without a network: not looked at unless allowed, and nothing of them ends the connection."""

import asyncio
import json
import unittest

import update_sample as sample

from firmware.connections import Connections
from firmware.services import announced_update, updater
from firmware.services.bounded_reader import TooMuch
from firmware.services.flash_gate import gate
from firmware.updates import Body
from firmware.wire.acknowledgement import Moment

GOOD = json.dumps({"url": "http://a/b", "version": "1.2.4", "sha256": "0" * 64}).encode()


class Plain:
    """Named values, as attributes."""


class App:
    """What announcements ask of the App, and what its updates say."""

    def __init__(self, is_allowed=True, code=""):
        self.config = {}
        self.connections = self.mqtt = self
        self.allowed = Plain()
        self.allowed.may_update_by_mqtt = is_allowed
        self.code = code
        self.at_ms = 1000
        self.notices = ["stored.previous"]
        self.told = []
        self.acks = []
        self.places = []

    def settings(self):
        return self.allowed

    def now_ms(self):
        return self.at_ms

    def moment(self):
        return Moment(self.at_ms, None, 0)

    def tell(self, name, words):
        self.told.append(words)

    def notice(self, name, code):
        self.notices.append(code)

    def publish_ack(self, body):
        self.acks.append(json.loads(body.decode()))

    # as Updates

    def first_no(self):
        return self.code

    def running(self):
        return "sample", (1, 2, 3), 7, sample.MODULUS

    def ended(self, code, place):
        self.places.append(place)
        return code, ""


class Doors(unittest.TestCase):
    def test_not_allowed(self):
        app = App(False)
        links = Connections(app)
        self.assertEqual(links.update_announced(GOOD, False), "not_allowed")
        self.assertEqual(links.update_announced(b"nonsense", True), "not_allowed")
        self.assertEqual((app.notices[1], app.acks), ("update.not_allowed", []))

    def test_what_fails_is_told_and_does_not_come_out(self):
        app = App()
        links = Connections(app)
        links._announcements = Plain()
        links._announcements.taken = None  # to call it is a TypeError
        self.assertEqual(links.update_announced(GOOD, False), "not_capable")
        self.assertEqual(len(app.told), 1)


class Refusals(unittest.TestCase):
    def refused(self, app, payload, is_retained=False):
        """Reason of the acknowledgement of an announcement that is refused at once."""
        one = announced_update.Announcements(app, app)
        one.taken(payload, is_retained)
        self.assertEqual([ack["step"] for ack in app.acks], ["rejected"])
        return app.acks[0]["reason"]

    def test_at_once(self):
        self.assertEqual(self.refused(App(), b"{"), "bad_announcement")
        self.assertEqual(self.refused(App(), GOOD, True), "retained")
        for code in ("plugged", "trial", "busy", "no_slot"):
            self.assertEqual(self.refused(App(True, code), GOOD), code)
        self.assertEqual(self.refused(App(), GOOD.replace(b"1.2.4", b"1.2.3")), "same")
        self.assertEqual(self.refused(App(), GOOD.replace(b"1.2.4", b"1.1.9")), "older")

    def test_the_page_shows_the_last_one(self):
        app = App(True, "plugged")
        one = announced_update.Announcements(app, app)
        one.taken(GOOD, False)
        self.assertEqual(app.notices, ["stored.previous", "update.announced_no", "update.plugged"])
        one.taken(GOOD, True)
        self.assertEqual(app.notices, ["stored.previous", "update.announced_no", "update.retained"])
        app.code = "busy"
        one.taken(b"", False)
        self.assertEqual(app.notices[2:], ["update.bad_announcement"])
        self.assertEqual([ack["id"] for ack in app.acks], ["update-1.2.4", "update-1.2.4", "update"])
        self.assertEqual(app.places, [None] * 3, "the log tells announced updates from others")


class Late:
    """A sender whose ten minutes are over."""

    def lengthen(self, for_s):
        pass

    async def readexactly(self, count):
        raise TooMuch("the request took too long")


class Sending:
    """A sender whose bytes come."""

    async def readexactly(self, count):
        return bytes(count)


class Charging:
    """A control loop that charges a car which was plugged in while the sender was silent."""

    def __init__(self):
        self.memory = self.outputs = self
        self.is_contactor_closed = True


class Plugged(unittest.TestCase):
    def tearDown(self):
        gate.watch(None)

    def test_a_car_that_is_charged_by_now_ends_the_update_at_once_and_not_when_it_leaves(self):
        gate.watch(Charging())
        one = updater.Updater("/nowhere", ("sample", (1, 2, 3), 7, sample.MODULUS), len(sample.WHOLE))
        waiting = updater.received(one, Sending(), lambda: "plugged")
        self.assertEqual(asyncio.run(asyncio.wait_for(waiting, 2)), "plugged")


class TooLate(unittest.TestCase):
    def test_a_body_that_takes_too_long_broke_off(self):
        one = updater.Updater("/nowhere", ("sample", (1, 2, 3), 7, sample.MODULUS), len(sample.WHOLE))
        code = asyncio.run(updater.received(one, Body(Late(), len(sample.WHOLE)), lambda: ""))
        self.assertEqual(code, "cut_short")
