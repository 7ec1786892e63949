"""The shrunk firmware decides as the plain one does, and what others can see keeps its name."""

import ast
import random
import re
import subprocess

import pytest
from test_both_interpreters import SCRIPT, recorded, replayed

from host_tools import bootstrap, chip
from host_tools.device import decoded, shrink, shrink_merge, shrink_reckoned, shrink_scopes


def made_of(source, outside=""):
    """One module after shrinking."""
    return shrink.shrunk({"firmware/core/one.py": source}, [outside])[0]["firmware/core/one.py"]


def run(source):
    """Names after running a source."""
    found = {}
    exec(source, found)
    return found


# What the build has done already, and what the harness alone asks for.
UNUSED = [*shrink_reckoned.AT_BUILD.items(), ("firmware/drivers/board_facts.py", "loaded")]
NESTED = """
def outer(call, flag):
    def inner(request):
        return call(request) if flag else flag
    return inner
"""
WHOLE = '''"""Doc."""
MOST_WAITING = 16
SHOWN = 3

def _inner(amount_ma):
    """Doc."""
    return amount_ma * MOST_WAITING

def seen(amount_ma, other=2):
    return _inner(amount_ma) + other + SHOWN

class Box:
    def __init__(self):
        self._level = 1
    def _raise(self):
        self._level += 1
        return self._level
'''
ERROR = """
class E(Exception):
    def __init__(self, code):
        self.code = code
try:
    raise E(4)
except E as error:
    result = error.code
"""


def test_nested_functions_keep_their_variables_apart():
    found = run(made_of(NESTED, "import one\none.outer"))
    assert found["outer"](lambda value: value + 1, True)(4) == 5


def test_private_things_are_short_and_visible_ones_stay():
    made = made_of(WHOLE, "from one import seen, Box, SHOWN\nseen(1, other=3)")
    for gone in ("MOST_WAITING", "_inner", "amount_ma", "_level", "_raise", "Doc"):
        assert gone not in made
    found = run(made)
    assert (found["seen"](2, other=1), found["SHOWN"]) == (36, 3)
    assert "Box" in found


@pytest.mark.parametrize(
    "source",
    (
        "LIMIT = 5\ndef f():\n    LIMIT = 6\n    return LIMIT\nresult = f() + LIMIT\n",
        "limit = 5\nlimit = 6\nresult = limit\n",
        "A, B = 1, 2\ndef f(A):\n    return [B for B in (A, 9)] + [A]\nresult = f(3)\n",
        "def f(x, g=lambda x: x + 1):\n    return g(x) + (lambda y: y * x)(2)\nresult = f(3)\n",
        "def f(items):\n    for item in items:\n        yield item\nresult = list(f((1, 2)))\n",
        ERROR,
        "def f(*rest):\n    return sum(rest)\nresult = f(1, 2)\n",
        "FLAG = True\nresult = 1 if FLAG is True else 2\n",
        "K = -1 << 3\nresult = K - 1\n",
        "def _count():\n    return 3\nclass A:\n    def __init__(self):\n        self._count = 1\nresult = _count() + A()._count\n",  # noqa: E501
    ),
)
def test_odd_sources_do_the_same(source):
    assert run(made_of(source, "one.result"))["result"] == run(source)["result"]


def test_names_lead_back():
    sources = chip.plain_sources()
    made, names = shrink.shrunk(sources, chip.callers())
    whole = names[shrink_merge.ROOT]
    decoder = decoded.Decoder(names)
    found = set()
    for path, text in made.items():
        for short in shrink_scopes.definitions(ast.parse(text)):
            told = decoder.line(f'  File "{path}", line 1, in {short}')
            place, name = re.fullmatch(r'  File "(.*)", line 1, in (.*)', told).groups()
            name, _, files = name.partition(" of ")
            # A method's name may stand in several of the files that became one: each of them is told.
            for file in files.split(" or ") if files else (place,):
                assert name in shrink_scopes.definitions(ast.parse(sources[file])), told
                found.add((file, name))
    for path, text in sources.items():
        for name in shrink_scopes.definitions(ast.parse(text)):
            assert (path, name) in found or (path, name) in UNUSED, "every function leads back"
    assert any(told.startswith("firmware/core/claims.py:settled") for told in whole.values())
    assert "settled" not in made[shrink_merge.ROOT] and "firmware/core/passages.py" not in made
    assert sum(map(len, made.values())) < 0.6 * sum(map(len, sources.values()))
    shorts = {short for rows in names.values() for short in rows}
    longs = {long for rows in names.values() for told in rows.values() for long in told.split("|")}
    assert 2 * len(shorts) < len(longs), "one short name stands for many"


def test_the_shrunk_firmware_decides_as_the_plain_one(tmp_path):
    seed = random.SystemRandom().randrange(1 << 31)
    print("seed", seed)
    folder = chip.compiled(chip.firmware_sources(), "shrunk-test")
    for number in range(3):
        path = tmp_path / f"life{number}.jsonl"
        ticks = recorded(seed + number, path)
        # The core lies in one module with the drivers, which ask for the chip's own.
        sim = bootstrap.ROOT / "host_tools" / "sim"
        env = {"MICROPYPATH": f"{folder}:{sim / 'chip'}:{sim}:.frozen"}
        command = [*chip.interpreter(), "-X", "heapsize=4m", str(SCRIPT), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=True, cwd=tmp_path)
        plain = replayed([*chip.interpreter(), "-X", "heapsize=4m"], path)
        assert done.stdout == plain and f"{ticks} ticks" in plain
    assert bootstrap.ROOT.name not in done.stdout
