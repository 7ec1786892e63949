"""Constants of the firmware: each use becomes the value itself, and a definition that nobody reads any more goes."""

import ast

from host_tools.device import shrink_foreign, shrink_scopes

LITERAL = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop)
MOST_TEXT = 10  # a longer text is an object of its own in each module that speaks of it


def value_of(node):
    """(value,) of a whole number, a boolean, a text or the like, written out or reckoned from numbers, else None."""
    if isinstance(node, ast.Constant):
        return (node.value,) if type(node.value) in (int, bool, str, bytes, float) else None
    if not all(isinstance(part, LITERAL) for part in ast.walk(node)):
        return None
    value = eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}})
    return (value,) if type(value) in (int, bool) else None


def constants_of(tree):
    """{name: value} of what a module defines once, at its top, and nothing inside it binds again."""
    stores = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    inside = shrink_scopes.bound_inside(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for node in classes:
        inside |= shrink_scopes.class_names(node, tree)
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, value_of(node.value)
            if value is not None and stores.count(name) == 1 and name not in inside:
                found[name] = value[0]
    return found


def split(tree):
    """A, B = 1, 2 as two statements, so that each may go by itself."""
    body = []
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        pairs = []
        is_row = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        if is_row and all(value_of(one) for one in node.value.elts):
            pairs = zip(target.elts, node.value.elts, strict=True)
        made = [ast.copy_location(ast.Assign([one], value), node) for one, value in pairs]
        body += made or [node]
    tree.body = body


class _Inliner(ast.NodeTransformer):
    """Puts values in the place of names, in one module."""

    def __init__(self, path, tree, constants):
        self.values = constants[path]
        self.modules = {}
        local = shrink_scopes.bound_inside(tree) | shrink_scopes.top_names(tree)
        for node in ast.walk(tree):
            if shrink_scopes.is_own_import(node):
                for name in node.names:
                    other = f"{node.module}/{name.name}".replace(".", "/") + ".py"
                    # A module's name that is also something else somewhere may not be read as the module.
                    if not name.asname and name.name not in local and other in constants:
                        self.modules[name.name] = constants[other]

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load) and node.id in self.values:
            return ast.copy_location(ast.Constant(self.values[node.id]), node)
        return node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            found = self.modules.get(node.value.id, {}).get(node.attr)
            if found is not None and not (type(found) in (str, bytes) and len(found) > MOST_TEXT):
                return ast.copy_location(ast.Constant(found), node)
        self.generic_visit(node)
        return node


def inline(trees, outside):
    """Change the trees. outside: ast.Modules that use the firmware; what they speak of is still defined."""
    for tree in trees.values():
        split(tree)
    constants = {path: constants_of(tree) for path, tree in trees.items()}
    for path, tree in trees.items():
        _Inliner(path, tree, constants).visit(tree)
    spoken = set().union(*map(_asked_for, [*trees.values(), *outside]))
    for path, tree in trees.items():
        tree.body = [node for node in tree.body if not _is_dropped(node, constants[path].keys() - spoken)]
        ast.fix_missing_locations(tree)


def _asked_for(tree):
    """Names that a source may ask of a module: attributes, imports, and texts that could be names."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    return found


def _is_dropped(node, names):
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    return isinstance(target, ast.Name) and target.id in names


def without_empty(trees, outside):
    """Paths of modules of which nothing is left, after every import of them was taken out.

    A folder is a package without __init__ too. A module that an outside program imports stays.
    """
    spoken = {name for tree in outside for name in shrink_foreign.identifiers(tree)} - {"__init__"}
    empty = {path for path, tree in trees.items() if not tree.body}
    empty = {path for path in empty if path.removesuffix(".py").rpartition("/")[2] not in spoken}
    for tree in trees.values():
        _ImportRemover(empty, tree).visit(tree)
        ast.fix_missing_locations(tree)
    return empty


class _ImportRemover(ast.NodeTransformer):
    """Takes out the imports of modules that hold nothing, where nothing reads their names either."""

    def __init__(self, empty, tree):
        self.empty = empty
        self.read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    def visit_ImportFrom(self, node):
        if shrink_scopes.is_own_import(node):
            kept = [name for name in node.names if name.asname or not self._is_empty(node, name.name)]
            if not kept:
                return None
            node.names = kept
        return node

    def _is_empty(self, node, name):
        return f"{node.module}/{name}".replace(".", "/") + ".py" in self.empty and name not in self.read
