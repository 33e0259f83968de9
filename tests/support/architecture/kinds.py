"""The types that the reader of code knows, and the results of calls of libraries."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Cls:
    """A class of the package."""

    module: str
    name: str


@dataclass(frozen=True)
class Obj:
    """An object of a class of the package."""

    cls: Cls


@dataclass(frozen=True)
class Column:
    """The value of a mapped attribute, which a change in place changes in the row."""

    model: Cls
    attribute: str


@dataclass(frozen=True)
class Many:
    """Any number of values: a list, an iterator, a result of the database."""

    items: frozenset[object]


@dataclass(frozen=True)
class Keyed:
    """Keys with values."""

    keys: frozenset[object]
    values: frozenset[object]


@dataclass(frozen=True)
class Row:
    """Values at fixed places: a tuple, or a row of a result."""

    items: tuple[frozenset[object], ...]


@dataclass(frozen=True)
class Statement:
    """A statement of the database with what its rows hold."""

    items: tuple[frozenset[object], ...]


@dataclass(frozen=True)
class CoreTable:
    """The table behind a model, as SQLAlchemy's core knows it."""

    model: Cls


@dataclass(frozen=True)
class Giver:
    """Something whose call, or whose `with` block, gives a value."""

    items: frozenset[object]


@dataclass(frozen=True)
class Func:
    """A function of the package; a method by its class."""

    module: str
    name: str
    cls: Cls | None = None


@dataclass(frozen=True)
class Outside:
    """A module, class or function of a library."""

    dotted: str


@dataclass(frozen=True)
class Foreign:
    """An object of a library that never holds a mapped one."""

    library: str


@dataclass(frozen=True)
class Parameter:
    """The argument of a function for a parameter of unknown type."""

    func: Func
    name: str


Types = frozenset[object]
NOTHING: Types = frozenset()


def single(value: object) -> Types:
    """Return the set with one type."""
    return frozenset((value,))


def items_of(types: Types) -> Types:
    """Return the types that a loop over such a value gives."""
    items: set[object] = set()
    for held in types:
        if isinstance(held, Many):
            items |= held.items
        elif isinstance(held, Keyed):
            items |= held.keys
        elif isinstance(held, Row):
            items |= frozenset().union(*held.items)
    return frozenset(items)


@dataclass(frozen=True)
class Call:
    """A call with the types of its parts.

    Args:
        node: the call.
        owners: of what stands before the dot; nothing for a plain name.
        givers: of what is called.
        arguments: of the arguments by their places.
        words: of the arguments by their names.
    """

    node: ast.Call
    owners: Types
    givers: Types
    arguments: tuple[Types, ...]
    words: dict[str, Types]

    @property
    def method(self) -> str:
        """The name after the dot; empty for a plain name."""
        return self.node.func.attr if isinstance(self.node.func, ast.Attribute) else ""

    @property
    def name(self) -> str:
        """The last part of the name that is called; empty for what has none."""
        return self.node.func.id if isinstance(self.node.func, ast.Name) else self.method

    @property
    def first(self) -> Types:
        """The types of the first argument."""
        return self.arguments[0] if self.arguments else NOTHING


# Libraries whose objects have attributes of the same names as tables have columns.
_FOREIGN = {"argparse", "email", "logging", "lxml", "starlette", "uvicorn", "xml"}


def foreign_root(kind: object) -> str:
    root = kind.dotted.partition(".")[0] if isinstance(kind, Outside) else ""
    return root if root in _FOREIGN else ""


def as_objects(types: Types) -> Types:
    return frozenset(
        Obj(kind) if isinstance(kind, Cls) else kind
        for kind in types
        if not isinstance(kind, Column)
    )


def many_result(held: Many, name: str) -> Types:
    if name in (
        "first",
        "one",
        "one_or_none",
        "pop",
        "popleft",
        "scalar",
        "scalar_one",
        "scalar_one_or_none",
        "fetchone",
    ):
        if name.startswith("scalar"):
            return frozenset().union(
                *[kind.items[0] for kind in held.items if isinstance(kind, Row) and kind.items]
            )
        return held.items
    if name == "scalars":
        return single(
            Many(
                frozenset().union(
                    *[kind.items[0] for kind in held.items if isinstance(kind, Row) and kind.items]
                )
            )
        )
    if name in ("partitions", "fetchmany"):
        return single(Many(single(held)))
    if name in (
        "all",
        "unique",
        "copy",
        "fetchall",
        "tuples",
        "union",
        "difference",
        "intersection",
        "yield_per",
    ):
        return single(held)
    return NOTHING


def table_result(held: Keyed, name: str) -> Types:
    if name in ("get", "pop", "setdefault"):
        return held.values
    if name == "values":
        return single(Many(held.values))
    if name == "keys":
        return single(Many(held.keys))
    if name == "items":
        return single(Many(single(Row((held.keys, held.values)))))
    if name == "copy":
        return single(held)
    return NOTHING


def statement_result(held: Statement, name: str, arguments: tuple[Types, ...]) -> Types:
    row = tuple(as_objects(item) for item in held.items)
    first = row[0] if row else NOTHING
    if name in ("first", "one", "one_or_none", "get"):
        return first
    if name == "all":
        return single(Many(first))
    if name in ("with_only_columns", "returning", "with_entities"):
        return single(Statement(arguments))
    if name == "add_columns":
        return single(replace(held, items=(*held.items, *arguments)))
    if name in ("delete", "count", "scalar", "subquery", "scalar_subquery", "exists", "cte"):
        return NOTHING
    return single(held)


def classes_of(types: Types) -> Types:
    """Return the classes of objects: `type[X]` for `X`."""
    return frozenset(kind.cls for kind in types if isinstance(kind, Obj))


def _many(items: Types) -> Types:
    return single(Many(items))


def _pairs(*items: Types) -> Types:
    return _many(single(Row(items)))


def _item_of(arguments: tuple[Types, ...]) -> Types:
    """Return the types of `max(values)`, `max(a, b)`."""
    return items_of(arguments[0]) if len(arguments) == 1 else frozenset().union(*arguments)


def _all_items(arguments: tuple[Types, ...]) -> Types:
    return _many(frozenset().union(*[items_of(argument) for argument in arguments]))


def _as_mapping(arguments: tuple[Types, ...]) -> Types:
    """Return the types of `dict(...)` of a mapping or of pairs."""
    mappings = {kind for argument in arguments for kind in argument if isinstance(kind, Keyed)}
    for kind in items_of(arguments[-1]):
        if isinstance(kind, Row) and len(kind.items) == 2:
            mappings.add(Keyed(*kind.items))
    return frozenset(mappings)


_Result = Callable[[tuple[Types, ...]], Types]

_LIBRARY: dict[str, _Result] = {
    "list": lambda arguments: _many(items_of(arguments[0])),
    "next": lambda arguments: items_of(arguments[0]),
    "max": _item_of,
    "copy.copy": lambda arguments: arguments[0] - {*filter(_is_column, arguments[0])},
    "enumerate": lambda arguments: _pairs(NOTHING, items_of(arguments[0])),
    "zip": lambda arguments: _pairs(*map(items_of, arguments)),
    "filter": _all_items,
    "itertools.chain.from_iterable": lambda arguments: _many(items_of(items_of(arguments[0]))),
    "itertools.batched": lambda arguments: _many(_many(items_of(arguments[0]))),
    "itertools.groupby": lambda arguments: _pairs(NOTHING, _many(items_of(arguments[0]))),
    "dict": _as_mapping,
    "sqlalchemy.orm.aliased": lambda arguments: arguments[0],
    "sqlalchemy.select": lambda arguments: single(Statement(arguments)),
}
# Functions with the same result as one above.
_LIKE = {
    "tuple": "list",
    "sorted": "list",
    "set": "list",
    "frozenset": "list",
    "reversed": "list",
    "iter": "list",
    "collections.deque": "list",
    "itertools.islice": "list",
    "random.choice": "next",
    "min": "max",
    "copy.deepcopy": "copy.copy",
    "dataclasses.replace": "copy.copy",
    "itertools.zip_longest": "zip",
    "itertools.chain": "filter",
    "itertools.combinations": "itertools.batched",
    "itertools.permutations": "itertools.batched",
    "collections.defaultdict": "dict",
    "collections.OrderedDict": "dict",
}


def _is_column(kind: object) -> bool:
    return isinstance(kind, Column)


def library_result(name: str, arguments: tuple[Types, ...]) -> Types:
    """Return the types of the result of a function of the language or of a library.

    Args:
        name: its full name (`"itertools.chain"`).
        arguments: the types of its arguments.
    """
    if name.startswith("sqlalchemy"):
        last = name.rpartition(".")[2]
        name = "sqlalchemy.orm.aliased" if last == "aliased" else "sqlalchemy.select"
        if last not in ("aliased", "select", "insert", "update", "delete"):
            return NOTHING
    result = _LIBRARY.get(_LIKE.get(name, name))
    return result(arguments) if result and arguments else NOTHING
