"""The wheel: built in one environment, it works in another from any directory."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_templates_profile_demo_and_migrations_and_no_tests(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "notifier/templates/email/mail.html.j2",
        "notifier/templates/web/style.css",
        "notifier/data/frexalimab.toml",
        "notifier/data/demo/articles.toml",
        "notifier/store/migrations/env.py",
        "notifier/store/migrations/versions/0001_initial.py",
        "notifier/py.typed",
    ):
        assert wanted in names
    assert not any(name.startswith(("tests/", "templates/", "bench/")) for name in names)


@pytest.mark.long
def test_it_works_in_a_fresh_environment_from_any_directory(wheel: Path, tmp_path: Path):
    python = tmp_path / "venv" / "bin" / "python"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: text for name, text in os.environ.items() if not name.startswith("NOTIFIER_")}

    def call(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    call(sys.executable, "-m", "venv", tmp_path / "venv")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "--require-hashes", "-r", ROOT / "requirements.lock")
    call(*pip, "--no-deps", wheel)
    notifier = tmp_path / "venv" / "bin" / "notifier"
    assert call(notifier, "--version").startswith("notifier ")
    call(notifier, "init")
    assert [one["slug"] for one in json.loads(call(notifier, "profiles", "list", "--json"))] == ["frexalimab"]
    assert "06-anna.html" in call(python, "-W", "error", "-m", "notifier", "demo", "--out", "out")
