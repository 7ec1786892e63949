"""Names that are not the firmware's own: of the language, the chip's libraries, microdot and the fake chip."""

import ast
import builtins
import collections
import functools
import importlib.metadata
import keyword
from pathlib import Path

from host_tools import bootstrap

# What the chip's library calls its things and no stub tells: MicroPython's asyncio is written in Python.
ASYNCIO = "s e out_buf data coro state ph_key cur_task waiting flag idx map poller readinto push pop_head fd throw"
STUBS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
FAKES = ("fake_*.py", "chip/*.py", "serial/*.py")


def identifiers(tree, with_texts=True):
    """Every identifier that a source speaks of, in any role, and every text in it that could be one."""
    found = set()
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname", "module"):
            told = getattr(node, field, None)
            if isinstance(told, str):
                found.update(told.split("."))
        if with_texts and isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def defined(tree):
    """Names that a library's source or stub defines: what can be asked of its objects, and passed to them by name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def sources():
    """Paths of the libraries' stubs and sources. Errors: PackageNotFoundError."""
    paths = [file.locate() for name in STUBS for file in importlib.metadata.files(name) or ()]
    paths += [file.locate() for file in importlib.metadata.files("microdot") or ()]
    return sorted(Path(path) for path in paths if str(path).endswith((".pyi", ".py")))


def fakes():
    """Names that the fake chip shows; what it keeps to itself is asked for by itself alone."""
    found = set()
    for pattern in FAKES:
        for path in (bootstrap.ROOT / "host_tools" / "sim").glob(pattern):
            found |= defined(ast.parse(path.read_text("utf-8")))
    return {name for name in found if not name.startswith("_")}


@functools.cache
def names():
    """All of them."""
    record = collections.namedtuple("record", "field")
    found = {*ASYNCIO.split(), *keyword.kwlist, *dir(builtins), *dir(record), *dir(ast.parse.__code__)}
    for one in (*vars(builtins).values(), type(iter(())), type(_ for _ in ()), type(ast.parse), type(ast)):
        found.update(dir(one))
    found |= fakes()
    for path in sources():
        found |= defined(ast.parse(path.read_text("utf-8")))
    return frozenset(found)
