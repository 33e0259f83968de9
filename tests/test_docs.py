"""The documents are complete: they name every command, setting and profile key there is."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from notifier.admin.doctor.checks import CHECKS
from notifier.cli.main import app
from notifier.match.profile_file import ProfileFile
from notifier.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(command, path: tuple[str, ...] = ()):
    for name, one in getattr(command, "commands", {}).items():
        yield (*path, name), one
        yield from commands(one, (*path, name))


@pytest.mark.parametrize(("path", "command"), list(commands(get_command(app))), ids=str)
def test_every_command_option_and_argument_has_help(path: tuple[str, ...], command):
    assert command.help, path
    assert len(command.help.splitlines()[0]) <= 62, "is cut in the list of commands"
    for parameter in command.params:
        assert parameter.help, f"{' '.join(path)} {parameter.name}"


def test_every_command_is_in_the_changelog():
    """Written as "`notifier NAME`" or "`notifier NAME VERB`": the bare word occurs in any prose."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`notifier ([a-z]+)[ `]", changelog))
    assert {path[0] for path, _ in commands(get_command(app))} <= named


def keys(model: type[BaseModel], prefix: str = ""):
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from keys(type(field.default), f"{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_setting_stands_in_its_document_and_no_other():
    document = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = "".join(line.split("|")[1] for line in document.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z_.]+)`", rows)) == set(keys(Settings))


def test_every_key_of_a_profile_stands_in_its_document():
    document = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    for name in ProfileFile.model_fields:
        assert f"`{name}`" in document or f"[{name}]" in document, name


def test_every_direct_dependency_is_explained_and_locked():
    decisions = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8").lower()
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    wanted += [one for one in project["dependency-groups"]["dev"] if isinstance(one, str)]
    for one in wanted:
        name = re.match(r"[A-Za-z0-9.-]+", one)[0]
        assert name.lower() in decisions, name
        pinned = rf"^{re.escape(name.replace('.', '-'))}(\[[a-z0-9,]+\])?=="
        assert re.search(pinned, lock, re.MULTILINE), name


def test_the_locks_name_no_address_and_hash_everything():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in lock
        entries = [line for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
        assert len(entries) == len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", lock))


def test_links_in_the_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_file_that_the_documents_name_exists():
    """A name may leave out its folders; one in capitals (`NAME.py`) is a file yet to be written."""
    folders = [
        ROOT / name for name in ("notifier", "templates", "tests", "bench", "deploy", "docs")
    ]
    paths = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (folder, *folder.rglob("*"))
    }
    named = re.compile(r"`([a-z0-9_./-]+(?:\.(?:py|po|j2|css|md)|/))`")
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for name in named.findall(page.read_text(encoding="utf-8")):
            ending = f"/{name.rstrip('/')}"
            assert any(f"/{path}".endswith(ending) for path in paths), f"{page.name}: {name}"


def test_every_room_stands_in_the_readmes_map():
    for path in (ROOT / "notifier").iterdir():
        if path.suffix == ".py" and path.stem not in ("__init__", "__main__"):
            assert f"`{path.name}`" in README, path.name
        elif path.is_dir() and path.name not in ("__pycache__", "store"):
            assert f"`{path.name}/" in README, path.name


def test_the_repository_speaks_of_no_machine():
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "notifier").rglob("*.py"),
    ]:
        assert not re.search(r"/(root|home|tmp|work)/", path.read_text(encoding="utf-8")), path


def test_every_check_of_the_doctor_stands_in_its_document_and_no_other():
    document = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)`( \*)? \|", document, re.MULTILINE)
    assert rows == [(check.name, " *" if check.stops_mail else "") for check in CHECKS]
