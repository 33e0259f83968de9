"""The files in `deploy/`: no service may do more than it must, and no secret is written down."""

import re

import pytest

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


def test_no_web_server_logs_addresses_of_links_or_believes_a_visitors_header():
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    servers = nginx.count("server {")
    assert nginx.count("access_log off;") == servers == 2
    assert "X-Forwarded-For $remote_addr;" in nginx
    assert "$proxy_add_x_forwarded_for" not in nginx
    assert nginx.count("{") == nginx.count("}")
