"""From power-on to the tick on the virtual chip: slots, crashes, safe mode, watchdog, damaged flash."""

import json
import random
import re
import shutil
import socket
import urllib.error
import urllib.request

import pytest
from chips import RunningChip

from host_tools.device import box_file, build, install
from host_tools.device.prompt import Prompt

PASSWORD = "a-good-one"
SECTOR = 4096
MOST_TRACES = 8  # blocks


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder of a chip's flash with the built firmware, provisioned, never started."""
    folder = tmp_path_factory.mktemp("installed")
    with RunningChip(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, build.made("reference").files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps({"box": "garage", "owner_password": PASSWORD}).encode())
    return folder


@pytest.fixture
def flash(installed, tmp_path):
    """A copy of it."""
    shutil.copytree(installed, tmp_path / "chip")
    return tmp_path / "chip"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def at_prompt(chip, *codes, files=()):
    """Change what lies on the flash of a started chip, then restart it as the tools do."""
    with Prompt(chip.port) as prompt:
        for path, content in files:
            prompt.put(path, content) if content is not None else prompt.remove(path)
        for code in codes:
            prompt.run(code)
        prompt.restart()


def is_ticking(chip):
    """The pilot is driven and the coil's heartbeat may come: the firmware runs."""
    return chip.plant.pilot_mode == "high"


def assert_safe(chip):
    assert not chip.plant.is_coil_on
    assert not chip.plant.is_coil_enabled


def status(port, token):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=5) as found:
        return json.load(found)


def box_json(port, **more):
    made = {"box": "garage", "owner_password": PASSWORD, "owner_token": "t", "web_host": "127.0.0.1", "web_port": port}
    return json.dumps({**made, **more}).encode()


def command(port, kind):
    body = json.dumps({"kind": kind}).encode()
    headers = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/api/command", body, headers), timeout=5)


def answers(port):
    try:
        return status(port, "t")
    except OSError:
        return None


def test_power_on_to_a_charge(flash):
    port = free_port()
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        first_ms = next(at_ms for at_ms, name, value in chip.plant.edges if name == "pilot_mode" and value == "high")
        print(f"boot_to_first_tick: {first_ms} ms")
        at_prompt(chip, files=[("/box.json", box_json(port))])
        chip.wait(lambda: answers(port), "the page answers")
        assert status(port, "t")["state"] == "idle"
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "the car is charged")
        with Prompt(chip.port) as prompt:
            chip.wait(lambda: not chip.plant.is_coil_on, "Ctrl-C opens the contactor", 1)
            assert "stopped by a person" in chip.said()
            chip.live(3)
            assert prompt.run("import machine; print(machine.reset_cause())") == "2\n", (
                "the watchdog is fed at the prompt"
            )
        assert chip.chip.resets[-1] == 2


def test_the_slot_is_checked_and_the_other_one_taken(flash):
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        at_prompt(chip, files=[("/a/firmware.bin", None)])
        chip.wait_said("no slot holds a whole firmware")
        chip.wait_said("No module named", 5) if "No module" in chip.said() else None
        assert_safe(chip)
        copied = "import os\nos.rename('/a', '/b')"
        files = build.made("reference").files
        at_prompt(chip, copied, files=[("/a/firmware.bin", files["a/firmware.bin"])])
        chip.wait_said("slot a is not whole; slot b is started")
        chip.wait(lambda: is_ticking(chip), "slot b ticks")


def test_one_changed_byte_is_not_run(flash):
    files = build.made("reference").files
    code = bytearray(files["a/firmware.bin"])
    code[len(code) // 2] ^= 1
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        at_prompt(chip, files=[("/a/firmware.bin", bytes(code))])
        chip.wait_said("no slot holds a whole firmware")
        assert_safe(chip)
        code = bytearray(files["starter.mpy"])
        code[-5] ^= 1
        at_prompt(chip, files=[("/starter.mpy", bytes(code))])
        chip.wait_said("starter.mpy is damaged")
        chip.wait_said("the contactor is open")
        assert_safe(chip)


def test_a_firmware_that_cannot_start_ends_at_the_prompt(flash):
    broken = json.dumps({"tick_ms": 23}).encode()
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        with Prompt(chip.port) as prompt:
            manifest = json.loads(prompt.read("/a/manifest.json"))
            prompt.put("/a/board.json", broken)
            for row in manifest["files"]:
                if row["path"] == "board.json":
                    row["sha256"] = prompt.digests(["/a/board.json"])["/a/board.json"]
            prompt.put("/a/manifest.json", json.dumps(manifest).encode())
            prompt.restart()
        chip.wait_said("The board file lacks", 30)
        chip.wait_said("the firmware cannot run; the contactor is open", 30)
        assert chip.chip.resets[-4:] == [2, 2, 2, 2], "three crashes, then no more resets"
        assert_safe(chip)
        with Prompt(chip.port) as prompt:
            assert prompt.run("print(1)") == "1\n"


HANGS = b"""
import asyncio, starter
made = starter.config_of('/box.json')
from firmware import app
async def hang():
    await asyncio.sleep(0.5)
    while True:
        pass
box = app.App(made)
async def both():
    asyncio.create_task(hang())
    await box.run()
asyncio.run(both())
"""


def test_a_hang_is_bitten_by_the_watchdog_and_three_lock_the_contactor(flash):
    port = free_port()
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        with Prompt(chip.port) as prompt:
            whole = prompt.read("/main.py")
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        at_prompt(chip, files=[("/box.json", box_json(port)), ("/main.py", HANGS)])
        chip.wait(lambda: chip.chip.resets.count(3) >= 2, "the watchdog bites twice", 30)
        assert "reset 1 was not asked for (cause 3)" in chip.said()
        chip.wait_said("reset 3 was not asked for", 30)
        chip.wait(lambda: chip.chip.resets.count(3) >= 3, "and a third time")
        # In safe mode the tick rests; the hang of this test goes on hanging, so the right main.py is put back.
        at_prompt(chip, files=[("/main.py", whole)])
        chip.wait_said("three restarts in a row: the contactor stays open")
        chip.wait(lambda: answers(port), "the page answers in safe mode")
        told = status(port, "t")
        assert (told["state"], told["faults"][0]["code"]) == ("faulted", "X1")
        chip.live(2)
        assert_safe(chip)
        command(port, "clear_fault")
        chip.wait(lambda: chip.plant.is_coil_on, "the owner lets it go on", 60)


def test_power_return_is_no_crash(flash):
    with RunningChip(flash) as chip:
        for _ in range(4):
            chip.wait(lambda: is_ticking(chip), "ticks")
            chip.power_cut()
        chip.wait(lambda: is_ticking(chip), "ticks")
        assert "not asked for" not in chip.said()


def test_a_damaged_data_partition_is_made_anew_and_nothing_else(flash):
    with RunningChip(flash) as chip:
        # The pilot is driven before the data is divided: a cut in there loses nothing, all files lie with the slots.
        chip.wait_said("opens no access point")
        chip.now(chip.chip.cut())
        (flash / "data.img").write_bytes(b"\x33" * (1024 * 1024))
        before = (flash / "vfs.img").read_bytes()
        chip.now(chip.chip.power_on())
        chip.wait_said("the data was not readable and is made anew")
        chip.wait(lambda: is_ticking(chip), "ticks")
        chip.wait_said("The settings were damaged")
        # Dividing the data leaves traces in a few blocks of the slots' file system, whose files the starter has read.
        after = (flash / "vfs.img").read_bytes()
        changed = [at for at in range(0, len(after), SECTOR) if after[at : at + SECTOR] != before[at : at + SECTOR]]
        assert len(changed) <= MOST_TRACES


def test_damage_anywhere_in_the_flash_ends_safe(flash):
    """A sample of blocks; a used block that is garbled may stop the firmware, and never closes the contactor."""
    seed = random.SystemRandom().randrange(1 << 31)
    print("seed", seed)
    chance = random.Random(seed)
    whole = (flash / "vfs.img").read_bytes()
    used = [index for index in range(len(whole) // SECTOR) if whole[index * SECTOR :][:64] != b"\xff" * 64]
    outcomes = {"ticks": 0, "words": 0}
    for index in [0, 1, *chance.sample(used, 6)]:
        damaged = whole[: index * SECTOR] + chance.randbytes(SECTOR) + whole[(index + 1) * SECTOR :]
        (flash / "vfs.img").write_bytes(damaged)
        with RunningChip(flash) as chip:
            chip.wait(lambda: is_ticking(chip) or says_why(chip), f"block {index} ends in a tick or in words", 20)
            outcomes["ticks" if is_ticking(chip) else "words"] += 1
            assert_safe(chip)
    print(outcomes)
    assert outcomes["words"] >= 1


def patched(port, changes):
    """(status, body) of PATCH /api/settings."""
    headers = {"Authorization": "Bearer t", "Content-Type": "application/json"}
    body = json.dumps(changes).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/settings", body, headers, method="PATCH")
    try:
        with urllib.request.urlopen(request, timeout=10) as found:
            return found.status, json.load(found)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_full_flash_keeps_what_was_and_says_so(flash):
    port = free_port()
    # In steps: a program that runs for 2 s without a tick would be bitten by the watchdog.
    opened = "f = open('/data/full', 'wb')"
    filled = "try:\n    for _ in range(5): f.write(bytes(4096))\nexcept OSError as e: print(e)"
    # A few hundred bytes may still fit: the place of the new file is taken too, by what is not taken away.
    place = "/data/settings.json.new"
    blocked = f"import os\nos.mkdir('{place}')\nopen('{place}/x', 'w').close()"
    closed = "try:\n    f.close()\nexcept OSError as e: print(e)"
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        at_prompt(
            chip, box_file.SHOWN_CODE, blocked, opened, *[filled] * 52, closed, files=[("/box.json", box_json(port))]
        )
        chip.wait(lambda: answers(port), "the page answers on a full flash")
        status_code, told = patched(port, {"restart_spread_s": 5})
        assert (status_code, told["code"]) == (400, "not_stored") and "nothing was changed" in told["words"]
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "charging goes on on a full flash", 60)
        at_prompt(
            chip,
            box_file.SHOWN_CODE,
            f"import os\nos.remove('/data/full')\nos.remove('{place}/x')\nos.rmdir('{place}')",
        )
        chip.wait(lambda: answers(port), "the page answers again", 30)
        assert patched(port, {"restart_spread_s": 5})[0] == 200


def says_why(chip):
    said = chip.said()
    return any(words in said for words in ("contactor is open", "boot:", "corrupted", "Traceback", ">>> "))


STALLS = """
import asyncio, starter, time
made = starter.config_of('/box.json')
from firmware import app
box = app.App(made)
async def stall():
    for for_ms, is_bridged in (%s,):
        while box.loop.memory.stage.state != 'charging':
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        if is_bridged:
            box.board.bridge()
        print('stall', for_ms)
        time.sleep_ms(for_ms)
        print('stalled', for_ms)
        await asyncio.sleep(0.5)
        print('now in', box.loop.memory.stage.state)
async def both():
    asyncio.create_task(stall())
    await box.run()
asyncio.run(both())
"""


def as_built(program):
    """A program for the box with the names that the build gave them."""
    names = [row for told in build.made("reference").names.values() for row in told.items()]
    short = {one.rpartition(":")[2]: name for name, told in names for one in told.split("|")}
    return re.sub(r"(?<=[.])[a-zA-Z_]+\b", lambda found: short.get(found[0], found[0]), program)


@pytest.mark.parametrize(
    ("for_ms", "is_bridged", "stays_on"), ((120, False, True), (450, False, False), (1200, True, True))
)
def test_the_pump_lets_go_after_a_stall_unless_a_train_holds_it(flash, for_ms, is_bridged, stays_on):
    with RunningChip(flash) as chip:
        chip.wait(lambda: is_ticking(chip), "ticks")
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.plant.car.pilot_changed()
        at_prompt(chip, files=[("/main.py", as_built(STALLS % f"({for_ms}, {is_bridged})").encode())])
        chip.wait_said(f"stall {for_ms}", 60)
        begun_ms = chip.plant.now_us // 1000
        chip.wait_said("now in ", 20)
        edges = [value for at_ms, name, value in chip.plant.edges if at_ms >= begun_ms - 50 and name == "coil"]
        print(f"longest gap between heartbeats: {chip.plant.worst_gap_us // 1000} ms")
        if stays_on:
            assert edges == [] and chip.plant.is_coil_on
            assert "now in charging" in chip.said()
        else:
            # It fell by the hardware's lease, and came back only by the usual way: not within the stall's own second.
            assert edges == [False]
            assert "now in faulted" in chip.said()
            chip.wait(lambda: chip.plant.is_coil_on, "the charge goes on after the fault", 90)
