"""Wi-Fi: back-off, trial and roll-back, and the window of set-up."""

import unittest

from firmware.wire import wifi_plan, wifi_rules


def seeded(seed):
    """random_below of one seed."""
    state = [seed * 2654435761 % 4294967296]

    def random_below(count):
        state[0] = (state[0] * 1103515245 + 12345) % 2147483648
        return (state[0] >> 8) % count

    return random_below


def most(count):
    """The largest random number."""
    return count - 1


def run(plan, found, until_ms, random_below=most):
    """(plan, [(ms, action)]) after polls of 500 ms; found: function (plan, now_ms) -> the driver's state."""
    done = []
    for now_ms in range(0, until_ms, 500):
        plan, action = wifi_plan.stepped(plan, found(plan, now_ms), now_ms, random_below)
        if action:
            done.append((now_ms, action))
    return plan, done


class Plans(unittest.TestCase):
    def test_start(self):
        self.assertEqual(wifi_plan.first(True, 5), ("waiting", 5, 5, 0, "connecting", True))
        self.assertEqual(wifi_plan.first(False, 5), ("empty", 5, 5, 0, "off", False))

    def test_nothing_happens_without_credentials(self):
        for found in ("down", "connected", "connecting", "wrong_password", "no_network"):
            plan = wifi_plan.first(False, 0)
            self.assertEqual(run(plan, lambda plan, now_ms, found=found: found, 1_000_000), (plan, []))

    def test_joins_at_once_and_stays(self):
        plan, done = run(
            wifi_plan.first(True, 0), lambda plan, now_ms: "connected" if now_ms > 2000 else "connecting", 90_000
        )
        self.assertEqual(done, [(0, "join")])
        self.assertEqual((plan.state, plan.code, plan.since_ms), ("joined", "connected", 2500))

    def test_waits_longer_each_time(self):
        plan, done = run(wifi_plan.first(True, 0), lambda plan, now_ms: "no_network", 1_200_000)
        joins = [now_ms for now_ms, action in done if action == "join"]
        gaps = [joins[index + 1] - joins[index] for index in range(len(joins) - 1)]
        self.assertEqual(gaps[:9], [2500, 4500, 8500, 16500, 32500, 64500, 128500, 240500, 240500])
        self.assertEqual((plan.code, plan.step), ("no_network", 7))

    def test_a_join_that_never_ends_is_given_up(self):
        plan, done = run(wifi_plan.first(True, 0), lambda plan, now_ms: "connecting", 21_000)
        self.assertEqual(done, [(0, "join"), (20_000, "leave")])
        self.assertEqual((plan.state, plan.code), ("waiting", "late"))
        plan, done = run(plan, lambda plan, now_ms: "connecting", 22_500)
        self.assertEqual(done, [(22_000, "join")])

    def test_a_failure_later_than_others_keeps_their_reason(self):
        plan = wifi_plan.Plan("joining", 0, 20_000, 3, "wrong_password", True)
        self.assertEqual(wifi_plan.stepped(plan, "connecting", 20_000, most)[0].code, "wrong_password")

    def test_waits_are_random_and_within_bounds(self):
        for step in range(12):
            seen = [wifi_plan.wait_ms(step, seeded(seed)) for seed in range(200)]
            top = min(2000 << step, 240_000)
            self.assertTrue(min(seen) >= max(1000, top // 2) and max(seen) <= top, step)
            self.assertTrue(max(seen) <= 300_000)
            self.assertTrue(len(set(seen)) > 100)
        self.assertEqual(wifi_plan.wait_ms(0, lambda count: 0), 1000)
        self.assertEqual(wifi_plan.wait_ms(99, most), 240_000)

    def test_back_within_300_s_whenever_the_access_point_returns(self):
        for seed in range(200):
            back_ms = 400_000 + seed * 3777

            def found(plan, now_ms, back_ms=back_ms):
                if plan.state == "joining" and plan.since_ms >= back_ms:
                    return "connected" if now_ms - plan.since_ms >= 15_000 else "connecting"
                return "connected" if plan.state == "joined" else "connecting"

            plan, _ = run(wifi_plan.first(True, 0), found, back_ms + 300_000, seeded(seed))
            self.assertEqual(plan.state, "joined", seed)

    def test_lost_connections(self):
        lasting = wifi_plan.Plan("joined", 0, 0, 5, "connected", True)
        plan, action = wifi_plan.stepped(lasting, "down", 10_000, most)
        self.assertEqual((action, plan), ("leave", ("waiting", 10_000, 12_000, 1, "down", True)))
        plan, _ = wifi_plan.stepped(lasting, "down", 9_999, most)
        self.assertEqual((plan.until_ms, plan.step), (9_999 + 64_000, 6))
        self.assertEqual(wifi_plan.stepped(lasting, "connecting", 20_000, most), (lasting, ""))

    def test_waiting_believes_no_old_connection(self):
        plan = wifi_plan.Plan("waiting", 0, 1000, 0, "down", True)
        self.assertEqual(wifi_plan.stepped(plan, "connected", 999, most), (plan, ""))
        self.assertEqual(wifi_plan.stepped(plan, "connected", 1000, most)[1], "join")


class Trials(unittest.TestCase):
    def test_works(self):
        plan = wifi_plan.trial(wifi_plan.first(False, 0), 0)
        self.assertEqual((plan.state, plan.code, plan.has_old), ("clearing", "trying", False))
        plan, done = run(
            plan, lambda plan, now_ms: "connected" if now_ms > 3000 else "connecting" if now_ms else "down", 9000
        )
        self.assertEqual(done, [(0, "try"), (3500, "keep")])
        self.assertEqual((plan.state, plan.has_old), ("joined", True))

    def test_the_old_connection_is_not_taken_for_the_new_one(self):
        plan = wifi_plan.trial(wifi_plan.Plan("joined", 0, 0, 0, "connected", True), 0)
        plan, done = run(plan, lambda plan, now_ms: "connected" if now_ms < 700 else "wrong_password", 1500)
        self.assertEqual(done, [(1000, "try")])
        plan = wifi_plan.trial(wifi_plan.Plan("joined", 0, 0, 0, "connected", True), 0)
        plan, done = run(plan, lambda plan, now_ms: "connected" if plan.state == "clearing" else "connecting", 2500)
        self.assertEqual(done, [(2000, "try")])

    def test_wrong_ones_roll_back(self):
        for has_old, state in ((True, "waiting"), (False, "empty")):
            plan = wifi_plan.trial(wifi_plan.first(has_old, 0), 0)
            plan, done = run(
                plan, lambda plan, now_ms: "wrong_password" if now_ms % 4000 == 0 else "connecting", 30_500
            )
            self.assertEqual((done[0], done[-1]), ((0, "try"), (30_000, "roll_back")))
            self.assertEqual([action for _, action in done[1:-1]], ["try"] * 7)
            self.assertEqual((plan.state, plan.code, plan.has_old), (state, "wrong_password", has_old))

    def test_no_answer_at_all(self):
        plan = wifi_plan.trial(wifi_plan.first(True, 0), 0)
        plan, done = run(plan, lambda plan, now_ms: "connecting" if plan.state == "trying" else "down", 31_500)
        self.assertEqual([action for _, action in done], ["try", "roll_back", "join"])
        self.assertEqual(plan.code, "late")

    def test_one_at_a_time(self):
        plan = wifi_plan.trial(wifi_plan.first(True, 0), 0)
        self.assertIsNone(wifi_plan.trial(plan, 1))
        plan = wifi_plan.stepped(plan, "down", 1, most)[0]
        self.assertEqual(plan.state, "trying")
        self.assertIsNone(wifi_plan.trial(plan, 2))

    def test_every_row_leads_somewhere_known(self):
        states = ("empty", "waiting", "joining", "joined", "clearing", "trying")
        for state, happened, following, action in wifi_plan.STEPS:
            self.assertTrue(state in states and following in states and happened in ("up", "failed", "due"))
            self.assertIn(action, ("", "join", "try", "leave", "keep", "roll_back"))


class Windows(unittest.TestCase):
    def test_ten_minutes(self):
        for cause in ("factory", "button"):
            self.assertEqual(wifi_plan.window_until_ms(0, cause, 1000), 601_000)
        self.assertEqual(wifi_plan.window_until_ms(601_000, "stored", 2000), 17_000)
        self.assertEqual(wifi_plan.window_until_ms(5000, "stored", 2000), 5000)
        self.assertEqual(wifi_plan.window_until_ms(0, "stored", 2000), 0)

    def test_what_can_be_a_wifi(self):
        for ssid, password in (("a", ""), ("a" * 32, "b" * 8), (" ~", "b" * 63)):
            self.assertEqual(wifi_rules.refused(ssid, password), "")
        for ssid in ("", "a" * 33, None, 1, b"a", "\n", "ä", "\x7f"):
            self.assertEqual(wifi_rules.refused(ssid, ""), "bad_ssid")
        for password in ("b" * 7, "b" * 64, None, 1, b"b" * 8, "b" * 8 + "\0"):
            self.assertEqual(wifi_rules.refused("a", password), "bad_password")

    def test_no_access_point_without_a_good_secret(self):
        for secret in (None, "", "1234567", "a" * 64, 12345678, "a\n345678"):
            self.assertFalse(wifi_rules.is_secret(secret))
        self.assertTrue(wifi_rules.is_secret("12345678") and wifi_rules.is_secret("a" * 63))

    def test_name(self):
        self.assertEqual(wifi_rules.point_name("a1"), "ebb-a1")
        self.assertEqual(wifi_rules.point_name("ebb-00ff01"), "ebb-00ff01")
        self.assertEqual(len(wifi_rules.point_name("x" * 40)), 32)
