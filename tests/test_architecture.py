"""The house keeps its rules: which way imports run, who writes which table, who opens a session, where the clock is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "notifier"

# A room stands on a floor and imports only from lower ones, or within its own folder.
FLOORS = {
    "__init__": 0,
    "errors": 1,
    "i18n": 1,
    "text": 1,
    "trial_fields": 1.5,
    "email_addresses": 1.5,
    "settings": 1.7,
    "enums": 1,
    "store.models": 1.1,
    "store.db": 2,
    "store.keys": 2,
    "store.files": 1.5,
    "store": 1,
    "render": 2,
    "links": 2,
    "watch": 3,
    "match": 3,
    "digest": 3,
    "deliver": 3,
    "subscribers": 3,
    "deps": 4,
    "messages": 5,
    "admin": 6,
    "pipeline": 6,
    "scheduler": 7,
    "web": 7,
    "demo": 7.5,
    "cli": 8,
    "__main__": 9,
}

WRITERS = {
    "Source": "watch/sources.py",
    "Entry": "watch/entries.py",
    "EntryAlias": "watch/identity.py",
    "Revision": "watch/entries.py",
    "Article": "watch/articles.py",
    "Profile": "match/profiles.py",
    "ProfileRevision": "match/profiles.py",
    "Term": "match/profiles.py",
    "Examination": "match/matches.py",
    "Match": "match/matches.py",
    "NearMiss": "match/matches.py",
    "Digest": "digest/digests.py",
    "DigestItem": "digest/digests.py",
    "Subscriber": "subscribers/subscriptions.py",
    "Subscription": "subscribers/subscriptions.py",
    "Consent": "subscribers/consent.py",
    "Suppression": "subscribers/suppressions.py",
    "Wording": "subscribers/consent.py",
    "RetiredLink": "subscribers/address_changes.py",
    "SignupRequest": "subscribers/signup_requests.py",
    "AddressChange": "subscribers/address_changes.py",
    "Delivery": "deliver/outbox/",
    "Notice": "deliver/operator_mail.py",
    "RateLimit": "deliver/outbox/rate_limits.py",
    "BounceReport": "deliver/bounces/policy.py",
    "Alarm": "deliver/alerts.py",
}

ONE_ROOM_EACH = {
    "aiohttp": {"watch/http/client.py", "watch/http/ssrf.py"},
    "asyncio": {"watch/http/client.py", "web/server.py", "demo/story.py"},
    "h11": {"web/server.py"},
    "uvicorn": {"web/app.py", "web/server.py", "web/preview_server.py", "demo/story.py"},
    "smtplib": {"deliver/smtp/client.py"},
    "jinja2": {"render.py"},
    "babel": {"i18n/catalog.py"},
    "css_inline": {"render.py"},
    "itsdangerous": {"links.py"},
    "cryptography": {"deliver/mime/dkim_keys.py"},
    "flufl": {"deliver/bounces/parser.py"},
    "feedparser": {"watch/parsers/rss.py"},
    "lxml": {"watch/parsers/html_page.py", "watch/discovery.py", "watch/opml.py"},
    "readability": {"watch/parsers/html_page.py"},
    "ahocorasick_rs": {"match/terms.py"},
    "rapidfuzz": {"match/spelling.py", "match/stories.py", "watch/diff.py"},
    "anyascii": {"match/spelling.py"},
    "alembic": {"store"},
    "typer": {"cli"},
    "rich": {"cli"},
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def floor_of(module: str) -> float:
    parts = module.split(".")
    for size in range(len(parts), 0, -1):
        if ".".join(parts[:size]) in FLOORS:
            return FLOORS[".".join(parts[:size])]
    raise AssertionError(f"{module} stands on no floor: give it one")


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module imported when the code runs, at the top or inside a function, and every name taken from one."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types_only(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def own_imports(path: Path) -> set[str]:
    """The rooms of notifier that a file imports."""
    known = {name_of(other) for other in modules()}
    found = {name.removeprefix("notifier.") for name in imports(parsed(path)) if name.startswith("notifier.")}
    folders = {name.rpartition(".")[0] for name in found if name in known}
    return {name for name in found if name in known and name not in folders}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_room_imports_only_from_lower_floors_or_its_own_folder():
    for path in modules():
        room = name_of(path)
        for imported in own_imports(path):
            same_folder = imported.split(".")[0] == room.split(".")[0]
            assert same_folder or floor_of(imported) < floor_of(room), f"{room} imports {imported}"


def test_no_two_files_import_each_other_even_by_a_detour():
    graph = {name_of(path): own_imports(path) - {name_of(path)} for path in modules()}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        following = graph.get(start, set()) - seen
        return goal in following or any(reaches(one, goal, seen | following) for one in following)

    circles = [room for room in graph if "." in room and reaches(room, room, set())]
    assert circles == []


@pytest.mark.parametrize(("table", "writer"), WRITERS.items())
def test_a_table_is_written_by_its_own_room_alone(table: str, writer: str):
    for path in modules():
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith((writer, "store/models/")):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                makes = called == table
                changes = called in ("insert", "update", "delete") and node.args and ast.unparse(node.args[0]) == table
                writes = makes or changes
                assert not writes, f"{place} writes {table}"


def test_rooms_neither_open_nor_commit_a_session():
    for path in modules():
        place = path.relative_to(PACKAGE).as_posix()
        text = path.read_text(encoding="utf-8")
        if place == "store/db.py":
            continue
        assert ".commit(" not in text, f"{place} commits"
        if place.split("/")[0] in ("watch", "match", "digest", "deliver", "subscribers"):
            assert not re.search(r"\b(reading|writing)\(", text), f"{place} opens a session"


def test_no_page_keeps_half_of_what_it_refuses():
    """A refusal that is caught inside the transaction lets it commit what was changed before."""
    refusals = {"ValueError", "SettingsError", "AddressError", "NotifierError", "Exception", "BaseException"}
    for path in (PACKAGE / "web").rglob("*.py"):
        for block in ast.walk(parsed(path)):
            if isinstance(block, ast.With) and any(".writing(" in ast.unparse(item) for item in block.items):
                handlers = [node for node in ast.walk(block) if isinstance(node, ast.ExceptHandler)]
                caught = {word for node in handlers for word in re.findall(r"\w+", ast.unparse(node).split(":")[0])}
                assert not caught & refusals, f"{path.name} catches a refusal inside its transaction"
                assert all(node.type is not None for node in handlers), f"{path.name} catches everything"


def test_there_is_one_clock():
    clock = re.compile(r"datetime\.now\(|\.utcnow\(|\.today\(|\btime\.time\(")
    found = {path.relative_to(PACKAGE).as_posix() for path in modules() if clock.search(path.read_text("utf-8"))}
    assert found == {"deps.py"}


@pytest.mark.parametrize(("library", "rooms"), ONE_ROOM_EACH.items())
def test_a_library_is_imported_where_it_belongs(library: str, rooms: set[str]):
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).as_posix()
        if place in rooms or place.split("/")[0] in rooms:
            continue
        assert library not in {name.split(".")[0] for name in imports(parsed(path))}, f"{place} imports {library}"


def test_no_room_has_a_name_without_meaning():
    empty = {"utils", "util", "helpers", "common", "manager", "misc", "base", "core"}
    named = [path for path in modules() if path.stem in empty]
    assert named == [PACKAGE / "store" / "models" / "base.py"]


def test_every_module_says_what_it_owns():
    assert [str(path) for path in modules() if not ast.get_docstring(parsed(path))] == []


def test_one_room_prints_and_one_writes_the_log():
    """What is printed elsewhere would reach the terminal as a stranger wrote it."""
    prints = re.compile(r"(?<![\w.])print\(|typer\.(echo|secho)|click\.echo|sys\.(stdout|stderr)|(?<!\w)Console\(")
    rooms = {path.relative_to(PACKAGE).as_posix() for path in modules() if prints.search(path.read_text("utf-8"))}
    # The demo prints its own made-up story in colour; the entrance answers --version before anything is loaded; the
    # process that parses documents answers the one that started it.
    assert rooms - {"watch/parser_process/child.py"} == {"cli/shared.py", "cli/demo.py", "__main__.py"}
    handlers = re.compile(
        r"basicConfig|StreamHandler|dictConfig|fileConfig|uvicorn\.(run|Config)\((?!.*log_config=None)"
    )
    texts = {path: " ".join(path.read_text("utf-8").split()) for path in modules()}
    assert {path.name for path, text in texts.items() if handlers.search(text)} == {"logs.py"}
