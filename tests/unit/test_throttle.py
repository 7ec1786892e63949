"""Guessing at a password: slow from any number of addresses, and nobody elsewhere waits for it."""

import unittest

from firmware.services.throttle import MOST_ROWS, Throttle

DAY_MS = 86_400_000
OWNER = "10.0.0.2"
STEP_MS = 250


def guessed(throttle, addresses, until_ms, step_ms=STEP_MS):
    """How many wrong secrets are looked at when each of these addresses tries at every step."""
    looked = 0
    for now_ms in range(0, until_ms, step_ms):
        for address in addresses:
            if not throttle.must_wait(now_ms, address):
                throttle.wrong(now_ms, address)
                looked += 1
    return looked


def strangers(count):
    return ["10.0.1.%d" % number for number in range(count)]


class Guesses(unittest.TestCase):
    def test_the_owner_never_waits_for_strangers_at_four_addresses(self):
        for count in range(1, MOST_ROWS + 1):
            throttle = Throttle()
            for now_ms in range(0, 300_000, STEP_MS):
                for address in strangers(count):
                    if not throttle.must_wait(now_ms, address):
                        throttle.wrong(now_ms, address)
                self.assertFalse(throttle.must_wait(now_ms, OWNER), (count, now_ms))
                throttle.right(OWNER)

    def test_an_address_waits_twice_as_long_each_time_and_a_minute_at_most(self):
        self.assertEqual(guessed(Throttle(), [OWNER], 31_000), 5)
        self.assertEqual(guessed(Throttle(), [OWNER], 3_600_000), 7 + 58)

    def test_a_right_one_frees_its_own_address_alone(self):
        throttle = Throttle()
        throttle.wrong(0, OWNER)
        throttle.wrong(0, "10.0.1.0")
        throttle.right(OWNER)
        self.assertEqual((throttle.must_wait(1, OWNER), throttle.must_wait(1, "10.0.1.0")), (False, True))

    def test_guesses_of_a_day_from_any_number_of_addresses(self):
        for count, most in ((1, 1445), (MOST_ROWS, 4 * 1445), (40, 5 * 1445)):
            self.assertTrue(guessed(Throttle(), strangers(count), DAY_MS, 1000) <= most, count)

    def test_the_table_is_bounded_and_the_quiet_are_forgotten(self):
        throttle = Throttle()
        guessed(throttle, strangers(200), 5000)
        self.assertEqual(len(throttle._rows), MOST_ROWS + 1)
        throttle.wrong(2 * DAY_MS, OWNER)
        self.assertEqual([row[0] for row in throttle._rows], [OWNER])


if __name__ == "__main__":
    unittest.main()
