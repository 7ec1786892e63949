"""One module's share of the whole: every name becomes that of the whole, where nothing inside hides it."""

import ast

from host_tools.device import shrink_names, shrink_scopes

WHOLE = "firmware.app"


def path_of(dotted):
    """Path of the module of that name."""
    return dotted.replace(".", "/") + ".py"


def imported(node, trees):
    """[(path, name in it or None for the module itself, local name)] of an import from the firmware."""
    found = []
    for name in node.names:
        as_module = path_of(f"{node.module}.{name.name}")
        local = name.asname or name.name
        found.append((as_module, None, local) if as_module in trees else (path_of(node.module), name.name, local))
    return found


def foreign(node):
    """Names of the imports in a statement that are not the firmware's."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import | ast.ImportFrom) and not shrink_scopes.is_own_import(part):
            yield from part.names


def bound(scope):
    """Names that a function, lambda or comprehension binds for itself; own imports apart."""
    if isinstance(scope, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
        found = {arg.arg for arg in ast.walk(scope.args) if isinstance(arg, ast.arg)}
        parts = scope.body if isinstance(scope.body, list) else []
    else:
        found, parts = set(), [one.target for one in scope.generators]
    shared = set()
    todo: list[ast.AST] = list(parts)
    while todo:
        node = todo.pop()
        if isinstance(node, shrink_scopes.DEFINITIONS):
            found.add(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Global):
            shared.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {name.asname or name.name.split(".")[0] for name in foreign(node)}
        if not isinstance(node, (*shrink_scopes.DEFINITIONS, *shrink_scopes.SCOPES)):
            todo.extend(ast.iter_child_nodes(node))
    return found - shared


class Mover(ast.NodeTransformer):
    """Speaks of the names of the whole in the place of those of one module, where nothing inside hides them."""

    def __init__(self, path, trees, targets):
        self.path = path
        self.names = dict(targets.get(path, {}))
        self.modules = {}
        self.hidden = []
        self.trees = trees
        self.targets = targets
        for node in ast.walk(trees[path]):
            for other, name, local in imported(node, trees) if shrink_scopes.is_own_import(node) else ():
                if other in targets:
                    self._import(local, targets[other] if name is None else targets[other].get(name, name))

    def _import(self, local, found):
        """Note what a local name stands for, which must be the same in the whole module."""
        known = self.modules.get(local, self.names.get(local, found))
        if known != found or local in shrink_scopes.top_names(self.trees[self.path]):
            raise shrink_names.Unsafe(f"{self.path} has two things of the name {local}.")
        (self.modules if isinstance(found, dict) else self.names)[local] = found

    def _is_hidden(self, name):
        return any(name in names for names in self.hidden)

    def visit_Name(self, node):
        if not self._is_hidden(node.id):
            if node.id in self.modules:
                raise shrink_names.Unsafe(f"{self.path} uses the module {node.id} as a thing.")
            node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node):
        name = getattr(node.value, "id", "")
        if name in self.modules and not self._is_hidden(name):
            if node.attr not in self.modules[name]:
                raise shrink_names.Unsafe(f"{self.path} asks {name} for {node.attr}, which is not its own.")
            return ast.copy_location(ast.Name(self.modules[name][node.attr], node.ctx), node)
        self.generic_visit(node)
        return node

    def _function(self, node):
        if not self.hidden and hasattr(node, "name"):
            node.name = self.names.get(node.name, node.name)
        around = [*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)]
        for part in around:
            # What is replaced as a whole stands alone here: defaults are names and numbers.
            if isinstance(part, ast.Attribute) and isinstance(self.visit(part), ast.Name):
                raise shrink_names.Unsafe(f"{self.path} has another module's name as a default.")
            self.visit(part)
        self.hidden.append(bound(node))
        body = node.body if isinstance(node.body, list) else [node.body]
        made = [one for part in body for one in self.listed(self.visit(part))]
        node.body = (made or [ast.Pass()]) if isinstance(node.body, list) else made[0]
        self.hidden.pop()
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    @staticmethod
    def listed(made):
        return made if isinstance(made, list) else [] if made is None else [made]

    def visit_ClassDef(self, node):
        """A class binds names for what stands in it, but not for its methods."""
        if not self.hidden:
            node.name = self.names.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        own = {part.id for one in node.body for part in ast.walk(one) if _is_class_store(one, part)}
        for index, part in enumerate(node.body):
            is_method = isinstance(part, shrink_scopes.FUNCTIONS)
            name = part.name if is_method else ""
            self.hidden.append(set() if is_method else own)
            node.body[index] = self.visit(part)
            self.hidden.pop()
            if is_method:
                part.name = name
        return node

    def _comprehension(self, node):
        self.hidden.append(bound(node))
        self.generic_visit(node)
        self.hidden.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Assign(self, node):
        """A record tells its own name, which is that of the whole."""
        found = shrink_scopes.record_of(node)
        self.generic_visit(node)
        if found:
            found[0].value = node.targets[0].id
        return node

    def visit_Global(self, node):
        node.names = [self.names.get(name, name) for name in node.names]
        return node

    def visit_ImportFrom(self, node):
        """What the whole holds is there already; another module asks it for each name that it speaks of."""
        if not shrink_scopes.is_own_import(node):
            return node
        kept, wanted = [], []
        for name, (other, inside, local) in zip(node.names, imported(node, self.trees), strict=True):
            if other not in self.targets:
                kept.append(name)
            elif inside is None:
                wanted += [self.modules[local].get(attr, attr) for attr in asked(self.trees[self.path], local)]
            else:
                wanted.append(self.names[local])
        made = [ast.ImportFrom(node.module, kept, 0)] if kept else []
        if wanted and self.path not in self.targets:
            made.append(ast.ImportFrom(WHOLE, [ast.alias(name) for name in sorted(set(wanted))], 0))
        return made or None


def _is_class_store(statement, part):
    is_store = isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    return is_store and not isinstance(statement, shrink_scopes.FUNCTIONS)


def asked(tree, module):
    """Names that a tree asks of a module by its local name."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == module
    }
