"""Firmware for the box's small memory: names become short ones and constants values; behaviour stays.

Every name costs the chip its letters and eight bytes more, and modules on a file system lie in the heap. shrink_names
says which names may be short; parameters that nobody passes by keyword are short too, each function's for itself. The
map from short to long names goes into the build, for tracebacks.
"""

import ast

from host_tools.device import shrink_constants, shrink_merge, shrink_names, shrink_reckoned, shrink_scopes

# module: (table, column) that only the references in docs/ read
DOCS_ONLY = {"firmware/core/charging.py": ("TRANSITIONS", 3)}


class Shrinker(ast.NodeTransformer):
    """Changes one module by the plan."""

    def __init__(self, names, path, keywords):
        """names: shrink_names.Names; keywords: what anybody passes by keyword."""
        self.short = names.short
        self.pool = names.pool
        self.keywords = keywords | shrink_names.FIXED
        self.globals = {name: names.short[name] for name in names.globals[path] if name in names.short}
        self.arguments = []

    def _function(self, node):
        """Parameters that nobody passes by keyword."""
        named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        named |= {name.name for part in ast.walk(node) if isinstance(part, ast.ImportFrom) for name in part.names}
        inside = named | {self.globals.get(name, name) for name in named}
        inside |= {short for outer in self.arguments for short in outer.values()}
        names = [arg.arg for arg in node.args.args if arg.arg not in self.keywords]
        free = (name for name in self.pool if name not in inside)
        wanted = [name for name in names if not any(name in outer for outer in self.arguments)]
        # Decorators and defaults are read outside the function.
        around = [*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)]
        for part in around:
            self.visit(part)
        self.arguments.append(dict(zip(wanted, free, strict=False)))
        for arg in ast.walk(node.args):
            if isinstance(arg, ast.arg):
                arg.arg = self._argument(arg.arg)
        body = node.body if isinstance(node.body, list) else [node.body]
        made = [self.visit(part) for part in body]
        node.body = made if isinstance(node.body, list) else made[0]
        self.arguments.pop()
        return node

    def visit_Lambda(self, node):
        """A function without a name."""
        return self._function(node)

    def _named(self, node):
        """A function or method; a function in a function keeps its name, which is no global."""
        is_nested = bool(self.arguments)
        self._function(node)
        if not is_nested:
            node.name = self.short.get(node.name, node.name)
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _named

    def _argument(self, name):
        for names in reversed(self.arguments):
            if name in names:
                return names[name]
        return name

    def visit_Name(self, node):
        """A global or a parameter."""
        node.id = self.globals.get(node.id, self._argument(node.id))
        return node

    def visit_ClassDef(self, node):
        """A class and what is in it."""
        for part in node.body:
            if isinstance(part, ast.Assign):
                for target in part.targets:
                    for name in ast.walk(target):
                        if isinstance(name, ast.Name):
                            name.id = self.short.get(name.id, name.id)
        self.generic_visit(node)
        node.name = self.short.get(node.name, node.name)
        return node

    def visit_Attribute(self, node):
        """What is asked of an object or a module."""
        self.generic_visit(node)
        node.attr = self.short.get(node.attr, node.attr)
        return node

    def visit_ImportFrom(self, node):
        """What another module of the firmware defines."""
        if shrink_scopes.is_own_import(node):
            for name in node.names:
                name.name = self.short.get(name.name, name.name)
        return node

    def visit_Assign(self, node):
        """A record's fields are texts where it is defined."""
        found = shrink_scopes.record_of(node)
        if found:
            title, texts = found
            title.value = self.short.get(title.value, title.value)
            for text in texts:
                text.value = " ".join(self.short.get(name, name) for name in text.value.replace(",", " ").split())
        self.generic_visit(node)
        return node


def shrunk(sources, outside):
    """({path: source}, {path: {short: long}}) of the firmware's modules. Errors: shrink_names.Unsafe.

    sources: {path: source}; outside: sources of programs that call the firmware, whose names must stay. A short name
    may stand for several long ones in one module: "defined here|asked of others"; what was merged says where it comes
    from: "firmware/core/claims.py:settled".
    """
    trees = {path: shrink_scopes.bare(ast.parse(text)) for path, text in sources.items()}
    others = [ast.parse(text) for text in outside]
    for path, (table, column) in DOCS_ONLY.items():
        if path in trees:
            without_column(trees[path], table, column)
    for path, tree in trees.items():
        shrink_names.check(path, tree)
    shrink_reckoned.reckon(trees)
    shrink_reckoned.tables_apart(trees)
    shrink_constants.inline(trees, others)
    for path in shrink_constants.without_empty(trees, others):
        del trees[path]
    origin = shrink_merge.merged(trees, others)
    shrink_constants.inline(trees, others)  # what was asked of a module by another name
    shrink_reckoned.without_unused(trees, others)
    names = shrink_names.Names(trees, others)
    keywords = {node.arg for tree in [*trees.values(), *others] for node in ast.walk(tree) if type(node) is ast.keyword}
    made, told = {}, {}
    for path, tree in trees.items():
        told[path] = shrink_names.told(tree, names.short, origin if path == shrink_merge.ROOT else {})
        tree = Shrinker(names, path, keywords).visit(tree)
        made[path] = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return made, told


def without_column(tree, table, column):
    """Empty one column of words of a table."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == table:
            for row in node.value.elts:
                row.elts[column] = ast.Constant("")
