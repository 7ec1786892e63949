"""A box is saved into a file and put back, whole or not at all; what is damaged or foreign changes nothing."""

import json
import stat

import pytest
from chips import box_chip

from firmware.core import settings
from host_tools.device import backup, backup_file, box_file, task
from host_tools.device.esptool_call import Trouble
from host_tools.device.prompt import Prompt

PHRASE = "seven green kettles"
BOX = {
    "box": "cellar",
    "owner_password": "abcde-fghjk-mnpqr",
    "ap_name": "ebb-cellar",
    "ap_secret": "stuvw-xyz23-45678",
    "web_port": 0,
    "dns_servers": ["127.0.0.1"],
    "current_zero_uv": 1234567,
}
STORED = {"wiring_limit_ma": 16000, "mqtt_host": "broker", "mqtt_password": "a broker's word", "groups": "street-7"}
SECRETS = (BOX["owner_password"], BOX["ap_secret"], STORED["mqtt_password"])
FILES = ("/data/settings.json", "/box.json")


def files_on(chip):
    """{path: content} of what a backup is about; the firmware starts again."""
    with box_file.stopped(chip.port) as prompt:
        return {path: prompt.read(path) for path in FILES}


def put(chip, box, stored):
    """Make a board this box, with these settings; the firmware starts."""
    with Prompt(chip.port) as prompt:
        prompt.run(box_file.SHOWN_CODE, box_file.SHOWN_S)
        prompt.put("/box.json", json.dumps(box).encode())
        if stored is None:
            prompt.remove("/data/settings.json")
        else:
            prompt.put("/data/settings.json", json.dumps(stored).encode())
        prompt.restart()


@pytest.fixture
def typed(monkeypatch):
    """Passphrases that a person types, in order; the list may be changed."""
    answers = []
    monkeypatch.setattr(backup.getpass, "getpass", lambda _: answers.pop(0))
    return answers


def test_the_way_of_a_box(tmp_path, typed, capsys):
    """Saved with and without secrets, put back on itself, and onto a new board."""
    open_path, full_path = tmp_path / "open.json", tmp_path / "full.json"
    with box_chip(tmp_path / "first") as chip:
        put(chip, BOX, STORED)
        assert task.run(["backup", "--port", chip.port, "--out", str(open_path)]) == 0
        typed += [PHRASE, PHRASE]
        assert task.run(["backup", "--port", chip.port, "--out", str(full_path), "--with-secrets"]) == 0
        said = capsys.readouterr().out
        for path in (open_path, full_path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert not [secret for secret in SECRETS if secret in path.read_text() + said]
        kept = json.loads(open_path.read_text())
        assert kept["versions"]["board"] == "reference" and kept["calibration"] == {"current_zero_uv": 1234567}
        assert kept["settings"]["wiring_limit_ma"] == 16000 and kept["secrets"] is None

        put(chip, {**BOX, "current_zero_uv": 1, "owner_password": "new-new-new"}, {"wiring_limit_ma": 32000})
        assert task.run(["backup", "--port", chip.port, "--restore", str(open_path)]) == 0
        said = capsys.readouterr().out
        assert "wiring_limit_ma 16000" in said and "stay as they were" in said and "empty now" in said
        found = files_on(chip)
        assert json.loads(found["/box.json"]) == {**BOX, "owner_password": "new-new-new"}
        stored = json.loads(found["/data/settings.json"])
        assert stored == {**settings.defaults()._asdict(), **STORED, "mqtt_password": ""}

        typed += ["a wrong passphrase"]
        assert task.run(["backup", "--port", chip.port, "--restore", str(full_path)]) == 2
        assert capsys.readouterr().err == "ebb: the passphrase is wrong: nothing was written.\n"
        assert files_on(chip) == found
        typed += [PHRASE]
        assert task.run(["backup", "--port", chip.port, "--restore", str(full_path)]) == 0
        found = files_on(chip)
        assert json.loads(found["/box.json"]) == BOX
        assert json.loads(found["/data/settings.json"]) == {**settings.defaults()._asdict(), **STORED}
        assert chip.chip.resets[-1] == 2 and not [secret for secret in SECRETS if secret in capsys.readouterr().out]


def test_a_damaged_file_never_reaches_the_board(tmp_path, capsys):
    path = tmp_path / "backup.json"
    with box_chip(tmp_path / "chip") as chip:
        put(chip, BOX, STORED)
        assert task.run(["backup", "--port", chip.port, "--out", str(path)]) == 0
        capsys.readouterr()
        before, resets = files_on(chip), list(chip.chip.resets)
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], whole.replace(b"16000", b"32000"), b"", b"{}", b"\x00" * 99):
            path.write_bytes(damaged)
            assert task.run(["backup", "--port", chip.port, "--restore", str(path)]) == 2
            said = capsys.readouterr().err
            assert said.startswith("ebb: ") and said.endswith("nothing was written.\n") and said.count("\n") == 1
        assert chip.chip.resets == resets, "not even stopped"
        assert files_on(chip) == before


def test_a_board_with_broken_settings_makes_no_backup(tmp_path, capsys):
    path = tmp_path / "backup.json"
    with box_chip(tmp_path / "chip") as chip:
        for stored, words in (({"wiring_limit_ma": 7}, "refused by this firmware"), ({"odd": 1}, "refused")):
            put(chip, BOX, stored)
            assert task.run(["backup", "--port", chip.port, "--out", str(path)]) == 1
            said = capsys.readouterr().err
            assert words in said and said.count("\n") == 1 and not path.exists()
        put(chip, BOX, None)
        assert task.run(["backup", "--port", chip.port, "--out", str(path)]) == 0
        assert json.loads(path.read_text())["settings"] == {}, "factory state"


def test_a_write_that_fails_leaves_all_as_it_was(tmp_path, monkeypatch, capsys):
    path = tmp_path / "backup.json"
    with box_chip(tmp_path / "chip") as chip:
        put(chip, BOX, STORED)
        assert task.run(["backup", "--port", chip.port, "--out", str(path)]) == 0
        put(chip, BOX, {"wiring_limit_ma": 32000})
        before = files_on(chip)
        right = Prompt.put

        def torn(prompt, name, content):
            if name.startswith("/box.json"):
                raise Trouble("the cable was pulled.")
            right(prompt, name, content)

        monkeypatch.setattr(Prompt, "put", torn)
        assert task.run(["backup", "--port", chip.port, "--restore", str(path)]) == 1
        assert "the cable was pulled" in capsys.readouterr().err
        assert files_on(chip) == before


def sample(**changes):
    """A backup as a file holds it, with changes and a checksum that fits them."""
    made = {
        "kind": backup_file.KIND,
        "schema": 1,
        "made_at": "2026-01-01T00:00:00Z",
        "chip": "0a0b0c0d0e0f",
        "versions": {},
        "settings": {"wiring_limit_ma": 16000},
        "box": {"box": "cellar", "ap_name": "ebb-cellar", "web_port": 80},
        "calibration": {"current_zero_uv": 5},
        "board": {},
        "secrets": None,
        **changes,
    }
    return {**made, "sha256": backup_file.digest(made)}


@pytest.mark.parametrize(
    "changes, words",
    (
        ({"kind": "other"}, "is no backup"),
        ({"schema": 2}, "schema '2'"),
        ({"settings": {"wiring_limit_ma": 16001}}, "refuses"),
        ({"settings": {"wiring_limit_ma": True}}, "refuses"),
        ({"settings": {"unheard": 1}}, "refuses"),
        ({"settings": []}, "lacks a part"),
        ({"more": 1}, "lacks a part"),
        ({"settings": {"mqtt_password": "x"}}, "not sealed"),
        ({"box": {"owner_token": "x"}}, "not sealed"),
        ({"box": {"box": "Cellar"}}, "may not be so"),
        ({"box": {"web_port": "80"}}, "may not be so"),
        ({"box": {"current_zero_uv": 1}}, "wrong part"),
        ({"calibration": {"web_port": 1}}, "wrong part"),
        ({"secrets": {"salt": "00", "sealed": "x"}}, "sealed part"),
        ({"secrets": {}}, "sealed part"),
    ),
)
def test_what_is_no_backup_is_refused(changes, words):
    assert backup_file.reason(sample()) is None
    assert words in backup_file.reason(sample(**changes))


@pytest.mark.parametrize("content", (b"[" * 60_000, b" " * 70_000, b'{"kind": NaN}', b"null", b"7"))
def test_odd_files(tmp_path, content):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(Trouble, match="nothing was written"):
        backup_file.read(path)


HIDDEN = {"settings": {"mqtt_password": "p"}, "box": {"owner_password": "q" * 12, "ap_secret": "r" * 12}}


def test_a_sealed_part_belongs_to_its_own_backup():
    first = backup_file.sealed(sample(), HIDDEN, PHRASE)
    assert backup_file.opened(first, PHRASE) == HIDDEN
    mixed = {**sample(settings={"wiring_limit_ma": 32000}), "secrets": first["secrets"]}
    with pytest.raises(Trouble, match="another backup"):
        backup_file.opened(mixed, PHRASE)
    bad = {**first, "secrets": {**first["secrets"], "sealed": first["secrets"]["sealed"][:-9]}}
    with pytest.raises(Trouble, match="passphrase is wrong"):
        backup_file.opened(bad, PHRASE)
    assert backup_file.sealed(sample(), HIDDEN, PHRASE)["secrets"]["salt"] != first["secrets"]["salt"]


def test_identity_and_calibration_are_never_mixed():
    attic = {"box": "attic", "ap_name": "ebb-attic", "owner_password": "s" * 12, "current_zero_uv": 9, "web_port": 81}
    nothing = {"settings": {}, "box": {}}
    _, box, _ = backup.merged(sample(), nothing, (attic, "0a0b0c0d0e0f"))
    assert box == {**attic, "web_port": 80, "current_zero_uv": 5}
    _, box, said = backup.merged(sample(), nothing, (attic, "ffffffffffff"))
    assert box == {**attic, "web_port": 80} and "keeps its own" in said[-1]
    _, box, said = backup.merged(sample(), HIDDEN, (attic, "ffffffffffff"))
    assert box == {"box": "cellar", "ap_name": "ebb-cellar", "web_port": 80, "current_zero_uv": 9, **HIDDEN["box"]}
    assert "side by side" in " ".join(said)


def test_the_secrets_are_those_of_the_table():
    assert {row[0] for row in settings.SETTINGS if row[8]} == set(filter(box_file.is_secret, settings.KEYS))


def test_passphrases_and_ports(tmp_path, typed, capsys):
    command = ["backup", "--port", "/dev/ebb-no-such-port", "--out", str(tmp_path / "x.json"), "--with-secrets"]
    for answers, words in (
        (["short"], "at least 10"),
        ([PHRASE, PHRASE + "x"], "differ"),
        ([PHRASE, PHRASE], "nothing can be opened"),
    ):
        typed[:] = answers
        assert task.run(command) == 2
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
