"""PostgreSQL's client programs for the tests: those on the PATH, or those of the test's server."""

import contextlib
import os
import shutil

import pytest

from tests.support import postgres


def provide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `pg_dump` and `pg_restore` be found."""
    if shutil.which("pg_dump"):
        return
    with contextlib.ExitStack() as stack:
        for folder in postgres.program_folders(stack):
            if (folder / "pg_dump").exists():
                monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
                # A copy that root made is removed after the tests, with the folder of the system.
                stack.pop_all()
                return
    pytest.skip("NO CLIENT PROGRAMS OF POSTGRESQL FOUND")
