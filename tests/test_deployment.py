"""The files in `deploy/`: no service may do more than it must, and no secret is written down."""

import re
import subprocess
from pathlib import Path

import pytest

from notifier.settings.sections import Web
from notifier.web import app
from tests.support import composed
from tests.support.paths import ROOT

SERVICES = composed.services()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_with_as_little_as_possible(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].partition(":")[0]) > 0, "not root"
    assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_named_by_its_version(name: str):
    version = SERVICES[name]["image"].rpartition(":")[2]
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?(-\w+)?", version), version


def test_the_base_image_is_named_by_its_version():
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+-", image), image


def test_the_container_has_the_programs_that_back_up_the_database_beside_it():
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    (client,) = re.findall(r"apt-get install .*\bpostgresql-client-(\d+)", text)
    server = re.search(r"/postgres:(\d+)\.", SERVICES["postgres"]["image"])
    # `pg_dump` refuses a newer server.
    assert int(client) >= int(server[1])


def test_secrets_are_files_that_the_repository_does_not_hold():
    document = composed.document()
    for secret in document["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(document["secrets"])
        for key, value in service["environment"].items():
            assert not re.search(r"PASSWORD$|SECRET|_KEY$|TOKEN$", key), key
            assert not re.search(r"://[^/@]+:[^/@]+@", str(value)), "a password in an address"
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "deploy/secrets/" in ignored


def test_only_the_proxy_is_published_and_the_database_has_no_way_out():
    published = {name for name, service in SERVICES.items() if service.get("ports")}
    assert published == {"proxy"}
    networks = composed.document()["networks"]
    assert all(networks[name]["internal"] for name in SERVICES["postgres"]["networks"])
    assert "store" not in SERVICES["proxy"]["networks"]


def test_two_workers_deliver_and_one_scheduler_wakes_them():
    commands = [service["command"] for service in SERVICES.values()]
    assert commands.count(["work", "--only", "deliver"]) == 2
    assert commands.count(["work", "--only", "poll,compose"]) == 1


UNITS = sorted(path.name for path in (ROOT / "deploy").glob("notifier*.*"))


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_of_systemd_is_valid_and_starts_a_command_that_exists(name: str):
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    assert name in (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    if name.endswith(".timer"):
        assert name.replace(".timer", ".service") in UNITS
        return
    (command,) = re.findall(r"^ExecStart=/opt/notifier/bin/notifier (.+)$", text, re.MULTILINE)
    assert command.split()[0] in {"run", "serve", "work", "bounces"}
    for line in ("User=notifier", "UMask=0077", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert f"\n{line}\n" in text
    for variable, credential in re.findall(r"Environment=NOTIFIER_(\w+)_FILE=%d/(\w+)", text):
        assert f"LoadCredential={credential}:/etc/notifier/{credential}" in text
        assert credential == variable.replace("__", "_").lower()


def run_of_cron(folder: Path, command: str, script: str) -> str:
    """Run a line of the crontab with a made-up notifier; return what cron would mail.

    Args:
        folder: an empty one, the home of the user.
        command: what the line lets notifier do.
        script: what the made-up notifier does instead.
    """
    (folder / "notifier").mkdir()
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    text = (ROOT / "deploy" / "crontab").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if command in line and not line.startswith("#"))
    shell = line.split(None, 5)[5].replace("/opt/notifier/bin/notifier", str(program))
    assert "%" not in shell, "a sign that cron replaces"
    ran = subprocess.run(
        ["/bin/sh", "-c", shell],
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_cron_mails_nobody_when_only_a_source_failed(tmp_path: Path):
    assert run_of_cron(tmp_path, "run --once", "echo polled; echo a source failed >&2") == ""


def test_cron_mails_what_was_said_when_a_step_could_not_finish(tmp_path: Path):
    script = "echo polled; echo a source failed >&2; exit 1"
    assert run_of_cron(tmp_path, "run --once", script) == "polled\na source failed\n"


def test_cron_mails_what_the_doctor_found_changed_in_the_folder_of_the_settings(tmp_path: Path):
    assert run_of_cron(tmp_path, "doctor --show-changes", 'basename "$PWD"; exit 1') == "notifier\n"


def test_nginx_passes_every_address_to_where_the_pages_are_and_logs_none():
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"location (\S+) ", text) == ["/"]
    assert f"proxy_pass http://{Web().host}:{Web().port};" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert text.count("access_log off;") == text.count("server {") == 2
    assert text.count("{") == text.count("}")


def test_the_documentation_names_the_pages_that_a_web_server_passes_on():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    part = text.partition("## A web server in front of the pages")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(/[a-z]*)`", part))
    paths = {route.path for route in app._routes()}
    assert named <= {"/" + path.split("/")[1] for path in paths}
    assert {f"/{page}" for page in app.public_pages.TYPED} <= named


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").iterdir()), ids=lambda path: path.name)
def test_a_file_names_only_files_that_exist(path: Path):
    if path.is_dir():
        return
    text = path.read_text(encoding="utf-8")
    existing = {file.name for file in (ROOT / "deploy").iterdir()}
    for name in re.findall(r"\bnotifier[\w-]*@?\.(?:service|timer)\b", text):
        assert name in existing, name
    for name in re.findall(r"\b(?:deploy/)([A-Za-z.@-]+[A-Za-z])", text):
        assert name in existing, name


def test_the_table_in_the_documentation_names_every_file():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    for path in (ROOT / "deploy").iterdir():
        if path.is_file():
            assert f"`{path.name}`" in text, path.name
