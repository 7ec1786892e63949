"""What firmware/app.py loads at once becomes one module: each module of its own costs the heap some 300 bytes.

Its dict, its tables and its two names go, and so does the way through a module's name at each call. A module that is
loaded only when wanted stays by itself. A name of a module is then name__module; which module a traceback speaks of,
shrink_names tells. A program outside that imports a merged module finds a small one there, which leads into the whole.
"""

import ast

from host_tools.device import shrink_foreign, shrink_move, shrink_names, shrink_scopes

ROOT = shrink_move.path_of(shrink_move.WHOLE)


def loaded_at_once(trees):
    """Paths of ROOT and all that it imports while it is loaded, each after those that it needs itself."""
    order = []

    def add(path, above):
        if path in above:
            raise shrink_names.Unsafe(f"{path} imports itself by way of {above[-1]}.")
        if path in order or path not in trees:
            return
        for node in trees[path].body:
            if shrink_scopes.is_own_import(node):
                for other, _, _ in shrink_move.imported(node, trees):
                    add(other, (*above, path))
        order.append(path)

    add(ROOT, ())
    return order


def targets_of(trees, paths):
    """{path: {name: its name in the whole}}: name__module, but a class or record keeps a name that no other has."""
    defined, titled = {}, {}
    for path in paths:
        tree = trees[path]
        imports = {name.asname or name.name for node in tree.body for name in shrink_move.foreign(node)}
        defined[path] = shrink_scopes.top_names(tree) - imports
        titled[path] = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        titled[path] |= {node.targets[0].id for node in tree.body if shrink_scopes.record_of(node)}
    everything = [name for path in paths for name in defined[path]]
    made = {}
    for path in paths:
        stem = path.removesuffix(".py").rpartition("/")[2]
        kept = {name for name in titled[path] if everything.count(name) == 1}
        kept |= defined[path] if path == ROOT else set()
        made[path] = {name: name if name in kept else name + shrink_names.APART + stem for name in defined[path]}
        for node in trees[path].body:
            if shrink_scopes.is_own_import(node):
                # What a module imports may be asked of it too.
                found = [one for one in shrink_move.imported(node, trees) if one[1] and one[0] in made]
                made[path].update({local: made[other][name] for other, name, local in found})
    targets = [made[path][name] for path in paths for name in defined[path]]
    if len(set(targets)) < len(targets):
        raise shrink_names.Unsafe(f"{max(targets, key=targets.count)} comes from two modules of one name.")
    return made


def door(path, names, outside):
    """A module in the place of a merged one for programs outside, or None when none of them imports it."""
    package, _, stem = path.removesuffix(".py").replace("/", ".").rpartition(".")
    for tree in outside:
        for node in ast.walk(tree):
            is_it = shrink_scopes.is_own_import(node) and (
                node.module == f"{package}.{stem}"
                or (node.module == package and stem in [name.name for name in node.names])
            )
            if is_it:
                spoken = set().union(*map(shrink_foreign.identifiers, outside))
                lines = ["from firmware import app"]
                lines += [f"{name} = app.{target}" for name, target in sorted(names.items()) if name in spoken]
                return ast.parse("\n".join(lines))
    return None


def merged(trees, outside):
    """{function, method or class of the whole: [(path, name) that it comes from]}; changes the trees. Errors: Unsafe.

    outside: ast.Modules that use the firmware.
    """
    if ROOT not in trees:
        return {}
    paths = loaded_at_once(trees)
    targets = targets_of(trees, paths)
    plain = {path: ast.parse(ast.unparse(tree)) for path, tree in trees.items()}
    for path, tree in trees.items():
        mover = shrink_move.Mover(path, plain, targets)
        tree.body = [one for part in tree.body for one in mover.listed(mover.visit(part))]
    body, imports = [], set()
    for path in paths:
        for node in trees[path].body:
            told = ast.unparse(node)
            if isinstance(node, ast.Import | ast.ImportFrom) and told in imports:
                continue
            imports.add(told)
            body.append(node)
    origin = {}
    for path in paths:
        for name in shrink_scopes.definitions(plain[path]):
            origin.setdefault(targets[path].get(name, name), []).append((path, name))
    for path in paths:
        made = door(path, targets[path], outside)
        if path == ROOT:
            trees[path].body = body
        elif made:
            trees[path] = made
        else:
            del trees[path]
    for tree in trees.values():
        ast.fix_missing_locations(tree)
    return origin
