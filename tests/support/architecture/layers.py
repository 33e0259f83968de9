"""Rules about imports: layers, circles, libraries, and the files in which things are done."""

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from tests.support.architecture.package import Package, SourceFile, lies_in

# Beside the rooms: the package itself with its version, the start of `python -m`, and the marker of
# typed packages.
_NO_ROOMS = {"__init__.py", "__main__.py", "py.typed", "__pycache__"}


def layer_violations(
    package: Package, layers: Mapping[int, tuple[str, tuple[str, ...]]], one_room: int, stages: int
) -> list[str]:
    """Find imports that run neither to a lower layer nor within the own room.

    Args:
        package: what is checked.
        layers: the layers by number, each with its name and its rooms.
        one_room: the layer whose single files count as one room.
        stages: the layer whose rooms are the stages of the journey.
    """
    layer_of = {room: number for number, (_, rooms) in layers.items() for room in rooms}
    # The version is read by everybody; the entrance reads everybody.
    layer_of |= {"__init__": 0, "__main__": max(layers) + 1}
    title = {number: f"layer {number}, {name}" for number, (name, _) in layers.items()}
    title |= {0: "the package itself", max(layers) + 1: "the start"}
    violations = []
    for file in package.code:
        for module, line in package.imported_modules(file):
            target = package.modules[module]
            if target.room == file.room or not {file.room, target.room} <= layer_of.keys():
                continue
            own, other = layer_of[file.room], layer_of[target.room]
            if other < own or own == other == one_room:
                continue
            names = f"{file.room} ({title[own]}) imports {target.room} ({title[other]})"
            if own == other == stages:
                names = f"the stage {file.room} imports the stage {target.room}"
            violations.append(file.at(line, f"{names}, through {module}"))
    return violations


def room_violations(
    package: Package, layers: Mapping[int, tuple[str, tuple[str, ...]]]
) -> list[str]:
    """Find entries of the package without a layer, and rooms of the table that do not exist."""
    listed = [room for _, rooms in layers.values() for room in rooms]
    entries = {path.name for path in package.root.iterdir()} - _NO_ROOMS
    rooms = {name.removesuffix(".py"): name for name in entries}
    violations = [f"{rooms[room]}:1: has no layer" for room in sorted(rooms.keys() - set(listed))]
    violations += [
        f"{room}:1: has a layer and does not exist" for room in listed if room not in rooms
    ]
    return violations + [
        f"{room}:1: has several layers" for room in sorted(set(listed)) if listed.count(room) > 1
    ]


def circle_violations(package: Package) -> list[str]:
    """Find files that import each other, at once or by a detour."""
    graph: dict[str, dict[str, int]] = {file.module: {} for file in package.code}
    for file in package.code:
        for module, line in package.imported_modules(file):
            if module in graph and module != file.module:
                graph[file.module].setdefault(module, line)
    violations = []
    for group in _strong_components(graph):
        circle = _circle_from(min(group), graph, group)
        first = package.modules[circle[0]]
        violations.append(
            first.at(graph[circle[0]][circle[1]], f"imports run in a circle: {' -> '.join(circle)}")
        )
    return violations


def _strong_components(graph: Mapping[str, Mapping[str, int]]) -> list[set[str]]:
    """Return the groups of modules that all reach each other."""
    reached = {start: _reached(start, graph) for start in graph}
    groups = {
        frozenset({start} | {other for other in reached[start] if start in reached[other]})
        for start in graph
    }
    return sorted((set(group) for group in groups if len(group) > 1), key=min)


def _reached(start: str, graph: Mapping[str, Mapping[str, int]]) -> set[str]:
    seen: set[str] = set()
    open_modules = [start]
    while open_modules:
        following = graph[open_modules.pop()].keys() - seen
        seen |= following
        open_modules += following
    return seen


def _circle_from(
    start: str, graph: Mapping[str, Mapping[str, int]], group: AbstractSet[str]
) -> list[str]:
    """Return the shortest way from a module back to itself."""
    ways = [[start]]
    for way in ways:
        for following in sorted(graph[way[-1]].keys() & group):
            if following == start:
                return [*way, start]
            if following not in way:
                ways.append([*way, following])
    raise AssertionError(f"{start} lies in no circle")


def library_violations(package: Package, homes: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Find imports of a library, or of a name of it, outside the files where it belongs.

    A home that does not import the library is a violation as well: it need not be allowed.
    """
    violations = []
    used: set[tuple[str, str]] = set()
    for file in package.files:
        for library, line in sorted(set(_libraries(file, homes))):
            home = next((home for home in homes[library] if lies_in(file.place, {home})), None)
            if home is None:
                violations.append(
                    file.at(line, f"imports {library}, which belongs to {_listed(homes[library])}")
                )
            else:
                used.add((library, home))
    named = {(library, home) for library, places in homes.items() for home in places}
    return violations + [
        f"{home}:1: does not import {library}" for library, home in sorted(named - used)
    ]


def _libraries(
    file: SourceFile, homes: Mapping[str, AbstractSet[str]]
) -> Iterator[tuple[str, int]]:
    for line in file.imports:
        full = f"{line.module}.{line.name}" if line.name else line.module
        yield from (
            (library, line.line) for library in homes if f"{full}.".startswith(f"{library}.")
        )
    attributes = {library for library in homes if "." in library}
    for node in file.nodes:
        if isinstance(node, ast.Attribute) and (full := file.dotted(node)) in attributes:
            yield full, node.lineno


def _listed(places: AbstractSet[str]) -> str:
    return ", ".join(sorted(places)) or "no file"


_CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "sqlalchemy.func.current_date",
    "sqlalchemy.func.current_time",
    "sqlalchemy.func.current_timestamp",
    "sqlalchemy.func.localtimestamp",
    "sqlalchemy.func.now",
    "sqlalchemy.func.sysdate",
    "time.asctime",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
}
# No other type has methods of these names.
_CLOCKS_OF_ANYTHING = {"today", "utcnow"}
# These read the clock where no time is given.
_CLOCKS_WITHOUT_A_TIME = {"email.utils.formatdate", "email.utils.localtime"}


def clock_violations(package: Package, home: str) -> list[str]:
    """Find other clocks: every reference to one, called or not, under any imported name.

    `time.monotonic` and `time.perf_counter` measure how long something takes and are no clocks.
    """
    clocks = {
        file.at(node, f"reads the clock: {name}")
        for file in package.files
        for node, name in _clocks(file)
    }
    return _outside(clocks, {home}, "does not read the clock")


def _outside(sentences: AbstractSet[str], homes: AbstractSet[str], missing: str) -> list[str]:
    """Return the violations outside the homes, and a violation for each home without one."""
    places = {sentence: sentence.partition(":")[0] for sentence in sentences}
    outside = sorted(sentence for sentence, place in places.items() if not lies_in(place, homes))
    unused = {
        home for home in homes if not any(lies_in(place, {home}) for place in places.values())
    }
    return outside + [f"{home}:1: {missing}" for home in sorted(unused)]


def _clocks(file: SourceFile) -> Iterator[tuple[ast.AST, str]]:
    for node in file.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and (name := file.dotted(node)) in _CLOCKS:
            yield node, name
        elif isinstance(node, ast.Attribute) and node.attr in _CLOCKS_OF_ANYTHING:
            yield node, ast.unparse(node)[:40]
        elif (
            isinstance(node, ast.Call)
            and not node.args
            and file.dotted(node.func) in _CLOCKS_WITHOUT_A_TIME
        ):
            yield node, file.dotted(node.func)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            full = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ((node, name) for name in full if name in _CLOCKS)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and "CURRENT_TIMESTAMP" in node.value
        ):
            yield node, "CURRENT_TIMESTAMP"


_PRINTERS = {
    "typer.echo",
    "typer.secho",
    "click.echo",
    "click.secho",
    "sys.stdout",
    "sys.stderr",
    "rich.console.Console",
}


def printing_violations(package: Package, homes: AbstractSet[str]) -> list[str]:
    """Find code that prints outside its place, where control characters are not taken out."""
    printers = set()
    for file in package.code:
        for node in file.nodes:
            is_print = isinstance(node, ast.Name) and node.id == "print"
            if is_print or file.dotted(node) in _PRINTERS:
                printers.add(file.at(node, f"prints: {ast.unparse(node)[:40]}"))
    return _outside(printers, homes, "does not print")


_LOG_SETTINGS = ("basicConfig", "StreamHandler", "FileHandler", "dictConfig", "fileConfig")
_SERVERS = {"uvicorn.run", "uvicorn.Config"}


def logging_violations(package: Package, home: str) -> list[str]:
    """Find code that sets the log up outside its place, where personal data are kept out."""
    settings = set()
    for file in package.code:
        for node in file.nodes:
            name = file.dotted(node)
            if name.startswith("logging") and name.endswith(_LOG_SETTINGS):
                settings.add(file.at(node, f"sets the log up: {name}"))
            elif (
                isinstance(node, ast.Call)
                and file.dotted(node.func) in _SERVERS
                and not _keeps_the_log(node)
            ):
                settings.add(
                    file.at(node, "lets the server set the log up: log_config=None is missing")
                )
    return _outside(settings, {home}, "does not set the log up")


def _keeps_the_log(call: ast.Call) -> bool:
    return any(
        word.arg == "log_config"
        and isinstance(word.value, ast.Constant)
        and word.value.value is None
        for word in call.keywords
    )


_REFUSALS = {
    "ValueError",
    "SettingsError",
    "InputError",
    "AddressError",
    "NotifierError",
    "Exception",
    "BaseException",
}


def half_kept_violations(package: Package) -> list[str]:
    """Find web pages that catch a refusal inside the transaction, which then commits a half."""
    violations = []
    for file in package.code:
        blocks = [node for node in file.nodes if isinstance(node, ast.With | ast.AsyncWith)]
        for block in blocks if file.room == "web" else ():
            if not any(".writing(" in ast.unparse(item) for item in block.items):
                continue
            violations += [
                file.at(handler, "catches a refusal inside its transaction")
                for handler in ast.walk(block)
                if isinstance(handler, ast.ExceptHandler) and _catches_a_refusal(handler)
            ]
    return violations


def _catches_a_refusal(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(_REFUSALS & _names_in(handler.type))


def _names_in(node: ast.AST) -> set[str]:
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return names | {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
