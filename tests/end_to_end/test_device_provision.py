"""A board becomes a box of its own: id, secrets and label; and its page lets in whoever has the label."""

import io
import json
import re
import stat
import urllib.error
import urllib.request
import zlib

import pytest
import segno
from chips import box_chip, free_port, read_box, write_box
from PIL import Image

from firmware.wire import secret
from host_tools import bootstrap
from host_tools.device import box_file, label, provision, task
from host_tools.device.esptool_call import Trouble

FACTS = label.Facts("ebb-1", "http://ebb-1.local", "ab2de-fgh3j", "ebb-1", "xy4za-bcd5e", "qr2st-uvw3x")


def log_in(port, password):
    """HTTP status of a login; 0 while nothing answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/login",
        json.dumps({"password": password}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def pdf_text(content):
    """The streams of a PDF as one text."""
    found = re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    return b"".join(zlib.decompress(one) if one[:1] == b"\x78" else one for one in found).decode("latin-1")


def test_a_box_of_its_own_answers_with_its_own_password(tmp_path, capsys):
    port = free_port()
    with box_chip(tmp_path / "chip", {"web_host": "127.0.0.1", "web_port": port, "current_zero_uv": 7}) as chip:
        path = tmp_path / "label.pdf"
        assert task.run(["provision", "--port", chip.port, "--label", str(path)]) == 0
        told = capsys.readouterr()
        chip.wait(lambda: log_in(port, "") == 401, "the page answers")
        facts = read_box(chip)
        assert facts["box"] == "ebb-" + box_id_end(chip) and facts["ap_name"] == facts["box"]
        assert facts["current_zero_uv"] == 7 and facts["web_port"] == port, "what is no secret stays"
        for hidden in (facts["owner_password"], facts["ap_secret"]):
            assert hidden not in told.out + told.err
            assert hidden in pdf_text(path.read_bytes())
        codes = re.findall(r"[a-z2-9]{5}-[a-z2-9]{5}-[a-z2-9]{5}", pdf_text(path.read_bytes()))
        (code,) = set(codes) - {facts["owner_password"], facts["ap_secret"]}
        assert secret.is_right(code, facts["installer_code"]) and code not in str(facts) + told.out + told.err
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        chip.wait(lambda: log_in(port, facts["owner_password"]) == 200, "the password on the label opens the page")
        assert chip.chip.resets[-1] == 2 and "was not asked for" not in chip.said()


def box_id_end(chip):
    """Six last digits of the chip's number."""
    with box_file.stopped(chip.port) as prompt:
        return box_file.chip_id(prompt)[-6:]


def test_a_second_time_only_when_forced(tmp_path, capsys):
    port = free_port()
    with box_chip(tmp_path / "chip", {"web_host": "127.0.0.1", "web_port": port}) as chip:
        assert task.run(["provision", "--port", chip.port, "--box", "cellar", "--show"]) == 0
        first = read_box(chip)
        said = capsys.readouterr().out
        assert first["owner_password"] in said
        assert secret.is_right(re.search(r"installer_code: (\S+) ", said)[1], first["installer_code"])
        label_path = tmp_path / "label.png"
        command = ["provision", "--port", chip.port, "--box", "attic", "--label", str(label_path)]
        assert task.run(command) == 2
        assert "the box 'cellar' already" in capsys.readouterr().err and not label_path.exists()
        assert read_box(chip) == first
        chip.wait(lambda: log_in(port, first["owner_password"]) == 200, "the refused box goes on")
        assert task.run([*command, "--force"]) == 0
        assert "lost for good: ap_secret, installer_code, owner_password of the box 'cellar'" in capsys.readouterr().err
        second = read_box(chip)
        assert second["box"] == "attic" and second["ap_name"] == "ebb-attic"
        assert not {first["owner_password"], first["ap_secret"]} & {second["owner_password"], second["ap_secret"]}
        assert task.run([*command, "--force"]) == 2 and "is there already" in capsys.readouterr().err
        assert read_box(chip) == second


def test_a_broken_box_file_is_replaced_only_when_forced(tmp_path, capsys):
    with box_chip(tmp_path / "chip") as chip:
        write_box(chip, {})
        with box_file.stopped(chip.port) as prompt:
            prompt.put("/box.json", b'{"box": "cel')
        assert task.run(["provision", "--port", chip.port, "--show"]) == 2
        assert "not readable" in capsys.readouterr().err
        with box_file.stopped(chip.port) as prompt:
            assert prompt.read("/box.json") == b'{"box": "cel'
            assert prompt.read("/box.json.new") is None
        assert task.run(["provision", "--port", chip.port, "--show", "--force"]) == 0
        assert read_box(chip)["box"].startswith("ebb-")


@pytest.mark.parametrize(
    "arguments, words",
    (
        (["--show", "--box", "Cellar"], "--box takes"),
        (["--show", "--box", "x" * 33], "--box takes"),
        (["--show", "--box", "x-"], "--box takes"),
        ([], "nobody would know"),
        (["--label", "label.txt"], ".pdf or .png"),
        (["--label", "/no/such/folder/label.pdf"], "cannot be written"),
        (["--show"], "nothing can be opened"),
    ),
)
def test_one_clear_line(arguments, words, capsys):
    assert task.run(["provision", "--port", "/dev/ebb-no-such-port", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_no_two_boxes_share_a_secret():
    made = [provision.provisioned({}, "x", "the same code") for _ in range(500)]
    assert len({facts["installer_code"] for facts in made}) == 500, "each box has a salt of its own"
    found = [facts[key] for facts in made for key in ("owner_password", "ap_secret")]
    assert len(set(found)) == 1000
    letters = len(provision.LETTERS)
    assert letters ** (provision.GROUPS * provision.GROUP) > 1 << 60 and len(set(provision.LETTERS)) == letters
    assert not set("".join(found)) & set("01ilo")
    assert all(box_file.refusal(facts) is None for facts in made)


def test_a_name_of_a_network_fits():
    assert provision.access_point("ebb-a1") == "ebb-a1" and provision.access_point("cellar") == "ebb-cellar"
    assert len(provision.access_point("x" * 32)) == 32


def test_marks_of_the_format_are_escaped():
    assert label.wifi_payload('a;b:"c', "p\\,q") == 'WIFI:T:WPA;S:a\\;b\\:\\"c;P:p\\\\\\,q;;'


def modules_in(image, left_mm):
    """Rows of the QR code in a picture, read off its dots; between the first dark dot and the last."""
    dots = [round(one / 25.4 * label.DPI) for one in (left_mm, label.HEIGHT_MM - label.SIDE_MM - 3)]
    side = round(label.SIDE_MM / 25.4 * label.DPI)
    part = image.crop((dots[0], dots[1], dots[0] + side, dots[1] + side)).point(lambda one: 255 - one)
    part = part.crop(part.getbbox())
    size = next(x for x in range(part.width) if part.getpixel((x, x)) < 128)  # the corner's ring is one module wide
    count = part.width // size
    middle = range(size // 2, count * size, size)
    return [[int(part.getpixel((x, y)) > 127) for x in middle] for y in middle]


def test_the_picture_holds_both_codes():
    made = label.drawn(FACTS, ".png")
    assert made[:4] == b"\x89PNG"
    image = Image.open(io.BytesIO(made))
    assert image.size == (732, 1346)
    for left_mm, payload in (
        (label.MARGIN_MM - 2, "WIFI:T:WPA;S:ebb-1;P:xy4za-bcd5e;;"),
        (label.WIDTH_MM - label.MARGIN_MM + 2 - label.SIDE_MM, "http://ebb-1.local"),
    ):
        wanted = segno.make(payload, error="m", micro=False)
        assert modules_in(image, left_mm) == [list(row) for row in wanted.matrix]


def test_the_pdf_holds_every_word():
    text = pdf_text(label.drawn(FACTS, ".pdf"))
    assert all(f"({words})" in text for words in FACTS)
    assert text.count(" re f") > 500, "dark modules"


def test_a_file_that_is_too_long_is_not_written():
    with pytest.raises(Trouble, match="reads 4096 B"):
        box_file.encoded({"x": "y" * 5000})


def test_the_size_of_a_label_is_one_fact(capsys):
    """What the page says, what --help says and what is drawn."""
    page = (bootstrap.ROOT / "docs" / "flash-a-board.md").read_text("utf-8")
    assert label.SIZE.replace(" x ", " × ") in page
    assert f"{label.STRIP_MM} mm are a strip" in page
    with pytest.raises(SystemExit):
        provision.run(["--help"])
    assert label.SIZE in " ".join(capsys.readouterr().out.split())
    drawn = Image.open(io.BytesIO(label.drawn(FACTS, ".png")))
    width, height = (round(pixels * 25.4 / label.DPI) for pixels in drawn.size)
    assert f"{width} x {height} mm" == label.SIZE
