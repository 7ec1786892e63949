"""Firmware for the box's small memory: private names become short ones and constants numbers; behaviour stays.

Every name costs the chip its letters and eight bytes more, and modules on a file system lie in the heap. Only names
that no other module and no library can see are changed: private attributes, globals that only their own module uses,
parameters that nobody passes by keyword. The map from short to long names goes into the build, for tracebacks.
"""

import ast
import builtins
import itertools
import keyword
import string

# module: (table, column) that only the references in docs/ read
DOCS_ONLY = {"firmware/core/charging.py": ("TRANSITIONS", 3)}
FIXED = {"self", "cls", "_"}


def short_names(taken):
    """Endless short identifiers that nothing else uses."""
    first = string.ascii_letters + "_"
    for size in itertools.count(1):
        for letters in itertools.product(string.ascii_letters + string.digits, repeat=size - 1):
            for start in first:
                name = start + "".join(letters)
                if name not in taken and not keyword.iskeyword(name) and not hasattr(builtins, name) and name != "_":
                    yield name


def number_of(node):
    """The whole number or boolean that an expression of literals gives, else None."""
    if any(
        not isinstance(part, ast.Constant | ast.UnaryOp | ast.BinOp | ast.operator | ast.unaryop)
        for part in ast.walk(node)
    ):
        return None
    value = eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}})
    return value if type(value) in (int, bool) else None


def constants_of(tree):
    """{name: number} of module-level constants."""
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, value = node.targets[0], node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for name, part in pairs:
            if isinstance(name, ast.Name) and number_of(part) is not None:
                found[name.id] = number_of(part)
    return found


def bound_locally(tree):
    """Names that are bound anywhere but at module level."""
    found = set()
    outer = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(name.asname or name.name).split(".")[0] for name in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and id(node) not in outer:
            found.add(node.name)
    for top in tree.body:
        is_scope = isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(top):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and is_scope:
                found.add(node.id)
            elif isinstance(node, ast.comprehension):
                found |= {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
    return found


def top_names(tree):
    """Names of functions, classes and values defined at module level."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return found


class Plan:
    """What may be renamed, from all modules together."""

    def __init__(self, trees, outside):
        """trees: {path: ast.Module}; outside: ast.Modules that use the firmware and stay as they are."""
        nodes = [node for tree in [*trees.values(), *outside] for node in ast.walk(tree)]
        self.attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        self.keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
        self.imported = {name.name for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names}
        own = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
        own |= {
            part.name
            for node in nodes
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        taken = {node.id for node in nodes if isinstance(node, ast.Name)} | self.attributes | self.keywords | own
        taken |= {node.arg for node in nodes if isinstance(node, ast.arg)} | self.imported
        self.pool = list(itertools.islice(short_names(taken), 2000))
        private = sorted(name for name in own if name.startswith("_") and not name.startswith("__"))
        self.private = dict(zip(private, self.pool, strict=False))
        self.constants = {path: constants_of(tree) for path, tree in trees.items()}

    def globals_of(self, path, tree):
        """{long: short} of the globals that only this module sees."""
        hidden = self.attributes | self.imported | bound_locally(tree) | FIXED
        names = sorted(name for name in top_names(tree) if name not in hidden and not name.startswith("__"))
        return dict(zip(names, self.pool, strict=False))


class Shrinker(ast.NodeTransformer):
    """Changes one module by the plan."""

    def __init__(self, plan, path, tree):
        self.plan = plan
        self.globals = plan.globals_of(path, tree)
        local = bound_locally(tree) | self._assigned_twice(tree)
        self.numbers = {name: value for name, value in plan.constants[path].items() if name not in local}
        self.modules = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("firmware"):
                for name in node.names:
                    other = f"{node.module}/{name.name}".replace(".", "/") + ".py"
                    self.modules[name.asname or name.name] = plan.constants.get(other, {})
        # A module's name that is also a local somewhere may not be read as the module.
        for name in list(self.modules):
            if name in bound_locally(
                ast.Module([node for node in tree.body if not isinstance(node, ast.ImportFrom)], [])
            ):
                del self.modules[name]
        self.arguments = []

    @staticmethod
    def _assigned_twice(tree):
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        return {name for name in names if names.count(name) > 1}

    def _function(self, node):
        """Parameters that nobody passes by keyword."""
        inside = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        inside |= {short for outer in self.arguments for short in outer.values()}
        names = [arg.arg for arg in node.args.args if arg.arg not in self.plan.keywords | FIXED]
        free = (name for name in reversed(self.plan.pool) if name not in inside)
        wanted = [name for name in names if not any(name in outer for outer in self.arguments)]
        self.arguments.append(dict(zip(wanted, free, strict=False)))
        self.generic_visit(node)
        self.arguments.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.name = self.globals.get(node.name, node.name)
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_arg(self, node):
        """A parameter's name; its annotation is for the checker only."""
        node.annotation = None
        node.arg = self._argument(node.arg)
        return node

    def _argument(self, name):
        for names in reversed(self.arguments):
            if name in names:
                return names[name]
        return name

    def visit_Name(self, node):
        """A global, a constant or a parameter."""
        if isinstance(node.ctx, ast.Load) and node.id in self.numbers:
            return ast.Constant(self.numbers[node.id])
        node.id = self.globals.get(node.id, self._argument(node.id))
        return node

    def visit_ClassDef(self, node):
        """A class and what is in it."""
        self.generic_visit(node)
        for part in node.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                part.name = self.plan.private.get(part.name, part.name)
        node.name = self.globals.get(node.name, node.name)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_Attribute(self, node):
        """A private attribute, or another module's constant."""
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            number = self.modules.get(node.value.id, {}).get(node.attr)
            if number is not None:
                return ast.Constant(number)
        self.generic_visit(node)
        node.attr = self.plan.private.get(node.attr, node.attr)
        return node


def shrunk(sources, outside):
    """({path: source}, {path: {short: long}}) of the firmware's modules.

    sources: {path: source}; outside: sources of programs that call the firmware, whose names must stay.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    plan = Plan(trees, [ast.parse(text) for text in outside])
    made, names = {}, {}
    for path, tree in trees.items():
        if path in DOCS_ONLY:
            without_column(tree, *DOCS_ONLY[path])
        shrinker = Shrinker(plan, path, tree)
        tree.body = [node for node in tree.body if not is_docstring(node)]
        dropped = droppable(shrinker, plan, trees)
        tree = shrinker.visit(tree)
        tree.body = [node for node in tree.body if not is_only(node, dropped)]
        made[path] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        names[path] = {short: long for long, short in {**plan.private, **shrinker.globals}.items()}
    return made, names


def is_docstring(node):
    """Whether a statement is a text that nobody reads."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def droppable(shrinker, plan, trees):
    """Constants whose every use became a number: nobody imports them by name, so their own line may go."""
    return {shrinker.globals.get(name, name) for name in shrinker.numbers if name not in plan.imported | FIXED}


def is_only(node, dropped):
    """Whether a statement only defines dropped constants."""
    if not isinstance(node, ast.Assign):
        return False
    names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return bool(names) and all(name in dropped for name in names)


def without_column(tree, table, column):
    """Empty one column of words of a table."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == table:
            for row in node.value.elts:
                row.elts[column] = ast.Constant("")
