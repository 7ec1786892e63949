"""No nuisance: calendar hours of a healthy, noisy box with every car, and not one fault or opening without a cause."""

import random
import time
from collections import Counter

from host_tools import jobs
from host_tools.faults.sequence import TICK_MS
from host_tools.sim.life import Life
from host_tools.sim.oracle import Broken

# Not: stubborn and overdraws break rules themselves, ventilation is refused, leaves_charging is unplugged by nobody.
CARS = "polite slow sleepy simplified pulsing one_phase phev_glitch".split()
WARNED = {"phev_glitch": ("W2",)}  # it lets go under load again and again, which wears the contacts: told, no trip
DAY_MS = 86_400_000
TICKED_SHARE = 0.1  # of the calendar at least (1,000 hours with 100 ticked)
NOISES = ("fault adc_noise on", "fault adc_noise off")
DEGREES = (-10, 5, 25, 40, 60)
VOLTS = ("mains 230 230 230 V", "mains 215 230 245 V", "mains 207 210 205 V", "mains 250 252 248 V")
HERTZ = ("mains 50 Hz", "mains 49.6 Hz", "mains 50.4 Hz")
LINES = (
    "grid pauses for 300 s, resume now",
    "grid limits to 8 A for 600 s, resume now",
    "owner pauses",
    "owner resumes",
    "owner charges now",
    "the car is full",
    "the car wants to charge",
)


def jumped(life, for_ms):
    """Nobody is plugged in and nothing is planned: plant and clock move together without ticks."""
    plant = life.box.plant
    plant.settle_energy()
    plant.advance_to(plant.now_us + for_ms * 1000)
    life.box.tick_at_us = plant.now_us


def day(life, chance, counts, ticked_ms):
    """One day: a charge of about ticked_ms with what an ordinary day brings, and idle stretches before and after."""
    begun_ms = life.box.now_ms()
    jumped(life, chance.randrange(3_600_000, 8 * 3_600_000))
    awake_ms = life.box.now_ms()
    for line in (chance.choice(VOLTS), chance.choice(HERTZ), f"temperature {chance.choice(DEGREES)} C"):
        life.do(line)
    life.do(chance.choice(NOISES))
    life.go(15_000)
    life.do("the car wants to charge")
    life.do("plug in")
    while life.box.now_ms() - awake_ms < ticked_ms:
        life.go(chance.choice((20_000, 120_000, 400_000)))
        life.do(chance.choice(LINES))
    # A car holds its plug while it draws: who takes it out ends the charge first.
    life.do("the car is full")
    life.go(10_000)
    life.do("plug out")
    life.go(15_000)
    counts["ticked_ms"] += life.box.now_ms() - awake_ms
    jumped(life, max(0, DAY_MS - (life.box.now_ms() - begun_ms)))
    counts["calendar_ms"] += life.box.now_ms() - begun_ms
    life.lines.clear()


def ran(hours, seed, share=TICKED_SHARE):
    """(Counter, [words of what happened though nothing was wrong]) of so many calendar hours over all cars; share: how
    much of them is ticked.
    """
    chance = random.Random(seed)
    counts, trips = Counter(), []
    days = max(1, round(hours / 24 / len(CARS)))
    ticked_ms = round(DAY_MS * share * 1.02)
    for number, character in enumerate(CARS):
        life = Life(character, seed + number)
        life.go(3000)  # the sensors fill their windows before the first jump
        for _ in range(days):
            try:
                day(life, chance, counts, ticked_ms)
            except Broken as broken:
                trips.append(f"{character}: {broken}")
                break
            for event in life.box.events:
                if event.code == "fault" and event.args[0] in WARNED.get(character, ()):
                    counts["warned_" + character] += 1
                elif event.code in ("fault", "crash"):
                    trips.append(f"{character}: {event.code} {event.args}")
            life.box.events.clear()
        oracle = life.oracle
        counts["closings"] += oracle.closings
        counts["let_go_" + character] += oracle.let_go
        counts["ticks_on"] += oracle.ticks_on
    return counts, trips


def report(hours, seed):
    """Print the figures, one a line. Returns whether nothing tripped."""
    begun_s = time.monotonic()
    counts, trips = ran(hours, seed)
    print(f"faults_healthy_seed: {seed}")
    print(f"faults_healthy_calendar: {counts['calendar_ms'] / 3_600_000:.0f} h")
    print(f"faults_healthy_ticked: {counts['ticked_ms'] / 3_600_000:.0f} h")
    print(f"faults_healthy_coil_on: {counts['ticks_on'] * TICK_MS / 3_600_000:.0f} h")
    print(f"faults_healthy_closings: {counts['closings']} closings")
    for character in CARS:
        print(f"faults_healthy_car_let_go_{character}: {counts['let_go_' + character]} openings while PWM ran")
    for character in WARNED:
        print(f"faults_healthy_car_warned_{character}: {counts['warned_' + character]} warnings of worn contacts")
    print(f"faults_healthy_trips: {len(trips)} trips")
    for words in trips[:20]:
        print(f"  {words}")
    columns = {"runs": counts["closings"], "ticks": counts["ticked_ms"] // TICK_MS, "finds": len(trips)}
    jobs.logged(f"healthy {hours:.0f} h", seed, {**columns, "seconds": round(time.monotonic() - begun_s)})
    return not trips
