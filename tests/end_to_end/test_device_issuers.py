"""Keys of a programme come to a board over its cable, whole or not at all, and go again."""

import json

import pytest
from chips import box_chip

from firmware.wire import signed_command
from host_tools.device import box_file, issuers, task
from host_tools.device.prompt import Prompt
from host_tools.grid import keys


@pytest.fixture
def folder(tmp_path):
    keys.made(tmp_path / "keys", "dso1", "cellar")
    return tmp_path / "keys"


def on_board(chip):
    """Content of the file; the firmware is not started again."""
    with Prompt(chip.port) as prompt:
        prompt.run(box_file.SHOWN_CODE, box_file.SHOWN_S)
        return prompt.read(issuers.PATH)


def test_keys_come_and_go(tmp_path, folder, capsys):
    with box_chip(tmp_path / "chip") as chip:
        command = ["issuers", "--port", chip.port]
        with Prompt(chip.port) as prompt:
            prompt.put("/box.json", b'{"box": "cellar", "web_port": 0}')
        (tmp_path / "empty").mkdir()
        assert task.run([*command, "--keys", str(tmp_path / "empty")]) == 2
        assert "there is no file NAME-public.pem" in capsys.readouterr().err
        assert on_board(chip) is None
        assert task.run([*command, "--keys", str(folder)]) == 0
        assert "cellar: only commands signed" in capsys.readouterr().out
        trust = signed_command.trust_of(json.loads(on_board(chip)))
        assert [key[0] for key in trust.keys] == ["dso1"]
        assert trust.secret.hex() == (folder / "cellar.hmac").read_text().strip()
        assert task.run([*command, "--none"]) == 0 == task.run([*command, "--none"])
        assert on_board(chip) is None
        with Prompt(chip.port) as prompt:
            prompt.put("/box.json", b"{}")
        assert task.run([*command, "--keys", str(folder)]) == 2
        assert "is no box yet" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", ([], ["--keys", "a", "--none"]))
def test_one_of_two(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        task.run(["issuers", *arguments])
    assert ended.value.code == 2 and capsys.readouterr().err
