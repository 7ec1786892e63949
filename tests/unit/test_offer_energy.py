"""What is offered, what over-current is judged against, and the energy counter."""

import unittest

from firmware.core import energy, offer
from firmware.core.records import Energy, Offer


class Offers(unittest.TestCase):
    def test_first_offer_at_once(self):
        self.assertEqual(offer.first_offer(), Offer(0, 0, 0, 0, 0, 0))
        self.assertEqual(offer.offered(offer.first_offer(), 16000, 100), Offer(16000, 5100, 16000, 100, 0, 0))

    def test_same_offer_is_the_same_object(self):
        now = Offer(16000, 5100, 16000, 100, 0, 0)
        self.assertIs(offer.offered(now, 16000, 9999), now)

    def test_raise_waits_five_seconds_after_the_last_change(self):
        now = Offer(10000, 5100, 10000, 100, 0, 0)
        self.assertIs(offer.offered(now, 16000, 5099), now)
        self.assertEqual(offer.offered(now, 16000, 5100), Offer(16000, 10100, 16000, 5100, 0, 0))

    def test_from_nothing_a_raise_never_waits(self):
        self.assertEqual(offer.offered(Offer(0, 99999, 0, 0, 0, 0), 6000, 10).offered_ma, 6000)

    def test_lowering_acts_at_once_and_judges_against_the_old_value_for_5_s(self):
        now = offer.offered(Offer(32000, 0, 32000, 0, 0, 0), 10000, 1000)
        self.assertEqual(now, Offer(10000, 6000, 32000, 6000, 0, 0))
        self.assertEqual(offer.reference_ma(now, 5999), 32000)
        self.assertEqual(offer.reference_ma(now, 6000), 10000)

    def test_withdrawing_judges_against_the_old_value_for_6_s(self):
        now = offer.offered(Offer(32000, 0, 32000, 0, 0, 0), 0, 1000)
        self.assertEqual(now, Offer(0, 6000, 32000, 7000, 32000, 7000))
        self.assertEqual(offer.reference_ma(now, 6999), 32000)
        self.assertEqual(offer.reference_ma(now, 7000), 0)

    def test_further_lowering_does_not_restart_the_time(self):
        now = offer.offered(offer.offered(Offer(32000, 0, 32000, 0, 0, 0), 16000, 1000), 10000, 4000)
        self.assertEqual(now, Offer(10000, 9000, 32000, 6000, 0, 0))
        now = offer.offered(now, 6000, 6000)
        self.assertEqual(now, Offer(6000, 11000, 10000, 11000, 0, 0))

    def test_a_value_lowered_before_a_withdrawal_counts_beside_it(self):
        now = offer.offered(Offer(10000, 6000, 32000, 6000, 0, 0), 0, 4000)
        self.assertEqual(now, Offer(0, 9000, 32000, 7000, 10000, 10_000))
        for at_ms, most_ma in ((4000, 32_000), (6999, 32_000), (7000, 10_000), (9999, 10_000), (10_000, 0)):
            self.assertEqual(offer.reference_ma(now, at_ms), most_ma, at_ms)
        self.assertEqual(offer.reference_ma(Offer(0, 0, 8000, 5000, 9000, 6000), 1000), 9000)

    def test_reference_is_never_under_the_offer(self):
        self.assertEqual(offer.reference_ma(Offer(16000, 0, 10000, 5000, 0, 0), 1000), 16000)


class Counter(unittest.TestCase):
    def test_nothing_flows(self):
        meter = energy.first_energy(7)
        self.assertIs(energy.counted(meter, 19_999, 1000), meter)
        self.assertIs(energy.counted(meter, 11_000_000, 0), meter)
        self.assertEqual(energy.counted(meter, 20_000, 1).uj, 20_000)
        self.assertEqual(energy.counted(meter, 3_600_000, 1)[:3], (7, 1, 0))

    def test_one_hour_of_eleven_kilowatts(self):
        meter = energy.first_energy(7)
        for _ in range(3600):
            meter = energy.counted(meter, 11_040_000, 1000)
        self.assertEqual(meter, Energy(7 + 11040, 0, 0, None, 0, 0))

    def test_no_remainder_is_lost(self):
        meter = energy.first_energy(0)
        for _ in range(1000):
            meter = energy.counted(meter, 1_234_567, 23)
        total_uj = (meter.wh * 1000 + meter.mwh) * 3_600_000 + meter.uj
        self.assertEqual(total_uj, 1_234_567 * 23 * 1000)
        self.assertLess(meter.uj, 3_600_000)
        self.assertLess(meter.mwh, 1000)

    def test_a_long_stall_counts_ten_seconds_at_most(self):
        long = energy.counted(energy.first_energy(0), 3_600_000, 60_000)
        self.assertEqual((long.wh, long.mwh), (10, 0))
        self.assertEqual(energy.counted(energy.first_energy(0), 3_600_000, 10_000), long)

    def test_session(self):
        meter = energy.with_session(Energy(10, 900, 5, None, 0, 0), 777)
        self.assertEqual(meter, Energy(10, 900, 5, 10, 900, 777))
        self.assertEqual(energy.session_wh(meter), 0)
        self.assertEqual(energy.session_wh(Energy(11, 899, 0, 10, 900, 0)), 0)
        self.assertEqual(energy.session_wh(Energy(11, 900, 0, 10, 900, 0)), 1)
        self.assertEqual(energy.counted(meter, 3_600_000, 1000).session_wh, 10)
        self.assertEqual(energy.counted(meter, 20_000, 10).session_at_ms, 777)
        self.assertEqual(energy.without_session(meter), Energy(10, 900, 5, None, 0, 0))
        self.assertEqual(energy.session_wh(energy.without_session(meter)), 0)
