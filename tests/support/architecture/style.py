"""Rules about the shape of the code: lengths, branches, names, lines and docstrings."""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.support.architecture.package import Package, SourceFile

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def functions(file: SourceFile) -> Iterator[tuple[str, _Function]]:
    """Yield every function of a file, nested ones too, with its name (`Class.method`)."""
    yield from _functions(file.tree, "")


def _functions(node: ast.AST, before: str) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        name = f"{before}{child.name}" if isinstance(child, _Documented) else ""
        if isinstance(child, _Function):
            yield name, child
        yield from _functions(child, f"{name}." if name else before)


def length_of(function: _Function) -> int:
    """Count the lines of a function, without its decorators and its docstring."""
    length = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        length -= (first.end_lineno or 0) - first.lineno + 1
    return length


def branches_of(function: _Function) -> int:
    """Return McCabe's number of a function, as ruff counts it for C901."""
    return 1 + _branches(function.body)


def _branches(body: Collection[ast.stmt]) -> int:
    return sum(_branches_of_statement(statement) for statement in body)


def _branches_of_statement(statement: ast.stmt) -> int:
    own = 0
    if isinstance(
        statement,
        ast.If | ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef,
    ):
        own = 1
    elif isinstance(statement, ast.Try | ast.TryStar):
        own = len(statement.handlers) + bool(statement.orelse)
        own += sum(_branches(handler.body) for handler in statement.handlers)
    elif isinstance(statement, ast.Match):
        own = len(statement.cases) + sum(_branches(case.body) for case in statement.cases)
        own -= any(
            isinstance(case.pattern, ast.MatchAs)
            and case.pattern.pattern is None
            and case.guard is None
            for case in statement.cases[-1:]
        )
    parts = (getattr(statement, name, ()) for name in ("body", "orelse", "finalbody"))
    return own + sum(_branches(part) for part in parts)


def size_violations(
    package: Package, most_lines: int, most_branches: int, longer: Collection[str] = ()
) -> list[str]:
    """Find functions that are too long or have too many branches.

    Args:
        package: what is checked.
        most_lines: of a function, without its decorators and its docstring.
        most_branches: of a function, McCabe's number.
        longer: functions that may be longer or have more branches, as
            `"watch/compare/diff.py:compare"`; one that need not is a violation.
    """
    violations = []
    used = set()
    for file in package.code:
        for name, function in functions(file):
            lines, branches = length_of(function), branches_of(function)
            if lines <= most_lines and branches <= most_branches:
                continue
            if f"{file.place}:{name}" in longer:
                used.add(f"{file.place}:{name}")
            elif lines > most_lines:
                violations.append(
                    file.at(function, f"{name} has {lines} lines, {branches} branches")
                )
            else:
                violations.append(file.at(function, f"{name} has {branches} branches"))
    return violations + [f"{name}: need not be an exception" for name in sorted(set(longer) - used)]


def file_length_violations(package: Package, most_lines: int) -> list[str]:
    """Find files that are too long; they become a folder of the same name."""
    sizes = ((file, len(file.text.splitlines())) for file in package.code)
    return [file.at(size, f"has {size} lines") for file, size in sizes if size > most_lines]


def file_name_violations(
    package: Package, empty: Collection[str], allowed: Collection[str]
) -> list[str]:
    """Find files and folders whose name says nothing."""
    names = [(file.place, Path(file.place).stem) for file in package.code]
    names += [(f"{folder}/__init__.py", Path(folder).name) for folder in package.folders]
    return [
        f"{place}:1: {name} is a name without meaning"
        for place, name in names
        if name in empty and place not in allowed
    ]


def local_name_violations(
    package: Package, empty: Collection[str], library_methods: Collection[str] = ()
) -> list[str]:
    """Find variables and parameters whose name does not say what they hold.

    Args:
        package: what is checked.
        empty: the names that say nothing.
        library_methods: methods that a library calls, whose parameters it has named.
    """
    violations = []
    for file in package.code:
        given = _given_parameters(file, library_methods)
        for node, name in _bound_names(file):
            if name in empty and node not in given:
                violations.append(file.at(node, f"{name} does not say what it holds"))
    return violations


def _given_parameters(file: SourceFile, library_methods: Collection[str]) -> set[ast.AST]:
    methods = (
        node for node in file.nodes if isinstance(node, _Function) and node.name in library_methods
    )
    return {node for method in methods for node in ast.walk(method.args)}


def _bound_names(file: SourceFile) -> Iterator[tuple[ast.AST, str]]:
    """Yield every name that a function, a loop, a comprehension or a module binds."""
    for node in file.nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node, node.name


def line_violations(roots: Collection[Path], longest: int) -> list[str]:
    """Find lines with too many characters in the Python files below some folders."""
    violations = []
    for root in roots:
        for path in sorted(root.rglob("*.py")):  # none where there is no such folder
            lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            place = path.relative_to(root.parent).as_posix()
            violations += [
                f"{place}:{number}: has {len(line)} characters"
                for number, line in lines
                if len(line) > longest
            ]
    return violations


_QUESTION = re.compile(r"(What|Whether|Who|How|Where|When)\b")


def docstring_violations(package: Package, library_methods: Collection[str] = ()) -> list[str]:
    """Find missing docstrings, and those that open with a question word.

    Args:
        package: what is checked.
        library_methods: methods that a library documents; they need no docstring.
    """
    violations = []
    for file in package.code:
        if not ast.get_docstring(file.tree):
            violations.append(file.at(1, "the module does not say what it owns"))
        violations += [
            file.at(node, f"{name} has no docstring")
            for name, node in _public(file.tree, "")
            if not ast.get_docstring(node) and node.name not in library_methods
        ]
        documented = (node for node in file.nodes if isinstance(node, _Documented | ast.Module))
        for node in documented:
            if opening := _QUESTION.match(ast.get_docstring(node) or ""):
                violations.append(file.at(node.body[0], f"the docstring opens with {opening[0]}"))
    return violations


def _public(node: ast.Module | ast.ClassDef, before: str) -> Iterator[tuple[str, _Documented]]:
    """Yield the public functions, classes and methods with their names."""
    for child in node.body:
        if not isinstance(child, _Documented) or child.name.startswith("_"):
            continue
        yield f"{before}{child.name}", child
        if isinstance(child, ast.ClassDef):
            yield from _public(child, f"{child.name}.")
