"""The files of a Python package, each parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path


@cache
def _parse(text: str) -> ast.Module:
    """Parse a text once, however many copies of the package hold it."""
    return ast.parse(text)


@cache
def _nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


@dataclass(frozen=True)
class Import:
    """A module or name that a file imports; `name` is empty where the module is imported."""

    module: str
    name: str
    bound: str
    line: int


@dataclass(frozen=True, eq=False)
class SourceFile:
    """A file of a package.

    Args:
        place: its path below the package, with slashes (`"watch/http/client.py"`).
        module: its dotted name, which begins with the package's name.
        text: its text.
    """

    place: str
    module: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return _parse(self.text)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return _nodes(self.tree)

    @property
    def is_package(self) -> bool:
        """Tell whether the file is the `__init__.py` of a folder."""
        return self.place.endswith("__init__.py")

    @property
    def room(self) -> str:
        """The top-level entry of the package that the file belongs to, without `.py`."""
        return self.place.split("/")[0].removesuffix(".py")

    @property
    def is_migration(self) -> bool:
        """Tell whether the file is a database migration: it keeps its shape after its release."""
        return self.place.startswith("store/migrations/")

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import of the file: at the top, inside functions, and for type checking only."""
        return tuple(self._read_imports())

    def _read_imports(self) -> Iterator[Import]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.split(".")[0]
                    yield Import(alias.name, "", bound, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                for alias in node.names:
                    yield Import(module, alias.name, alias.asname or alias.name, node.lineno)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("import_module", "__import__")
            ):
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield Import(argument.value, "", "", node.lineno)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        above = node.level - 1 if self.is_package else node.level
        parts = self.module.split(".")
        parent = parts[: len(parts) - above]
        return ".".join((*parent, node.module) if node.module else parent)

    @cached_property
    def bindings(self) -> dict[str, str]:
        """The dotted name behind each name that an import binds."""
        names = {}
        for line in self.imports:
            if line.name:
                names[line.bound] = f"{line.module}.{line.name}"
            elif line.bound:
                names[line.bound] = (
                    line.module if line.bound != line.module.split(".")[0] else line.bound
                )
        return names

    def dotted(self, node: ast.AST) -> str:
        """Return the full name behind `dt.datetime.now`; empty where it begins with no import."""
        if isinstance(node, ast.Name):
            return self.bindings.get(node.id, "")
        if isinstance(node, ast.Attribute) and (before := self.dotted(node.value)):
            return f"{before}.{node.attr}"
        return ""

    def at(self, node: ast.AST | int, sentence: str) -> str:
        """Write a violation at a node or a line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return f"{self.place}:{line}: {sentence}"


@dataclass(frozen=True, eq=False)
class Package:
    """A Python package on disk.

    Args:
        root: the folder with the package's `__init__.py`; its name is the package's name.
    """

    root: Path
    files: tuple[SourceFile, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read every file."""
        object.__setattr__(self, "files", tuple(self._read()))

    def _read(self) -> Iterator[SourceFile]:
        for path in sorted(self.root.rglob("*.py")):
            relative = path.relative_to(self.root)
            parts = (self.name, *relative.with_suffix("").parts)
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield SourceFile(relative.as_posix(), module, path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The name under which the package is imported."""
        return self.root.name

    @cached_property
    def code(self) -> tuple[SourceFile, ...]:
        """Every file but the database migrations."""
        return tuple(file for file in self.files if not file.is_migration)

    @cached_property
    def modules(self) -> dict[str, SourceFile]:
        """The files by their dotted names."""
        return {file.module: file for file in self.files}

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Every folder with Python files below the package, with slashes."""
        parents = {parent for file in self.files for parent in Path(file.place).parents}
        return tuple(sorted(parent.as_posix() for parent in parents if parent.name))

    def imported_modules(self, file: SourceFile) -> Iterator[tuple[str, int]]:
        """Yield the modules of this package that a file imports, with the lines."""
        for line in file.imports:
            full = f"{line.module}.{line.name}" if line.name else line.module
            target = full if full in self.modules else line.module
            if target in self.modules:
                yield target, line.line


def lies_in(place: str, homes: tuple[str, ...] | frozenset[str] | set[str]) -> bool:
    """Tell whether a file is one of the homes, or lies in one that is a folder (`"web/"`)."""
    return any(place == home or (home.endswith("/") and place.startswith(home)) for home in homes)
