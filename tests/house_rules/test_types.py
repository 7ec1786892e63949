"""The strict checker sees what it should: planted errors are reported, and its own names never run."""

import ast
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ROOT / "firmware/types/__builtins__.pyi"
PACKAGES = sysconfig.get_path("purelib")
FILES = sorted((ROOT / "firmware").rglob("*.py"))
# file of firmware, what stands there, what is planted instead, rule that must report it
STRICT = (
    ("core/claims.py", "return summed(rows, now_ms)\n", 'return summed(rows, "now")\n', "reportArgumentType"),
    ("core/offer.py", "Offer(0, 0, 0, 0, 0, 0)", "Offer(0, 0, 0, 0, 0)", "reportCallIssue"),
    ("core/decide.py", "before = memory.stage.state\n", "before = memory.stage.status\n", "reportAttributeAccessIssue"),
    ("core/pilot.py", "readings.pilot_low_mv is not None and ", "", "reportOptionalOperand"),
    ("core/energy.py", "first_energy(wh: int)", "first_energy(wh)", "reportMissingParameterType"),
    ("core/interlock.py", "Guard(mode, mode_at_ms, has", "Guard(mode_at_ms, mode, has", "reportArgumentType"),
    ("core/faults.py", "return REACTIONS[most]", "return most", "reportReturnType"),
    ("core/states.py", 'True, "high", "blue_blink"', 'True, "hi", "blue_blink"', "reportAssignmentType"),
    ("core/charging.py", 'to == "waiting"', 'to == "wating"', "reportUnnecessaryComparison"),
    ("core/charging.py", "s.limit_ma < units", "s.limit_mv < units", "reportAttributeAccessIssue"),
    ("wire/status.py", '"wear": {"operations"', '"wear": {"operation"', "reportReturnType"),
    ("wire/mqtt_topics.py", 'status["power_w"]', 'status["power"]', "reportGeneralTypeIssues"),
    ("wire/words.py", "return words, todo", "return words", "reportReturnType"),
    ("wire/acknowledgement.py", '"rejected", (reason, 0, 0,', '"rejected", (reason, "", 0,', "reportArgumentType"),
)
# What CPython has and the chip has not, what the board has not, and one of the strict ones.
ON_CHIP = (
    ("drivers/clock.py", "time.ticks_ms()", "time.monotonic()", "reportAttributeAccessIssue"),
    ("drivers/panel.py", "Pin.PULL_UP", "Pin.PULL_SIDEWAYS", "reportAttributeAccessIssue"),
    ("drivers/pilot_line.py", "freq=HERTZ", "frequency=HERTZ", "reportCallIssue"),
    ("wire/sealed_text.py", 'json.loads(text + "}")', 'json.loads(text + "}", strict=False)', "reportCallIssue"),
    ("services/health.py", "asyncio.sleep(", "asyncio.get_running_loop(", "reportAttributeAccessIssue"),
    ("services/control_loop.py", "made.events and", "made.event and", "reportAttributeAccessIssue"),
    ("core/claims.py", "return summed(rows, now_ms)\n", 'return summed(rows, "now")\n', "reportArgumentType"),
)


def reported(folder):
    """{(file, line, rule)} of the errors that pyright finds in a folder with the project's own configuration."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (str(Path(one["file"]).relative_to(folder / "firmware")), one["range"]["start"]["line"] + 1, one.get("rule"))
        for one in found
        if one["severity"] == "error"
    }


def planted_in(text, there, planted):
    """(text with the error in its first place, line of the error)."""
    at = text.index(there)
    return text[:at] + planted + text[at + len(there) :], text[:at].count("\n") + 1


def copied(folder, config):
    """The folder with a copy of the firmware and a configuration of pyright."""
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    (folder / "host_tools").mkdir()
    shutil.copytree(ROOT / "firmware", folder / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def configured():
    """The project's own configuration, with the packages of this Python wherever the copy lies."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]
    return config | {"venvPath": str(Path(sys.prefix).parent), "venv": Path(sys.prefix).name}


def configured_for_chip():
    """The same with the chip's library in place of CPython's, nothing switched off, and no ignore without need."""
    config = configured() | {"typeshedPath": PACKAGES, "reportUnnecessaryTypeIgnoreComment": "error"}
    config["executionEnvironments"] = config["executionEnvironments"][:1]
    config["executionEnvironments"][0].pop("reportAttributeAccessIssue")
    return config


def test_the_whole_firmware_fits_the_library_of_the_chip(tmp_path):
    assert reported(copied(tmp_path, configured_for_chip())) == set()


@pytest.mark.parametrize(
    "config, errors", ((configured(), STRICT), (configured_for_chip(), ON_CHIP)), ids=("cpython", "chip")
)
def test_planted_errors_are_reported_each_in_its_line(tmp_path, config, errors):
    folder = copied(tmp_path, config)
    expected = set()
    for name, there, planted, rule in errors:
        path = folder / "firmware" / name
        text, line = planted_in(path.read_text(), there, planted)
        path.write_text(text)
        expected.add((name, line, rule))
    assert expected - reported(folder) == set()


def checker_names():
    """Names that the stub gives to every module of the firmware."""
    for node in ast.parse(NAMES.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            yield from (name.asname for name in node.names if name.asname)
        elif isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield (node.targets[0] if isinstance(node, ast.Assign) else node.target).id


def runs_unbound(text, names):
    """Those of the checker's names that the text uses in running code without binding them."""
    tree = ast.parse(text)
    types, bound = set(), set()
    for node in ast.walk(tree):
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            types |= {id(inner) for inner in ast.walk(found)} if found is not None else set()
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(name.asname or name.name).split(".")[0] for name in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            bound.add(node.name)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in types}
    return sorted((used & set(names)) - bound)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_of_the_checker_never_run(path):
    text = path.read_text()
    assert runs_unbound(text, checker_names()) == []
    assert not re.search(r"(pyright|type): ignore(?!\[)", text), "an ignore names its rule"


def test_a_name_of_the_checker_in_running_code_is_found():
    assert runs_unbound("x = Claim(1)", checker_names()) == ["Claim"]
    assert runs_unbound("def f(x: 'Claim') -> 'Claim':\n    y: Claim = x\n    return y", checker_names()) == []
    assert runs_unbound("from firmware.core.records import Claim\nx = Claim(1)", checker_names()) == []


def test_ruff_knows_the_same_names():
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["builtins"]
    assert sorted(configured) == sorted(checker_names())
