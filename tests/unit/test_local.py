"""What the box remembers of its place: button, heat, cable, mains, lock and a blind current sensor."""

import unittest

from samples import NOMINAL, OPEN, chosen, here, known, reading

from firmware.core import claims, decide, faults, local
from firmware.core.records import Active, Kit, Local, Ref

NOW = 100_000


def watched(place=NOMINAL, memory=None, settings=None, **more):
    """Local after one tick at NOW; memory: letter, state and since_ms of known()."""
    values = {"letter": "A", "state": "idle", "outputs": OPEN}
    values.update(memory or {})
    readings = reading(NOW, 12000, **more)
    return local.watched(known(place=place, **values), readings, chosen(**(settings or {})))


class First(unittest.TestCase):
    def test_after_a_restart_the_mains_need_no_proof(self):
        kit = Kit(7, True, 99)
        made = local.first_local(70_000, False, kit)
        whole = Local(
            None,
            None,
            0,
            70_000,
            10_000,
            None,
            False,
            False,
            0,
            True,
            False,
            (None,) * 4,
            (),
            False,
            (),
            99,
            kit,
            (None,) * 4,
            70_000,
            None,
            0,
        )
        self.assertEqual(made, whole)

    def test_after_a_power_cut_they_do(self):
        self.assertEqual(local.first_local(70_000, True, decide.STANDARD_KIT).mains_at_ms, 70_000)

    def test_standing_claims_of_the_box_have_names_of_their_own(self):
        self.assertEqual([row[0] for row in local.OWN], ["heat", "cable", "lock", "sensor"])
        self.assertEqual(len({row[1] for row in local.OWN}), 4)
        for _, ref in local.OWN:
            self.assertEqual((ref.issuer, ref.rev), ("board", 0))
            self.assertTrue(ref.id in ("heat", "plug", "lock", "sensor"))

    def test_one_field_at_a_time(self):
        for index in range(len(NOMINAL)):
            changed = local.with_part(NOMINAL, index, "new")
            for other in range(len(NOMINAL)):
                self.assertEqual(changed[other], "new" if other == index else NOMINAL[other])
        self.assertIs(local.with_part(NOMINAL, local.HEAT, 0), NOMINAL)


class Button(unittest.TestCase):
    def test_held_down_from_its_first_tick(self):
        down = watched(is_button_pressed=True)
        self.assertEqual((down.button_at_ms, down.pressed_at_ms), (NOW, None))
        self.assertIs(watched(down, is_button_pressed=True), down)
        older = here(button_at_ms=5)
        self.assertIs(watched(older, is_button_pressed=True), older)

    def test_short_is_under_a_second(self):
        for for_ms, pressed_at_ms in ((1, NOW), (999, NOW), (1000, None), (1001, None), (60_000, None)):
            up = watched(here(button_at_ms=NOW - for_ms))
            self.assertEqual((up.button_at_ms, up.pressed_at_ms), (None, pressed_at_ms), for_ms)

    def test_at_the_very_first_moment_too(self):
        self.assertEqual(local.pressed(here(button_at_ms=0), False, 999).pressed_at_ms, 999)
        self.assertEqual(local.pressed(NOMINAL, False, 5), NOMINAL)

    def test_untouched_nothing_is_made_anew(self):
        self.assertIs(watched(), NOMINAL)


class Heat(unittest.TestCase):
    def test_levels_rise(self):
        for tenths_c, level in ((649, 0), (650, 1), (679, 1), (680, 2), (709, 2), (710, 3), (990, 3), (-400, 0)):
            self.assertEqual(local.heat_after(0, tenths_c), level, tenths_c)

    def test_levels_fall_later_than_they_rose(self):
        for level, tenths_c, after in (
            (1, 649, 1),
            (1, 621, 1),
            (1, 620, 0),
            (2, 651, 2),
            (2, 650, 1),
            (2, 621, 1),
            (2, 620, 0),
            (3, 661, 3),
            (3, 660, 2),
            (3, 651, 2),
            (3, 650, 1),
            (3, 620, 0),
            (1, 680, 2),
            (1, 710, 3),
            (2, 710, 3),
        ):
            self.assertEqual(local.heat_after(level, tenths_c), after, (level, tenths_c))

    def test_a_bad_sensor_is_a_level_of_its_own_and_comes_back_from_the_top(self):
        for level in (0, 1, 2, 3, 9):
            self.assertEqual(local.heat_after(level, None), 9)
        for tenths_c, after in ((661, 3), (660, 2), (250, 0), (711, 3)):
            self.assertEqual(local.heat_after(9, tenths_c), after)

    def test_watched(self):
        self.assertEqual(watched(temperature_tenths_c=680).heat, 2)
        self.assertEqual(watched(here(heat=2), temperature_tenths_c=651).heat, 2)
        self.assertEqual(watched(temperature_tenths_c=None).heat, 9)


class Mains(unittest.TestCase):
    def is_good(self, voltage_mv=230_000, mhz=50_000, **settings):
        readings = reading(NOW, frequency_mhz=mhz, voltages_mv=(voltage_mv, voltage_mv, voltage_mv))
        return local.is_startable(readings, chosen(**settings))

    def test_voltage(self):
        for nominal_mv, low_mv, high_mv in ((230_000, 195_500, 255_300), (120_000, 102_000, 133_200)):
            for voltage_mv, is_good in (
                (low_mv - 1, False),
                (low_mv, True),
                (nominal_mv, True),
                (high_mv, True),
                (high_mv + 1, False),
            ):
                self.assertEqual(self.is_good(voltage_mv, nominal_mv=nominal_mv), is_good, voltage_mv)

    def test_voltage_under_r37(self):
        for voltage_mv, is_good in ((206_999, False), (207_000, True), (250_700, True), (250_701, False)):
            self.assertEqual(self.is_good(voltage_mv, has_r37_rules=True), is_good, voltage_mv)

    def test_frequency(self):
        for mhz, is_good in ((47_999, False), (48_000, True), (52_000, True), (52_001, False), (None, False)):
            self.assertEqual(self.is_good(mhz=mhz), is_good, mhz)
        for mhz, is_good in ((57_999, False), (58_000, True), (62_000, True), (62_001, False)):
            self.assertEqual(self.is_good(mhz=mhz, nominal_hz=60), is_good, mhz)
        for mhz, is_good in ((49_899, False), (49_900, True), (50_100, True), (50_101, False)):
            self.assertEqual(self.is_good(mhz=mhz, has_r37_rules=True), is_good, mhz)

    def test_every_wired_phase_counts(self):
        settings = chosen(phases=1)
        for index in range(3):
            voltages = tuple(0 if phase == index else 230_000 for phase in range(3))
            self.assertFalse(local.is_startable(reading(NOW, voltages_mv=voltages), chosen()))
            self.assertEqual(local.is_startable(reading(NOW, voltages_mv=voltages), settings), index != 0)

    def test_good_since(self):
        bad = watched(here(mains_at_ms=7), frequency_mhz=None)
        self.assertIsNone(bad.mains_at_ms)
        self.assertIs(watched(bad, frequency_mhz=None), bad)
        good = watched(bad)
        self.assertEqual(good.mains_at_ms, NOW)
        self.assertEqual(watched(here(mains_at_ms=7)).mains_at_ms, 7)
        self.assertEqual(watched(here(mains_at_ms=0)).mains_at_ms, 0)

    def test_the_first_second_after_a_restart_is_not_judged(self):
        for for_ms, mains_at_ms in ((0, NOW - 60_000), (999, NOW - 60_999), (1000, None)):
            started = here(moved_at_ms=NOW - for_ms, mains_at_ms=NOW - for_ms - 60_000)
            self.assertEqual(watched(started, frequency_mhz=None).mains_at_ms, mains_at_ms)
        self.assertIsNone(watched(here(moved_at_ms=NOW, mains_at_ms=NOW), frequency_mhz=None).mains_at_ms)
        self.assertIsNone(watched(here(moved_at_ms=NOW, mains_at_ms=NOW - 59_999), frequency_mhz=None).mains_at_ms)


class Letter(unittest.TestCase):
    def test_unbroken_b(self):
        for letter in "ACDEF":
            self.assertIsNone(watched(here(b_at_ms=5), {"letter": letter}).b_at_ms)
        self.assertEqual(watched(NOMINAL, {"letter": "B"}).b_at_ms, NOW)
        self.assertEqual(watched(here(b_at_ms=5), {"letter": "B"}).b_at_ms, 5)
        self.assertEqual(watched(here(b_at_ms=0), {"letter": "B"}).b_at_ms, 0)


class Flow(unittest.TestCase):
    def charging(self, place=NOMINAL, since_ms=NOW, state="charging", **more):
        return watched(place, {"letter": "C", "state": state, "since_ms": since_ms}, **more)

    def test_half_an_ampere_on_any_phase_is_a_flow(self):
        for currents, has_flowed in (((499, 499, 499), False), ((500, 0, 0), True), ((0, 500, 0), True)):
            place = self.charging(here(blind=2), currents_ma=currents)
            self.assertEqual((place.has_flowed, place.blind), (has_flowed, 0 if has_flowed else 2))
        self.assertFalse(self.charging(state="stopping", most_ma=9000).has_flowed)

    def test_a_session_that_flowed_stays_so(self):
        flowed = here(has_flowed=True, blind=2)
        self.assertIs(self.charging(flowed, most_ma=9000), flowed)
        self.assertIs(self.charging(flowed), flowed)

    def test_a_minute_closed(self):
        self.assertFalse(self.charging(since_ms=NOW - 59_999).has_lasted)
        self.assertTrue(self.charging(since_ms=NOW - 60_000).has_lasted)
        self.assertFalse(self.charging(since_ms=0, state="stopping").has_lasted)
        lasted = here(has_lasted=True)
        self.assertIs(self.charging(lasted, since_ms=0), lasted)

    def test_two_sessions_without_any_current(self):
        for has_lasted, has_flowed, blind in ((True, False, 2), (True, True, 1), (False, False, 1), (False, True, 1)):
            place = here(has_lasted=has_lasted, has_flowed=has_flowed, blind=1)
            self.assertEqual(local.unplugged(place).blind, blind)


class Unplugged(unittest.TestCase):
    def test_what_belongs_to_a_car_goes_with_it(self):
        place = here(
            has_flowed=True, has_lasted=True, is_allowed=True, is_damped=True, may_wake=False, closings=(1, 2), heat=2
        )
        self.assertEqual(local.unplugged(place), here(closings=(1, 2), heat=2))
        self.assertIs(local.unplugged(NOMINAL), NOMINAL)


class Limits(unittest.TestCase):
    def limits(self, place=NOMINAL, active=(), wiring=32_000, is_locked=False, letter="C", **more):
        settings = chosen(wiring_limit_ma=wiring, locked_until_allowed=is_locked)
        memory = known(letter, active=active, claims=claims.first_claims(more.pop("rows", ()), NOW))
        return local.limits_of(memory, place, reading(NOW, **more), settings)

    def test_none(self):
        self.assertEqual(self.limits(), (None, None, None, None))

    def test_heat(self):
        for heat, wiring, heat_ma in (
            (1, 32_000, 16_000),
            (2, 32_000, 8000),
            (3, 32_000, 8000),
            (9, 32_000, 6000),
            (1, 12_000, 6000),
            (1, 12_200, 6100),
            (1, 10_000, 6000),
            (2, 24_000, 6000),
            (2, 24_400, 6100),
            (2, 16_000, 6000),
        ):
            self.assertEqual(self.limits(here(heat=heat), wiring=wiring), (heat_ma, None, None, None))

    def test_cable(self):
        for ohm, plug_ma in (
            (0, None),
            (59, None),
            (60, 63_000),
            (80, 63_000),
            (140, 63_000),
            (141, 32_000),
            (164, 32_000),
            (308, 32_000),
            (309, 20_000),
            (350, 20_000),
            (400, 20_000),
            (936, 20_000),
            (937, 13_000),
            (1100, 13_000),
            (2460, 13_000),
            (4500, 13_000),
            (4501, None),
        ):
            self.assertEqual(self.limits(proximity_ohm=ohm), (None, plug_ma, None, None), ohm)

    def test_a_cable_nobody_can_read_keeps_its_rating_while_the_car_is_there(self):
        place = here(limits=(None, 20_000, None, None))
        for ohm in (0, 59, 4501, 99_999, None):
            self.assertEqual(self.limits(place, proximity_ohm=ohm)[1], 20_000, ohm)
            self.assertEqual(self.limits(place, letter="B", proximity_ohm=ohm)[1], 20_000, ohm)
            self.assertEqual(self.limits(place, letter="A", proximity_ohm=ohm)[1], None, ohm)
        self.assertEqual(self.limits(place, proximity_ohm=100)[1], 63_000)

    def test_lock(self):
        for is_locked, is_allowed, lock_ma in ((True, False, 0), (True, True, None), (False, False, None)):
            limits = self.limits(here(is_allowed=is_allowed), is_locked=is_locked)
            self.assertEqual(limits, (None, None, lock_ma, None))

    def test_current_sensor(self):
        for blind, sensor_ma in ((0, None), (1, None), (2, 10_000), (3, 10_000)):
            self.assertEqual(self.limits(here(blind=blind)), (None, None, None, sensor_ma))
        self.assertEqual(self.limits(active=(Active(faults.S10, False, 0),)), (None, None, None, 10_000))
        self.assertEqual(self.limits(active=(Active(faults.S9, False, 0),)), (None, None, None, None))

    def test_all_at_once(self):
        place = here(heat=1, blind=2)
        self.assertEqual(self.limits(place, is_locked=True, proximity_ohm=220), (6000, 32_000, 0, 10_000))

    def test_heat_halves_what_would_be_offered_without_it(self):
        row = claims.standing("grid", 20_000, Ref("dso1", "x", 0))
        hot = claims.standing("heat", 7000, Ref("board", "heat", 0))
        for wiring in range(6000, 80_001, 7400):
            for ohm, cable in ((None, 80_000), (100, 63_000), (220, 32_000), (680, 20_000), (1500, 13_000)):
                for rows, grid in (((), 80_000), ((row,), 20_000), ((row, hot), 20_000)):
                    for heat, part in ((1, 2), (2, 4)):
                        found = self.limits(here(heat=heat), wiring=wiring, proximity_ohm=ohm, rows=rows)[0]
                        self.assertEqual(found, max(6000, min(wiring, cable, grid) // part))


class Chance(unittest.TestCase):
    def test_a_chain_of_numbers_within_their_range(self):
        place = here(chance=1)
        seen = []
        for _ in range(400):
            place, number = local.rolled(place, 7)
            seen.append(number)
            self.assertTrue(0 <= place.chance <= 0x7FFFFFFF)
        self.assertEqual(sorted(set(seen)), [0, 1, 2, 3, 4, 5, 6])
        for number in range(7):
            self.assertGreater(seen.count(number), 30)
        self.assertEqual(local.rolled(here(chance=1), 1)[1], 0)

    def test_the_numbers_of_a_known_start(self):
        # The constants of ISO C's example of rand(), one step from 1 by hand; both interpreters must agree.
        place, number = local.rolled(here(chance=1), 601)
        self.assertEqual(place.chance, (1_103_515_245 + 12_345) % (1 << 31))
        self.assertEqual(number, place.chance // 256 % 601)
        self.assertEqual(place.kit, NOMINAL.kit)
        self.assertEqual(local.rolled(here(chance=2), 601)[0].chance, (2 * 1_103_515_245 + 12_345) % (1 << 31))

    def test_other_boxes_roll_otherwise(self):
        first = {local.rolled(here(chance=chance), 601)[1] for chance in range(50)}
        self.assertGreater(len(first), 40)


class Names(unittest.TestCase):
    def test_refs_are_refs(self):
        for _, ref in local.OWN:
            self.assertIsInstance(ref, Ref)
