"""Signed updates on the virtual chip: over the page and the serial line, the trial, and the way back from a bad one."""

import http.client
import json
import shutil
import socket
import time

import pytest
from chips import RunningChip, free_port
from new_versions import is_up, stored, with_changes
from playwright.sync_api import expect, sync_playwright

from host_tools.device import asked, bundle, install, slot
from host_tools.device import task as device_task
from host_tools.device.prompt import Prompt
from host_tools.updates import trial_keys

expect.set_options(timeout=60_000)  # so long only where the page never says it
SEED = 20261121
PASSWORD = "a-good-one"
OCTETS = "application/octet-stream"
# A version that starts and never ticks; one that cannot be loaded.
IDLES = b"""
import asyncio, machine
VERSION = '0.1.0'
def run(config):
    async def fed():
        dog = machine.WDT(timeout=2000)
        while True:
            dog.feed()
            await asyncio.sleep(0.2)
    asyncio.run(fed())
"""
RAISES = b"raise ValueError('a bad version')\n"


@pytest.fixture(scope="module")
def installed(files, tmp_path_factory):
    """(folder of a chip's flash with that build, port of its page)."""
    folder, port = tmp_path_factory.mktemp("installed"), free_port()
    box = {"box": "garage", "owner_token": "t", "owner_password": PASSWORD, "web_host": "127.0.0.1", "web_port": port}
    with RunningChip(folder) as chip, Prompt(chip.port) as prompt:
        install.install(prompt, files, lambda path, number, of: None)
        prompt.put("/box.json", json.dumps(box).encode())
    return folder, port


@pytest.fixture
def flash(installed, tmp_path):
    """A copy of it."""
    shutil.copytree(installed[0], tmp_path / "chip")
    return tmp_path / "chip", installed[1]


def posted(port, octets, length_b=None, headers=()):
    """(status, JSON) of a POST of an update."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = {"Authorization": "Bearer t", "Content-Type": OCTETS, **dict(headers)}
    line.request("POST", "/api/update", octets, {**sent, "Content-Length": str(length_b or len(octets))})
    answer = line.getresponse()
    return answer.status, json.loads(answer.read())


def told(port):
    """(code, tag) of what the box's security log says of updates."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", "/api/log?format=jsonl&stream=security", headers={"Authorization": "Bearer t"})
    rows = [json.loads(row) for row in line.getresponse().read().decode().splitlines()]
    return [(row["code"], row["tag"]) for row in rows if row["code"].startswith(("update", "rolled_back"))]


def test_refusals_in_words_change_nothing(flash, good, key, files):
    folder, port = flash
    other = bundle.packed(with_changes(files, {}, version="0.2.0"), trial_keys.key(SEED + 1))
    older = bundle.packed(with_changes(files, {}, version="0.0.9"), key)
    foreign = bundle.packed(with_changes(files, {}, board="burst"), key)
    holed = bytearray(good)
    holed[-1] ^= 1
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        before = stored(folder)
        for octets, code in (
            (b"", "wrong_length"),
            (b"x" * 2048, "wrong_length"),
            (b"x" * 5000, "no_update"),
            (good[:-1], "wrong_length"),
            (good * 2, "wrong_length"),
            (other, "bad_signature"),
            (older, "older"),
            (foreign, "wrong_board"),
            (bytes(holed), "bad_file"),
        ):
            status, said = posted(port, octets)
            assert status == 400 and said["code"] == code and len(said["words"]) > 15, said
        refused = "wrong_length wrong_length no_update wrong_length wrong_length".split()
        refused += ["bad_signature", "older", "wrong_board", "bad_file"]
        chip.wait(lambda: told(port) == [("update_refused", code) for code in refused], "the log tells of each", 30)
        assert posted(port, good, headers={"Authorization": "Bearer x"})[0] == 401
        assert posted(port, good, headers={"Origin": "http://evil.example"})[0] == 403
        assert posted(port, good, headers={"Content-Type": "application/json"})[0] == 415
        chip.live(1)  # a car that is there in the first half second waits for the power return's random time
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "the car is charged", 60)
        status, said = posted(port, good)
        assert (status, said["code"]) == (409, "plugged") and "unplug" in said["todo"].lower()
        assert chip.plant.is_coil_on, "an update that is refused stops no charge"
        assert chip.chip.resets == [1] and stored(folder) == before


def slowly(port, path, octets, **headers):
    """(status, JSON or text) of a POST whose sender sends all of it, over a slow line, before he reads a word."""
    sent = {
        "Host": "box",
        "Authorization": "Bearer t",
        "Content-Type": OCTETS,
        "Content-Length": len(octets),
        **headers,
    }
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head.encode() + b"\r\n")
        for at in range(0, len(octets), 4000):
            line.sendall(octets[at : at + 4000])
            time.sleep(0.1)
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2].decode()


def test_a_refusal_reaches_who_sends_all_of_it_first(flash):
    folder, port = flash
    octets = b"x" * 60_000
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        for status, words, path, headers in (
            (401, "log in", "/api/update", {"Authorization": "Bearer x"}),
            (403, "may not command", "/api/update", {"Origin": "http://evil.example"}),
            (415, "Send application", "/api/update", {"Content-Type": "application/json"}),
            (400, "update", "/api/update", {}),
            (413, "too long", "/api/backup", {"Content-Type": "application/json"}),
            (404, "Not found", "/api/nothing", {}),
        ):
            found, said = slowly(port, path, octets, **headers)
            assert found == status and words in said, (path, found, said)
        assert is_up(port) and chip.chip.resets == [1]


def test_ten_times_too_long_and_two_at_once(flash, good):
    folder, port = flash
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        status, said = posted(port, good + bytes(9 * len(good)))
        assert (status, said["code"]) == (400, "wrong_length"), said
        slow = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": "Bearer t", "Content-Type": OCTETS, "Content-Length": str(len(good))}
        slow.request("POST", "/api/update", good[:100_000], headers)
        chip.live(1)
        status, said = posted(port, good)
        assert (status, said["code"]) == (409, "busy")
        slow.close()
        chip.wait_said("broke off", 30)
        assert posted(port, good)[1]["code"] == "stored", "the one that broke off leaves nothing behind"


def test_a_car_that_comes_meanwhile_stops_it(flash, good):
    folder, port = flash
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        said = []
        half = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": "Bearer t", "Content-Type": OCTETS, "Content-Length": str(len(good))}
        half.request("POST", "/api/update", good[:60_000], headers)
        chip.live(1)  # a car that is there in the first half second waits for the power return's random time
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.live(0.5)
        half.send(good[60_000:])
        said = json.loads(half.getresponse().read())
        assert said["code"] == "plugged"
        chip.wait(lambda: chip.plant.is_coil_on, "the car is charged as ever", 60)


def test_from_the_page_to_a_passed_trial(flash, good):
    folder, port = flash
    with RunningChip(folder, speed=3) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        assert posted(port, good) == (200, {**posted_words("stored"), "code": "stored", "field": ""})
        chip.wait(lambda: len(chip.chip.resets) == 2, "it starts anew", 20)
        chip.wait_runs()
        assert stored(folder)["slot"] == 1 | 4, "slot b, in its first start on trial"
        chip.wait(lambda: is_up(port), "the page of the new version answers", 30)
        status, said = posted(port, good)
        assert (status, said["code"]) == (409, "trial")
        chip.wait_said("has passed its trial", 90)
        passed = [("update", "trial"), ("update_refused", "trial"), ("update", "confirmed")]
        chip.wait(lambda: told(port)[-3:] == passed, "the log tells of it", 30)
        assert stored(folder)["slot"] == 1
        assert stored(folder)["security"] == slot.SECURITY_VERSION
        chip.power_cut()
        chip.wait(lambda: is_up(port), "it stays", 30)
        assert stored(folder)["slot"] == 1
        # And from b back into a.
        assert posted(port, good)[1]["code"] == "stored"
        chip.wait(lambda: stored(folder)["slot"] == 0 | 4, "slot a is on trial", 30)


def posted_words(code):
    """Words of a code as the box says them."""
    from host_tools.docs_task import phrase

    words, todo = phrase("update." + code)
    return {"words": words, "todo": todo}


def test_a_version_that_cannot_start_is_gone_after_two_boots(flash, files, key):
    folder, port = flash
    bad = with_changes(files, slot.compiled({"firmware/app.py": RAISES}), version="0.2.0")
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        assert posted(port, bundle.packed(bad, key))[1]["code"] == "stored"
        chip.wait_said("slot b has not passed its trial", 60)
        chip.wait(lambda: is_up(port), "the version before answers", 30)
        assert chip.said().count("a bad version") == 2
        assert chip.chip.resets == [1, 2, 2, 2]
        assert stored(folder)["slot"] == 0 | 8 and stored(folder)["crashes"] == 0
        chip.wait_said("the one before runs again", 20)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.request("GET", "/api/status", headers={"Authorization": "Bearer t"})
        notices = json.loads(line.getresponse().read())["network"]["notices"]
        chip.wait(lambda: ("rolled_back", "") in told(port), "the log tells of it", 30)
        assert [words for words, _ in notices] == ["The new version did not pass its trial; the one before runs again"]
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "it charges as ever", 60)


def test_a_version_that_never_ticks_is_gone_after_seven_minutes(flash, files, key):
    folder, port = flash
    idle = with_changes(files, slot.compiled({"firmware/app.py": IDLES}), version="0.2.0")
    with RunningChip(folder, speed=10) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        assert posted(port, bundle.packed(idle, key))[1]["code"] == "stored"
        chip.wait(lambda: stored(folder)["slot"] == 1 | 4, "it is on trial", 30)
        begun_us = chip.plant.now_us
        chip.wait(lambda: stored(folder)["slot"] == 0 | 8, "it goes", 80)
        took_s = (chip.plant.now_us - begun_us) / 1_000_000
        print(f"trial ended after {took_s:.0f} s of the box's time")
        assert 400 <= took_s <= 440
        chip.wait(lambda: is_up(port), "the version before answers", 30)
        assert not chip.plant.is_coil_on


def test_a_person_updates_from_the_page(flash, good, tmp_path):
    folder, port = flash
    (tmp_path / "bad.ebbupdate").write_bytes(good[:-1])
    (tmp_path / "good.ebbupdate").write_bytes(good)
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with RunningChip(folder) as chip, sync_playwright() as play:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_label("Password of this box").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Update", exact=True).first.click()
        told = page.locator("#update-told")
        for name, words in (
            ("bad", "The update is cut short, or something hangs on it. Fetch it again."),
            ("good", "The update is stored; the box starts anew."),
        ):
            page.get_by_label("Update file").set_input_files(tmp_path / f"{name}.ebbupdate")
            page.get_by_role("button", name="Update", exact=True).click()
            expect(told).to_have_text(words)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        chip.wait(lambda: stored(folder)["slot"] == 1 | 4, "the new version is on trial", 30)
        browser.close()


def test_over_the_serial_line(flash, good, key, files, tmp_path, capsys):
    folder, port = flash
    path = tmp_path / "new.ebbupdate"
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        for octets, words in (
            (b"short", "no update of ebb"),
            (bundle.packed(with_changes(files, {}, board="burst"), key), "another board"),
            (good[:-1] + bytes((good[-1] ^ 1,)), "damaged"),
        ):
            path.write_bytes(octets)
            assert device_task.run(["update", "--port", chip.port, str(path)]) == 2
            said = capsys.readouterr().err.splitlines()[-1]
            assert words in said
            chip.wait_runs()
        chip.wait(lambda: is_up(port), "the old version runs on", 30)
        assert not stored(folder).get("slot")
        path.write_bytes(good)
        assert device_task.run(["update", "--port", chip.port, str(path)]) == 0
        chip.wait(lambda: stored(folder)["slot"] == 1 | 4, "the new version is on trial", 30)
        chip.wait(lambda: is_up(port), "its page answers", 30)
        assert device_task.run(["update", "--port", chip.port, str(path)]) == 2
        assert "on trial itself" in capsys.readouterr().err


def tried(chip, tmp_path, capsys, *options):
    """(exit code, last words) of `device update`."""
    code = device_task.run(["update", "--port", chip.port, *options, str(tmp_path / "new.ebbupdate")])
    return code, capsys.readouterr().err.splitlines()[-1:]


def test_over_the_serial_line_never_while_a_car_charges(flash, good, tmp_path, capsys):
    folder, port = flash
    (tmp_path / "new.ebbupdate").write_bytes(good)
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        chip.live(1)  # a car that is there in the first half second waits for the power return's random time
        chip.plant.car.is_plugged = True
        chip.plant.wire_changed()
        chip.wait(lambda: chip.plant.is_coil_on, "the car is charged", 60)
        for options in ((), ("--force",)):
            code, said = tried(chip, tmp_path, capsys, *options)
            assert code == 2 and "A car is charging" in said[0], said
            assert chip.plant.is_coil_on and "stopped by a person" not in chip.said()
        chip.plant.car.want(False)
        chip.plant.wire_changed()
        chip.wait(lambda: not chip.plant.is_coil_on, "the car has had enough", 60)
        chip.wait(lambda: tried(chip, tmp_path, capsys)[1][0].startswith("ebb: A car is plugged in"), "refused", 60)
        assert is_up(port) and chip.chip.resets == [1] and not stored(folder).get("slot"), "nothing was stopped"
        found = tried(chip, tmp_path, capsys, "--force")
        assert found[0] == 0, found
        chip.wait(lambda: stored(folder)["slot"] == 1 | 4, "the new version is on trial", 30)


def test_over_the_serial_line_to_a_firmware_that_does_not_answer(flash, tmp_path, capsys, monkeypatch, key, files):
    folder, port = flash
    monkeypatch.setattr(asked, "ANSWER_S", 4)
    path = tmp_path / "new.ebbupdate"
    path.write_bytes(bundle.packed(with_changes(files, {}, board="burst"), key))
    with RunningChip(folder) as chip:
        chip.wait(lambda: is_up(port), "the page answers", 30)
        monkeypatch.setattr(asked, "ASK", b"\x02\r")
        code, said = tried(chip, tmp_path, capsys)
        assert code == 2 and "does not say whether a car is plugged in" in said[0]
        assert is_up(port) and chip.chip.resets == [1]
        code, said = tried(chip, tmp_path, capsys, "--force")
        assert code == 2 and "another board" in said[0], "it went on"
        chip.wait_runs()
        monkeypatch.undo()
        with Prompt(chip.port):
            pass  # the firmware rests, and the prompt is there
        assert "another board" in tried(chip, tmp_path, capsys)[1][0]
