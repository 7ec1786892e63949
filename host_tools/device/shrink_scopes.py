"""What a module of the firmware binds where: its globals, its classes, its records, and what is bound inside."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Bare(ast.NodeTransformer):
    """Takes out what the chip never needs: texts that nobody reads, and annotations."""

    def _function(self, node):
        node.returns = None
        self.generic_visit(node)
        return self._block(node)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def _block(self, node):
        """Without statements that are only a text."""
        node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        return self._block(node)

    def visit_Module(self, node):
        self.generic_visit(node)
        node.body = [one for one in node.body if not _is_text(one)]
        return node

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        if node.value is None:
            return ast.Pass()
        self.generic_visit(node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def bare(tree):
    """The tree without docstrings and annotations."""
    return ast.fix_missing_locations(_Bare().visit(tree))


def is_own_import(node):
    """Whether a statement imports from the firmware."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "firmware"


def own_imports(tree):
    """Names that a module imports from the firmware's modules, inside functions too."""
    return {name.name for node in ast.walk(tree) if is_own_import(node) for name in node.names}


def _outside_functions(node):
    """Every node below that does not lie in a function or class, these themselves included."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*DEFINITIONS, *SCOPES)):
            yield from _outside_functions(child)


def top_names(tree):
    """Names of functions, classes and values that a module defines."""
    found = set()
    for node in _outside_functions(tree):
        if isinstance(node, DEFINITIONS):
            found.add(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
    return found


def definitions(tree):
    """Names of classes, functions and methods; those of functions in functions apart."""
    found = set()
    for top in tree.body:
        for node in ast.walk(top) if isinstance(top, ast.ClassDef) else (top, *_outside_functions(top)):
            if isinstance(node, DEFINITIONS):
                found.add(node.name)
    return found


def bound_inside(tree):
    """Names bound in functions, lambdas and comprehensions; imports from the firmware apart, which mean the same
    everywhere. What a class binds can only be asked of it as an attribute, and does not count.
    """
    found = set()
    for scope in ast.walk(tree):
        if isinstance(scope, ast.ExceptHandler) and scope.name:
            found.add(scope.name)
        elif isinstance(scope, ast.Import) or (isinstance(scope, ast.ImportFrom) and not is_own_import(scope)):
            found |= {(name.asname or name.name).split(".")[0] for name in scope.names}
        elif isinstance(scope, ast.ImportFrom):
            found |= {name.asname for name in scope.names if name.asname}
        elif isinstance(scope, ast.arg):
            found.add(scope.arg)
        elif isinstance(scope, ast.Global | ast.Nonlocal):
            found.update(scope.names)
        elif isinstance(scope, SCOPES):
            for node in ast.walk(scope):
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    found.add(node.id)
                elif isinstance(node, DEFINITIONS) and node is not scope:
                    found.add(node.name)
    return found


def record_of(node):
    """(typename node, field nodes) where a statement defines a namedtuple by its fields' own texts, else None."""
    call = node.value if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else None
    if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "namedtuple" or len(call.args) != 2:
        return None
    title, fields = call.args
    texts = fields.elts if isinstance(fields, ast.Tuple | ast.List) else [fields]
    if call.keywords or not all(isinstance(one, ast.Constant) and type(one.value) is str for one in (title, *texts)):
        return None
    return title, texts


def records(tree):
    """record_of() of every record that a module defines."""
    return [found for found in map(record_of, tree.body) if found]


def fields_of(texts):
    """Names of the fields of a record."""
    return [name for text in texts for name in text.value.replace(",", " ").split()]


def stores(tree):
    """(node, whether by self) of every attribute that is assigned."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.ClassDef):
            for method in scope.body:
                if isinstance(method, FUNCTIONS) and method.args.args:
                    me = method.args.args[0].arg
                    for node in ast.walk(method):
                        if _is_store(node) and getattr(node.value, "id", None) == me:
                            yield scope, node


def _is_store(node):
    return isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)


def class_names(node, tree):
    """Names that objects of a class have by this class itself."""
    found = {part.attr for scope, part in stores(tree) if scope is node}
    for part in _outside_functions(node):
        if isinstance(part, DEFINITIONS):
            found.add(part.name)
        elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            found.add(part.id)
    return found


def loose_stores(tree):
    """Attributes assigned to anything but a method's own object: they may come to lie on whatever there is."""
    by_self = {id(node) for _, node in stores(tree)}
    return {node.attr for node in ast.walk(tree) if _is_store(node) and id(node) not in by_self}


def read_in_class(node):
    """Bare names that a class reads while it is made."""
    found = set()
    for part in node.body:
        parts = [part]
        if isinstance(part, FUNCTIONS):
            parts = [*part.decorator_list, *part.args.defaults, *(one for one in part.args.kw_defaults if one)]
        found |= {one.id for top in parts for one in ast.walk(top) if isinstance(one, ast.Name)}
    return found
