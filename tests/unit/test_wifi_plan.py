"""Wi-Fi: tries and waits, traces of real images, trial and roll-back, and the window of set-up."""

import unittest

from wifi_traces import TRACES, Image

from firmware.wire import wifi_plan, wifi_rules

POLL_MS = 500
NOT_THERE = (1001, 201, 1000, 2, 15, 200, 202, 204, 1010)


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


def step(plan, number, now_ms, is_linked=False, random_below=most):
    """One look."""
    return wifi_plan.stepped(plan, wifi_plan.Look(number, is_linked), now_ms, random_below)


def played(plan, tries, until_ms, random_below=most, begin_ms=0):
    """(plan, [(ms, action)], Image) after looks of 500 ms at an image."""
    image, done = Image(tries), []
    for now_ms in range(begin_ms, until_ms, POLL_MS):
        plan, action = wifi_plan.stepped(plan, wifi_plan.Look(*image.look(now_ms)), now_ms, random_below)
        if action in ("join", "try"):
            image.connect(now_ms)
        if action in ("leave", "roll_back"):
            image.leave(now_ms)
        if action:
            done.append((now_ms, action))
    return plan, done, image


def changed(plan, **fields):
    """The plan with other fields; MicroPython's namedtuple has no _replace."""
    names = ("state", "since_ms", "until_ms", "step", "code", "has_old", "before", "end_ms", "keys")
    return wifi_plan.Plan(*[fields.get(name, plan[at]) for at, name in enumerate(names)])


def plan_of(state, until_ms=0, step=0, code="down", **fields):
    """A Plan since 0 with stored credentials."""
    return changed(wifi_plan.Plan(state, 0, until_ms, step, code, True, 0, 0, 0), **fields)


class Plans(unittest.TestCase):
    def test_start(self):
        self.assertEqual(wifi_plan.first(True, 5), ("waiting", 5, 5, 0, "connecting", True, 0, 0, 0))
        self.assertEqual(wifi_plan.first(False, 5), ("empty", 5, 5, 0, "off", False, 0, 0, 0))

    def test_nothing_happens_without_credentials(self):
        for number in NOT_THERE:
            plan = wifi_plan.first(False, 0)
            self.assertEqual(played(plan, (((0, number, True),),), 1_000_000)[:2], (plan, []))

    def test_traces_of_real_images(self):
        for name, _, tries, until_ms, (state, code, connects) in TRACES:
            for seed in (None, 1, 2, 3):
                plan, done, image = played(wifi_plan.first(True, 0), tries, until_ms, seeded(seed) if seed else most)
                # Between two tries there is neither.
                self.assertTrue(plan.state in (state, "joining" if state == "waiting" else state), (name, plan))
                self.assertEqual(plan.code, code, (name, plan))
                self.assertTrue(image.connects <= connects, (name, image.connects))
                joins = [now_ms for now_ms, action in done if action == "join"]
                gaps = [joins[index + 1] - joins[index] for index in range(len(joins) - 1)]
                self.assertTrue(not gaps or min(gaps) >= 2000, (name, gaps))

    def test_waits_longer_each_time_and_never_long(self):
        tries = (((0, 1001, False), (2500, 201, False)), ((0, 201, False),))
        plan, done, _ = played(wifi_plan.first(True, 0), tries, 1_200_000)
        joins = [now_ms for now_ms, action in done if action == "join"]
        gaps = [joins[index + 1] - joins[index] for index in range(len(joins) - 1)]
        # The first is told after 2.5 s, later ones are hidden behind 201 and end by time.
        self.assertEqual(gaps[:6], [4500, 14_000, 18_000, 26_000, 26_000, 26_000])
        self.assertEqual((plan.code, plan.step), ("no_network", 7))

    def test_a_wrong_key_slows_down_and_is_tried_for_ever(self):
        tries = (((0, 1001, False), (4000, 15, False)),)
        _, done, _ = played(wifi_plan.first(True, 0), tries, 3_600_000)
        joins = [now_ms for now_ms, action in done if action == "join"]
        gaps = [joins[index + 1] - joins[index] for index in range(len(joins) - 1)]
        self.assertEqual(gaps[:9], [6000, 8000, 12_000, 20_000, 36_000, 68_000, 124_000, 124_000, 124_000])

    def test_another_reason_is_no_wrong_key(self):
        # 202 stands for a failed connection as well: it never waits long, and it ends the row of handshakes.
        plan = plan_of("joining", 15_000, keys=4, code="wrong_password")
        for number, keys, until_ms in ((15, 5, 32_000), (204, 5, 32_000), (202, 0, 2000), (2, 0, 2000), (201, 0, 2000)):
            made, action = step(plan, number, 0)
            self.assertEqual((made.keys, made.until_ms, action), (keys, until_ms, "leave"), number)
        made, _ = step(changed(plan, step=6), 202, 0)
        self.assertEqual((made.until_ms, made.code), (16_000, "wrong_password"))
        made, _ = step(plan, 1000, 15_000)
        self.assertEqual((made.keys, made.code), (4, "wrong_password"), "an answer that stays hidden says nothing")
        self.assertEqual(step(plan_of("joined", keys=4, code="connected"), 15, 20_000)[0].keys, 5)

    def test_what_stays_is_no_news(self):
        for number in wifi_plan.STICKY:
            waiting = plan_of("waiting", 1000, code="no_network")
            plan, action = step(waiting, number, 1000)
            self.assertEqual((action, plan.before, plan.until_ms), ("join", number, 11_000))
            self.assertEqual(step(plan, number, 10_999), (plan, ""))
            self.assertEqual(step(plan, number, 11_000)[1], "leave")
            other = 201 if number != 201 else 202
            self.assertEqual(step(plan, other, 1500)[1], "leave")
        for number in (2, 15, 200, 204):
            plan, _ = step(plan_of("waiting"), number, 0)
            self.assertEqual(plan.until_ms, 15_000)
            self.assertEqual(step(plan, number, 500)[1], "leave", "a new connect() shows 1001 first")
        plan = plan_of("joining", 15_000)
        for number in (1000, 1001):
            self.assertEqual(step(plan, number, 14_999), (plan, ""))
            self.assertEqual(step(plan, number, 15_000)[0].code, "down")

    def test_linked_without_an_address_gets_its_time(self):
        for number in (1001, 1000, 201):
            plan = plan_of("joining", 15_000, before=number, code="connecting")
            self.assertEqual(step(plan, number, 29_999, True), (plan, ""))
            made, action = step(plan, number, 30_000, True)
            self.assertEqual((made.code, action), ("no_address", "leave"))
            self.assertEqual(step(plan, number, 15_000)[0].code, "late")
            self.assertEqual(step(plan, 1010, 40_000, True)[0].state, "joined")

    def test_waits_are_random_and_within_bounds(self):
        for count in range(12):
            seen = [wifi_plan.wait_ms(count, 120_000, seeded(seed)) for seed in range(200)]
            top = min(2000 << count, 120_000)
            self.assertTrue(min(seen) >= max(1000, top // 2) and max(seen) <= top, count)
            self.assertTrue(len(set(seen)) > 100)
        self.assertEqual(wifi_plan.wait_ms(0, 16_000, lambda count: 0), 1000)
        self.assertEqual(wifi_plan.wait_ms(99, 16_000, most), 16_000)

    def test_back_within_60_s_whenever_the_access_point_returns(self):
        for seed in range(100):
            for until_ms in (0, 16_000, 60_000, 200_000):
                back_ms = until_ms + seed * 377
                shown = ((0, 1001, False), (2500, 201, False))

                def look(plan, now_ms, back_ms=back_ms, shown=shown):
                    if plan.state in ("joining", "joined") and plan.since_ms >= back_ms:
                        return (
                            (1010, True) if now_ms - plan.since_ms >= 14_000 else (201, now_ms - plan.since_ms > 8000)
                        )
                    return (201, False)

                plan, random_below = wifi_plan.first(True, 0), seeded(seed + 1)
                now_ms = 0
                while plan.state != "joined":
                    plan, _ = wifi_plan.stepped(plan, wifi_plan.Look(*look(plan, now_ms)), now_ms, random_below)
                    now_ms += POLL_MS
                self.assertTrue(now_ms - back_ms <= 60_000, (seed, until_ms))

    def test_lost_connections(self):
        lasting = plan_of("joined", step=5, code="connected")
        plan, action = step(lasting, 200, 10_000)
        self.assertEqual(
            (action, plan.state, plan.until_ms, plan.step, plan.code), ("leave", "waiting", 12_000, 1, "down")
        )
        plan, _ = step(lasting, 200, 9999)
        self.assertEqual((plan.until_ms, plan.step), (9999 + 16_000, 6))
        self.assertEqual(step(lasting, 1001, 20_000, True)[0].code, "no_address", "the lease ran out")
        self.assertEqual(step(lasting, 201, 20_000)[0].code, "no_network")
        self.assertEqual(step(lasting, 1010, 20_000, True), (lasting, ""))

    def test_waiting_believes_no_old_connection(self):
        plan = plan_of("waiting", 1000)
        for now_ms in (999, 1000, 2999):
            self.assertEqual(step(plan, 1010, now_ms, True), (plan, ""))
        self.assertEqual(step(plan, 1010, 3000, True)[0].state, "joined")
        self.assertEqual(step(plan, 1000, 1000)[1], "join")

    def test_a_radio_that_refuses(self):
        plan = wifi_plan.refused(plan_of("joining", 15_000, step=2, keys=3), 500, most)
        self.assertEqual((plan.state, plan.code, plan.until_ms, plan.keys), ("waiting", "down", 8500, 3))
        plan = wifi_plan.refused(plan_of("trying", 15_000, end_ms=30_000), 500, most)
        self.assertEqual((plan.state, plan.code, plan.until_ms, plan.end_ms), ("pausing", "down", 3500, 30_000))


class Trials(unittest.TestCase):
    def test_works(self):
        plan = wifi_plan.trial(wifi_plan.first(False, 0), 0)
        self.assertEqual((plan.state, plan.code, plan.has_old, plan.end_ms), ("clearing", "trying", False, 30_000))
        plan, done, _ = played(plan, (((0, 1001, False), (2000, 1010, True)),), 9000)
        self.assertEqual(done, [(1000, "try"), (3000, "keep")])
        self.assertEqual((plan.state, plan.has_old), ("joined", True))

    def test_the_old_connection_is_not_taken_for_the_new_one(self):
        plan = wifi_plan.trial(plan_of("joined"), 0)
        for now_ms in (0, 1000, 2999):
            self.assertEqual(step(plan, 1010, now_ms, True), (plan, ""))
        self.assertEqual(step(plan, 1010, 3000, True)[1], "try")
        self.assertEqual(step(plan, 1000, 999), (plan, ""))
        self.assertEqual(step(plan, 1000, 1000)[1], "try")

    def test_wrong_ones_roll_back_after_a_few_tries(self):
        for has_old, state in ((True, "waiting"), (False, "empty")):
            plan = wifi_plan.trial(wifi_plan.first(has_old, 0), 0)
            plan, done, _ = played(plan, (((0, 1001, False), (4000, 15, False)),), 30_500)
            self.assertEqual((done[0], done[-1]), ((1000, "try"), (30_000, "roll_back")))
            self.assertEqual([action for _, action in done[1:-1]], ["leave", "try"] * 4)
            self.assertEqual((plan.state, plan.code, plan.has_old), (state, "wrong_password", has_old))

    def test_rolled_back_between_two_tries(self):
        plan = wifi_plan.trial(wifi_plan.first(True, 0), 0)
        plan, done, _ = played(plan, (((0, 1001, False), (13_000, 204, False)),), 30_500)
        self.assertEqual([action for _, action in done], ["try", "leave", "try", "roll_back"])
        self.assertEqual((done[-1][0], plan.code), (30_000, "wrong_password"))

        plan = plan_of("pausing", 31_000, code="no_network", end_ms=30_000)
        made, action = step(plan, 201, 30_000)
        self.assertEqual((made.state, made.code, action), ("waiting", "no_network", "roll_back"))

    def test_no_answer_at_all(self):
        plan = wifi_plan.trial(wifi_plan.first(True, 0), 0)
        plan, done, _ = played(plan, (((0, 1001, False),),), 32_500)
        self.assertEqual([action for _, action in done], ["try", "leave", "try", "roll_back", "join"])
        self.assertEqual(plan.code, "late")

    def test_a_network_that_answers_at_the_last_moment(self):
        plan = plan_of("trying", 15_000, code="trying", end_ms=30_000)
        self.assertEqual(step(plan, 1010, 30_000, True)[1], "keep")
        self.assertEqual(step(plan, 1001, 30_000, True)[0].code, "no_address")
        self.assertEqual(step(plan, 15, 30_000)[0].code, "wrong_password")

    def test_one_at_a_time(self):
        plan = wifi_plan.trial(wifi_plan.first(True, 0), 0)
        for state in ("clearing", "trying", "pausing"):
            self.assertIsNone(wifi_plan.trial(changed(plan, state=state), 1))

    def test_every_row_leads_somewhere_known(self):
        states = ("empty", "waiting", "joining", "joined", "clearing", "trying", "pausing")
        for state, happened, following, action in wifi_plan.STEPS:
            self.assertTrue(state in states and following in states and happened in ("up", "over", "failed", "due"))
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
