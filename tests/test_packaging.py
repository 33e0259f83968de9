"""The wheel: built in one environment, it works in another from any directory."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_templates_profile_demo_and_migrations_and_no_tests(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "notifier/templates/email/digest.html.j2",
        "notifier/templates/web/style.css",
        "notifier/docs/README.md",
        *(f"notifier/docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
        "notifier/match/bundled/frexalimab.toml",
        "notifier/demo/data/articles.toml",
        "notifier/store/migrations/env.py",
        "notifier/store/migrations/versions/0001_initial.py",
        "notifier/py.typed",
    ):
        assert wanted in names
    assert not any(name.startswith(("tests/", "templates/", "docs/", "bench/")) for name in names)
    # `notifier docs` shows text.
    assert not [name for name in names if name.startswith("notifier/docs/images")]


def locked(lock: str) -> set[str]:
    """The names of the packages that a lock installs."""
    return set(
        re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==",
            (ROOT / lock).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )


def test_the_production_lock_holds_no_build_tool_and_no_mail_server():
    unwanted = {
        "hatchling",
        "editables",
        "aiosmtpd",
        "setuptools",
        "pip",
        "uv",
        "build",
        "wheel",
        "pytest",
    }
    # Procrastinate reads version numbers with `packaging` when it runs.
    build_only = locked("requirements-build.lock") - {"packaging"}
    assert not locked("requirements.lock") & (unwanted | build_only)


def test_the_other_locks_add_to_the_production_lock_what_their_name_says():
    production = locked("requirements.lock")
    assert locked("requirements-demo.lock") - production == {"aiosmtpd"}
    assert {"hatchling", "editables"} <= locked("requirements-build.lock")
    assert locked("requirements-demo.lock") | locked("requirements-build.lock") < locked(
        "requirements-dev.lock"
    )


def test_all_locks_pin_the_same_versions():
    # A package may have another version for older Pythons: its marker says so.
    pins: dict[tuple[str, str], set[str]] = {}
    for lock in ROOT.glob("requirements*.lock"):
        for name, version, marker in re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)([^\n]*)",
            lock.read_text(encoding="utf-8"),
            re.MULTILINE,
        ):
            pins.setdefault((name, marker), set()).add(version)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_every_lock_is_hashed_and_names_no_address():
    locks = sorted(path.name for path in ROOT.glob("requirements*.lock"))
    assert locks == [
        "requirements-bench.lock",
        "requirements-build.lock",
        "requirements-demo.lock",
        "requirements-dev.lock",
        "requirements.lock",
    ]
    for name in locks:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", text)) > 0, name


def test_the_extra_demo_is_what_the_refusal_of_the_demo_tells_to_install():
    from notifier.cli.demo import MAIL_SERVER

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"] == {"demo": [MAIL_SERVER]}


def licence_of(name: str) -> str:
    """What a package says about its licence, wherever its metadata says it."""
    metadata = importlib.metadata.metadata(name)
    classifiers = [
        text for text in metadata.get_all("Classifier", []) if text.startswith("License")
    ]
    return " ".join(
        [metadata.get("License-Expression") or "", metadata.get("License") or "", *classifiers]
    )


def components_of(name: str) -> Iterator[tuple[str, str]]:
    """Return the parts compiled into a package with their licences, from its CycloneDX lists."""
    for file in importlib.metadata.files(name) or ():
        if "sboms" in file.parts and file.suffix == ".json":
            for part in json.loads(file.read_text(encoding="utf-8")).get("components", []):
                for licence in part.get("licenses", []):
                    yield (
                        part["name"],
                        licence.get("expression") or licence.get("license", {}).get("id", ""),
                    )


# Licences that ask for more than a notice; what offers another one beside them (OR) is used under
# that.
RECIPROCAL = re.compile(r"\b(A?GPL|LGPL|MPL|Mozilla|EPL|CDDL|EUPL|Lesser General)")


def test_the_notice_lists_each_package_whose_licence_asks_for_more_than_a_notice():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    listed = set(
        re.findall(
            r"^\| ([a-z0-9-]+) \| (?:LGPL|MPL)[^|]+ \| [a-z0-9./-]+ \|$", notice, re.MULTILINE
        )
    )
    installed = {
        one.name.lower().replace("_", "-").replace(".", "-")
        for one in importlib.metadata.distributions()
    }
    names = locked("requirements.lock") & installed
    assert {"psycopg", "lxml", "css-inline"} <= names
    assert listed == {name for name in names if RECIPROCAL.search(licence_of(name))}


def test_the_notice_lists_what_is_compiled_into_packages_under_such_licences():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ([^|]+) \| ([a-z0-9-]+) \| (?:LGPL|MPL)[^|]+ \| [a-z0-9./-]+ \|$",
        notice,
        re.MULTILINE,
    )
    listed = {(name, package) for names, package in rows for name in names.split(", ")}
    for package in ("css-inline", "pydantic-core", "cryptography"):
        for name, licence in components_of(package):
            if RECIPROCAL.search(licence) and " OR " not in licence:
                assert (name, package) in listed, f"{name} in {package}: {licence}"


def test_the_notice_travels_with_the_wheel(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [
            name for name in archive.namelist() if name.endswith(".dist-info/licenses/NOTICE")
        ]
        assert archive.read(path) == (ROOT / "NOTICE").read_bytes()


def test_the_notice_travels_with_the_source():
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"][
        "build"
    ]["targets"]
    assert "/NOTICE" in targets["sdist"]["include"]


@pytest.mark.long
def test_it_works_in_a_fresh_environment_from_any_directory(wheel: Path, tmp_path: Path):
    python = tmp_path / "venv" / "bin" / "python"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith("NOTIFIER_")
    }

    def call(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    call(sys.executable, "-m", "venv", tmp_path / "venv")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "--require-hashes", "-r", ROOT / "requirements.lock")
    call(*pip, "--no-deps", wheel)
    notifier = tmp_path / "venv" / "bin" / "notifier"
    assert call(notifier, "--version").startswith("notifier ")
    call(notifier, "init", "--no-poll")
    assert call(notifier, "docs", "running") == (ROOT / "docs" / "running.md").read_text()
    assert [one["slug"] for one in json.loads(call(notifier, "profiles", "list", "--json"))] == [
        "frexalimab"
    ]
    demo = [str(part) for part in (python, "-W", "error", "-m", "notifier", "demo", "--out", "out")]
    refused = subprocess.run(
        demo, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "notifier[demo]" in refused.stderr) == (2, True)
    assert not (elsewhere / "out").exists()
    call(*pip, "--require-hashes", "-r", ROOT / "requirements-demo.lock")
    assert "06-anna.html" in call(*demo)
