"""The proof of a board on a virtual chip whose flash takes the chip file's time; no secret is in its report."""

import json
import re

import pytest
from chips import RunningChip, installed

from host_tools.device import build, chips, prove, prove_running, slot, task
from host_tools.device.prompt import Prompt
from host_tools.mosquitto import Mosquitto, free_port
from host_tools.sim import world

SECRETS = {
    "box": "planted-identity",
    "owner_password": "planted-owner-word",
    "ap_name": "planted-network",
    "ap_secret": "planted-ap-secret",
    "dns_servers": ["203.0.113.77"],
}


@pytest.fixture(scope="module")
def chip(tmp_path_factory):
    """A running box with secrets."""
    broker = Mosquitto(tmp_path_factory.mktemp("broker")).start()
    try:
        with RunningChip(tmp_path_factory.mktemp("proved") / "chip") as running:
            running.broker, running.page = f"127.0.0.1:{broker.port}", f"127.0.0.1:{free_port()}"
            net = {"web_host": "127.0.0.1", "web_port": int(running.page[10:])}
            installed(running, {**SECRETS, **net, "mqtt_host": "127.0.0.1", "mqtt_port": broker.port})
            yield running
    finally:
        broker.stop()


def proved(chip, folder, capsys):
    """(exit code, the report, what it prints)."""
    where = ["--page", chip.page, "--broker", chip.broker]
    code = task.run(["prove", "--port", chip.port, "--out", str(folder), *where])
    said = capsys.readouterr()
    path = folder / "proof.json"
    return code, json.loads(path.read_text()) if path.exists() else None, said.out + said.err


def test_a_board_is_asked_and_its_firmware_runs_again(chip, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "proof"
    for name, value in (("REST_S", 3), ("FLOOD_S", 3), ("FETCHES", 3), ("WRITES", 2)):
        monkeypatch.setattr(prove_running, name, value)
    with Prompt(chip.port) as prompt:
        number = prompt.run("import machine\nprint(''.join('%02x' % one for one in machine.unique_id()))").strip()
        prompt.restart()
    chip.wait_runs()
    code, whole, said = proved(chip, folder, capsys)
    # Times are those of a busy PC here; which of them is outside hangs on it.
    assert code == int(any(row["verdict"] == "outside" for row in whole["figures"])), said
    names = [row["name"] for row in whole["figures"]]
    for part in (
        "heap live, the firmware's",
        "IDF free, with the radio",
        "flash: erase",
        "clock:",
        "ADC: noise",
        "start:",
        "lateness of the tick, at rest",
        "lateness of the tick, with writes",
        "lateness of the tick, with the page",
        "lateness of the tick, with MQTT",
        "lateness of the tick, with the broker anew",
        "settings stored once more",
        "the page, whole",
        "the broker again",
    ):
        assert [name for name in names if name.startswith(part)], (part, names)
    rows = {row["name"]: row for row in whole["figures"]}
    assert rows["sensing and acting, coil off"]["count"] == 60
    for row in whole["figures"]:
        assert row["least"] <= row["middle"] <= row["greatest"]
        assert row["unit"] in ("us", "ms") or row["verdict"] in ("within", "unknown"), row["name"]
    assert [row for row in whole["not_asked"] if row["what"].startswith("Wi-Fi again")], "it is in none"
    assert rows["lateness of the tick, at rest"]["count"] > 60 < rows["lateness of the tick, with MQTT"]["count"]
    assert (whole["is_virtual"], whole["firmware"]) == (True, slot.version())
    assert whole["build_sha256"] == build.made("reference").sha256 and re.fullmatch(r"20\d\d-\d\d-\d\d", whole["date"])
    texts = [path.read_text() for path in sorted(folder.iterdir())] + [said]
    assert len(texts) == 4
    for text in texts:
        assert whole["build_sha256"] in text and whole["firmware"] in text and whole["date"] in text
        assert ("is_virtual" in text) or ("virtual chip" in text and prove.report.UNREAL in text)
    for word in ("planted", "203.0.113", number, chip.port, str(chip.folder)):
        assert not [text for text in texts[:3] if word in text], word
    assert not re.search(r"https?://|<script|<link", texts[0]), "the page needs nothing else"
    assert not chip.plant.is_coil_on
    chip.wait_runs()
    code, _, said = proved(chip, folder, capsys)
    assert code == 2 and "Nothing was asked" in said and said.count("\n") == 1


def test_a_plugged_car_is_left_alone(chip, tmp_path, capsys):
    async def plugged(is_plugged):
        world.change(chip.plant, {"car": {"is_plugged": is_plugged}})

    chip.wait_runs()
    resets = list(chip.chip.resets)
    chip.now(plugged(True))
    chip.wait(lambda: chip.plant.pilot_mode == "pwm", "the car is offered power", 40)
    code, whole, said = proved(chip, tmp_path / "proof", capsys)
    chip.now(plugged(False))
    assert code == 2 and whole is None and "nothing was stopped" in said.lower() and chip.chip.resets == resets
    assert not (tmp_path / "proof").exists()


def test_flash_slower_than_its_data_sheet_is_outside():
    rules = chips.loaded("esp32s3")
    limit = prove.report.limit(rules, "flash.erase_command_us", "flash.erase_sector_us")
    assert limit[0] == 400_199
    assert prove.report.figure("erase", "us", [45_000, 400_200], limit)["verdict"] == "outside"
    assert prove.report.figure("erase", "us", [45_000, 400_199], limit)["verdict"] == "within"


def test_memory_below_its_floor_is_outside():
    assert prove.report.figure("IDF free", "B", [24_575], (24_576, ""), True)["verdict"] == "outside"
    assert prove.report.figure("IDF free", "B", [24_576], (24_576, ""), True)["verdict"] == "within"


def test_flash_times_are_those_of_the_chip(chip, tmp_path, capsys, monkeypatch):
    """The virtual chip's flash takes the worst times of its file from here on, and so they are found."""
    monkeypatch.setattr(prove_running, "make", lambda *_: None)
    chip.chip.config["flash_times"] = chips.flash_times(chips.loaded(chip.kind), "worst")
    chip.power_cut()
    chip.wait_said("boot: ")
    chip.wait_runs()
    _, whole, said = proved(chip, tmp_path / "proof", capsys)
    chip.chip.config["flash_times"] = None
    rows = {row["name"]: row for row in whole["figures"]}
    assert rows["flash: erase 4 kB"]["least"] >= 400_000, said
    assert rows["flash: program a page of 256 B"]["least"] >= 3_000


def test_no_board(tmp_path, capsys):
    assert task.run(["prove", "--port", "/dev/ebb-no-such-port", "--out", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err
    assert "nothing can be opened" in said and said.count("\n") == 1 and not (tmp_path / "x").exists()


def sample(is_virtual=False, verdicts=("within", "unknown")):
    """A report with such rows."""
    limits = {"within": (9, ""), "unknown": (None, ""), "outside": (4, "")}
    rows = [prove.report.figure(f"row {index}", "us", [5], limits[one]) for index, one in enumerate(verdicts)]
    about = {
        "board": "reference",
        "chip": "esp32s3",
        "firmware": "1.2.3",
        "build_sha256": "ab" * 32,
        "date": "2026-12-01",
    }
    about |= {"is_virtual": is_virtual, "micropython": "1.27.0", "last_start": "power on"}
    return {**about, "figures": rows, "not_asked": [{"what": "that", "why": "this"}]}


def test_a_report_ends_with_what_it_means():
    said = "\n".join(prove.report.text(sample()))
    assert (
        "Figures within: 1, outside: 0, unknown: 1; exit code 0." in said and "Nothing that was measured speaks" in said
    )
    assert prove.report.UNREAL not in said and "virtual" not in said
    report = sample(True, ("within", "outside", "outside"))
    said = "\n".join(prove.report.text(report))
    assert "exit code 1." in said and "Outside: row 1; row 2. Run it once more" in said and prove.report.UNREAL in said
    assert prove.report.code_of(report) == 1 and prove.report.code_of(sample()) == 0
    assert "esp32s3, board: reference, firmware: 1.2.3, build_sha256: abab" in said and "date: 2026-12-01" in said
    page = prove.report.page(report)
    assert "<title>Virtual chip reference" in page and "Outside: row 1; row 2." in page
    for word, _ in prove.report.LEGEND:
        assert f"<dt>{word}</dt>" in page and f"\n{word}: " in said


def test_a_version_that_is_none_does_not_get_into_the_report():
    assert prove.version_of({"version": "0.2.0-rc.1"}) == "0.2.0-rc.1"
    for told in ("<b>", "a name", "x" * 25, None, 7.5e300, ["a"]):
        assert prove.version_of({"version": told}) in ("unknown", "None", "7.5e+300")


@pytest.mark.parametrize(
    ("option", "where", "words"),
    (
        ("--broker", "nonsense", "--broker wants HOST:PORT, not 'nonsense'"),
        ("--broker", "127.0.0.1:0", "--broker wants HOST:PORT"),
        ("--broker", "127.0.0.1:1", "no broker answers at 127.0.0.1:1"),
        ("--page", "127.0.0.1", "--page wants HOST:PORT"),
        ("--page", "box:²", "--page wants HOST:PORT"),
    ),
)
def test_what_cannot_be_is_refused_before_anything_is_measured(tmp_path, capsys, monkeypatch, option, where, words):
    monkeypatch.setattr(prove, "Proof", None)
    folder = tmp_path / "proof"
    assert task.run(["prove", "--port", "/dev/null", "--out", str(folder), option, where]) == 2
    said = capsys.readouterr().err
    assert words in said and said.endswith("Nothing was measured.\n") and said.count("\n") == 1 and not folder.exists()


def test_a_port_that_is_a_file_is_told(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text("words")
    assert task.run(["prove", "--port", str(path), "--out", str(tmp_path / "proof")]) == 2
    assert capsys.readouterr().err == f"ebb: {path} is no serial port.\n"
    assert task.run(["doctor", "--port", str(tmp_path)]) == 2
    assert path.read_text() == "words"
