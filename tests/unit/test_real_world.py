"""What a plant and a firmware that share a belief never show: played case by case, each over a sweep of its numbers.

Here over some of them, for speed; tests/model/test_real_world_whole.py plays all.
"""

import unittest

from samples import TICK_MS, Box, here, known, some, wrong

from firmware.core import claims
from firmware.core.records import Ref

C_MV, B_MV, A_MV, D_MV = 6000, 9000, 12_000, 3000


def charging(**settings):
    """A box that charges at its offer."""
    settings.setdefault("wiring_limit_ma", 32_000)
    return Box(**settings).charge(30_000)


def coil_ms(box, for_ms, readings):
    """Milliseconds the coil was on; readings: function (ms since now) of those that differ."""
    begun_ms, on_ms = box.memory.now_ms, 0
    while box.memory.now_ms - begun_ms < for_ms:
        if box.tick(**readings(box.memory.now_ms - begun_ms)).is_contactor_closed:
            on_ms += TICK_MS
    return on_ms


def there_for(ticks, period):
    """Readings of an earth that is there for so many ticks of each period."""
    tick = [0]

    def readings(_):
        tick[0] += 1
        return {"is_earth_ok": tick[0] % period < ticks}

    return readings


class Leakage(unittest.TestCase):
    """A trip that nobody asked for is remembered in whatever state it comes."""

    def test_behind_another_fault(self):
        for after_ms in some(range(0, 960, 23)):
            for held_ms in (30, 120):
                box = charging()
                box.high_mv = D_MV
                box.run(TICK_MS)
                self.assertEqual(box.state(), "faulted")
                box.run(after_ms)
                box.more = {"is_tripped": True}
                box.run(held_ms)
                box.more = {}
                self.assertIn("S14", box.faults(), (after_ms, held_ms))
                box.high_mv = C_MV
                self.assertEqual(coil_ms(box, 40_000, lambda ms: {}), 0)

    def test_with_the_plug_pulled_at_the_same_time(self):
        for after_ms in some(range(0, 900, 23)):
            box = charging()
            box.high_mv = A_MV
            box.run(TICK_MS + after_ms)
            box.more = {"is_tripped": True}
            box.run(100)
            self.assertIn("S14", box.faults(), after_ms)

    def test_a_test_broken_off_is_no_leak(self):
        """Whoever unplugs in the middle of the self-test gets no alarm, however long the sensor holds its trip."""
        for at_tick in range(1, 8):
            for holds_ms in some(range(0, 1700, 100)):
                box = Box().run(4000)
                box.high_mv = B_MV
                for _ in range(at_tick):
                    box.tick()
                tripped = box.memory.outputs.wants_residual_test
                box.high_mv = A_MV
                until_ms = box.memory.now_ms + holds_ms
                while box.memory.now_ms < until_ms:
                    box.tick(is_tripped=tripped)
                box.run(3000)
                self.assertNotIn("fault", box.codes(), (at_tick, holds_ms))

    def test_a_test_right_behind_an_opening_is_no_leak(self):
        """Whoever plugs in again within a second is tested while the contactor may still be on its way."""
        for away_ticks in some(range(1, 40)):
            for holds_ms in (0, 200, 900):
                box = charging()
                box.high_mv = A_MV
                for _ in range(away_ticks):
                    box.tick()
                box.high_mv = B_MV
                until_ms = None
                for _ in range(60):
                    if box.memory.outputs.wants_residual_test:
                        until_ms = box.memory.now_ms + TICK_MS + holds_ms
                    box.tick(is_tripped=until_ms is not None and box.memory.now_ms < until_ms)
                self.assertNotIn("fault", box.codes(), (away_ticks, holds_ms))

    def test_after_a_passed_test_the_very_next_trip_counts(self):
        for after_ticks in some(range(0, 60)):
            box = Box().run(4000)
            box.high_mv = B_MV
            box.run_until("waiting", 1000)
            for _ in range(after_ticks):
                box.tick()
            box.tick(is_tripped=True)
            self.assertEqual(box.faults(), ["S14"], after_ticks)


class Memory(unittest.TestCase):
    """What comes and goes is not forgotten in between."""

    def test_an_earth_that_is_there_for_a_moment_again_and_again(self):
        for period in some(range(6, 40)):
            for there in range(1, period // 2):
                box = charging()
                on_ms = coil_ms(box, 3000, there_for(there, period))
                self.assertLess(on_ms, 4 * 300 + 2 * period * TICK_MS, (period, there))
                self.assertIn("S16", box.faults())

    def test_an_earth_that_is_gone_for_a_moment_now_and_then_trips_nothing(self):
        for period in some(range(20, 60)):
            box = charging()
            coil_ms(box, 20_000, there_for(period - 1, period))
            self.assertEqual(box.faults(), [], period)

    def test_only_towards_opening(self):
        """What permits begins anew: a car that toggles between B and C never fills 500 ms of stable C."""
        for c_ticks in some(range(1, 21)):
            for b_ticks in some(range(1, 12)):
                box = Box().run(4000)
                box.high_mv = B_MV
                box.run_until("offered", 6000)
                box.run(600)
                for _ in range(30):
                    for high_mv, count in ((C_MV, c_ticks), (B_MV, b_ticks)):
                        box.high_mv = high_mv
                        for _ in range(count):
                            self.assertFalse(box.tick().is_contactor_closed, (c_ticks, b_ticks))


class Heat(unittest.TestCase):
    """No pattern carries more than 1.1 x + 0.5 A of what is signalled as RMS over a minute."""

    def test_no_pattern_carries_more_than_its_rms_over_a_minute(self):
        for limit_ma in (6000, 32_000):
            most = (limit_ma * 1.1 + 500) ** 2
            for high in some((11, 13, 15, 20, 40, 80)):
                for low in some((0, 5, 10)):
                    for on_ticks, off_ticks in some(((40, 7), (40, 40), (8, 40), (3, 20), (300, 100), (2, 9))):
                        box = Box(wiring_limit_ma=limit_ma).charge(limit_ma - 500)
                        squares, tick = [], 0
                        while box.state() == "charging" and tick < 2700:
                            is_on = tick % (on_ticks + off_ticks) < on_ticks
                            box.most_ma = limit_ma * (high if is_on else low) // 10
                            box.tick()
                            squares.append(box.most_ma**2)
                            tick += 1
                        minute = squares[-2609:]
                        found = sum(minute) / 2609
                        self.assertLessEqual(found, most * 1.02, (limit_ma, high, low, on_ticks, off_ticks))

    def test_what_a_car_and_a_sensor_may_is_no_fault(self):
        for limit_ma in (6000, 16_000, 32_000):
            for permille in some(range(0, 1051, 30)):
                box = Box(wiring_limit_ma=limit_ma).charge(limit_ma * permille // 1000)
                box.run(15_000)
                self.assertEqual(box.faults(), [], (limit_ma, permille))


class Short(unittest.TestCase):
    """E or F that ends before its confirm time is an error all the same."""

    def test_no_closing_for_thirty_seconds(self):
        for high_mv, low_mv in some(((0, -12_000), (900, -12_000), (-1000, -12_000), (-12_000, -12_000))):
            for ticks in (1, 2):
                for through in ((), (B_MV,), (B_MV, D_MV)):
                    box = charging()
                    for passed_mv in through:
                        box.high_mv = passed_mv
                        box.tick()
                    box.high_mv = high_mv
                    for _ in range(ticks):
                        box.tick(low_mv=low_mv)
                    box.high_mv = C_MV
                    self.assertEqual(coil_ms(box, 29_000, lambda ms: {}), 0, (high_mv, ticks, through))
                    self.assertGreater(coil_ms(box, 40_000, lambda ms: {}), 0, (high_mv, ticks, through))

    def test_a_car_that_lets_go_may_come_back_in_five(self):
        for ticks in some(range(1, 60)):
            box = charging()
            box.high_mv = B_MV
            for _ in range(ticks):
                box.tick()
            box.high_mv = C_MV
            self.assertGreater(coil_ms(box, 8000, lambda ms: {}), 0)


class Simplified(unittest.TestCase):
    """A car is taken for one without a switch only after a real plug-in."""

    def test_an_open_pilot_wire_makes_none(self):
        for ticks in some(range(1, 21)):
            for asked_ms in some(range(0, 500, 50)):
                box = charging()
                box.high_mv = A_MV
                for _ in range(ticks):
                    box.tick()
                box.high_mv = C_MV
                box.run(3000 + asked_ms)
                self.assertNotIn("car", box.holders(), ticks)

    def test_one_that_asks_when_the_power_returns_is(self):
        box = Box()
        box.high_mv = C_MV
        box.tick()
        self.assertIn("car", box.holders())
        box.high_mv = B_MV
        box.tick()
        self.assertNotIn("car", box.holders())

    def test_a_real_one_is(self):
        box = Box().run(4000)
        box.high_mv = C_MV
        box.run(1000)
        self.assertIn("car", box.holders())
        box.high_mv = B_MV
        box.tick()
        self.assertNotIn("car", box.holders(), "it has a switch after all")


class Inrush(unittest.TestCase):
    """A car may take much for a second after closing, and no longer."""

    def test_for_a_second(self):
        for most_ma in some(range(12_000, 100_000, 3000)):
            for limit_ma in (6000, 10_000, 16_000):
                box = Box(wiring_limit_ma=limit_ma).run(4000)
                box.high_mv = B_MV
                box.run(1000)
                box.high_mv = C_MV
                box.run_until("charging", 6000)
                box.most_ma = most_ma
                box.run(900)
                self.assertEqual(box.faults(), [], (most_ma, limit_ma))
                box.run(12_000)
                is_too_much = most_ma * 10 > limit_ma * 11 + 5000
                self.assertEqual(box.state() == "charging", not is_too_much, (most_ma, limit_ma))


class Cable(unittest.TestCase):
    """The lowest rating that held counts for the session."""

    OHM = ((100, 63_000), (220, 32_000), (680, 20_000), (1500, 13_000))

    def test_it_never_rises_while_the_car_is_there(self):
        for first_ohm, first_ma in some(self.OHM):
            for then_ohm, then_ma in self.OHM:
                for held_ms in (1600, 2500, 7000):
                    box = Box(wiring_limit_ma=80_000)
                    box.more = {"proximity_ohm": first_ohm}
                    box.run(4000)
                    box.high_mv = B_MV
                    box.run(held_ms)
                    self.assertEqual(box.memory.claims.limit_ma, min(first_ma, 32_000))
                    box.more = {"proximity_ohm": then_ohm}
                    box.tick()
                    lowest_ma = min(first_ma, then_ma, 32_000)
                    self.assertEqual(box.memory.claims.limit_ma, lowest_ma, "lower at once, higher never")
                    box.run(3000)
                    box.more = {"proximity_ohm": 100}
                    box.run(3000)
                    self.assertEqual(box.memory.claims.limit_ma, lowest_ma)
                    box.high_mv = A_MV
                    box.run(700)
                    self.assertEqual(box.memory.claims.limit_ma, 32_000, "another car, another cable")

    def test_what_bounces_at_the_plug_in_is_not_kept(self):
        for bounces_ms in some(range(0, 1400, 46)):
            box = Box(wiring_limit_ma=80_000)
            box.more = {"proximity_ohm": 1500}
            box.high_mv = B_MV
            box.run(bounces_ms)
            box.more = {"proximity_ohm": 220}
            box.run(3000)
            self.assertEqual(box.memory.claims.limit_ma, 32_000, bounces_ms)

    def test_a_moment_in_a_session_is_not_kept(self):
        for lower_ms in some(range(23, 470, 23)):
            box = Box(wiring_limit_ma=80_000)
            box.more = {"proximity_ohm": 220}
            box.high_mv = B_MV
            box.run(3000)
            box.more = {"proximity_ohm": 1500}
            box.run(lower_ms)
            self.assertEqual(box.memory.claims.limit_ma, 13_000)
            box.more = {"proximity_ohm": 220}
            box.run(3000)
            self.assertEqual(box.memory.claims.limit_ma, 32_000, lower_ms)


class DarkPhase(unittest.TestCase):
    """A contactor is not judged by a phase that is dark in front of it."""

    def test_every_set_of_dark_phases(self):
        for phases, wired in ((1, 1), (3, 7)):
            for dark in range(1, 8):
                volts = tuple(0 if dark >> index & 1 else 230_000 for index in range(3))
                for live in range(16):
                    lit = wired & ~dark
                    may = live & lit == lit and (lit != wired or live & 8)
                    found = wrong(
                        known(place=here(moved_at_ms=-5000)),
                        voltages_mv=volts,
                        live_poles=live,
                        settings={"phases": phases},
                    )
                    self.assertEqual("K2" not in found, bool(may), (phases, dark, live))

    def test_three_times_dark_does_not_lock(self):
        for dark_ms in some(range(500, 1500, 100)):
            box = charging()
            for _ in range(3):
                box.more = {"voltages_mv": (230_000, 0, 230_000), "live_poles": 5}
                box.run(dark_ms)
                box.more = {}
                box.run(60_000)
            self.assertNotIn("K2", [event.args[0] for event in box.events if event.code == "fault"], dark_ms)


class Start(unittest.TestCase):
    """A letter is stable only from its first fresh reading on, however long the start takes."""

    def test_a_slow_start_keeps_its_wait_and_its_latches(self):
        for start_ms in some(range(0, 20_000, 97)):
            box = Box(hold_ms=600_000)
            box.tick_ms = start_ms + TICK_MS
            box.high_mv = A_MV
            box.tick()
            box.tick_ms = TICK_MS
            box.high_mv = B_MV
            box.run(2000)
            self.assertIn("power_return", box.holders(), start_ms)


class Wake(unittest.TestCase):
    """A car that was swapped while F was on the wire is another car."""

    def woken(self, high_mv, low_mv=-12_000):
        """A box whose car woke as `high_mv`."""
        box = Box().run(4000)
        box.high_mv = B_MV
        box.run_until("waking", 60_000)
        box.run(2000)
        box.high_mv, box.low_mv = high_mv, low_mv
        box.run_until("offered", 6000)
        return box

    def test_its_diode_is_looked_at_anew(self):
        for low_mv in some(range(-9900, 0, 300)):
            box = self.woken(B_MV, low_mv)
            box.high_mv = C_MV
            self.assertEqual(coil_ms(box, 8000, lambda ms: {}), 0, low_mv)

    def test_one_without_a_switch_is_known(self):
        self.assertIn("car", self.woken(C_MV).holders())
        self.assertNotIn("car", self.woken(B_MV).holders())

    def test_its_energy_is_another_record(self):
        box = self.woken(B_MV)
        self.assertGreater(box.memory.energy.session_at_ms, 30_000)


class Ramp(unittest.TestCase):
    """The slowest ramp that is due counts."""

    def test_a_grid_event_that_ends_leaves_the_mains_ramp(self):
        slow = claims.Claim("ramp", 6000, 0, 1_560_000, Ref("board", "power", 0), "", 0, "", 83)
        for end_s in some(range(5, 1500, 7)):
            pause = claims.Claim("grid", 0, 0, end_s * 1000, Ref("dso1", "x", 0), "market", 0, "applied", 0)
            found = claims.summed((slow, pause), 0)
            for at_s in (end_s, end_s + 30, end_s + 61, end_s + 120):
                found, _ = claims.settled(found, at_s * 1000, 32_000)
                most_ma = claims.limit_of(slow, at_s * 1000) if at_s < 1560 else 80_000
                self.assertLessEqual(found.limit_ma, most_ma, (end_s, at_s))

    def test_many_events_leave_one_ramp_of_their_own(self):
        rows = ()
        for number in range(40):
            pause = claims.Claim("grid", 0, 0, 1, Ref("dso1", str(number), 0), "market", 0, "applied", 0)
            rows = claims.with_return(rows, pause, number * 1000, 32_000)
        self.assertEqual(len([row for row in rows if row.source == "ramp"]), 1)


if __name__ == "__main__":
    unittest.main()
