"""What renaming could break keeps its name or is refused: each rule with a program that would break without it."""

import builtins
import re
import symtable
import sys
import types

import pytest
from test_shrink import made_of, run

from host_tools import chip
from host_tools.device import shrink, shrink_foreign, shrink_names


def program(outside="", **modules):
    """{name: source} of some modules after shrinking."""
    sources = {f"firmware/core/{name}.py": text for name, text in modules.items()}
    made, _ = shrink.shrunk(sources, [outside])
    return {name: made[f"firmware/core/{name}.py"] for name in modules}


def started(made, name):
    """Names of one of several modules after running them all, which import each other from firmware.core."""
    kept = {key: module for key, module in sys.modules.items() if key.split(".")[0] == "firmware"}
    for key in kept:
        del sys.modules[key]
    sys.modules["firmware"] = types.ModuleType("firmware")
    core = sys.modules["firmware.core"] = types.ModuleType("firmware.core")
    try:
        for key, text in made.items():
            module = sys.modules["firmware.core." + key] = types.ModuleType(key)
            setattr(core, key, module)
            exec(text, vars(module))
        return vars(sys.modules["firmware.core." + name])
    finally:
        for key in [key for key in sys.modules if key.split(".")[0] == "firmware"]:
            del sys.modules[key]
        sys.modules.update(kept)


RECORDS = """
from collections import namedtuple
Reading = namedtuple("Reading", ("moment_ms", "level_mv"))
Place = namedtuple("Place", "street_name, house_number")
Sizes = ("width_mm", "depth_mm")
Box = namedtuple("Box", Sizes)
Chosen = namedtuple("Chosen", ("wifi_name", "tariff_name"))
"""
USER = """
from firmware.core import records
from firmware.core.records import Reading
class Meter:
    step_mv = 4
    def __init__(self, first_reading):
        self.first_reading = first_reading
    def raised_mv(self):
        return self.first_reading.level_mv + self.step_mv
class Louder(Meter):
    def twice_mv(self):
        return 2 * self.raised_mv()
def told(change):
    from firmware.core.records import Place
    return Place("a", 1).street_name, records.Chosen(**{}) if change else {"tariff_name": 1}
def answer():
    box = records.Box(1, 2)
    return (Louder(Reading(1, 2)).twice_mv(), told(False), box.width_mm, records.Chosen(3, 4).tariff_name)
result = answer()
"""


def test_records_classes_and_imports_agree():
    user = USER.replace("records.Chosen(**{}) if change else ", "")
    plain = started({"records": RECORDS, "user": user}, "user")["result"]
    made = program("user.result", records=RECORDS, user=user)
    assert started(made, "user")["result"] == plain
    both = made["records"] + made["user"]
    for gone in ("Reading", "moment_ms", "level_mv", "street_name", "wifi_name", "raised_mv", "twice_mv", "Louder"):
        assert gone not in both
    assert "tariff_name" in made["user"] and "tariff_name" in made["records"], "its text stands somewhere else"
    assert "width_mm" not in made["user"] and "('width_mm depth_mm'.split())" in made["records"], "the table keeps it"


def test_what_an_object_has_at_once_stays_apart():
    source = """
class Low:
    def one_thing(self):
        return 1
class High(Low):
    def other_thing(self):
        return 2
class Apart:
    def third_thing(self):
        return 3
def late(target):
    target.put_there = 4
    return target.put_there
high = High()
result = (late(high), high.one_thing(), high.other_thing(), Apart().third_thing(), late(Apart()))
"""
    made = made_of(source, "one.result")
    assert run(made)["result"] == run(source)["result"]
    _, names = shrink.shrunk({"firmware/core/one.py": source}, ["one.result"])
    assert len(names["firmware/core/one.py"]) > 4


@pytest.mark.parametrize(
    "name, source, outside",
    (
        ("shown_so", "def shown_so():\n    pass\n", "from one import shown_so"),
        ("shown_so", "class A:\n    def shown_so(self):\n        pass\n", "box.shown_so()"),
        ("shown_so", "class A:\n    def shown_so(self):\n        pass\n", "getattr(box, 'shown_so')"),
        ("shown_so", "def f(shown_so):\n    return shown_so\n", "f(shown_so=1)"),
        ("shown_so", "def f(shown_so):\n    return shown_so\nf(shown_so=1)\n", ""),
        ("shown_so", "class A:\n    shown_so = 1\nresult = getattr(A, 'shown_so')\n", ""),
        ("shown_so", "class A:\n    def __init__(self):\n        self.shown_so = 1\nd = {'shown_so': 1}\n", ""),
        ("shown_so", "from collections import namedtuple\nR = namedtuple('R', ('shown_so',))\nR(shown_so=1)\n", ""),
        ("shown_so", "from collections import namedtuple\nF = ['shown_so']\nR = namedtuple('R', F)\n", ""),
        ("Shown", "class Shown(Exception):\n    pass\n", ""),
        ("Shown", "class Low(OSError):\n    pass\nclass Shown(Low):\n    pass\n", ""),
        ("_shown", "def _shown():\n    pass\nprint([f.__name__ for f in (_shown,)])\n", ""),
        ("readexactly", "class A:\n    def readexactly(self, count):\n        pass\n", ""),
        ("awrite", "class A:\n    def awrite(self, body):\n        pass\n", ""),
        ("append", "class A:\n    def append(self):\n        pass\n", ""),
        ("ticks_diff", "class A:\n    def ticks_diff(self):\n        pass\n", ""),
        ("read_uv", "class A:\n    def read_uv(self):\n        pass\n", ""),
        ("one", "class A:\n    def one(self):\n        pass\n", ""),
        ("count_all", "count_all = 1\ndef f():\n    global count_all\n    count_all = 2\n", ""),
    ),
)
def test_what_others_may_ask_for_keeps_its_name(name, source, outside):
    assert re.search(rf"\b{name}\b", made_of(source, outside))
    if "__name__" not in source:  # such a module keeps all
        assert "planted_name" not in made_of(source + "def planted_name():\n    pass\n", outside)


@pytest.mark.parametrize(
    "source",
    (
        "def f(box, name):\n    return getattr(box, 'le' + name)\n",
        "def f(box, name):\n    setattr(box, name, 1)\n",
        "def f(box, name):\n    return hasattr(box, name)\n",
        "def f(box, more):\n    return box(**more)\n",
        "def f(name):\n    return globals()[name]\n",
        "def f(text):\n    return eval(text)\n",
        "def f(box):\n    return box.__dict__\n",
        "def f(row):\n    return row._asdict()\n",
        "def f(row):\n    return row._fields\n",
        "class A:\n    def __getattr__(self, name):\n        return name\n",
        "def f(box):\n    try:\n        return box.more\n    except AttributeError:\n        return None\n",
        "from firmware.core.other import *\n",
    ),
)
def test_names_that_nobody_can_follow_are_refused(source):
    with pytest.raises(shrink_names.Unsafe, match=r"firmware/core/one\.py"):
        made_of(source)


def test_without_the_list_of_foreign_names_the_page_would_break(monkeypatch):
    """Planted: nothing is foreign any more, and what microdot and the chip are asked for loses its name."""
    monkeypatch.setattr(shrink_foreign, "names", frozenset)
    made, _ = shrink.shrunk(chip.plain_sources(), chip.callers())
    assert "def awrite" not in made["firmware/services/web_service.py"]


def test_constants_of_others_stay_where_a_local_hides_the_module():
    made = program(
        "user.answer\nother.SHOWN",
        other="LIMIT = 5\nSHOWN = 6\nTEXT = 'a long text of its own'\nGONE, LEFT = 1, []\n",
        user="""
from firmware.core import other
class Holder:
    LIMIT = 7
def answer():
    def inner(other):
        return other.LIMIT
    return inner(Holder), GONE_TOO
GONE_TOO = "x"
""",
    )
    assert started(made, "user")["answer"]() == (7, "x")
    assert "SHOWN = 6" in made["other"] and "5" in made["other"]
    assert "TEXT" not in made["other"] and "long text" not in made["other"]


def test_a_module_of_which_nothing_is_left_goes_with_its_imports():
    sources = {
        "firmware/core/__init__.py": '"""Doc."""\n',
        "firmware/core/bounds.py": "MOST = 4\n",
        "firmware/core/kept.py": "LEAST = 5\n",
        "firmware/core/one.py": "from firmware.core import bounds, kept\nresult = bounds.MOST + kept.LEAST\n",
        "firmware/core/two.py": "from firmware.core.kept import LEAST\nresult = LEAST\n",
    }
    made, _ = shrink.shrunk(sources, ["one.result, two.result"])
    assert sorted(made) == ["firmware/core/kept.py", "firmware/core/one.py", "firmware/core/two.py"]
    assert "bounds" not in made["firmware/core/one.py"] and "result = 4 + 5" in made["firmware/core/one.py"]
    made, _ = shrink.shrunk(sources, ["from firmware.core import bounds"])
    assert "firmware/core/bounds.py" in made and "MOST" not in made["firmware/core/bounds.py"]
    made, _ = shrink.shrunk(sources, ["from firmware.core import bounds\nbounds.MOST"])
    assert "MOST = 4" in made["firmware/core/bounds.py"]


def test_a_module_may_share_short_names_but_never_loses_one():
    """Every name that a module of the firmware reads is bound in it or the language's own, as before."""
    made, _ = shrink.shrunk(chip.plain_sources(), chip.callers())
    for path, text in made.items():
        table = symtable.symtable(text, path, "exec")
        top = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
        todo = [table]
        while todo:
            scope = todo.pop()
            todo += scope.get_children()
            for one in scope.get_symbols():
                if one.is_global() and one.is_referenced():
                    assert one.get_name() in top or hasattr(builtins, one.get_name()) or one.get_name() == "__file__"
