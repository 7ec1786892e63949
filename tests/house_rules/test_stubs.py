"""The stubs repeat the fields of the records; here each is held against the record that runs, in order."""

import ast
import importlib
from pathlib import Path

import pytest

from firmware.core import settings

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDS = ROOT / "firmware/core/records.pyi"
NAMES = ROOT / "firmware/types/__builtins__.pyi"


def stub_fields(text):
    """{class: ((field, type), …)} of the NamedTuple classes in the text of a stub."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and [getattr(base, "id", "") for base in node.bases] == ["NamedTuple"]:
            found[node.name] = tuple((one.target.id, ast.unparse(one.annotation)) for one in node.body)
    return found


def running_fields(folders):
    """{name in the stub: _fields} of every namedtuple that a module of these folders makes."""
    found = {}
    for path in [path for folder in folders for path in sorted((ROOT / "firmware" / folder).glob("*.py"))]:
        for name in made_in(path.read_text()):
            module = importlib.import_module(f"firmware.{path.parent.name}.{path.stem}")
            stub_name = name if path.stem == "records" else name + "Record"
            assert stub_name not in found, f"two records need the name {stub_name}"
            found[stub_name] = vars(module)[name]._fields
    return found


def made_in(text):
    """Names to which a module's text gives a namedtuple."""
    for node in ast.parse(text).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        call = getattr(node, "value", None)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "namedtuple":
            yield target.id


def differences(running, stubs):
    """Words for each record whose stub lacks a field, has one too many, or has them in another order."""
    for name in sorted(set(running) | set(stubs)):
        told = tuple(field for field, _ in stubs[name]) if name in stubs else None
        if told != running.get(name):
            yield f"{name}: runs with {running.get(name)}, its stub tells {told}"


def test_every_stub_tells_the_fields_of_its_record():
    stubs = stub_fields(RECORDS.read_text()) | stub_fields(NAMES.read_text())
    assert list(differences(running_fields(("core", "wire")), stubs)) == []


@pytest.mark.parametrize(
    "there, planted",
    (
        ("    issuer: str\n    id: str\n", "    id: str\n    issuer: str\n"),
        ("    rev: int\n", ""),
        ("    rev: int\n", "    rev: int\n    more: int\n"),
        ("    hot_openings: int\n", "    hot_opening: int\n"),
        ("class Wear(NamedTuple):", "class Wears(NamedTuple):"),
    ),
)
def test_a_planted_difference_is_found(there, planted):
    text = RECORDS.read_text()
    assert there in text
    stubs = stub_fields(text.replace(there, planted)) | stub_fields(NAMES.read_text())
    assert list(differences(running_fields(("core", "wire")), stubs))


def test_the_types_of_settings_are_those_of_their_defaults():
    told = dict(stub_fields(NAMES.read_text())["SettingsRecord"])
    assert {row[0]: type(row[5]).__name__ for row in settings.SETTINGS} == told
    assert {row[0]: {"names": "str", "text": "str"}.get(row[1], row[1]) for row in settings.SETTINGS} == told
