"""What the log holds of updates: every end of one that the owner sent, of announced ones no more than it can keep."""

import unittest

from samples import phrase

from firmware.core.records import Event
from firmware.services.event_log import EventLog
from firmware.updates import QUIET_MS, Updates


class App:
    """What Updates asks of the App to tell something; it is its own PhraseBook."""

    version = "0.2.0"

    def __init__(self):
        self.log = EventLog()
        self.phrases = self
        self.phrase = phrase
        self.at_ms = 0

    def now_ms(self):
        return self.at_ms

    def tell(self, name, words):
        self.log.put(self.at_ms, Event("service", (name, words)))

    def notice(self, name, code):
        self.tell(name, code)

    def told(self):
        """(code, tag, what) of every event that is security."""
        return [(code,) + args for _, _, code, args in self.log.newest() if code != "service"]


class Told(unittest.TestCase):
    def test_each_one_from_the_page(self):
        app = App()
        updates = Updates(app)
        for code in ("bad_signature", "bad_signature", "older"):
            words, todo = updates.ended(code, "10.0.0.7")
            self.assertEqual((words, todo), phrase("update." + code))
        wanted = [("update_refused", code, "10.0.0.7") for code in ("bad_signature", "bad_signature", "older")]
        self.assertEqual(app.told(), wanted)

    def test_whoever_announces_pushes_out_nothing(self):
        app = App()
        updates = Updates(app)
        for second in range(3 * QUIET_MS // 1000):
            app.at_ms = second * 1000
            before = app.log.count
            updates.ended("bad_signature", None)
            self.assertEqual(app.log.count, before + 1)
            is_kept = second % (QUIET_MS // 1000) == 0
            self.assertEqual(app.log.newest()[-1][2], "update_refused" if is_kept else "service", second)
        # One that the owner sends is told all the same.
        updates.ended("older", "")
        self.assertEqual(app.told()[-1], ("update_refused", "older", ""))

    def test_the_way_back(self):
        app = App()
        Updates(app).begun("came_back")
        self.assertEqual(app.told(), [("rolled_back", "", "")])


if __name__ == "__main__":
    unittest.main()
