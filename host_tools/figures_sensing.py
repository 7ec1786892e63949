"""Figures of measuring: RMS, energy and pilot letters through the real drivers on the plant in volts."""

import random

from host_tools.sim import plant as plants
from host_tools.sim import true_board

FREQUENCIES_MHZ = (49_500, 49_750, 50_000, 50_250, 50_500, 59_500, 59_750, 60_000, 60_250, 60_500)
BANDS_MV = (
    # letter, low, high: the pin voltages of requirements §1
    ("A", 11_400, 12_600),
    ("B", 8_360, 9_560),
    ("C", 5_480, 6_490),
    ("D", 2_620, 3_250),
)


def sensors(seed, board):
    """(plant, world, CurrentSensor, PilotLine) of one board on a fresh plant."""
    from firmware.drivers import board_facts

    facts = board_facts.loaded(f"hardware/boards/{board}.json")
    plant = plants.Plant(seed)
    world = true_board.PinWorld(plant, facts)
    true_board.install(world)
    from firmware.drivers.current_sensor import CurrentSensor
    from firmware.drivers.pilot_line import PilotLine

    return plant, world, CurrentSensor(facts), PilotLine(facts)


def flowing(plant, amps_ma):
    """Let amps_ma flow on all phases without a car."""
    plant.settle_energy()
    plant.currents_ma = (amps_ma,) * 3


def rms_and_energy(seed, seconds, has_spikes=False):
    """(largest RMS error, largest energy error) in permille over frequencies and currents, third harmonic 20 %; with
    spikes, single readings are far off as well.
    """
    worst_rms = worst_energy = 0.0
    chance = random.Random(seed)
    for frequency_mhz in FREQUENCIES_MHZ:
        plant, world, sensor, line = sensors(chance.getrandbits(32), "reference")
        world.spike_one_in *= has_spikes
        plant.frequency_mhz = frequency_mhz
        flowing(plant, chance.choice((6000, 10_000, 16_000, 32_000)))
        counted_uj, ticks = 0.0, int(seconds * 1000 / 23)
        for index in range(ticks):
            begun_us = plant.now_us
            currents_ma, voltages_mv, power_mw = sensor.sense(line.beside, False)
            world.settle()
            plant.advance_to(begun_us + 23_000)
            if index >= 11:
                counted_uj += power_mw * 23
                for phase in range(3):
                    worst_rms = max(worst_rms, abs(currents_ma[phase] / plant.currents_ma[phase] - 1))
                    worst_rms = max(worst_rms, abs(voltages_mv[phase] / plant.volts_mv[phase] - 1))
        true_uj = plant.power_mw() * 23 * (ticks - 11)
        worst_energy = max(worst_energy, abs(counted_uj / true_uj - 1))
    return worst_rms * 1000, worst_energy * 1000


def letters(seed, count, board):
    """How many of `count` bursts over the tolerance bands gave another letter than the circuit's, and how many void."""
    from firmware.core import pilot
    from firmware.drivers.current_sensor import ROUNDS

    plant, world, _, line = sensors(seed, board)
    chance = random.Random(seed)
    wrong = void = 0
    for _ in range(count):
        letter, low_mv, high_mv = BANDS_MV[chance.randrange(4)]
        plant.high_mv, plant.low_mv = chance.uniform(low_mv, high_mv), -chance.uniform(11_400, 12_600)
        plant.held_high_mv, plant.held_low_mv = plant.high_mv, plant.low_mv
        plant.pilot_mode, plant.duty_permille = "pwm", chance.randint(100, 850)
        plant.pwm_at_us = chance.randrange(1002)
        line._mode = "pwm"
        if line._facts.has_peak_detectors:
            for index in range(ROUNDS):
                line.beside(index)
        found_high, found_low, age_ms = line.sense(0)
        world.settle()
        line._read_at_ms = None
        if age_ms:
            void += 1
        elif found_high is None or found_low is None or found_low > -10_000:
            wrong += 1
        else:
            # From any letter before: the band must win over the hysteresis.
            before = chance.choice("ABCDE")
            wrong += pilot.letter_of(found_high, before) != letter  # pyright: ignore[reportArgumentType]
    return wrong, void


def report(seed, bursts, seconds):
    """Print the figures; True when the goals of the first issue are met."""
    true_board.install(true_board.PinWorld(plants.Plant(0), _facts()))
    print(f"sensing_seed: {seed} seed")
    rms, energy = rms_and_energy(seed, seconds)
    print(f"rms_error_max: {rms / 10:.2f} %")
    print(f"energy_error_max: {energy / 10:.2f} % (over {seconds} s, {len(FREQUENCIES_MHZ)} frequencies)")
    print(f"rms_error_max_with_spikes: {rms_and_energy(seed, seconds, True)[0] / 10:.2f} % (one reading in 20,000)")
    is_good = rms <= 50 and energy <= 10
    for board, share in (("burst", bursts), ("reference", bursts // 10)):
        wrong, void = letters(seed, share, board)
        print(f"letters_{board}_count: {share} bursts")
        print(f"letters_{board}_wrong: {wrong} bursts")
        print(f"letters_{board}_void: {void} bursts")
        is_good = is_good and wrong == 0
    return is_good


def _facts():
    """Facts of the reference board, once `machine` is in place."""
    import sys

    from host_tools.sim import fake_machine

    sys.modules["machine"] = fake_machine
    from firmware.drivers import board_facts

    return board_facts.loaded("hardware/boards/reference.json")
