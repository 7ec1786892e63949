"""Limits of the field that no setting may change, each with its clause."""

MIN_OFFER_MA = 6000  # IEC 61851-1 annex A via requirements §1: the pilot cannot signal less
MAX_OFFER_MA = 80000  # requirements §1: 96 % duty
EDGE_51_MA = 51000  # above it the second law of requirements §1 begins
EDGE_52_MA = 52500  # between the two laws: clamp to 51 A
LETTER_STABLE_MS = 500  # B→C: close after 500 ms of stable C (requirements §1)
JUDGE_AFTER_MS = 60  # low half not judged in the first 2 ticks (≤ 54 ms) after a change of pilot mode
FRESH_MS = 50  # readings older than two ticks: the ADC may stand still, and nobody closes on that
PILOT_MOST_MV = 13_500  # ±12 V ± 5 % plus measuring error (faults.md S8)
NOMINAL_MV = 12_000  # of the pilot's source (requirements §1)
OWN_MV = (11_400, 12_600)  # 12 V ± 5 %: no other level of an empty plug is the box's own (requirements §1)
DIODE_LOW_MV = -10000  # requirements §1: diode good when the low half is at or under −10 V
SATURATED_MA = 900_000  # a current sensor at its rail: more than any sensor measures (faults.md S11)
HOT_MA = 1000  # more than this through opening contacts is a hot opening (architecture, life of a pause)
RAISE_HOLD_MS = 5000  # a raise waits until 5 s after the last change (requirements §1)
X1_HOLD_MS = 3000  # x1 before PWM resumes (requirements §1)
RESTART_HOLD_MS = 5000  # after a stop (requirements §1)
ERROR_HOLD_MS = 30000  # after an error (requirements §1)
ERROR_SEEN_MS = 500  # E or F so soon after an opening is why it opened
CLOSE_HOLD_MS = 5000  # at most one closing in 5 s (faults.md S5)
STATE_F_MS = 500  # state F after a fault with the coil on (requirements §1: 300 required)
WAKE_AFTER_MS = 30_000  # of unbroken B (requirements §1, wake a sleeping car)
WAKE_REST_MS = 10_000  # never sooner after a contactor operation (architecture, waking)
WAKE_LOW_MS = 4000  # F …
WAKE_MS = 4750  # … then x1 for 750 ms, then PWM again
TEST_EVERY_MS = 86_400_000  # residual-current self-test (requirements §2)
QUIET_MS = 200  # under 1 A on all phases for this long: the car has let go (architecture)
# 10 ms over the 6.0 s of requirements §1, so that jitter of one tick's sensing never cuts a car before 6.0 s.
STOP_LIMIT_MS = 6010
