"""What the firmware reckons from its own tables while it loads is reckoned by the build; only the outcome is shipped.

The modules of the core are pure: the build runs them as they stand. A function, table or text that nobody asks for any
more then goes.
"""

import ast
import builtins
import types

from host_tools.device import shrink_foreign, shrink_names, shrink_scopes

# Functions of the core whose calls at a module's top take no time of their own at run time.
AT_BUILD = {"firmware/core/faults.py": "row_of", "firmware/core/charging.py": "rows_by_state"}


class _Run:
    """Modules of the firmware as they stand in the trees, run by this Python."""

    def __init__(self, trees):
        self.trees = trees
        self.done = {}

    def module(self, path):
        """Namespace of a module."""
        if path not in self.done:
            self.done[path] = {"__name__": path, "__builtins__": {**vars(builtins), "__import__": self._imported}}
            exec(compile(self.trees[path], path, "exec"), self.done[path])
        return self.done[path]

    def _imported(self, name, names=None, local=None, wanted=(), level=0):
        """As __import__; the firmware's own come from the trees."""
        if name.split(".")[0] != "firmware":
            return __import__(name, names, local, wanted, level)
        folder = name.replace(".", "/")
        found = dict(self.module(folder + ".py")) if folder + ".py" in self.trees else {}
        for one in wanted or ():
            if f"{folder}/{one}.py" in self.trees:
                found[one] = types.SimpleNamespace(**self.module(f"{folder}/{one}.py"))
        return types.SimpleNamespace(**found)


def _written(value, names) -> ast.expr:
    """The expression of a value: numbers, texts, functions of the module and tuples of them. Errors: Unsafe."""
    if isinstance(value, tuple) and type(value) is tuple:
        return ast.Tuple([_written(one, names) for one in value], ast.Load())
    if isinstance(value, types.FunctionType) and value.__name__ in names:
        return ast.Name(value.__name__, ast.Load())
    if value is None or isinstance(value, bool | int | str):
        return ast.Constant(value)
    raise shrink_names.Unsafe(f"{value!r} cannot be written out by the build.")


def reckon(trees):
    """Put outcomes in the place of the calls; changes the trees. Errors: Unsafe."""
    run = _Run({path: ast.fix_missing_locations(tree) for path, tree in trees.items()})
    for path, function in AT_BUILD.items():
        if path not in trees:
            continue
        found, names = run.module(path), shrink_scopes.definitions(trees[path])
        for node in trees[path].body:
            if isinstance(node, ast.Assign) and _calls(node.value, function):
                node.value = _with_outcome(node, found, names)
        ast.fix_missing_locations(trees[path])


def _calls(node, function):
    """Whether an expression is a call of the function, or a row of such calls."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(one, ast.Call) and getattr(one.func, "id", "") == function for one in parts) and bool(parts)


def _with_outcome(node, found, names):
    target = node.targets[0]
    if isinstance(target, ast.Name):
        return _written(found[target.id], names)
    return ast.Tuple([_written(found[one.id], names) for one in target.elts], ast.Load())


def tables_apart(trees):
    """Give records whose fields a table of texts names those fields as their own: changes the trees.

    The table becomes one text that is split while it is loaded, so that it keeps no names and the fields may be short.
    """
    for tree in trees.values():
        tables = {node.targets[0].id: node for node in tree.body if _is_table(node)}
        for node in tree.body:
            call = node.value if isinstance(node, ast.Assign) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "namedtuple" and len(call.args) == 2:
                table = tables.get(getattr(call.args[1], "id", ""))
                if table:
                    call.args[1] = table.value
                    names = " ".join(one.value for one in call.args[1].elts)
                    table.value = ast.parse(f"tuple({names!r}.split())", mode="eval").body
                    del tables[table.targets[0].id]
        ast.fix_missing_locations(tree)


def _is_table(node):
    """Whether a statement names a tuple of texts that could be fields."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    texts = node.value.elts if isinstance(node.value, ast.Tuple) else []
    return bool(texts) and all(type(getattr(one, "value", None)) is str and one.value.isidentifier() for one in texts)


def _is_idle(node):
    """Whether making this value does nothing else: it calls nothing and asks nothing."""
    quiet = (ast.Tuple, ast.List, ast.Constant, ast.Name, ast.expr_context, ast.UnaryOp, ast.BinOp, ast.operator)
    return all(isinstance(part, (*quiet, ast.unaryop)) for part in ast.walk(node))


def _named(node):
    """The one name that a top statement defines without doing anything else, or ""."""
    if isinstance(node, shrink_scopes.FUNCTIONS) and not node.decorator_list:
        return node.name if all(map(_is_idle, node.args.defaults)) else ""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id if _is_idle(node.value) else ""
    return ""


def without_unused(trees, outside):
    """Take out functions and values at the modules' tops that no module and no program outside speaks of."""
    if shrink_names.WHOLE not in trees:
        return  # what some modules by themselves are for, others know
    asked = set().union(set(), *map(shrink_foreign.identifiers, outside))
    while True:
        spoken = set(asked)
        for tree in trees.values():
            for top in tree.body:
                own = _named(top)
                spoken |= shrink_foreign.identifiers(top) - {own} | _read_beside(top, own)
        gone = False
        for tree in trees.values():
            kept = [node for node in tree.body if not _named(node) or _named(node) in spoken]
            gone = gone or len(kept) < len(tree.body)
            tree.body = kept
        if not gone:
            return


def _read_beside(top, own):
    """The name itself where a class, a record or a parameter of the statement has it too; a call of itself is none."""
    return (
        {own}
        if own and any(getattr(node, "attr", getattr(node, "arg", "")) == own for node in ast.walk(top))
        else set()
    )
