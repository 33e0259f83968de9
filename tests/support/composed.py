"""The services of `deploy/compose.yaml`, started as processes in namespaces of their own.

It reads of the file what a container engine would obey: command, environment, user, capabilities,
read-only root, tmpfs, volumes, secrets, networks, health checks, the order of starting. What is in
an image is taken from this machine instead: the programs of notifier from the Python that runs the
tests, PostgreSQL's from where the tests find them, Caddy from the PATH or from Debian's package.
The entry point of the PostgreSQL image is played by a few lines below.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support import namespaces, postgres
from tests.support.namespaces import Container, Networks
from tests.support.paths import ROOT

FILE = ROOT / "deploy" / "compose.yaml"
CADDY_FOLDER = ROOT / ".cache" / "caddy"

# What the image's entry point does with an empty volume, and then what it is asked to do.
POSTGRES_ENTRY = """
export PGDATA=/var/lib/postgresql/data
chmod 700 $PGDATA
if [ ! -s $PGDATA/PG_VERSION ]; then
  initdb -D $PGDATA -U $POSTGRES_USER --pwfile=$POSTGRES_PASSWORD_FILE --auth-local=trust \
    --no-sync $POSTGRES_INITDB_ARGS
  echo "host all all all scram-sha-256" >> $PGDATA/pg_hba.conf
  echo "CREATE DATABASE $POSTGRES_DB;" | postgres --single -D $PGDATA postgres
fi
exec "$@" -D $PGDATA -c listen_addresses='*' -c unix_socket_directories=/tmp
"""


def services() -> dict[str, dict[str, Any]]:
    """Return the services of the file, by name."""
    return document()["services"]


def document() -> dict[str, Any]:
    """Return the whole file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def entry_point() -> list[str]:
    """Return the entry point of the image that `deploy/Containerfile` makes."""
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    found = re.search(r'^ENTRYPOINT \["([^"]+)"\]$', text, re.MULTILINE)
    assert found
    return [found[1]]


def caddy() -> Path | None:
    """Return Caddy from the PATH, or from Debian's package, which is unpacked and not installed."""
    if found := shutil.which("caddy"):
        return Path(found)
    unpacked = CADDY_FOLDER / "usr" / "bin" / "caddy"
    if not unpacked.exists() and shutil.which("apt-get"):
        CADDY_FOLDER.mkdir(parents=True, exist_ok=True)
        _try("apt-get", "download", "caddy")
        for package in CADDY_FOLDER.glob("caddy_*.deb"):
            _try("dpkg-deb", "-x", str(package), ".")
    return unpacked if unpacked.exists() else None


def _try(*command: str) -> None:
    subprocess.run(command, cwd=CADDY_FOLDER, capture_output=True, check=False)


class Deployment:
    """All services of the file, and what stands in for the world outside."""

    def __init__(self, folder: Path, nets: Networks, variables: dict[str, str]) -> None:
        """Prepare.

        Args:
            folder: For secrets, volumes and logs.
            nets: The networks of the file.
            variables: The values of `${NAME:-default}` in the file.
        """
        self.folder, self.nets, self.variables = folder, nets, variables
        self.containers: dict[str, Container] = {}
        self.stack = contextlib.ExitStack()
        self._server_programs = next(postgres.program_folders(self.stack))
        for name, service in services().items():
            nets.add(name, service["networks"])

    def start(self, name: str, command: list[str] | None = None) -> Container:
        """Start a service when those that it depends on are healthy."""
        service = services()[name]
        for needed in service.get("depends_on", {}):
            self.wait_healthy(needed)
        container = self._container(name, service, command)
        container.start()
        if command is None:
            self.containers[name] = container
        return container

    def wait_healthy(self, name: str, seconds: float = 60) -> None:
        """Wait until the health check of a service succeeds.

        Raises:
            AssertionError: It does not, with what the service printed.
        """
        container, check = self.containers[name], services()[name]["healthcheck"]["test"]
        deadline, said = time.monotonic() + seconds, ""
        while time.monotonic() < deadline:
            done = container.run(check[1:])
            if done.returncode == 0:
                return
            said = (done.stdout + done.stderr).decode(errors="replace")
            time.sleep(0.5)
        raise AssertionError(f"{name} is not healthy: {said}\n{container.log.read_text()}")

    def stop(self) -> None:
        """End all services."""
        for container in reversed(self.containers.values()):
            container.stop()
        self.stack.close()

    def _container(
        self, name: str, service: dict[str, Any], command: list[str] | None
    ) -> Container:
        assert service["read_only"], "what is tried here has a read-only root"
        environment, words = self._program(service, command or service["command"])
        kept = tuple(name.lower() for name in service.get("cap_add", ()))
        return Container(
            space=self.nets.namespace(name),
            state=self.folder / "containers" / (name if command is None else f"{name}-once"),
            command=words,
            environment=environment,
            user=service["user"],
            folder=service.get("working_dir", "/"),
            capabilities=kept,
            writable=dict(_path_and_options(text) for text in service["tmpfs"]),
            bound=[*_checkout(), *self._secrets(service), *self._volumes(service)],
            links={"/opt/notifier": sys.prefix},
            hosts=self._hosts(service),
        )

    def _program(
        self, service: dict[str, Any], words: list[str]
    ) -> tuple[dict[str, str], list[str]]:
        """Return environment and command with this machine's programs in place of the image's."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/tmp"}
        for key, value in service["environment"].items():
            environment[key] = self._filled_in(str(value))
        if service["image"].startswith("notifier:"):
            return {**environment, "PYTHONPATH": str(ROOT)}, [*entry_point(), *words]
        if "postgres" in service["image"]:
            environment["PATH"] = f"{self._server_programs}:{environment['PATH']}"
            return environment, ["sh", "-ec", POSTGRES_ENTRY, "sh", *words]
        environment["PATH"] = f"{_parent(caddy())}:{environment['PATH']}"
        return environment, words

    def _filled_in(self, text: str) -> str:
        return re.sub(
            r"\$\{(\w+):-([^}]*)\}", lambda found: self.variables.get(found[1], found[2]), text
        )

    def _secrets(self, service: dict[str, Any]) -> Iterator[tuple[str, Path, str]]:
        """Give each secret to the service's user alone, as its owner would."""
        uid = int(service["user"].partition(":")[0])
        for name in service.get("secrets", ()):
            copy = self.folder / "given" / str(uid) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.folder / "secrets" / name, copy)
            copy.chmod(0o400)
            os.chown(copy, uid, uid)
            yield f"/run/secrets/{name}", copy, "ro"

    def _volumes(self, service: dict[str, Any]) -> Iterator[tuple[str, Path, str]]:
        uid = int(service["user"].partition(":")[0])
        for volume in service.get("volumes", ()):
            source, inside, *mode = volume.split(":")
            if source.startswith("."):
                outside = (FILE.parent / source).resolve()
            else:
                outside = self.folder / "volumes" / source
                outside.mkdir(parents=True, exist_ok=True)
                os.chown(outside, uid, uid)
            yield inside, outside, (mode or ["rw"])[0]

    def _hosts(self, service: dict[str, Any]) -> str:
        """Return the names that a service can look up: those in its own networks."""
        lines = ["127.0.0.1 localhost"]
        for (name, network), address in self.nets.addresses.items():
            if network in service["networks"]:
                lines.append(f"{address} {name}")
        return "\n".join(lines) + "\n"


def _checkout() -> Iterator[tuple[str, Path, str]]:
    """Give the code and its Python at their own paths: both may lie below a tmpfs of a service."""
    for folder in (ROOT, Path(sys.prefix)):
        yield str(folder), folder, "ro"


def _parent(program: Path | None) -> str:
    assert program is not None, "Caddy cannot be had here"
    return str(program.parent)


def _path_and_options(text: str) -> tuple[str, str]:
    path, _, options = text.partition(":")
    return path, options or "mode=1777"


@contextlib.contextmanager
def deployment(folder: Path, variables: dict[str, str]) -> Iterator[Deployment]:
    """Give the services in their networks, none started yet, and end them all."""
    subnets = {
        name: network["ipam"]["config"][0]["subnet"]
        for name, network in document()["networks"].items()
    }
    with namespaces.networks(subnets) as nets:
        made = Deployment(folder, nets, variables)
        try:
            yield made
        finally:
            made.stop()
