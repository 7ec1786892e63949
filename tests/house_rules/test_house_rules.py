"""The rules of the house, read from the source itself; each rule is also shown to catch what it forbids."""

import ast
import datetime
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = sorted((ROOT / "firmware").rglob("*.py"))
# layer: (may import from firmware, may import from outside); architecture.md, who may import whom
LAYERS = {
    "core": (("core",), ("collections",)),
    "wire": (("core", "wire"), ("collections", "json", "binascii", "hashlib", "struct")),
    "drivers": (
        ("core", "drivers"),
        ("machine", "network", "esp32", "time", "os", "vfs", "micropython", "collections") + ("json", "math", "array"),
    ),
    "services": (
        ("core", "wire", "services"),
        ("asyncio", "json", "gc", "micropython", "os", "collections", "io", "sys"),
    ),
}
OWNED = {
    "mqtt_link.py": ("ssl", "tls"),
    "web_service.py": ("microdot",),
    "setup_pages.py": ("microdot",),
    "flight_pages.py": ("microdot",),
    "flight_record.py": ("struct",),
    "log_lines.py": ("struct",),
    "log_pages.py": ("microdot",),
    "history_pages.py": ("microdot",),
    "captive_dns.py": ("socket",),
    "wifi.py": ("_thread",),
    "console.py": ("select", "sys"),
    "flash_area.py": ("sys",),
    "datagram.py": ("socket",),
}
MOST_LINES, MOST_FUNCTION, MOST_ARGUMENTS = 400, 40, 6
FORBIDDEN = ("typing", "dataclasses", "enum", "abc", "logging", "datetime", "unittest")
BAD_NAMES = re.compile(r"(^|_)(get|handle|process|manager|helper|util|utils|info)(_|$)")
UNITS = "_ma _mv _mw _w _wh _mwh _mhz _uj _ms _us _s _permille _ppm _ohm _hz _raw _tenths_c".split()
NO_UNIT = "output_live_poles operations hot_openings pending active counts".split()


def imports(tree):
    """Names of all imported modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "firmware" or node.module in ("firmware.core", "firmware.wire", "firmware.services"):
                yield from (f"{node.module}.{name.name}" for name in node.names)
            else:
                yield node.module


def broken_layers(layer, name, tree):
    """Imports that this layer may not make."""
    inside, outside = LAYERS[layer]
    for module in imports(tree):
        parts = module.split(".")
        if parts[0] == "firmware":
            if len(parts) < 2 or parts[1] not in inside:
                yield module
        elif parts[0] not in outside and parts[0] not in OWNED.get(name, ()):
            yield module


def broken_forms(tree, is_pure):
    """Constructs that firmware does without."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [one.arg for one in node.args.args if one.arg != "self"]
            if len(arguments) > MOST_ARGUMENTS or node.args.kwarg or node.decorator_list:
                yield f"{node.name}: arguments or decorators"
            if node.end_lineno - node.lineno + 1 > MOST_FUNCTION:
                yield f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
            # get_extra_info is what microdot and asyncio call it.
            if BAD_NAMES.search(node.name) and node.name != "get_extra_info":
                yield f"{node.name}: name"
        # MicroPython's loader takes a stream of ours only when it is an IOBase (firmware/slot_archive.py).
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.ClassDef) and [base for base in bases if base not in ("Exception", "io.IOBase")]:
            yield f"{node.name}: inherits"
        if isinstance(node, ast.JoinedStr | ast.Global):
            yield f"line {node.lineno}: f-string or global"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "setattr", "eval", "exec"):
            yield f"line {node.lineno}: {node.func.id}"
        if is_pure and isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: float"
        if is_pure and isinstance(node, ast.Div):
            yield "true division"
    if any(module.split(".")[0] in FORBIDDEN for module in imports(tree)):
        yield "a module that MicroPython lacks"


OF_FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.unlink", "os.replace", "os.truncate")
OF_FLASH = ("NVS", "set_i32", "set_blob", "mkfs", "writeblocks", "set_boot", "mark_app_valid_cancel_rollback")


def behind_no_gate(tree):
    """Calls that write, take away or rename files or the chip's numbers, which only GATED modules may make."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        modes = node.args[1:2] + [one.value for one in node.keywords if one.arg == "mode"]
        words = [ast.unparse(node.func)]
        is_reading = all(isinstance(mode, ast.Constant) and mode.value in ("r", "rb") for mode in modes)
        is_opened = words[0] in ("open", "io.open") and not is_reading
        is_number = words[0] in ("starter.set_number", "starter.forget_crashes", "starter.memory")
        if is_opened or is_number or words[0] in OF_FILES or words[0].split(".")[-1] in OF_FLASH:
            yield words[0]


# Each of them asks services/flash_gate.py first; starter.py and data_layout.py run before the loop, and flash_area.py
# is the journal's own flash, of which one slot is programmed in a turn.
GATED = (
    "services/flash_files.py",
    "image_writer.py",
    "stored_numbers.py",
    "starter.py",
    "drivers/flash_area.py",
    "drivers/data_layout.py",
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_writes_past_the_gate(path):
    if str(path.relative_to(ROOT / "firmware")) not in GATED:
        assert list(behind_no_gate(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "planted",
    (
        "open(path, 'wb')",
        "open(path, mode='a')",
        "open(path, chosen)",
        "os.remove(path)",
        "starter.set_number(starter.memory(), 'slot', 1)",
        "esp32.NVS('ebb')",
        "area.writeblocks(0, octets)",
        "Partition.mark_app_valid_cancel_rollback()",
    ),
)
def test_the_gate_rule_catches_what_it_forbids(planted):
    assert list(behind_no_gate(ast.parse(planted)))
    assert not list(behind_no_gate(ast.parse("open(path); open(path, 'rb'); flash_files.remove(path)")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file(path):
    text = path.read_text()
    tree = ast.parse(text)
    layer = path.relative_to(ROOT / "firmware").parts[0]
    assert len(text.splitlines()) <= MOST_LINES
    if layer in LAYERS:
        assert list(broken_layers(layer, path.name, tree)) == []
    assert list(broken_forms(tree, layer in ("core", "wire"))) == []
    assert "host_tools" not in [module.split(".")[0] for module in imports(tree)]
    if text.strip():
        assert ast.get_docstring(tree), "a module begins with one sentence"
        assert text.split("\n")[0].startswith('"""')


@pytest.mark.parametrize(
    "planted",
    (
        "def f(a, b, c, d, e, g, h): pass",
        "def f(**k): pass",
        "@x\ndef f(): pass",
        "def get_x(): pass",
        "class A(B): pass",
        "x = f'{1}'",
        "def f():\n    global x",
        "getattr(a, 'b')",
        "x = 1.5",
        "x = a / b",
        "import typing",
        "def f():\n" + "    x = 1\n" * 41,
    ),
)
def test_each_rule_catches_what_it_forbids(planted):
    assert list(broken_forms(ast.parse(planted), True))


def test_layer_rule_catches_what_it_forbids():
    for planted in ("import machine", "from firmware.wire import status", "from firmware import wire", "import time"):
        assert list(broken_layers("core", "x.py", ast.parse(planted)))
    assert list(broken_layers("services", "inbox.py", ast.parse("import microdot")))


def test_interlock_shares_nothing():
    assert list(imports(ast.parse((ROOT / "firmware/core/interlock.py").read_text()))) == ["collections"]


def test_numbers_in_records_carry_their_unit():
    from firmware.core import records

    for name in ("Readings", "Offer", "Energy", "Wear"):
        for field in getattr(records, name)._fields:
            is_word = field.startswith(("is_", "has_", "may_", "wants_", "must_")) or field in NO_UNIT
            assert is_word or ("_" + field).endswith(tuple(UNITS)), f"{name}.{field}"


def test_the_repository_speaks_of_the_project_alone():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "deb.debian" + ".org",
        "npmjs" + ".org",
        "/ro" + "ot/",
        "/wo" + "rk/",
        "/ho" + "me/",
    )
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.exists():
            continue
        assert path.stat().st_size <= 500_000, name
        text = path.read_text(errors="replace")
        for host in hosts:
            assert host not in text, f"{name} names {host}"
        for mark in ("TO" + "DO", "FIX" + "ME"):
            assert mark not in text, f"{name}: {mark}"


def months_unraised(changelog, built_s, committed_s):
    """What is wrong with the floor of time (wire/ntp.py, BUILT_S): older than a release, later than its commit."""
    built = datetime.datetime.fromtimestamp(built_s, datetime.UTC)
    for year, month, _ in re.findall(r"^## .*?(\d{4})-(\d\d)-(\d\d)", changelog, re.MULTILINE):
        if (built.year, built.month) < (int(year), int(month)):
            yield f"a release of {year}-{month}"
    if built_s > committed_s:
        yield "later than the newest commit"


def test_no_release_is_older_than_the_floor_of_time():
    from firmware.wire import ntp

    asked = ["git", "log", "-1", "--format=%ct"]
    committed_s = int(subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert list(months_unraised((ROOT / "CHANGELOG.md").read_text(), ntp.BUILT_S, committed_s)) == []


def test_a_floor_that_was_not_raised_is_found():
    in_november_s = 1_793_491_200
    for heading, is_good in (
        ("## 0.2.0 (2026-11-30)", True),
        ("## 0.2.0 (2026-12-01)", False),
        ("## 1.0, 2027-01-02", False),
    ):
        assert (list(months_unraised(f"{heading}\n\n- text\n", in_november_s, in_november_s)) == []) == is_good
    assert list(months_unraised("", in_november_s, in_november_s - 1))
