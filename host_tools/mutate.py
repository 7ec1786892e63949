"""Task `mutate`: change the core in small ways, module tables included, and see whether the unit tests notice."""

import argparse
import ast
import copy
import functools
import io
import multiprocessing
import os
import random
import resource
import signal
import sys
import time
import unittest

from host_tools import bootstrap, jobs

CORE = bootstrap.ROOT / "firmware" / "core"
UNIT = bootstrap.ROOT / "tests" / "unit"
PATIENCE = 3  # times the processor time of a run without a mutant: a slow or busy machine kills none
FIRST_S = 600  # at most for that run
MEMORY_B = 1 << 30  # a loop that lost its end stops here at the latest
GOAL = 95
NEXT_COMPARISON = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
NEXT_OPERATION = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}
# Columns of tables that hold words for people: changing them changes no behaviour of the core.
WORD_TABLES = {"charging.py": ("TRANSITIONS", 3)}


def docstrings(tree):
    """Ids of the string nodes that are docstrings or words for people."""
    skipped = set()
    for node in ast.walk(tree):
        # `1 << 50` is a moment that never comes: one twice as far away behaves the same, and tests/unit/test_units.py
        # holds that it is further than any box lives.
        if isinstance(node, ast.BinOp) and ast.unparse(node) == "1 << 50":
            skipped |= {id(node.left), id(node.right)}
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            skipped.add(id(body[0].value))
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and type(node.left.value) is str:
            skipped.add(id(node.left))
    return skipped


def annotations(tree):
    """Ids of the nodes of types: only the checker reads them."""
    skipped = set()
    for node in ast.walk(tree):
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if found is not None:
                skipped |= {id(inner) for inner in ast.walk(found)}
    return skipped


def word_columns(tree, name):
    """Ids of the nodes in a table's column of words."""
    table, column = WORD_TABLES.get(name, ("", 0))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == table:
            found |= {id(row.elts[column]) for row in node.value.elts if len(getattr(row, "elts", ())) > column}
    return found


def changes_of(node):
    """[(words, function that changes a copy of the node)] for one node."""
    found = []
    if isinstance(node, ast.Constant) and type(node.value) is int:
        for step in (1, -1):
            found.append((f"{node.value} -> {node.value + step}", lambda n, s=step: setattr(n, "value", n.value + s)))
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        found.append((f"{node.value} -> {not node.value}", lambda n: setattr(n, "value", not n.value)))
    elif isinstance(node, ast.Constant) and type(node.value) is str and node.value:
        found.append((f"{node.value!r} -> 'mutant'", lambda n: setattr(n, "value", "mutant")))
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in NEXT_COMPARISON:
        new = NEXT_COMPARISON[type(node.ops[0])]
        found.append((f"{type(node.ops[0]).__name__} -> {new.__name__}", lambda n, o=new: n.ops.__setitem__(0, o())))
    elif isinstance(node, ast.BoolOp):
        new = ast.Or if isinstance(node.op, ast.And) else ast.And
        found.append((f"{type(node.op).__name__} -> {new.__name__}", lambda n, o=new: setattr(n, "op", o())))
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in NEXT_OPERATION:
        new = NEXT_OPERATION[type(node.op)]
        found.append((f"{type(node.op).__name__} -> {new.__name__}", lambda n, o=new: setattr(n, "op", o())))
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        found.append(("condition negated", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))))
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        found.append(("returns None", lambda n: setattr(n, "value", ast.Constant(None))))
    return found


def modules():
    """Paths of the modules of the core that hold more than the names of fields."""
    return [path for path in sorted(CORE.glob("*.py")) if path.name not in ("__init__.py", "records.py")]


def mutants(paths):
    """[(file name, node number, change number, line, words)] of some modules of the core."""
    found = []
    for path in paths:
        tree = ast.parse(path.read_text())
        skipped = docstrings(tree) | annotations(tree) | word_columns(tree, path.name)
        for number, node in enumerate(ast.walk(tree)):
            if id(node) in skipped:
                continue
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "namedtuple":
                skipped |= {id(inner) for inner in ast.walk(node)}
                continue
            for change, (words, _) in enumerate(changes_of(node)):
                found.append((path.name, number, change, getattr(node, "lineno", 0), words))
    return found


def mutated(name, number, change):
    """Code of a module with one change."""
    tree = copy.deepcopy(ast.parse((CORE / name).read_text()))
    for index, node in enumerate(ast.walk(tree)):
        if index == number:
            changes_of(node)[change][1](node)
            break
    return compile(ast.fix_missing_locations(tree), name, "exec")


class Loader:
    """Finds the one mutated module in place of its file."""

    def __init__(self, name, code):
        self.name = "firmware.core." + name[:-3]
        self.code = code

    def find_spec(self, name, path=None, target=None):
        """Spec of the mutated module, None for others."""
        import importlib.machinery

        # A loader is what has the two calls below.
        return importlib.machinery.ModuleSpec(name, self) if name == self.name else None  # pyright: ignore[reportArgumentType]

    def create_module(self, spec):
        """The usual module."""
        return None

    def exec_module(self, module):
        """Run the mutated code."""
        exec(self.code, module.__dict__)


def test_names(module):
    """Names of the unit tests that import the core, those named after the module first: a mutant mostly dies there."""
    names = [path.stem for path in sorted(UNIT.glob("test_*.py")) if "firmware.core" in path.read_text()]
    return sorted(names, key=lambda name: not name.startswith("test_" + module[:-3]))


def limit_resources(most_s):
    """Bound what one mutant may use; a test that never ends is a mutant that was noticed. most_s: of processor time."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_B, MEMORY_B))
    signal.setitimer(signal.ITIMER_PROF, most_s)


def is_killed(mutant, most_s):
    """Whether the tests notice one mutant within most_s of processor time; each runs in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        limit_resources(most_s)
        try:
            if mutant is not None:
                sys.meta_path.insert(0, Loader(mutant[0], mutated(*mutant[:3])))
            suite = unittest.TestSuite()
            for name in test_names(mutant[0] if mutant is not None else ""):
                suite.addTests(unittest.defaultTestLoader.loadTestsFromName(name))
            result = unittest.TextTestRunner(stream=io.StringIO(), failfast=True).run(suite)
            is_good = result.wasSuccessful() and result.testsRun > 150
        except BaseException:
            is_good = False
        os.write(writer, b"1" if is_good else b"0")
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 1)
    os.close(reader)
    os.waitpid(child, 0)
    return answer != b"1"


def children_s():
    """Processor time of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def chosen_modules(only):
    """Paths named by --only, all without it; SystemExit with one clear line for a name that is none."""
    known = {path.name: path for path in modules()}
    wrong = [name for name in only or () if os.path.basename(name) not in known]
    if wrong:
        raise SystemExit(f"ebb: no module of the core to change: {', '.join(wrong)}")
    return [known[os.path.basename(name)] for name in only] if only else list(known.values())


def run(argv):
    """Run the task; exit 0 when the score reaches the goal."""
    parser = argparse.ArgumentParser(prog="python3 -m host_tools mutate", description=__doc__)
    parser.add_argument("--sample", type=int, help="only so many, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="only this module, as firmware/core/claims.py (repeatable)")
    parser.add_argument("--goal", type=int, default=GOAL, help="lowest score in percent")
    options = parser.parse_args(argv)
    sys.path[:0] = [str(bootstrap.ROOT), str(UNIT)]
    chosen = mutants(chosen_modules(options.only))
    print(f"mutants: {len(chosen)} mutants")
    if options.sample:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    before_s = children_s()
    if is_killed(None, FIRST_S):
        print("ebb: the unit tests fail without any mutant.", file=sys.stderr)
        return 1
    judged = functools.partial(is_killed, most_s=PATIENCE * (children_s() - before_s) + 1)
    killed, begun_s = [], time.monotonic()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for mutant, is_dead in zip(chosen, pool.imap(judged, chosen, chunksize=4), strict=True):
            killed.append(is_dead)
            if not is_dead:
                print(f"survived: {mutant[0]}:{mutant[3]} {mutant[4]}", flush=True)
            if len(killed) % 100 == 0:
                print(f"tried: {len(killed)} of {len(chosen)}", file=sys.stderr, flush=True)
    score = 100 * sum(killed) / len(killed)
    print(f"mutation_seed: {options.seed} seed")
    print(f"mutation_tried: {len(killed)} mutants")
    print(f"mutation_killed: {sum(killed)} mutants")
    print(f"mutation_score: {score:.1f} %")
    if not options.sample and not options.only:
        columns = {"runs": len(killed), "finds": len(killed) - sum(killed)}
        jobs.logged("mutate", options.seed, {**columns, "seconds": round(time.monotonic() - begun_s)})
    return 0 if score >= options.goal else 1
