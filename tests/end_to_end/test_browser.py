"""A person's way in a real Chromium: plug in on the bench page, log in, watch, be paused by the grid, pause oneself."""

import json
import re
import shutil
import time
import urllib.error
import urllib.request

import pytest
from chips import box_chip, free_port
from new_versions import is_up
from playwright.sync_api import expect, sync_playwright
from running import RunningDemo, publish

from firmware.wire import ntp
from firmware.wire.ledger_record import Session, packed_session
from host_tools.device.prompt import Prompt
from host_tools.sim import rtc_file

expect.set_options(timeout=60_000)  # so long only where the page never says it
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def browser():
    """The machine's own Chromium, headless."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, "no Chromium on this machine; `python3 -m host_tools test` installs it"
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser, url, width=390):
    """A page, with the errors that its scripts and the browser's console report."""
    page = browser.new_page(viewport={"width": width, "height": 844}, locale="en-US")
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda line: page.errors.append(line.text) if line.type == "error" else None)
    page.goto(url)
    return page


def is_scrolling_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def log_in(page, password):
    page.get_by_label("Password of this box").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_stranger_sees_a_pause_happen(mosquitto, tmp_path, browser, request):
    shots = request.config.getoption("--shots")
    with RunningDemo("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box")) as demo:
        owner, bench = opened(browser, demo.ready["web"]), opened(browser, demo.ready["bench"], 1280)

        def shot(page, name):
            if shots:
                page.screenshot(path=f"{shots}/{name}.png", full_page=True)
            assert not is_scrolling_sideways(page), name

        words = owner.locator("#words")
        expect(words).to_have_text("Log in to see this box.")
        shot(owner, "owner-login")
        log_in(owner, "wrong")
        expect(owner.locator("#wrong")).not_to_be_empty()
        told_ms = demo.world()["now_ms"]  # the box's clock stands while the PC is busy
        demo.wait(lambda: demo.world()["now_ms"] - told_ms > 1100, "the wait for a wrong password is over")
        log_in(owner, demo.ready["owner_password"])
        expect(words).to_have_text("No car is plugged in.")
        shot(owner, "owner-idle")
        bench.get_by_role("button", name="Plug in").click()
        expect(words).to_have_text(re.compile("^Charging with up to "))
        expect(owner.locator("#l1")).not_to_have_text("0.0 A")
        expect(bench.locator("#r-letter")).to_contain_text("C")
        shot(owner, "owner-charging")
        shot(bench, "bench-charging")
        publish(mosquitto.port, f"ebb/1/box/{demo.ready['box']}/cmd", "pause")
        expect(words).to_have_text(re.compile(r"^Paused by the grid until \d\d:\d\d\.$"))
        shot(owner, "owner-paused-by-the-grid")
        shot(bench, "bench-paused-by-the-grid")
        publish(mosquitto.port, f"ebb/1/box/{demo.ready['box']}/cmd", "resume")
        # What the grid opened rests for a minute; the owner need not wait.
        expect(words).to_contain_text("rest for the power switch")
        shot(owner, "owner-contactor-rests")
        owner.get_by_role("button", name="Charge now").click()
        expect(words).to_have_text(re.compile("^Charging with up to "))
        owner.get_by_role("button", name="Pause for 1 h").click()
        expect(words).to_have_text(re.compile(r"Paused by you until \d\d:\d\d\.$"))
        demo.world({"faults": {"diode_missing": True}})
        owner.get_by_role("button", name="Resume").click()
        expect(owner.locator("#faults")).to_contain_text("diode is missing")
        shot(owner, "owner-fault")
        assert not bench.errors
        # A refused login and an asked status without one are the browser's own lines in the console; no script failed.
        assert [line for line in owner.errors if "401" not in line and "429" not in line] == []
        owner.get_by_role("button", name="Log out").click()
        expect(words).to_have_text("Log in to see this box.")
    expect(words).to_have_text("This page cannot reach the box.")


def test_without_a_car_and_a_broker(tmp_path, browser):
    """A sender that is away is no error of the page."""
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        owner = opened(browser, demo.ready["web"])
        log_in(owner, demo.ready["owner_password"])
        expect(owner.locator("#words")).to_have_text("No car is plugged in.")
        owner.get_by_role("button", name="Pause for 1 h").click()
        expect(owner.locator("#words")).to_contain_text("no car is plugged in.")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(demo.ready["web"].rstrip("/") + "/api/status")
        assert refused.value.code == 401


def test_the_limit_of_the_installation(tmp_path, browser, request):
    with RunningDemo("--data", str(tmp_path / "box")) as demo:
        owner = opened(browser, demo.ready["web"])
        log_in(owner, demo.ready["owner_password"])
        expect(owner.locator("#words")).to_have_text("No car is plugged in.")
        expect(owner.get_by_label("Limit in amperes")).to_be_hidden()
        owner.get_by_text("Installation", exact=True).click()
        limit, told = owner.get_by_label("Limit in amperes"), owner.locator("#limit-told")
        expect(limit).to_have_value("16")
        owner.get_by_role("button", name="Set the limit").click()
        expect(told).to_have_text("The limit is 16.0 A.")
        limit.fill("20")
        owner.get_by_role("button", name="Set the limit").click()
        expect(told).to_contain_text("Only the installer may change this.")
        owner.get_by_label("Installer's code").fill(demo.ready["installer_code"])
        owner.get_by_role("button", name="Set the limit").click()
        expect(told).to_contain_text("Press the button on the box")
        limit.fill("10.5")
        owner.get_by_role("button", name="Set the limit").click()
        expect(told).to_have_text("The limit is 10.5 A.")
        assert not is_scrolling_sideways(owner)
        if request.config.getoption("--shots"):
            owner.screenshot(path=f"{request.config.getoption('--shots')}/owner-installation.png", full_page=True)
        assert [line for line in owner.errors if "401" not in line and "403" not in line] == []


def test_the_owner_allows_announced_updates(mosquitto, tmp_path, browser):
    options = ("--broker", f"127.0.0.1:{mosquitto.port}", "--data", str(tmp_path / "box"))
    with RunningDemo(*options) as demo:
        owner = opened(browser, demo.ready["web"])
        log_in(owner, demo.ready["owner_password"])
        demo.wait(lambda: demo.status()["network"]["mqtt_is_connected"], "the broker is there")
        topic = f"ebb/1/box/{demo.ready['box']}/set/update"
        publish(mosquitto.port, topic, "{}")
        expect(owner.locator("#faults")).to_contain_text("which the settings do not allow")
        owner.get_by_text("Update", exact=True).first.click()
        box, told = owner.get_by_label("announced over MQTT"), owner.locator("#announced-told")
        expect(box).to_be_enabled()
        expect(box).not_to_be_checked()
        box.check()
        expect(told).to_contain_text("Allowed")
        publish(mosquitto.port, topic, "{}")
        expect(owner.locator("#faults")).to_contain_text("does not tell address, version and SHA-256")
        # A demo has no second slot: that is told, and the connection stays.
        good = {"url": "http://127.0.0.1:1/a", "version": "9.9.9", "sha256": "0" * 64}
        publish(mosquitto.port, topic, json.dumps(good))
        expect(owner.locator("#faults")).to_contain_text("no place for a second version")
        assert not is_scrolling_sideways(owner)
        owner.reload()
        owner.get_by_text("Update", exact=True).first.click()
        expect(box).to_be_checked()
        box.uncheck()
        expect(told).to_have_text("Not allowed.")
        assert demo.status()["network"]["mqtt_is_connected"]
        assert [line for line in owner.errors if "401" not in line] == []


def test_a_new_box_gets_its_wifi_from_a_phone(tmp_path, browser, request):
    port = free_port()
    box = {"box": "garage", "owner_password": "x", "ap_secret": "a-secret-of-its-own"}
    box.update({"web_host": "127.0.0.1", "web_port": port, "dns_host": "127.0.0.1", "dns_port": free_port()})
    with box_chip(tmp_path / "chip") as chip:
        with Prompt(chip.port) as prompt:
            prompt.put("/box.json", json.dumps(box).encode())
            prompt.restart()
        chip.wait(lambda: is_up(port), "the page answers", 60)
        page = opened(browser, f"http://127.0.0.1:{port}/")
        told = page.locator("#wifi-told")
        expect(page.locator("#wifi")).to_be_visible()
        page.get_by_label("Network").fill("home")
        page.get_by_label("Its password").fill("not-the-right-one")
        page.get_by_role("button", name="Connect").click()
        expect(told).to_contain_text(re.compile("password", re.I))
        page.get_by_label("Its password").fill("home-secret")
        page.get_by_role("button", name="Connect").click()
        expect(page.locator("#wifi-words")).to_contain_text("home")
        chip.wait(lambda: "stored" in chip.said() or "kept" in chip.said(), "it is kept", 40)
        if request.config.getoption("--shots"):
            page.screenshot(path=f"{request.config.getoption('--shots')}/owner-wifi.png", full_page=True)
        assert not is_scrolling_sideways(page)


def test_the_last_sessions(tmp_path, browser, request):
    folder = tmp_path / "box"
    folder.mkdir()
    begun_s = 1_795_176_000  # 2026-11-20 12:00 UTC
    rows = [(number, 0 if number == 8 else begun_s + number * 86_400, number * 7_210) for number in range(12)]
    octets = [
        Session(number, at_s, at_s and at_s + 5400, number * 1800, wh, 0, wh + 7_210, 0) for number, at_s, wh in rows
    ]
    (folder / "sessions-0.bin").write_bytes(b"".join(map(packed_session, octets)))
    with RunningDemo("--data", str(folder)) as demo:
        for width in (390, 1280):
            owner = opened(browser, demo.ready["web"], width)
            log_in(owner, demo.ready["owner_password"])
            expect(owner.locator("#words")).to_have_text("No car is plugged in.")
            expect(owner.locator("#sessions")).to_be_hidden()
            owner.get_by_text("Sessions", exact=True).click()
            cells = owner.locator("#sessions tbody tr")
            expect(cells).to_have_count(10)
            # The newest first.
            expect(cells.nth(0)).to_have_text(re.compile(r"Dec 1, 2026.*7\.21 kWh5 h 30 min$"))
            expect(cells.nth(3)).to_have_text("time not known7.21 kWh4 h 0 min")
            expect(cells.nth(9)).to_have_text(re.compile(r"Nov 22, 2026.*7\.21 kWh1 h 0 min$"))
            assert not is_scrolling_sideways(owner)
            if request.config.getoption("--shots"):
                shot = f"{request.config.getoption('--shots')}/owner-sessions-{width}.png"
                owner.screenshot(path=shot, full_page=True)
            assert [line for line in owner.errors if "401" not in line] == []
        with owner.expect_download(timeout=60_000) as download:
            owner.get_by_role("link", name="All sessions as a table (CSV)").click()
        assert download.value.suggested_filename == "ebb-sessions.csv"
        assert len(download.value.path().read_text().splitlines()) == 13


def test_the_page_tells_the_time_after_login_and_not_before(tmp_path, browser):
    port = free_port()
    box = {"box": "garage", "owner_password": "right", "web_host": "127.0.0.1", "web_port": port}
    with box_chip(tmp_path / "chip", box) as chip:
        with Prompt(chip.port) as prompt:
            prompt.restart()
        chip.wait(lambda: is_up(port), "the page answers", 60)
        owner = opened(browser, f"http://127.0.0.1:{port}/")
        expect(owner.locator("#login")).to_be_visible()
        log_in(owner, "wrong")
        expect(owner.locator("#wrong")).to_be_visible()
        time.sleep(2)  # the page asks each second
        assert rtc_file.wall_s(chip.chip.rtc) < ntp.BUILT_S + 600, "nobody has told the time"
        log_in(owner, "right")
        chip.wait(lambda: abs(rtc_file.wall_s(chip.chip.rtc) - time.time()) < 120, "the browser's time", 20)
        expect(owner.locator("#words")).to_have_text("No car is plugged in.")
        expect(owner.locator("#clock-told")).to_have_text("")
        assert [line for line in owner.errors if "401" not in line] == []
