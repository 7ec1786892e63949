"""Set-up over the virtual chip's serial line (Improv) while the whole firmware runs: as a browser does it, and not."""

import json
import os
import random
import time

import pytest
from chips import box_chip

from host_tools.device.prompt import Prompt
from host_tools.sim.serial_chip import ACCESS_POINTS

SSID, PASSWORD, _ = ACCESS_POINTS[0]
STATE, ERROR, COMMAND, RESULT = 1, 2, 3, 4
SEND_WIFI, ASK_STATE, ASK_DEVICE, ASK_NETWORKS = 1, 2, 3, 4
READY, PROVISIONING, PROVISIONED = 2, 3, 4
OK, BAD_PACKET, UNKNOWN_COMMAND, NOT_CONNECTED = ((ERROR, bytes((number,))) for number in range(4))


def framed(data, kind=COMMAND):
    """A frame as improv-wifi.com/serial has it: header, version, kind, length, data, sum of all before."""
    body = b"IMPROV\x01" + bytes((kind, len(data))) + data
    return body + bytes((sum(body) & 255, 10))


def asking(command, data=b""):
    """Frame of a command."""
    return framed(bytes((command, len(data))) + data)


def wifi(ssid, password):
    """Data of SEND_WIFI."""
    return b"".join(bytes((len(text),)) + text.encode() for text in (ssid, password))


def texts(frame):
    """Texts in the data of a RESULT."""
    data, made = frame[1][2:], []
    while data:
        made.append(data[1 : 1 + data[0]].decode())
        data = data[1 + data[0] :]
    return made


class Browser:
    """The other end of the serial line; what is no frame is the console's."""

    def __init__(self, port):
        self._line = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._held = b""

    def close(self):
        """Unplug."""
        os.close(self._line)

    def type(self, raw):
        """Bytes onto the line."""
        os.write(self._line, raw)

    def heard(self):
        """[(kind, data)] of the frames since the last look."""
        try:
            self._held += os.read(self._line, 65536)
        except BlockingIOError:
            pass
        made = []
        at = self._held.find(b"IMPROV\x01")
        while at >= 0 and len(self._held) > at + 8 and len(self._held) >= at + 10 + self._held[at + 8]:
            end = at + 9 + self._held[at + 8]
            assert self._held[end] == sum(self._held[at:end]) & 255
            made.append((self._held[at + 7], self._held[at + 9 : end]))
            self._held = self._held[end + 1 :]
            at = self._held.find(b"IMPROV\x01")
        return made

    def until(self, is_last, for_s=60):
        """Frames up to the one that is the last; so long only where the box hangs."""
        end = time.monotonic() + for_s
        made = []
        while time.monotonic() < end:
            made += self.heard()
            if made and is_last(made[-1]):
                return made
            time.sleep(0.02)
        raise AssertionError(f"not within {for_s} s: {made}")

    def state(self):
        """Answer to ASK_STATE."""
        self.type(asking(ASK_STATE))
        return self.until(lambda frame: frame[0] == STATE)


@pytest.fixture(scope="module")
def flash(tmp_path_factory):
    """A running factory box: no Wi-Fi, no secrets."""
    # Four times as fast: a trial of credentials takes 30 s, and the set-up stays open for 15 s after it.
    with box_chip(tmp_path_factory.mktemp("factory") / "chip", {}, 4) as chip:
        yield chip


@pytest.fixture
def box(flash):
    """The box after power-on, with its line quiet."""
    flash.power_cut()
    flash.chip.console.clear()
    flash.wait_runs()
    return flash


@pytest.fixture
def browser(box):
    made = Browser(box.port)
    box.wait(lambda: not box.link.is_busy, "the line is the set-up's")
    made.heard()
    yield made
    made.close()


def assert_goes_on(box, browser, starts):
    """Nothing changed, nothing stopped."""
    assert browser.state() == [OK, (STATE, bytes((READY,)))]
    assert len(box.chip.resets) == starts and "stopped" not in box.said() and "Traceback" not in box.said()
    assert box.plant.pilot_mode == "high" and not box.plant.is_coil_on and not box.link.is_starved()


def test_bad_frames_change_nothing(box, browser):
    starts = len(box.chip.resets)
    whole = asking(ASK_STATE)[:-1]
    for bit in range(8):
        browser.type(whole[:-1] + bytes((whole[-1] ^ 1 << bit,)))
    assert_goes_on(box, browser, starts)
    # A frame that ends early is followed by a whole one at once, wherever it was cut.
    for length in range(1, len(whole)):
        browser.type(whole[:length])
        assert_goes_on(box, browser, starts)
    # One that promises 255 bytes holds up the line only until it goes quiet.
    for start in (b"IMPROV\x01\x03\xff", b"IMPROV\x01\x03\xff\x01\x0a" + bytes(100), b"IMPROV"):
        browser.type(start)
        time.sleep(0.8)
        assert_goes_on(box, browser, starts)
    for kind in (0, STATE, ERROR, RESULT, 255):
        browser.type(framed(bytes((ASK_STATE, 0)), kind))
    assert_goes_on(box, browser, starts)


def test_noise_and_long_frames_change_nothing(box, browser):
    starts = len(box.chip.resets)
    seed = random.SystemRandom().randrange(1 << 31)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(8):
        # The keys of a prompt are no noise: alone in a read they are a person's.
        browser.type(b"~" + bytes(chance.choice(b"IMPROV\x01\x02\xff\x00~") for _ in range(chance.randrange(300))))
        browser.type(b"~" + framed(chance.randbytes(255), STATE) + b"~" * 300)
    time.sleep(1.5)
    browser.heard()
    assert_goes_on(box, browser, starts)
    for data, answer in (
        (b"\x01\x05ab", BAD_PACKET),
        (b"\x09\x00", UNKNOWN_COMMAND),
        (b"", BAD_PACKET),
        (b"\x01\xfd" + b"\x20" * 253, BAD_PACKET),
    ):
        browser.type(framed(data))
        assert browser.until(lambda frame: frame[1] != b"\x00")[-1] == answer
    browser.type(asking(SEND_WIFI, wifi("x" * 33, "12345678")))
    assert browser.until(lambda frame: frame[0] == STATE) == [OK, NOT_CONNECTED, (STATE, bytes((READY,)))]
    assert_goes_on(box, browser, starts)


def test_the_byte_of_ctrl_c_inside_a_frame_is_a_byte(box, browser):
    starts = len(box.chip.resets)
    frame = asking(ASK_DEVICE)
    assert frame.count(b"\x03") == 2
    for byte in frame:
        browser.type(bytes((byte,)))
        time.sleep(0.06)
    assert texts(browser.until(lambda frame: frame[0] == RESULT)[-1])[0] == "ebb"
    browser.type(framed(b"\x03" * 255))
    assert browser.until(lambda frame: frame[0] == ERROR) == [BAD_PACKET]
    assert_goes_on(box, browser, starts)
    browser.type(b"\x03")
    box.wait_said("stopped by a person", 5)
    assert not box.plant.is_coil_on


def test_from_factory_to_the_page(box, browser):
    assert browser.state() == [OK, (STATE, bytes((READY,)))]
    browser.type(asking(ASK_DEVICE))
    made = texts(browser.until(lambda frame: frame[0] == RESULT)[-1])
    assert made[0] == "ebb" and len(made) == 4 and made[3].startswith("ebb-")
    browser.type(asking(ASK_NETWORKS))
    made = browser.until(lambda frame: frame == (RESULT, bytes((ASK_NETWORKS, 0))))
    assert [texts(frame) for frame in made[1:]] == [["home", "-50", "YES"], ["neighbour", "-80", "YES"], []]
    browser.type(asking(SEND_WIFI, wifi(SSID, "not-the-secret")))
    made = browser.until(lambda frame: frame == (STATE, bytes((READY,))), 40)
    assert made == [OK, (STATE, bytes((PROVISIONING,))), NOT_CONNECTED, (STATE, bytes((READY,)))]
    browser.type(asking(SEND_WIFI, wifi(SSID, PASSWORD)))
    made = browser.until(lambda frame: frame[0] == RESULT, 40)
    assert made[:3] == [OK, (STATE, bytes((PROVISIONING,))), (STATE, bytes((PROVISIONED,)))]
    assert made[3][1][0] == SEND_WIFI and texts(made[3]) == ["http://192.168.1.77/"]
    box.wait(lambda: box.link.is_busy, "the line is the prompt's again")
    assert box.chip.resets[-1] == 1 and "stopped" not in box.said()
    with Prompt(box.port) as prompt:
        stored = json.loads(prompt.read("/data/settings.json"))
    assert (stored["wifi_ssid"], stored["wifi_password"]) == (SSID, PASSWORD)
