"""What is wrong in one tick: every row of the fault table at its boundaries, one step to each side."""

import unittest

from samples import LOW, OPEN, PWM, here, known, wrong

from firmware.core import decide, faults
from firmware.core.records import Active, Kit, Offer, Outputs, Wear

SATURATED_MA = 900_000


def at_rest(**more):
    """Memory of a box with an empty plug."""
    return known("A", "idle", OPEN, **more)


class Healthy(unittest.TestCase):
    def test_nothing_is_wrong(self):
        self.assertEqual(wrong(known(), most_ma=16000), [])
        self.assertEqual(wrong(at_rest(), 12000), [])

    def test_stale(self):
        for name in ("pilot_age_ms", "currents_age_ms"):
            self.assertEqual(wrong(known(), **{name: 150}), [])
            self.assertEqual(wrong(known(), **{name: 151}), ["S8"])


class OverCurrent(unittest.TestCase):
    def over(self, most_ma, offered_ma=16000, state="charging", wiring=80000, currents=None):
        memory = known("C", state, offer=Offer(offered_ma, 0, offered_ma, 0, 0, 0))
        return wrong(memory, most_ma=most_ma, currents_ma=currents, settings={"wiring_limit_ma": wiring})

    def test_steps_at_16_amperes(self):
        for most_ma, ids in (
            (18_100, []),
            (18_101, ["S12a"]),
            (21_800, ["S12a"]),
            (21_801, ["S12a", "S12b"]),
            (32_000, ["S12a", "S12b"]),
            (32_001, ["S12a", "S12b", "S12c"]),
        ):
            self.assertEqual(self.over(most_ma), ids, most_ma)

    def test_steps_to_the_milliampere(self):
        # Ten times the current against eleven and thirteen times the offer: offers that end on 9 and 3 tell a unit.
        self.assertEqual((self.over(18_109, 16_009), self.over(18_110, 16_009)), ([], ["S12a"]))
        self.assertEqual((self.over(21_803, 16_003), self.over(21_804, 16_003)), (["S12a"], ["S12a", "S12b"]))

    def test_each_phase_counts(self):
        for currents in ((33000, 0, 0), (0, 33000, 0), (0, 0, 33000)):
            self.assertIn("S12c", self.over(0, currents=currents))

    def test_wiring_limit_whatever_is_signalled(self):
        self.assertEqual(self.over(20000, 20000, wiring=16000), [])
        self.assertEqual(self.over(20001, 20000, wiring=16000), ["S12d"])

    def test_twice_nothing_is_not_judged_under_six_amperes(self):
        self.assertEqual(self.over(6000, 0), ["S12a", "S12b"])
        self.assertEqual(self.over(6001, 0), ["S12a", "S12b", "S12c"])
        self.assertEqual(self.over(500, 0), [])
        self.assertEqual(self.over(501, 0), ["S12a"])

    def test_what_was_signalled_before_counts_for_its_time(self):
        for now_ms, ids in ((4999, []), (5000, ["S12a", "S12b", "S12c"])):
            memory = known(offer=Offer(6000, 0, 16000, 5000, 0, 0), place=here(mains_at_ms=-60_000))
            self.assertEqual(wrong(memory, now_ms=now_ms, most_ma=16_000), ids)

    def test_only_while_the_contactor_is_closed(self):
        self.assertEqual(self.over(40000, state="offered"), [])
        self.assertIn("S12a", self.over(40000, state="stopping"))


class Pilot(unittest.TestCase):
    def test_missing_halves(self):
        self.assertEqual(wrong(known(), low_mv=None), ["S2", "S8"])
        self.assertEqual(wrong(known("A", "offered"), 12000, low_mv=None), ["S3"])
        self.assertEqual(wrong(known(), None, low_mv=None), ["S8"])
        self.assertEqual(wrong(known("C", "stopping", OPEN), None), ["S8"])
        self.assertEqual(wrong(known(), None), ["S3"])

    def test_letters_d_e_f(self):
        self.assertEqual(wrong(known("D", "offered"), 3000), ["S6"])
        self.assertEqual(wrong(known("E", "offered"), 0), ["S3"])
        self.assertEqual(wrong(known("F", "offered"), None), ["S3"])

    def test_low_half_beyond_12_v_plus_drift(self):
        for low_mv, ids in (
            (-10_000, ["S9"]),
            (-11_199, ["S9"]),
            (-11_200, []),
            (-12_800, []),
            (-12_801, ["S9"]),
            (-13_500, ["S9"]),
            (-13_501, ["S8"]),
            (-9999, ["S2"]),
        ):
            for letter in "BC":
                self.assertEqual(wrong(known(letter, "offered"), low_mv=low_mv), ids, low_mv)

    def test_an_empty_plug_has_no_diode_and_no_drift(self):
        for low_mv in (-9999, -10_500, -13_200):
            self.assertEqual(wrong(known("A", "offered"), 12000, low_mv=low_mv), [])

    def test_an_empty_plug_shows_the_boxs_own_level(self):
        for mode in (OPEN, Outputs(False, "pwm", 266, "green_blink", False)):
            for high_mv, ids in ((11_399, ["S9"]), (11_400, []), (12_600, []), (12_601, ["S9"]), (13_501, ["S8"])):
                self.assertEqual(wrong(known("A", "idle", mode), high_mv, low_mv=-12_000), ids, high_mv)
        self.assertEqual(wrong(known("B", "waiting", OPEN), 11_000), [])
        for stable_at_ms, ids in ((1001, []), (1000, ["S9"])):
            self.assertEqual(wrong(known("A", "idle", OPEN, stable_at_ms=stable_at_ms), 11_000), ids)

    def test_nothing_of_the_low_half_counts_in_x1_and_f(self):
        self.assertEqual(wrong(known("C", "stopping", OPEN)), [])
        self.assertEqual(wrong(known("E", "faulted", LOW), None), [])
        self.assertEqual(wrong(known("D", "faulted", LOW), None), [])
        self.assertEqual(wrong(known("C", "faulted", LOW), None, low_mv=-6000), [])

    def test_letter_d_still_needs_its_diode(self):
        self.assertEqual(wrong(known("D", "offered"), 3000, low_mv=-6000), ["S2", "S6"])
        self.assertEqual(wrong(known("E", "offered"), 0, low_mv=-6000), ["S3"])
        self.assertEqual(wrong(known("E", "offered", OPEN), 0), ["S3"])

    def test_beyond_what_a_pilot_can_be(self):
        for high_mv, low_mv, ids in (
            (13_500, -12_000, []),
            (13_501, -12_000, ["S8"]),
            (None, -13_500, ["S3"]),
            (None, -13_501, ["S8"]),
        ):
            self.assertEqual(wrong(known("B", "offered"), high_mv, low_mv=low_mv), ids)
        self.assertEqual(wrong(known("C", "faulted", LOW), 13_501), ["S8"])

    def test_a_young_mode_is_not_judged(self):
        for judge_at_ms, ids in ((1001, []), (1000, ["S2", "S8"])):
            self.assertEqual(wrong(known(judge_at_ms=judge_at_ms), low_mv=None), ids)


class Leakage(unittest.TestCase):
    def tripped(self, has_retry, moved_at_ms, now_ms):
        place = here(kit=Kit(50_000, has_retry, 1), moved_at_ms=moved_at_ms)
        return wrong(known(place=place), now_ms=now_ms, is_tripped=True)

    def test_retry_only_where_the_board_may_and_not_within_10_s_of_closing(self):
        self.assertEqual(self.tripped(True, 5000, 15_000), ["S14"])
        self.assertEqual(self.tripped(True, 5000, 15_001), ["S14r"])
        self.assertEqual(self.tripped(False, 5000, 15_001), ["S14"])

    def test_every_state_of_a_session(self):
        for state in ("waiting", "offered", "waking", "charging", "stopping"):
            self.assertIn("S14", wrong(known("B", state), 9000, is_tripped=True), state)

    def test_only_what_the_box_asked_for_is_no_leak(self):
        for state in ("idle", "testing", "waiting", "offered", "waking", "faulted"):
            for for_ms in (0, 40, 500, 999, 1000, 60_000):
                just = here(moved_at_ms=100_000 - for_ms)
                is_leak = for_ms < 1000 or state in ("waiting", "offered", "waking")
                found = wrong(known("B", state, OPEN, place=just), 9000, now_ms=100_000, is_tripped=True)
                self.assertEqual(found, ["S14"] if is_leak else [], (state, for_ms))
                asked = here(moved_at_ms=100_000 - for_ms, asked=(99_999, False))
                self.assertEqual(wrong(known("B", state, OPEN, place=asked), 9000, now_ms=100_000, is_tripped=True), [])
            for more in ({"live_poles": 1}, {"is_feedback_closed": True}):
                found = wrong(known("B", state, OPEN), 9000, now_ms=100_000, is_tripped=True, **more)
                self.assertIn("S14", found, (state, more))
            locked = known("B", state, OPEN, active=(Active(faults.S14, True, 0),))
            self.assertIn("S14", wrong(locked, 9000, now_ms=100_000, is_tripped=True))

    def test_not_before_the_sensor_has_started(self):
        for begun_ms, ids in ((98_001, []), (98_000, ["S14"])):
            found = wrong(
                known("B", "offered", OPEN, place=here(begun_ms=begun_ms)), 9000, now_ms=100_000, is_tripped=True
            )
            self.assertEqual(found, ids)

    def test_failed_self_test_alone(self):
        for test, ids in (("failed", ["S15"]), ("trip", []), ("clear", []), ("passed", []), ("", [])):
            self.assertEqual(wrong(known("B", "testing", OPEN, test=test), 9000), ids)


class Place(unittest.TestCase):
    def test_proximity(self):
        for ohm, ids in ((59, ["S7"]), (60, []), (220, []), (4500, []), (4501, ["S7"]), (None, []), (0, ["S7"])):
            self.assertEqual(wrong(known(), proximity_ohm=ohm), ids, ohm)
        self.assertEqual(wrong(at_rest(), 12000, proximity_ohm=0), [])

    def test_heat(self):
        for heat, ids in ((0, []), (1, []), (2, []), (3, ["S13a", "S13b"]), (9, ["S13c"])):
            self.assertEqual(wrong(known(place=here(heat=heat))), ids, heat)

    def test_earth_and_lid(self):
        for memory in (known(), at_rest()):
            high_mv = 6000 if memory.outputs is PWM else 12000
            self.assertEqual(wrong(memory, high_mv, is_earth_ok=False), ["S16"])
            self.assertEqual(wrong(memory, high_mv, is_lid_closed=False), ["S18"])

    def test_a_current_sensor_at_its_rail(self):
        for currents, is_found in (
            ((SATURATED_MA - 1, 0, 0), False),
            ((SATURATED_MA, 0, 0), True),
            ((0, SATURATED_MA, 0), True),
            ((0, 0, SATURATED_MA), True),
        ):
            self.assertEqual("S11" in wrong(known(), currents_ma=currents), is_found)

    def test_a_current_sensor_that_sees_nothing_or_the_wrong_way(self):
        for blind, ids in ((0, []), (1, []), (2, ["S10"]), (3, ["S10"])):
            self.assertEqual(wrong(known(place=here(blind=blind))), ids)
        for power_mw, most_ma, ids in ((-1, 1001, ["S10"]), (-1, 1000, []), (0, 1001, []), (-1, 16_000, ["S10"])):
            self.assertEqual(wrong(known(), power_mw=power_mw, most_ma=most_ma), ids)

    def test_wear(self):
        for operations, ids in ((39_999, []), (40_000, ["W1"]), (40_001, ["W1"])):
            self.assertEqual(wrong(known(wear=Wear(operations, 0))), ids)
        self.assertEqual(wrong(known(wear=Wear(7, 0), place=here(kit=Kit(9, False, 1)))), [])
        self.assertEqual(wrong(known(wear=Wear(8, 0), place=here(kit=Kit(9, False, 1)))), ["W1"])
        self.assertEqual(decide.STANDARD_KIT, Kit(50_000, False, 1))

    def test_three_hot_openings_in_30_days(self):
        days_ms = 30 * 86_400_000
        for hot_at_ms, now_ms, ids in (
            ((5, 6, 7), days_ms + 4, ["W2"]),
            ((5, 6, 7), days_ms + 5, []),
            ((6, 7), 8, []),
            ((), 8, []),
            ((5, 6, 7), 8, ["W2"]),
        ):
            place = here(hot_at_ms=hot_at_ms, mains_at_ms=0, moved_at_ms=now_ms)
            self.assertEqual(wrong(known(place=place), now_ms=max(now_ms, 60_000)), ids, (hot_at_ms, now_ms))


class Mains(unittest.TestCase):
    def off(self, voltage_mv=230_000, mains_at_ms=None, now_ms=100_000, **more):
        """Ids at a voltage of all phases; the mains did not prove themselves yet."""
        values = {"voltages_mv": (voltage_mv, voltage_mv, voltage_mv)}
        values.update(more)
        memory = known("B", "waiting", OPEN, place=here(mains_at_ms=mains_at_ms, moved_at_ms=now_ms))
        return wrong(memory, now_ms=now_ms, **values)

    def test_a_closed_contactor_needs_no_good_start(self):
        low = {"voltages_mv": (190_000, 190_000, 190_000)}
        self.assertEqual(wrong(known(place=here(mains_at_ms=None)), now_ms=100_000, **low), [])

    def test_start_needs_ten_seconds_or_a_minute(self):
        for r37, held_ms in ((False, 10_000), (True, 60_000)):
            changes = {"has_r37_rules": r37}
            self.assertEqual(self.off(mains_at_ms=100_000 - held_ms + 1, settings=changes), ["S17s"])
            self.assertEqual(self.off(mains_at_ms=100_000 - held_ms, settings=changes), [])
            self.assertEqual(self.off(mains_at_ms=None, settings=changes), ["S17s"])

    def test_voltage_at_its_edges(self):
        for voltage_mv, ids in (
            (183_999, ["S17", "S17s"]),
            (184_000, ["S17s"]),
            (264_500, ["S17s"]),
            (264_501, ["S17", "S17s"]),
            (0, ["S17", "S17s"]),
        ):
            self.assertEqual(self.off(voltage_mv), ids, voltage_mv)

    def test_other_nominal_volts_and_each_wired_phase(self):
        for nominal_mv, low_mv, high_mv in ((120_000, 96_000, 138_000), (208_000, 166_400, 239_200)):
            changes = {"nominal_mv": nominal_mv}
            self.assertEqual(self.off(low_mv, settings=changes), ["S17s"])
            self.assertEqual(self.off(high_mv, settings=changes), ["S17s"])
            self.assertEqual(self.off(low_mv - 1, settings=changes), ["S17", "S17s"])
            self.assertEqual(self.off(high_mv + 1, settings=changes), ["S17", "S17s"])
        for index in range(3):
            voltages = tuple(0 if phase == index else 230_000 for phase in range(3))
            self.assertIn("S17", self.off(voltages_mv=voltages))
            is_found = "S17" in self.off(voltages_mv=voltages, settings={"phases": 1}, live_poles=9)
            self.assertEqual(is_found, index == 0)

    def test_frequency_at_its_edges(self):
        for nominal_hz, mhz, ids in (
            (50, 47_000, ["S17", "S17s"]),
            (50, 47_001, ["S17s"]),
            (50, 52_999, ["S17s"]),
            (50, 53_000, ["S17", "S17s"]),
            (60, 57_000, ["S17", "S17s"]),
            (60, 57_001, ["S17s"]),
            (60, 62_999, ["S17s"]),
            (60, 63_000, ["S17", "S17s"]),
            (50, None, ["S17s"]),
        ):
            self.assertEqual(self.off(frequency_mhz=mhz, settings={"nominal_hz": nominal_hz}), ids, mhz)

    def test_open_pen_only_where_it_is_guarded(self):
        good = {"mains_at_ms": 0, "settings": {"guards_open_pen": True}}
        for voltage_mv, ids in ((206_999, ["S17p"]), (207_000, []), (253_000, []), (253_001, ["S17p"])):
            self.assertEqual(self.off(voltage_mv, **good), ids)
            self.assertEqual(self.off(voltage_mv, mains_at_ms=0), [])


class Contactor(unittest.TestCase):
    def opened(self, for_ms, **more):
        """Ids so long after an opening."""
        memory = known("B", "waiting", OPEN, place=here(moved_at_ms=100_000 - for_ms))
        return wrong(memory, 9000, now_ms=100_000, **more)

    def test_any_live_pole_a_second_after_opening(self):
        for poles in (1, 2, 4, 8, 15):
            self.assertEqual(self.opened(999, live_poles=poles), [])
            self.assertEqual(self.opened(1000, live_poles=poles), ["K1"])
            self.assertEqual(self.opened(1000, live_poles=poles, is_feedback_closed=True), ["K1"])
            self.assertEqual(self.opened(999, live_poles=poles, is_feedback_closed=True), [])

    def test_current_without_voltage_is_the_sensor_and_no_weld(self):
        self.assertEqual(self.opened(999, most_ma=1001), [])
        self.assertEqual(self.opened(1000, most_ma=1000), [])
        for currents in ((1001, 0, 0), (0, 1001, 0), (0, 0, 1001), (SATURATED_MA - 1, 0, 0)):
            self.assertEqual(self.opened(1000, currents_ma=currents), ["S8"])
            self.assertEqual(self.opened(1000, currents_ma=currents, live_poles=1), ["K1"])
        self.assertEqual(self.opened(1000, most_ma=SATURATED_MA), ["S11"])
        # What stood in a reading when the ADC stopped is no current of now.
        self.assertEqual(self.opened(999, most_ma=16_000, currents_age_ms=150), [])
        self.assertEqual(self.opened(1000, most_ma=16_000, currents_age_ms=151), ["S8"])

    def test_mirror_contact_that_stays(self):
        self.assertEqual(self.opened(199, is_feedback_closed=True), [])
        self.assertEqual(self.opened(200, is_feedback_closed=True), ["K3"])
        self.assertEqual(self.opened(200), [])
        self.assertEqual(self.opened(1000, is_feedback_closed=True, most_ma=1001), ["S8", "K3"])

    def test_relay_pin_that_stays_high(self):
        self.assertEqual(self.opened(0, is_relay_pin_high=True), ["K4"])
        self.assertEqual(self.opened(999, is_relay_pin_high=True, live_poles=1), ["K4"])
        self.assertEqual(self.opened(1000, is_relay_pin_high=True, live_poles=1), ["K1", "K4"])
        self.assertEqual(self.opened(1000, is_relay_pin_high=True, most_ma=1001), ["S8", "K4"])
        self.assertEqual(self.opened(200, is_relay_pin_high=True, is_feedback_closed=True), ["K3", "K4"])

    def test_closed_on_every_wired_pole(self):
        for phases, poles, ids in (
            (3, 15, []),
            (3, 14, ["K2"]),
            (3, 13, ["K2"]),
            (3, 11, ["K2"]),
            (3, 7, ["K2"]),
            (1, 9, []),
            (1, 15, []),
            (1, 8, ["K2"]),
            (1, 1, ["K2"]),
        ):
            self.assertEqual(wrong(known(), live_poles=poles, settings={"phases": phases}), ids, (phases, poles))
        self.assertEqual(wrong(known(), is_feedback_closed=False), ["K2"])

    def test_a_pin_that_fell_is_no_broken_contactor(self):
        self.assertEqual(wrong(known(), is_relay_pin_high=False), ["X3"])
        self.assertEqual(wrong(known(), is_relay_pin_high=False, live_poles=0, is_feedback_closed=False), ["X3"])

    def test_closed_is_what_the_outputs_said_not_the_state(self):
        told = Outputs(True, "high", 1000, "blue_blink", False)
        self.assertEqual(wrong(known("C", "stopping", told), live_poles=0), ["K2"])
