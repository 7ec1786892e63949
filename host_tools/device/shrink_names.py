"""Which names of the firmware may be short, and which short ones: few, each for many that can never meet.

A name is one text in the whole program: wherever it is read, stored, imported or defined it becomes the same short one.
Two names share a short one only where nothing has both: no module, no class with its bases, no record.
"""

import ast
import builtins
import itertools
import keyword
import string

from host_tools.device import shrink_foreign, shrink_scopes

FIXED = {"self", "cls", "_"}
# Ways to reach a name that no reading of the source can follow.
DYNAMIC = {"globals", "locals", "vars", "eval", "exec", "dir", "__dict__", "__getattr__", "__slots__", "_asdict"}
DYNAMIC |= {"_fields", "_make", "AttributeError", "NameError", "delattr"}
APART = "__"  # between a name and the module that it comes from, where modules are merged (shrink_merge)
WHOLE = "firmware/app.py"
MOST_INTERNED = 10  # a longer text is no name to the chip
BY_TEXT = {"getattr", "setattr", "hasattr"}


class Unsafe(Exception):
    """The firmware does what renaming would break; the text is one clear line."""


def short_names(taken):
    """Endless short identifiers that nothing else uses."""
    for size in itertools.count(1):
        for letters in itertools.product(string.ascii_letters + string.digits, repeat=size - 1):
            for start in string.ascii_letters:
                name = start + "".join(letters)
                if name not in taken and not keyword.iskeyword(name) and not hasattr(builtins, name):
                    yield name


def check(path, tree):
    """Refuse what reaches names by texts that are made at run time. Errors: Unsafe."""
    for node in ast.walk(tree):
        said = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, shrink_scopes.FUNCTIONS):
            said = node.name
        if said in DYNAMIC:
            raise Unsafe(f"{path} uses {said}, which reaches names that the short ones cannot follow.")
        if isinstance(node, ast.Call):
            by_text = getattr(node.func, "id", "") in BY_TEXT
            if by_text and not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
                raise Unsafe(f"{path} asks for an attribute by a text that is made at run time.")
            if any(word.arg is None for word in node.keywords):
                raise Unsafe(f"{path} passes keywords from a dict, which the short names cannot follow.")
        elif isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
            raise Unsafe(f"{path} imports everything of a module.")


def texts(tree):
    """Every text of a module but those that only name the fields of a record: a name may be reached by it."""
    apart = {id(part) for title, fields in shrink_scopes.records(tree) for part in (title, *fields)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is str and id(node) not in apart
    }


def told_by_text(tree):
    """Texts by which a module asks an object for an attribute."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BY_TEXT]
    return {one.value for node in calls for one in node.args if isinstance(one, ast.Constant)}


def told_by_name(tree):
    """What may tell its own name: whatever defines a module that asks for another one than type(x).__name__."""
    asked = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "__name__"]
    if all(getattr(getattr(node, "func", None), "id", "") == "type" for node in asked):
        return set()
    return shrink_scopes.top_names(tree)


def errors_of(trees):
    """Names of classes with a base that is not the firmware's own, and of those below them: errors are told by name."""
    bases = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(ast.unparse(base).split(".")[-1] for base in node.bases)
    found = {name for name, above in bases.items() if above - bases.keys()}
    while True:
        more = {name for name, above in bases.items() if above & found} - found
        if not more:
            return found
        found |= more


class Names:
    """The map of the whole firmware, `short`: {long: short}; kept: names that stay as they are."""

    def __init__(self, trees, outside):
        """trees: {path: bare ast.Module}; outside: ast.Modules that use the firmware and stay."""
        self.globals = {
            path: shrink_scopes.top_names(tree) | shrink_scopes.own_imports(tree) for path, tree in trees.items()
        }
        self.kept = self._kept(trees, outside)
        everything = set().union(*map(shrink_foreign.identifiers, [*trees.values(), *outside]))
        taken = everything | shrink_foreign.names()
        self.pool = self._mere_texts(trees, outside) + list(itertools.islice(short_names(taken), 3000))
        groups, loose = self._groups(trees)
        self.short = self._chosen(groups, loose, trees)

    def _kept(self, trees, outside):
        """Names that something outside may ask for, or that may be reached by a text."""
        kept = FIXED | shrink_foreign.names()
        for tree in outside:
            kept |= shrink_foreign.identifiers(tree)
        for path, tree in trees.items():
            kept |= texts(tree) | told_by_name(tree) | set(path.removesuffix(".py").split("/"))
            kept |= (self.globals[path] | shrink_scopes.definitions(tree)) & shrink_scopes.bound_inside(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.keyword) and node.arg:
                    kept.add(node.arg)
                elif isinstance(node, ast.alias):
                    kept |= {node.asname or node.name, node.name} if node.asname else set()
                elif isinstance(node, ast.Import) or (
                    isinstance(node, ast.ImportFrom) and not shrink_scopes.is_own_import(node)
                ):
                    kept |= {part for name in node.names for part in name.name.split(".")}
                elif isinstance(node, ast.Global | ast.Nonlocal):
                    kept.update(node.names)
        return kept | errors_of(trees)

    def _groups(self, trees):
        """(sets of names that must differ from each other, names that must differ from all attributes)."""
        groups, loose, own, above = [], set(), {}, {}
        for path, tree in trees.items():
            groups.append(self.globals[path])
            loose |= shrink_scopes.loose_stores(tree)
            # A traceback names the function: what a module defines leads back without doubt.
            nodes = list(ast.walk(tree))
            groups.append(shrink_scopes.definitions(tree))
            groups += [set(shrink_scopes.fields_of(fields)) for _, fields in shrink_scopes.records(tree)]
            for node in nodes:
                if isinstance(node, ast.ClassDef):
                    names = shrink_scopes.class_names(node, tree)
                    groups.append(names | shrink_scopes.read_in_class(node))
                    # Classes of one name in two modules count as one.
                    own.setdefault(node.name, set()).update(names)
                    bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
                    above.setdefault(node.name, set()).update(bases)
        for name in own:
            line, todo = set(), {name}
            while todo:
                line |= todo
                todo = set().union(*(above.get(one, set()) for one in todo)) - line
            groups.append(set().union(*(own.get(one, set()) for one in line)))
        return groups, loose

    def _chosen(self, groups, loose, trees):
        """{long: short}; the most spoken of come first."""
        wanted = set().union(*groups, loose)
        wanted = {name for name in wanted if name not in self.kept and not name.startswith("__")}
        others = {name: set() for name in wanted}
        for group in groups:
            group = group & wanted
            for name in group:
                others[name] |= group
        for name in loose & wanted:
            others[name] = set(wanted)
            for other in wanted:
                others[other].add(name)
        count = dict.fromkeys(wanted, 0)
        for tree in trees.values():
            for name in shrink_foreign.identifiers(tree) & wanted:
                count[name] += 1
        short = self._spoken(trees)
        for name in sorted(wanted - short.keys(), key=lambda one: (-len(others[one]), -count[one], one)):
            used = {short[other] for other in others[name] if other in short}
            short[name] = next(one for one in self.pool if one not in used)
        return short

    @staticmethod
    def _mere_texts(trees, outside):
        """Texts of the whole that are nothing else anywhere: they lie in the heap as names and serve as short ones."""
        whole = trees.get(WHOLE)
        if whole is None:
            return []
        found = {text for text in texts(whole) if text.isidentifier() and len(text) <= MOST_INTERNED}
        for tree in trees.values():
            found -= shrink_foreign.identifiers(tree, with_texts=False) | told_by_text(tree)
        for tree in outside:
            found -= shrink_foreign.identifiers(tree)
        found -= shrink_foreign.names()
        return sorted(name for name in found if not name.startswith("_"))

    def _spoken(self, trees):
        """{long: short} of globals of the whole that are called as something that it speaks of anyway.

        A global is never reached by a text or as an attribute, so a text or an attribute may be spelled alike: one name
        less in the heap. Only names that no other module imports, and none that anything binds inside the module.
        """
        short = {}
        for path, tree in trees.items():
            others = set().union(*(names for other, names in self.globals.items() if other != path))
            mine = sorted(name for name in self.globals[path] - others if APART in name and name not in self.kept)
            spoken = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & self.kept
            spoken |= {text for text in texts(tree) if text.isidentifier() and len(text) <= MOST_INTERNED}
            bare = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            spoken -= bare | self.globals[path] | shrink_scopes.bound_inside(tree) | set(dir(builtins)) | FIXED
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    spoken -= shrink_scopes.class_names(node, tree)
                elif isinstance(node, ast.Import | ast.ImportFrom):
                    spoken -= {(name.asname or name.name).split(".")[0] for name in node.names}
            free = sorted(name for name in spoken if not keyword.iskeyword(name) and not name.startswith("_"))
            short.update(zip(mine, free, strict=False))
        return short


def plain_of(name):
    """The name that a source has for a global of the whole."""
    plain, _, stem = name.rpartition(APART)
    return plain if plain and stem else name


def told(tree, short, origin):
    """{short: long} of the names that a module speaks of; "long|long" where it is several, its own definition first.

    origin: {name: [(path, name)]} of what comes from several modules: told as "path:name".
    """
    own = shrink_scopes.definitions(tree)
    spoken = shrink_foreign.identifiers(tree)
    found = {}
    for name in sorted(spoken & (short.keys() | origin.keys()), key=lambda one: (one not in own, one)):
        longs = [f"{path}:{plain}" for path, plain in origin.get(name, ())] or [plain_of(name)]
        found.setdefault(short.get(name, name), []).extend(longs)
    for name in found.keys() & spoken - short.keys() - origin.keys():
        found[name].append(name)
    return {name: "|".join(longs) for name, longs in found.items()}
