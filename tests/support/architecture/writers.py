"""Rules about who writes: which files change a table, and which open transactions."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tests.support.architecture.inference import Index, Reader
from tests.support.architecture.kinds import (
    NOTHING,
    Call,
    Cls,
    Column,
    CoreTable,
    Foreign,
    Func,
    Giver,
    Many,
    Obj,
    Outside,
    Parameter,
    Statement,
    Types,
    items_of,
    single,
)
from tests.support.architecture.package import Package, SourceFile, lies_in

_CHANGES_IN_PLACE = {
    "add",
    "append",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "insert",
    "intersection_update",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "symmetric_difference_update",
    "update",
}
_STATEMENTS = ("insert", "update", "delete")
_SETTERS = {
    "setattr",
    "delattr",
    "flag_modified",
    "set_attribute",
    "set_committed_value",
    "del_attribute",
    "__setattr__",
}
_RAW = ("insert into ", "insert or ", "update ", "delete from ", "replace into ", "truncate ")


@dataclass(frozen=True, order=True)
class Write:
    """A place that changes a table.

    Args:
        place: the file.
        line: the line.
        table: the model's name; `"?"` where it cannot be told.
        column: the attribute that is set; empty where rows are made, changed or deleted as a whole.
        how: the code.
    """

    place: str
    line: int
    table: str
    column: str
    how: str


@dataclass(frozen=True, order=True)
class Opening:
    """A place that opens or ends a transaction.

    Args:
        place: the file.
        line: the line.
        how: the code.
        is_own: it makes the session, or begins or ends the transaction, without the functions of
            `Deps` for that.
    """

    place: str
    line: int
    how: str
    is_own: bool


class _Walker(Reader):
    """Reads the statements of one function in order and notes what writes."""

    def __init__(self, log: "Log", file: SourceFile, func: Func | None) -> None:
        super().__init__(log.index, file, func)
        self.log = log

    # Statements, each by its name.

    def run(self, body: list[ast.stmt]) -> None:
        """Read statements in order."""
        for statement in body:
            running = getattr(self, f"run_{type(statement).__name__.lower()}", None)
            if running is not None:
                running(statement)
            else:
                self.read(statement)

    def run_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Read a function inside another one, or in a block: it sees the names around it."""
        outer = self.func.name + "." if self.func else ""
        func = Func(self.file.module, f"{outer}{node.name}")
        if func in self.index.functions and self.func is None:
            return  # read by itself
        names, around = dict(self.names), self.func
        self.func = func
        self.enter(node)
        self.run(node.body)
        self.names, self.func = names, around
        self.names[node.name] = single(Giver(self.index.annotated(node.returns, self.file)))

    run_asyncfunctiondef = run_functiondef

    def run_classdef(self, node: ast.ClassDef) -> None:
        """Read a class; methods of one at the top of a file are read by themselves."""
        at_top = self.func is None and Cls(self.file.module, node.name) in self.index.classes
        names = dict(self.names)
        for child in node.body:
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                self.run([child])
            elif not at_top:
                self.names["self"] = single(Foreign(node.name))
                self.run([child])
        self.names = names

    def run_assign(self, node: ast.Assign) -> None:
        types = self.read(node.value)
        for target in node.targets:
            self.assign(target, types)

    def run_annassign(self, node: ast.AnnAssign) -> None:
        types = self.read(node.value)
        self.assign(node.target, self.index.annotated(node.annotation, self.file) or types)

    def run_augassign(self, node: ast.AugAssign) -> None:
        types = self.read(node.value)
        if isinstance(node.target, ast.Name):
            held = self.read(node.target)
            self.changed_in_place(node.target, held)
            self.names[node.target.id] = held | types
        else:
            self.assign(node.target, types)

    def run_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self.assign(target, NOTHING)

    def run_for(self, node: ast.For | ast.AsyncFor) -> None:
        types = items_of(self.read(node.iter))
        # Twice: names that the end of the body binds are known at its beginning the second time.
        for _ in range(2):
            before = dict(self.names)
            self.assign(node.target, types)
            self.run(node.body)
            self.join(before)
        self.run(node.orelse)

    run_asyncfor = run_for

    def run_while(self, node: ast.While) -> None:
        for _ in range(2):
            before = dict(self.names)
            self.read(node.test)
            self.run(node.body)
            self.join(before)
        self.run(node.orelse)

    def run_if(self, node: ast.If) -> None:
        self.read(node.test)
        before = dict(self.names)
        self.narrow(node.test)
        self.run(node.body)
        after, self.names = self.names, before
        self.run(node.orelse)
        self.join(after)

    def run_assert(self, node: ast.Assert) -> None:
        self.read(node.test)
        self.narrow(node.test)

    def run_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            types = self.read(item.context_expr)
            given = frozenset().union(*[kind.items for kind in types if isinstance(kind, Giver)])
            if item.optional_vars is not None:
                self.assign(item.optional_vars, given or types)
        self.run(node.body)

    run_asyncwith = run_with

    def run_try(self, node: ast.Try) -> None:
        before = dict(self.names)
        self.run(node.body)
        self.run(node.orelse)
        self.join(before)
        for handler in node.handlers:
            before = dict(self.names)
            self.run(handler.body)
            self.join(before)
        self.run(node.finalbody)

    run_trystar = run_try

    def run_match(self, node: ast.Match) -> None:
        subject = self.read(node.subject)
        for case in node.cases:
            before = dict(self.names)
            self._bind_pattern(case.pattern, subject)
            self.read(case.guard)
            self.run(case.body)
            self.join(before)

    def _bind_pattern(self, pattern: ast.pattern, types: Types) -> None:
        if isinstance(pattern, ast.MatchAs):
            inner = pattern.pattern
            if isinstance(inner, ast.MatchClass):
                types = (
                    frozenset(Obj(kind) for kind in self.read(inner.cls) if isinstance(kind, Cls))
                    or types
                )
            if pattern.name:
                self.names[pattern.name] = types
        elif isinstance(pattern, ast.MatchSequence):
            for part in pattern.patterns:
                self._bind_pattern(part, items_of(types))

    def join(self, other: dict[str, Types]) -> None:
        """Take over what names hold on another way to this place."""
        for name, types in other.items():
            self.names[name] = self.names.get(name, NOTHING) | types

    # What writes.

    def assign(self, target: ast.AST, types: Types) -> None:
        """Note what an assignment changes, and bind the names in it."""
        if isinstance(target, ast.Attribute):
            self.set_attribute(target, self.read(target.value), target.attr)
        elif isinstance(target, ast.Subscript):
            self.changed_in_place(target.value, self.read(target.value))
            self.read(target.slice)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, single(Many(types)))
        elif isinstance(target, ast.Tuple | ast.List):
            self.bind(target, types)
            for part in target.elts:
                if not isinstance(part, ast.Name):
                    self.assign(part, NOTHING)
        else:
            self.bind(target, types)

    def set_attribute(self, node: ast.AST, owners: Types, attribute: str) -> None:
        """Note that an attribute of a mapped object, or of one of unknown type, is set."""
        models = [
            kind.cls for kind in owners if isinstance(kind, Obj) and kind.cls in self.index.models
        ]
        for model in models:
            self._attribute_written(node, model, attribute)
        known = [kind for kind in owners if not self.index.is_untold(kind)]
        if not known and (attribute in self.index.mapped_names or attribute == "*"):
            self.log.write(self.file, node, "?", attribute)

    def changed_in_place(self, node: ast.AST, types: Types) -> None:
        """Note that a value is changed which is a mapped attribute, or a part of one."""
        for kind in types:
            if isinstance(kind, Column):
                self._attribute_written(node, kind.model, kind.attribute)
        if isinstance(node, ast.Subscript):
            self.changed_in_place(node.value, NOTHING)
        if isinstance(node, ast.Attribute):
            for kind in self.read_quietly(node.value):
                if isinstance(kind, Obj) and kind.cls in self.index.models:
                    self._attribute_written(node, kind.cls, node.attr)

    def _attribute_written(self, node: ast.AST, model: Cls, attribute: str) -> None:
        self.log.write(self.file, node, model.name, attribute)
        if (model, attribute) in self.index.through:
            self.log.write(self.file, node, self.index.through[model, attribute].name, "")

    def read_constant(self, node: ast.Constant) -> Types:
        if isinstance(node.value, str) and node.value.lstrip().lower().startswith(_RAW):
            words = node.value.lower().split()
            named = [
                table
                for table in self.index.tables
                if table in (word.strip('"`(),;') for word in words[1:4])
            ]
            for table in named:
                self.log.write(self.file, node, self.index.tables[table].name, "")
        return NOTHING

    def called(self, call: Call) -> None:
        """Note what a call writes and opens."""
        for giver in call.givers:
            if isinstance(giver, Cls) and giver in self.index.models:
                self.log.write(self.file, call.node, giver.name, "")
            elif isinstance(giver, Func):
                self.log.call(self.file, giver, call)
        self._statement(call)
        self._core_statement(call)
        self._change_in_place(call)
        self._session(call)
        self._setter(call)
        self.log.open(self.file, call)

    def _statement(self, call: Call) -> None:
        """Note `insert(Model)`, `sa.update(Model)` and their like."""
        names = [kind.dotted for kind in call.givers if isinstance(kind, Outside)]
        if not any(name.startswith("sqlalchemy.") and name.endswith(_STATEMENTS) for name in names):
            return
        tables = [kind for kind in call.first if isinstance(kind, Cls | CoreTable | Parameter)]
        if not tables:
            self.log.write(self.file, call.node, "?", "")
        for kind in tables:
            self._whole(call.node, kind)

    def _core_statement(self, call: Call) -> None:
        """Note `Model.__table__.insert()`, and a query's `update` and `delete`."""
        for kind in call.owners if call.method in _STATEMENTS else ():
            if isinstance(kind, CoreTable):
                self._whole(call.node, kind)
            elif isinstance(kind, Statement) and call.method != "insert" and kind.items:
                for item in kind.items[0]:
                    self._whole(call.node, item)

    def _change_in_place(self, call: Call) -> None:
        """Note `x.column.append(...)` and its like."""
        if call.method in _CHANGES_IN_PLACE and isinstance(call.node.func, ast.Attribute):
            self.changed_in_place(call.node.func.value, call.owners)

    def _session(self, call: Call) -> None:
        """Note what methods of a session write, told by their names and what they are given."""
        given = {
            "delete": call.first,
            "merge": call.first,
            "bulk_insert_mappings": call.first,
            "bulk_update_mappings": call.first,
            "bulk_save_objects": items_of(call.first),
        }
        for kind in given.get(call.method, NOTHING):
            if isinstance(kind, Obj):
                self._whole(call.node, kind.cls)
            elif call.method.startswith("bulk"):
                self._whole(call.node, kind)

    def _whole(self, node: ast.AST, kind: object) -> None:
        """Note that rows of a table are made, changed or deleted."""
        if isinstance(kind, Cls) and kind in self.index.models:
            self.log.write(self.file, node, kind.name, "")
        elif isinstance(kind, CoreTable):
            self.log.write(self.file, node, kind.model.name, "")
        elif isinstance(kind, Parameter):
            self.log.writing_parameters.add((kind.func, kind.name))

    def _setter(self, call: Call) -> None:
        """Note `setattr(x, "name", value)` and its like."""
        node, name = call.node, call.name
        if name not in _SETTERS or not node.args:
            return
        owners, words = call.first, node.args[1:2]
        if name == "__setattr__" and call.method and len(node.args) == 2:
            owners, words = call.owners, node.args[:1]
        constant = words[0].value if words and isinstance(words[0], ast.Constant) else "*"
        self.set_attribute(node, owners, str(constant))


_OPENERS = {"reading", "writing", "settling"}
_BEGINNERS = {"begin", "begin_twophase", "commit", "rollback"}
_SESSIONS = ("Session", "sessionmaker", "scoped_session", "async_sessionmaker", "AsyncSession")


class Log:
    """Everything that the functions of a package write and open."""

    def __init__(self, package: Package) -> None:
        self.index = Index(package)
        self.writes: set[Write] = set()
        self.openings: set[Opening] = set()
        # Parameters that are given a table to write, and the calls that give one.
        self.writing_parameters: set[tuple[Func, str]] = set()
        self._calls: list[tuple[Func, str, object, SourceFile, ast.Call]] = []
        for file in package.code:
            _Walker(self, file, None).run(file.tree.body)
        for func, (file, node) in self.index.functions.items():
            walker = _Walker(self, file, func)
            walker.enter(node)
            walker.run(node.body)
        self._follow_calls()

    def write(self, file: SourceFile, node: ast.AST, table: str, column: str) -> None:
        """Note a write."""
        line = getattr(node, "lineno", 1)
        self.writes.add(
            Write(file.place, line, table, column, ast.unparse(node).split("\n")[0][:60])
        )

    def open(self, file: SourceFile, call: Call) -> None:
        """Note the opening or the end of a transaction; methods that only share a name are not."""
        own = [kind for kind in call.givers if isinstance(kind, Func)]
        opens = call.name in _OPENERS and (call.method or own)
        opens = opens and all(_gives_a_session(self.index, kind) for kind in own)
        is_own = _makes_a_session(call) or _begins_or_ends(call, own)
        if is_own or opens:
            how = f"{ast.unparse(call.node.func)[:60]}("
            self.openings.add(Opening(file.place, call.node.lineno, how, is_own))

    def call(self, file: SourceFile, func: Func, call: Call) -> None:
        """Note which tables a call hands on."""
        _, definition = self.index.functions[func]
        names = [
            parameter.arg for parameter in (*definition.args.posonlyargs, *definition.args.args)
        ]
        if func.cls is not None and names[:1] in (["self"], ["cls"]):
            names = names[1:]
        for name, types in (*zip(names, call.arguments, strict=False), *call.words.items()):
            for kind in types:
                if isinstance(kind, Cls | CoreTable | Parameter):
                    self._calls.append((func, name, kind, file, call.node))

    def _follow_calls(self) -> None:
        """Note each call that gives a table to a function which writes its argument."""
        known = -1
        while known != len(self.writing_parameters):
            known = len(self.writing_parameters)
            for func, name, kind, _, _ in self._calls:
                if (func, name) in self.writing_parameters and isinstance(kind, Parameter):
                    self.writing_parameters.add((kind.func, kind.name))
        for func, name, kind, file, node in self._calls:
            model = kind.model if isinstance(kind, CoreTable) else kind
            if (
                (func, name) in self.writing_parameters
                and isinstance(model, Cls)
                and model in self.index.models
            ):
                self.write(file, node, model.name, "")


def _makes_a_session(call: Call) -> bool:
    names = (kind.dotted for kind in call.givers if isinstance(kind, Outside))
    return any(name.startswith("sqlalchemy") and name.endswith(_SESSIONS) for name in names)


def _begins_or_ends(call: Call, own: list[Func]) -> bool:
    """Tell whether a call begins or ends a transaction, and is no method of the package."""
    if call.method == "connect" and isinstance(call.node.func, ast.Attribute):
        return ast.unparse(call.node.func.value).endswith("engine")
    return call.method in _BEGINNERS and not own


def _gives_a_session(index: Index, func: Func) -> bool:
    """Tell whether a method named like one of `Deps` gives a context manager."""
    _, node = index.functions[func]
    words = ast.unparse(node.returns) if node.returns else ""
    return "ContextManager" in words or "Iterator" in words


@cache
def log_of(package: Package) -> Log:
    """Read a package once."""
    return Log(package)


def table_violations(
    package: Package,
    writers: Mapping[str, tuple[str, ...]],
    second_writers: Mapping[tuple[str, str], str],
    untold: Mapping[str, str],
) -> list[str]:
    """Find what writes a table outside the table's own file or folder.

    Args:
        package: what is checked.
        writers: for each model the one file or folder that writes it.
        second_writers: a column (`"Profile.position"`) and another file that writes it, with the
            reason.
        untold: files that write tables whose names cannot be told from the code, with the reason.
    """
    violations = []
    used: set[object] = set()
    for write in sorted(log_of(package).writes):
        if write.place.startswith("store/models/"):
            continue
        name = f"{write.table}.{write.column}" if write.column else write.table
        if write.table == "?":
            used.add(write.place)
            if write.place not in untold:
                what = (
                    f"sets {write.column} of an object of unknown type: annotate it"
                    if write.column
                    else "writes a table that the code does not name"
                )
                violations.append(f"{write.place}:{write.line}: {what}: {write.how}")
        elif (name, write.place) in second_writers:
            used.add((name, write.place))
        elif not lies_in(write.place, writers.get(write.table, ())):
            homes = ", ".join(writers.get(write.table, ("nobody",)))
            violations.append(
                f"{write.place}:{write.line}: writes {name}, which belongs to {homes}: {write.how}"
            )
    violations += [
        f"{place}:1: does not write {name}"
        for name, place in second_writers
        if (name, place) not in used
    ]
    return violations + [
        f"{place}:1: need not be an exception" for place in untold if place not in used
    ]


def writer_table_violations(package: Package, writers: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Find tables that have no writer, and writers of the list that write nothing."""
    log = log_of(package)
    models = {model.name: model for model in log.index.models}
    violations = []
    for name in sorted(models.keys() - writers.keys()):
        parts = log.index.classes[models[name]]
        violations.append(parts.file.at(parts.node, f"{name} has no writer"))
    violations += [
        f"store/models/__init__.py:1: there is no table {name}"
        for name in sorted(writers.keys() - models.keys())
    ]
    for name, homes in writers.items():
        for home in homes:
            if not any(
                write.table == name and lies_in(write.place, {home}) for write in log.writes
            ):
                violations.append(f"{home}:1: does not write {name}")
    return violations


def transaction_violations(
    package: Package, homes: Mapping[str, str], makers: Mapping[str, str]
) -> list[str]:
    """Find transactions that are opened or ended outside their places.

    Args:
        package: what is checked.
        homes: the files and folders that open sessions with the functions of `Deps`, with the
            reason.
        makers: the files that make sessions, and begin and commit by themselves, with the reason.
    """
    openings = sorted(log_of(package).openings)
    violations = []
    used = set()
    for opening in openings:
        allowed = makers if opening.is_own else homes
        home = next((home for home in allowed if lies_in(opening.place, {home})), None)
        used.add(home)
        if home is None:
            violations.append(
                f"{opening.place}:{opening.line}: opens or ends a transaction: {opening.how}"
            )
    return violations + [
        f"{home}:1: opens no transaction" for home in (*homes, *makers) if home not in used
    ]
