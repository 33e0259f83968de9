"""A reader of types: it tells which names of a package hold a mapped object.

It follows annotations (of parameters, variables, fields and results), calls of classes,
`session.get`, statements made with `select` and their results, relationships between tables,
containers, loops, comprehensions, `isinstance` and `match`. Types are a set, for a name may hold
different things on different ways through a function. An empty set means that nothing is known.
"""

import ast
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.support.architecture.kinds import (
    NOTHING,
    Call,
    Cls,
    Column,
    CoreTable,
    Foreign,
    Func,
    Giver,
    Keyed,
    Many,
    Obj,
    Outside,
    Parameter,
    Row,
    Statement,
    Types,
    as_objects,
    classes_of,
    foreign_root,
    items_of,
    library_result,
    many_result,
    single,
    statement_result,
    table_result,
)
from tests.support.architecture.package import Package, SourceFile

_MANY = {
    "AbstractSet",
    "AsyncGenerator",
    "AsyncIterable",
    "AsyncIterator",
    "Collection",
    "Deque",
    "FrozenSet",
    "Generator",
    "Iterable",
    "Iterator",
    "List",
    "MutableSequence",
    "MutableSet",
    "Sequence",
    "Set",
    "ScalarResult",
    "frozenset",
    "deque",
    "list",
    "set",
}
_TABLES = {"Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict", "dict"}
_THE_SAME = {
    "Annotated",
    "ClassVar",
    "DynamicMapped",
    "Final",
    "Mapped",
    "NotRequired",
    "Optional",
    "Required",
    "Awaitable",
    "WriteOnlyMapped",
}
_ROWS = {"Row", "Tuple", "tuple"}
_CLASSES = {"Type", "type"}
_GIVERS = {"AbstractContextManager", "AbstractAsyncContextManager", "ContextManager"}


@dataclass(frozen=True)
class ClassParts:
    """The annotated fields of a class, its methods, and the values that they give to `self`."""

    file: SourceFile
    node: ast.ClassDef
    fields: dict[str, ast.expr]
    methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    given: dict[str, tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.expr]]


class Index:
    """The classes, functions and module variables of a package, and their types."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.classes: dict[Cls, ClassParts] = {}
        self.functions: dict[Func, tuple[SourceFile, ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._variables: dict[tuple[str, str], tuple[SourceFile, ast.expr, bool]] = {}
        self._open: set[object] = set()
        self._known: dict[object, Types] = {}
        for file in package.code:
            self._read(file)
        self.tables = {
            self.table_name(cls): cls for cls, parts in self.classes.items() if self.table_name(cls)
        }
        self.models = frozenset(self.tables.values())
        # A relationship through a table of its own writes that table.
        self.through = dict(self._through())
        above = {base for model in self.models for base in self.bases(model)}
        self.above_models = above - self.models
        self.mapped_names = {name for model in self.models for name in self.classes[model].fields}

    def _read(self, file: SourceFile) -> None:
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef):
                self._read_class(file, node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[Func(file.module, node.name)] = (file, node)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self._variables[file.module, node.target.id] = (file, node.annotation, True)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._variables[file.module, target.id] = (file, node.value, False)

    def _read_class(self, file: SourceFile, node: ast.ClassDef) -> None:
        cls = Cls(file.module, node.name)
        parts = ClassParts(file, node, {}, {}, {})
        self.classes[cls] = parts
        for child in node.body:
            if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
                parts.fields[child.target.id] = child.annotation
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                parts.methods[child.name] = child
                self.functions[Func(file.module, child.name, cls)] = (file, child)
        for method in parts.methods.values():
            for child in ast.walk(method):
                for name, annotation, value in _given_to_self(child):
                    if annotation is not None:
                        parts.fields.setdefault(name, annotation)
                    elif value is not None:
                        parts.given.setdefault(name, (method, value))

    def table_name(self, cls: Cls) -> str:
        """Return the name of a class's table; empty for a class that is not mapped."""
        for node in self.classes[cls].node.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__tablename__":
                return str(getattr(node.value, "value", ""))
        return ""

    def _through(self) -> Iterator[tuple[tuple[Cls, str], Cls]]:
        for model in self.models:
            for node in ast.walk(self.classes[model].node):
                if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
                    for word in node.value.keywords:
                        table = getattr(word.value, "value", None)
                        if word.arg == "secondary" and table in self.tables:
                            yield (model, ast.unparse(node.target)), self.tables[table]

    def is_untold(self, kind: object) -> bool:
        """Tell whether a mapped object may be behind a type."""
        if isinstance(kind, Obj):
            parts = self.classes[kind.cls]
            is_protocol = any("Protocol" in ast.unparse(base) for base in parts.node.bases)
            return is_protocol or kind.cls in self.above_models
        return isinstance(kind, Parameter | Outside)

    @contextlib.contextmanager
    def _once(self, key: object) -> Iterator[bool]:
        """Tell whether a question is not being answered already, which would never end."""
        if key in self._open:
            yield False
            return
        self._open.add(key)
        try:
            yield True
        finally:
            self._open.discard(key)

    def lookup(self, module: str, name: str) -> Types:
        """Return the types of a name at the top of a module."""
        key = (module, name)
        if key not in self._known:
            with self._once(key) as is_new:
                if not is_new:
                    return NOTHING
                self._known[key] = self._look_up(module, name)
        return self._known[key]

    def _look_up(self, module: str, name: str) -> Types:
        if Cls(module, name) in self.classes:
            return single(Cls(module, name))
        if Func(module, name) in self.functions:
            return single(Func(module, name))
        file = self.package.modules[module]
        if (module, name) in self._variables:
            _, expression, is_annotation = self._variables[module, name]
            if is_annotation:
                return self.annotated(expression, file)
            return Reader(self, file).read(expression)
        if name in file.bindings:
            return self.resolve(file.bindings[name])
        return NOTHING

    def resolve(self, dotted: str) -> Types:
        """Return the types of a dotted name (`"notifier.store.models.Digest"`)."""
        if dotted in self.package.modules:
            return single(Outside(dotted))
        before, _, name = dotted.rpartition(".")
        if before in self.package.modules:
            return self.lookup(before, name)
        return single(Outside(dotted))

    def annotated(self, node: ast.expr | None, file: SourceFile, cls: Cls | None = None) -> Types:
        """Return the types that an annotation names."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            with contextlib.suppress(SyntaxError):
                return self.annotated(ast.parse(node.value, mode="eval").body, file, cls)
        if isinstance(node, ast.BinOp):
            return self.annotated(node.left, file, cls) | self.annotated(node.right, file, cls)
        if isinstance(node, ast.Subscript):
            return self._generic(node, file, cls)
        if isinstance(node, ast.Name | ast.Attribute):
            if ast.unparse(node) in ("Self", "typing.Self"):
                return single(Obj(cls)) if cls else NOTHING
            return self._named(node, file, cls)
        return NOTHING

    def _named(self, node: ast.Name | ast.Attribute, file: SourceFile, cls: Cls | None) -> Types:
        variable = (
            self._variables.get((file.module, node.id)) if isinstance(node, ast.Name) else None
        )
        if variable is not None and not variable[2]:  # another name for a type
            with self._once(("alias", file.module, ast.unparse(node))) as is_new:
                return self.annotated(variable[1], file, cls) if is_new else NOTHING
        named = Reader(self, file).read(node)
        objects = {Obj(kind) for kind in named if isinstance(kind, Cls)}
        foreign = {Foreign(root) for kind in named if (root := foreign_root(kind))}
        containers = {kind for kind in named if isinstance(kind, Many | Keyed | Row | Giver)}
        return frozenset(objects | foreign | containers)

    def _generic(self, node: ast.Subscript, file: SourceFile, cls: Cls | None) -> Types:
        head = ast.unparse(node.value).rpartition(".")[2]
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]

        def argument(place: int) -> Types:
            return (
                self.annotated(arguments[place], file, cls) if place < len(arguments) else NOTHING
            )

        size = len(arguments)
        if head in ("tuple", "Tuple", "Row") and ast.unparse(arguments[-1]) == "...":
            head = "list"
        containers: dict[str, Callable[[], Types]] = {
            **dict.fromkeys(_MANY, lambda: single(Many(argument(0)))),
            **dict.fromkeys(_TABLES, lambda: single(Keyed(argument(0), argument(1)))),
            **dict.fromkeys(_ROWS, lambda: single(Row(tuple(map(argument, range(size)))))),
            **dict.fromkeys(_THE_SAME, lambda: argument(0)),
            **dict.fromkeys(_CLASSES, lambda: classes_of(argument(0))),
            **dict.fromkeys(_GIVERS, lambda: single(Giver(argument(0)))),
            "Callable": lambda: single(Giver(argument(1))),
            "Union": lambda: frozenset().union(*map(argument, range(size))),
        }
        return containers.get(head, lambda: self.annotated(node.value, file, cls))()

    def bases(self, cls: Cls) -> Iterator[Cls]:
        """Yield a class and the classes of the package that it inherits from."""
        yield cls
        parts = self.classes[cls]
        for base in parts.node.bases:
            for kind in Reader(self, parts.file).read(base):
                if isinstance(kind, Cls) and kind != cls:
                    yield from self.bases(kind)

    def attribute(self, cls: Cls, name: str) -> Types:
        """Return the types of an attribute of an object of a class."""
        key = (cls, name)
        if key not in self._known:
            with self._once(key) as is_new:
                if not is_new:
                    return NOTHING
                self._known[key] = self._attribute(cls, name)
        return self._known[key]

    def _attribute(self, cls: Cls, name: str) -> Types:
        for owner in self.bases(cls):
            parts = self.classes[owner]
            if name in parts.fields:
                types = self.annotated(parts.fields[name], parts.file, owner)
                if owner not in self.models:
                    return types
                related = any(isinstance(kind, Obj) for kind in types)
                return types if related else types | single(Column(owner, name))
            if name in parts.methods:
                method = parts.methods[name]
                if any(ast.unparse(mark).endswith("property") for mark in method.decorator_list):
                    return self.annotated(method.returns, parts.file, owner)
                return single(Func(parts.file.module, name, owner))
            if name in parts.given:
                method, value = parts.given[name]
                reader = Reader(self, parts.file, Func(parts.file.module, method.name, owner))
                reader.enter(method)
                return reader.read(value)
        return NOTHING

    def field_at(self, cls: Cls, place: int) -> Types:
        """Return the types of a field of a named tuple by its place."""
        names = list(self.classes[cls].fields)
        return self.attribute(cls, names[place]) if place < len(names) else NOTHING

    def result(self, func: Func) -> Types:
        """Return the types of the result of a function of the package."""
        file, node = self.functions[func]
        types = self.annotated(node.returns, file, func.cls)
        if any(ast.unparse(mark).endswith("contextmanager") for mark in node.decorator_list):
            return single(Giver(items_of(types)))
        return types


def _given_to_self(node: ast.AST) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Yield the attributes of `self` that a statement sets, with the annotation or the value."""
    if isinstance(node, ast.AnnAssign):
        targets: list[ast.expr] = [node.target]
    elif isinstance(node, ast.Assign):
        targets = list(node.targets)
    else:
        return
    annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
    for target in targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for part, value in pairs:
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id == "self"
            ):
                yield part.attr, annotation, value


class Reader:
    """Reads expressions of one function, or of the top of one file, with what its names hold.

    Args:
        index: the package.
        file: where the code stands.
        func: the function that is read; None at the top of the file.
    """

    def __init__(self, index: Index, file: SourceFile, func: Func | None = None) -> None:
        self.index = index
        self.file = file
        self.func = func
        self.names: dict[str, Types] = {}

    def enter(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Give the parameters of a function what their annotations say."""
        arguments = node.args
        cls = self.func.cls if self.func else None
        for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            types = self.index.annotated(parameter.annotation, self.file, cls)
            if not types and self.func:
                types = single(Parameter(self.func, parameter.arg))
            self.names[parameter.arg] = types
        for rest, container in ((arguments.vararg, Many), (arguments.kwarg, None)):
            if rest is not None:
                types = self.index.annotated(rest.annotation, self.file, cls)
                self.names[rest.arg] = (
                    single(container(types)) if container else single(Keyed(NOTHING, types))
                )
        is_method = (
            self.func is not None
            and cls is not None
            and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        if is_method and arguments.args and cls is not None:
            first = arguments.args[0].arg
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if "classmethod" in marks:
                self.names[first] = single(cls)
            elif "staticmethod" not in marks and first == "self":
                self.names[first] = single(Obj(cls))

    def read(self, node: ast.AST | None) -> Types:
        """Return the types of an expression; every part of it is read."""
        if node is None:
            return NOTHING
        reading = getattr(self, f"read_{type(node).__name__.lower()}", None)
        if reading is not None:
            return reading(node)
        for child in ast.iter_child_nodes(node):
            self.read(child)
        return NOTHING

    def read_name(self, node: ast.Name) -> Types:
        if node.id in self.names:
            return self.names[node.id]
        return self.index.lookup(self.file.module, node.id) or single(Outside(node.id))

    def read_attribute(self, node: ast.Attribute) -> Types:
        return self.attributes_of(self.read(node.value), node.attr)

    def attributes_of(self, owners: Types, name: str) -> Types:
        """Return the types of an attribute of a value that has one of some types."""
        return frozenset().union(*[self.attribute_of(held, name) for held in owners])

    def attribute_of(self, held: object, name: str) -> Types:
        """Return the types of an attribute of a value of one type."""
        types = NOTHING
        if isinstance(held, Obj):
            types = self.index.attribute(held.cls, name)
        elif isinstance(held, Outside):
            types = self.index.resolve(f"{held.dotted}.{name}")
        elif isinstance(held, Foreign):
            types = single(held)
        elif isinstance(held, Cls):
            types = self._class_attribute(held, name)
        elif isinstance(held, Row):  # a row gives its objects by the names of their classes
            objects = (kind for types in held.items for kind in types if isinstance(kind, Obj))
            types = frozenset(kind for kind in objects if kind.cls.name == name)
        return types

    def _class_attribute(self, cls: Cls, name: str) -> Types:
        if name == "__table__":
            return single(CoreTable(cls))
        if name in self.index.classes[cls].methods:
            return single(Func(cls.module, name, cls))
        return NOTHING

    def read_namedexpr(self, node: ast.NamedExpr) -> Types:
        types = self.read(node.value)
        self.names[node.target.id] = types
        return types

    def read_ifexp(self, node: ast.IfExp) -> Types:
        self.read(node.test)
        return self.read(node.body) | self.read(node.orelse)

    def read_boolop(self, node: ast.BoolOp) -> Types:
        return frozenset().union(*[self.read(value) for value in node.values])

    def read_binop(self, node: ast.BinOp) -> Types:
        both = self.read(node.left) | self.read(node.right)
        return frozenset(kind for kind in both if isinstance(kind, Many | Keyed))

    def read_await(self, node: ast.Await) -> Types:
        return self.read(node.value)

    def read_starred(self, node: ast.Starred) -> Types:
        return items_of(self.read(node.value))

    def _read_elements(self, elements: list[ast.expr]) -> Types:
        return single(Many(frozenset().union(*[self.read(element) for element in elements])))

    def read_list(self, node: ast.List) -> Types:
        return self._read_elements(node.elts)

    def read_set(self, node: ast.Set) -> Types:
        return self._read_elements(node.elts)

    def read_tuple(self, node: ast.Tuple) -> Types:
        if any(isinstance(element, ast.Starred) for element in node.elts):
            return self._read_elements(node.elts)
        return single(Row(tuple(self.read(element) for element in node.elts)))

    def read_dict(self, node: ast.Dict) -> Types:
        keys, values = NOTHING, NOTHING
        for key, value in zip(node.keys, node.values, strict=True):
            types = self.read(value)
            if key is None:
                tables = [kind for kind in types if isinstance(kind, Keyed)]
                keys |= frozenset().union(*[table.keys for table in tables])
                values |= frozenset().union(*[table.values for table in tables])
            else:
                keys |= self.read(key)
                values |= types
        return single(Keyed(keys, values))

    def _read_loops(self, loops: list[ast.comprehension]) -> None:
        for loop in loops:
            self.bind(loop.target, items_of(self.read(loop.iter)))
            for test in loop.ifs:
                self.read(test)
                self.narrow(test)

    def _read_comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Types:
        before = dict(self.names)
        self._read_loops(node.generators)
        types = self.read(node.elt)
        self.names = before | {
            name: self.names[name] for name in _walruses(node) if name in self.names
        }
        return single(Many(types))

    read_listcomp = read_setcomp = read_generatorexp = _read_comprehension

    def read_dictcomp(self, node: ast.DictComp) -> Types:
        before = dict(self.names)
        self._read_loops(node.generators)
        types = single(Keyed(self.read(node.key), self.read(node.value)))
        self.names = before
        return types

    def read_lambda(self, node: ast.Lambda) -> Types:
        before = dict(self.names)
        for parameter in ast.walk(node.args):
            if isinstance(parameter, ast.arg):
                self.names[parameter.arg] = NOTHING
        types = self.read(node.body)
        self.names = before
        return single(Giver(types))

    def read_subscript(self, node: ast.Subscript) -> Types:
        types: set[object] = set()
        constant = node.slice.value if isinstance(node.slice, ast.Constant) else None
        owners = self.read(node.value)
        self.read(node.slice)
        if any(
            isinstance(kind, Outside) and kind.dotted.endswith("metadata.tables") for kind in owners
        ) or (ast.unparse(node.value).endswith("metadata.tables")):
            model = self.index.tables.get(str(constant))
            return single(CoreTable(model)) if model else NOTHING
        for held in owners:
            if isinstance(held, Keyed):
                types |= held.values
            elif isinstance(node.slice, ast.Slice):
                types.add(held)
            elif isinstance(held, Many):
                types |= held.items
            elif isinstance(held, Row):
                whole = isinstance(constant, int) and -len(held.items) <= constant < len(held.items)
                types |= held.items[constant] if whole else items_of(single(held))
            elif isinstance(held, Column):
                types.add(held)  # a part of a document is a part of the row
        return frozenset(types)

    def read_call(self, node: ast.Call) -> Types:
        owners = NOTHING
        if isinstance(node.func, ast.Attribute):
            owners = self.read(node.func.value)
            givers = self.attributes_of(owners, node.func.attr)
        else:
            givers = self.read(node.func)
        call = Call(
            node,
            owners,
            givers,
            tuple(self.read(argument) for argument in node.args),
            {word.arg or "**": self.read(word.value) for word in node.keywords},
        )
        self.called(call)
        types: set[object] = set()
        for giver in givers:
            types |= self._result(giver, call)
        if call.method:
            for held in owners:
                types |= self._method_result(held, call.method, call.arguments)
            types |= self._database_result(call.method, call.arguments)
        return frozenset(types)

    def called(self, call: Call) -> None:
        """Take note of a call."""

    def read_quietly(self, node: ast.AST) -> Types:
        """Return the types of an expression that was read before, and report nothing again."""
        return Quiet(self).read(node)

    def _result(self, giver: object, call: Call) -> Types:
        """Return the types of the result of a call."""
        types = NOTHING
        if isinstance(giver, Cls):
            types = single(Obj(giver))
        elif isinstance(giver, Func):
            types = self.index.result(giver)
        elif isinstance(giver, Giver):
            types = giver.items
        elif isinstance(giver, Foreign):
            types = single(giver)
        elif isinstance(giver, Outside):
            types = self._library_result(giver, call)
        return types

    def _library_result(self, giver: Outside, call: Call) -> Types:
        if root := foreign_root(giver):
            return single(Foreign(root))
        if giver.dotted == "typing.cast" and call.node.args:
            return self.index.annotated(call.node.args[0], self.file)
        if giver.dotted == "map":
            results = [self._result(mapped, call) for mapped in call.first if mapped != giver]
            return single(Many(frozenset().union(*results)))
        return library_result(giver.dotted, call.arguments)

    def _database_result(self, name: str, arguments: tuple[Types, ...]) -> Types:
        """Return the types of the result of a session's method, known by its arguments."""
        if not arguments:
            return NOTHING
        classes = {
            kind for kind in arguments[0] if isinstance(kind, Cls) and kind in self.index.models
        }
        statements = [kind for kind in arguments[0] if isinstance(kind, Statement)]
        if classes and name in ("get", "get_one"):
            return frozenset(Obj(cls) for cls in classes)
        if name == "query":
            return single(Statement(arguments))
        if name == "merge":
            return arguments[0]
        types: set[object] = set()
        for statement in statements:
            row = tuple(as_objects(item) for item in statement.items)
            if name == "scalar" and row:
                types |= row[0]
            elif name in ("scalars", "stream_scalars") and row:
                types.add(Many(row[0]))
            elif name in ("execute", "stream"):
                types.add(Many(single(Row(row))))
        return frozenset(types)

    def _method_result(self, held: object, name: str, arguments: tuple[Types, ...]) -> Types:
        """Return the types of the result of a method of a container, a result or a statement."""
        if isinstance(held, Many):
            return many_result(held, name)
        if isinstance(held, Keyed):
            return table_result(held, name)
        if isinstance(held, Statement):
            return statement_result(held, name, arguments)
        if isinstance(held, Column) and name in ("get", "setdefault", "values", "items"):
            return single(held)
        return NOTHING

    def bind(self, target: ast.AST, types: Types) -> None:
        """Give a name, or the names of a tuple, what is assigned to it."""
        if isinstance(target, ast.Name):
            self.names[target.id] = types
        elif isinstance(target, ast.Starred):
            self.bind(target.value, single(Many(types)))
        elif isinstance(target, ast.Tuple | ast.List):
            for place, part in enumerate(target.elts):
                parts: set[object] = set()
                for kind in types:
                    if isinstance(kind, Row) and place < len(kind.items):
                        parts |= kind.items[place]
                    elif isinstance(kind, Many):
                        parts |= kind.items
                    elif isinstance(kind, Obj):
                        parts |= self.index.field_at(kind.cls, place)
                self.bind(part, frozenset(parts))

    def narrow(self, test: ast.AST) -> None:
        """Take over what `isinstance` says of a name."""
        for node in ast.walk(test):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "isinstance"
                and len(node.args) == 2
            ):
                name, kinds = node.args
                types = items_of(self.read_quietly(kinds)) | self.read_quietly(kinds)
                objects = frozenset(Obj(kind) for kind in types if isinstance(kind, Cls))
                if isinstance(name, ast.Name) and objects:
                    self.names[name.id] = objects


class Quiet(Reader):
    """A reader with the names of another one, which reports nothing."""

    def __init__(self, other: Reader) -> None:
        super().__init__(other.index, other.file, other.func)
        self.names = dict(other.names)


def _walruses(node: ast.AST) -> Iterable[str]:
    return {inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)}
