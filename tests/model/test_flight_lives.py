"""Records of simulated lives, decided anew on both interpreters; and the files that the recorder keeps."""

import asyncio
import csv
import io
import json
import random
import weakref
from contextlib import redirect_stdout

import pytest
import test_random_lives

from firmware.core import charging, claims, pilot
from firmware.core import settings as core_settings
from firmware.services import flight_recorder
from firmware.services.flight_recorder import FlightRecorder
from firmware.services.phrase_book import PhraseBook
from host_tools import bootstrap, replay
from host_tools.flight import lives, reader
from host_tools.flight.recording import Recording, record_of
from host_tools.sim import world
from host_tools.sim.box import Box
from host_tools.sim.oracle import Broken

SEED = random.SystemRandom().randrange(1 << 31)
FAULTS = "diode_missing adc_zero adc_full adc_stuck pilot_short_12v pilot_short_earth residual_trip adc_noise".split()


def lived(seed, for_ms=0):
    """A box after a random life with faults, recorded from its start."""
    chance = random.Random(seed)
    box = Box(chance.choice("polite slow stubborn overdraws simplified pulsing".split()), seed)
    Recording(box)
    box.run_ms(3500)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(for_ms or 6000)
    for number in range(6):
        kind = chance.choice(("pause", "limit", "owner", "fault", "plug", "settings"))
        if kind in ("pause", "limit"):
            fields = {"id": f"p{number}", "kind": kind, "duration_s": chance.randrange(1, 30)}
            fields.update({"limit_ma": chance.randrange(20_000)} if kind == "limit" else {})
            box.grid(json.dumps(fields).encode())
        elif kind == "owner":
            box.owner("charge_now")
        elif kind == "plug":
            world.change(box.plant, {"car": {"is_plugged": chance.random() < 0.7}})
        elif kind == "settings":
            changes = {"wiring_limit_ma": chance.choice((10_000, 16_000, 20_000))}
            box.loop.settings = core_settings.changed(box.loop.settings, changes)
        else:
            world.change(box.plant, {"faults": {chance.choice(FAULTS): chance.random() < 0.7}})
        box.run_ms(chance.randrange(1000, 9000))
    return box


def run(*options):
    """(exit code, lines) of the task."""
    said = io.StringIO()
    with redirect_stdout(said):
        code = replay.run([str(one) for one in options])
    return code, said.getvalue().splitlines()


def test_lives_are_decided_alike_on_both_interpreters(tmp_path):
    print("seed", SEED)
    faults = 0
    for number in range(6):
        path = tmp_path / f"life{number}.bin"
        box = lived(SEED + number)
        path.write_bytes(record_of(box, "end"))
        code, here = run(path)
        assert code == 0 and here[-1].startswith("no difference in "), here[-4:]
        assert run(path, "--runtime", "micropython") == (0, here)
        faults += "faults S" in "\n".join(here)
        rows = list(csv.DictReader(run(path, "--unpack")[1]))
        assert len(rows) == int(here[-1].split()[3])
        assert int(rows[-1]["now_ms"]) == box.loop.readings.now_ms
        assert int(rows[-1]["currents_ma_l3"]) == box.loop.readings.currents_ma[2]
    assert faults >= 1


@pytest.mark.parametrize(
    ("module", "name", "planted", "words", "after_ms"),
    (
        (charging.units, "STOP_LIMIT_MS", 3000, "state stopping", 3000),
        (pilot, "duty_permille", lambda offered_ma: 100, "pilot pwm", 0),
        (claims, "limit_of", lambda claim, now_ms: 70_000 if claim.source == "grid" else claim.limit_ma, "by grid", 0),
    ),
)
def test_a_changed_constant_is_named_at_its_tick(tmp_path, monkeypatch, module, name, planted, words, after_ms):
    box = Box("stubborn", 3)
    Recording(box)
    box.run_ms(3500)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(9000)
    box.grid(b"pause")
    box.run_ms(9000)
    path = tmp_path / "life.bin"
    path.write_bytes(record_of(box, "end"))
    code, lines = run(path)
    assert code == 0
    # The tick in which the right code said these words, or the first one so many ms later.
    before_s = next(line for line in lines if line.endswith(words)).split()[0]
    at_ms = box.loop.memory.now_ms + round(float(before_s) * 1000) + after_ms
    ticks = [tick for segment in reader.opened(path.read_bytes()).segments for tick in segment.ticks]
    expected = next(number for number, tick in enumerate(ticks, 1) if tick.readings.now_ms >= at_ms)
    monkeypatch.setattr(module, name, planted)
    code, lines = run(path)
    assert code == 1
    assert lines[-1].startswith(f"first_difference: tick {expected}, "), (expected, lines[-1])


def test_files_that_are_none(tmp_path, capsys):
    for name, octets in (("empty", b""), ("text", b"hello"), ("zip", b"PK\x03\x04" + bytes(100))):
        path = tmp_path / name
        path.write_bytes(octets)
        for runtime in ("cpython", "micropython"):
            assert replay.run([str(path), "--runtime", runtime]) == 2
            assert "this is no flight record" in capsys.readouterr().err
        assert replay.run([str(path), "--unpack"]) == 2
    assert replay.run([str(tmp_path / "nothing")]) == 2
    assert replay.run([str(tmp_path)]) == 2
    capsys.readouterr()
    box = lived(1)
    whole = record_of(box, "end")
    for size in (len(whole) - 1, len(whole) // 2, 100):
        path.write_bytes(whole[:size])
        assert replay.run([str(path)]) == 2
        assert "damaged or cut off" in capsys.readouterr().err


def test_a_life_that_goes_wrong_is_kept(tmp_path, monkeypatch, capsys):
    played = {"character": "polite", "seed": 1, "moves": [[["pause", 20], 9000], [["network", b"\xff\xfe"], 300]]}
    with monkeypatch.context() as patch:
        patch.setattr(claims, "limit_of", lambda claim, now_ms: 80_000)
        with pytest.raises(Broken), lives.kept("lost_claim", played, tmp_path) as life:
            test_random_lives.live(played["character"], played["seed"], played["moves"], life.recorded)
        said = capsys.readouterr().out
        assert "lost_claim.json" in said and "host_tools replay" in said
        # As it went wrong, by the wrong code …
        assert run(tmp_path / "lost_claim.bin")[0] == 0
    # … and the right code differs from it, and lives the same life well.
    assert run(tmp_path / "lost_claim.bin")[0] == 1
    ((name, found),) = lives.stored(tmp_path)
    assert name == "lost_claim" and found["moves"] == played["moves"] and "Broken" in found["why"]
    test_random_lives.live(found["character"], found["seed"], found["moves"])
    with lives.kept("well", played, tmp_path) as life:
        life.recorded(Box("polite", 1))
    assert len(list(tmp_path.iterdir())) == 2


class App:
    """What the recorder asks of the app, around a simulated box."""

    version = "0.1.0"
    box = "garage"

    def __init__(self, box, folder):
        self.loop = box.loop
        self.board = box.board
        self.config = {"data_dir": str(folder)}
        self.now_ms = box.now_ms
        self.phrases = PhraseBook(str(bootstrap.ROOT / "firmware" / "words_en.txt"))
        self.told = []

    def tell(self, name, words):
        self.told.append(words)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(flight_recorder, "STEP_S", 0)
    monkeypatch.setattr(flight_recorder, "LOOK_S", 0)


async def served(recorder, is_done, tick):
    """Run the service while ticks go on until is_done()."""
    task = asyncio.create_task(recorder.run())
    for _ in range(5000):
        tick()
        await asyncio.sleep(0)
        if is_done() or task.done():
            break
    task.cancel()
    if task.done() and not task.cancelled():
        task.result()


def broken(box, recorder, is_done):
    """Break the diode for a while, and put it right again."""
    world.change(box.plant, {"faults": {"diode_missing": True}})
    asyncio.run(served(recorder, is_done, lambda: box.run_ms(23)))
    world.change(box.plant, {"faults": {"diode_missing": False}, "car": {"is_plugged": False}})
    box.run_ms(1000)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(60_000)


def charging_box(folder):
    box = Box("polite", 5)
    recorder = FlightRecorder(App(box, folder), 60)
    box.run_ms(3500)
    world.change(box.plant, {"car": {"is_plugged": True}})
    box.run_ms(70_000)
    return box, recorder


def test_the_recorder_keeps_the_newest_two_and_four_an_hour(tmp_path, at_once):
    (tmp_path / "flight-x.bin").write_bytes(b"not ours")
    box, recorder = charging_box(tmp_path)
    for number in range(1, 5):
        broken(box, recorder, lambda number=number: recorder.path(number) and number in recorder.numbers())
        assert recorder.numbers() == [n for n in (number - 1, number) if n]
        code, lines = run(recorder.path(number))
        assert code == 0, lines[-3:]
        assert "faults S2 latched" in "\n".join(lines)
        record = reader.opened((tmp_path / f"flight-{number}.bin").read_bytes())
        first, last = record.segments[0].ticks[0], record.segments[-1].ticks[-1]
        # A minute before and the second after the fault, to a tick.
        assert record.about["at_ms"] + 977 <= last.readings.now_ms <= record.about["at_ms"] + 1100
        assert last.readings.now_ms - first.readings.now_ms >= 60_000
        assert (record.about["fault"], record.about["box"]) == ("S2", "garage")
    broken(box, recorder, lambda: recorder.ring.fault is None and box.loop.memory.stage.state == "faulted")
    assert recorder.numbers() == [3, 4]
    box.run_ms(3_600_000)
    broken(box, recorder, lambda: 5 in recorder.numbers())
    assert recorder.numbers() == [4, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flight-4.bin", "flight-5.bin", "flight-x.bin"]


def test_a_full_flash_leaves_the_old_record_and_the_ticks(tmp_path, at_once, monkeypatch):
    box, recorder = charging_box(tmp_path)
    broken(box, recorder, lambda: recorder.numbers() == [1])
    before = (tmp_path / "flight-1.bin").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(flight_recorder.os, "rename", full)
        with pytest.raises(OSError):
            broken(box, recorder, lambda: False)
    assert (tmp_path / "flight-1.bin").read_bytes() == before
    assert not [segment for segment, _ in recorder.ring.held()[0] if not segment.is_held]
    ticks = box.loop.memory.now_ms
    box.run_ms(1000)
    assert box.loop.memory.now_ms > ticks


class Last(list):
    """A last Memory that can be watched."""


def test_a_record_that_is_written_holds_no_memory(tmp_path, at_once):
    # Found by a soak: the Memory of a fault stayed until the next one, with all commands it remembered.
    box, recorder = charging_box(tmp_path)
    held, watched = recorder.ring.held, []

    def watching():
        segments, last = held()
        last = Last(last)
        watched.append(weakref.ref(last))
        return segments, last

    recorder.ring.held = watching
    after, alive = [], []

    def is_done():
        if recorder.numbers() == [1]:
            after.append(None)
            alive.append(watched[0]() is not None)
        return len(after) > 20

    broken(box, recorder, is_done)
    assert watched and not alive[-1]


def test_a_recorder_that_fails_ends_and_nothing_else(tmp_path):
    box, recorder = charging_box(tmp_path)
    recorder.ring.note = lambda *_: 1 // 0
    box.run_ms(100)
    assert box.loop.note is None
    assert "ZeroDivisionError" in recorder._app.told[0]
    assert box.loop.memory.stage.state == "charging"


def test_no_memory_no_recorder(tmp_path, monkeypatch):
    box = Box("polite", 5)
    app = App(box, tmp_path)

    def short(*_):
        raise MemoryError

    monkeypatch.setattr(flight_recorder.flight_ring, "FlightRing", short)
    assert flight_recorder.add_to(None, app, 60) is None
    assert box.loop.note is None and app.told == ["there is no memory for the last 60 s"]
