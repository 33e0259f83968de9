"""The programs that the measurements compare with, installed into folders of their own.

    python bench/peers.py          # installs what is missing, and prints what there is

Each peer from the Python package index gets an environment of its own below `.cache/bench/`, so
that none changes what the project runs with; versions are pinned, since a newer peer is another
measurement. `smtp-source`, `smtp-sink` and PgBouncer are taken from the PATH, or from Debian's
packages, which are unpacked and never installed. A peer that cannot be installed is
shown as missing with the reason, never as beaten; what failed is tried again in the next run.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".cache" / "bench"
LAST_LINES = 1

# Requirements by name; the first of each is the peer, the others are what it forgets to name.
PACKAGES = {
    "reader": ("reader==3.26", "sgmllib3k==1.0.0"),
    "rss2email": ("rss2email==3.14",),
    "mailman": ("mailman==3.3.10",),
    "aiosmtplib": ("aiosmtplib==5.1.0",),
    "dkimpy": ("dkimpy[ed25519]==1.1.8",),
    "aiohttp": ("aiohttp==3.14.5",),
}


class MissingPeerError(Exception):
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True)
class Peer:
    """An installed peer: its version, and the Python of its environment."""

    name: str
    version: str
    python: str

    def program(self, name: str) -> str:
        """Return the path of a program that the peer brings."""
        return str(Path(self.python).with_name(name))


@cache
def installed(name: str) -> Peer:
    """Return a peer from the package index, installed if it is not there yet.

    Raises:
        MissingPeerError: It cannot be installed.
    """
    folder = FOLDER / f"{name}-{PACKAGES[name][0].rpartition('=')[2]}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _call([*command, *PACKAGES[name]], f"{name} cannot be installed")
        ready.touch()
    return Peer(name, PACKAGES[name][0].rpartition("=")[2], str(python))


@cache
def postfix(program: str) -> str:
    """Return the path of `smtp-source` or `smtp-sink`.

    Raises:
        MissingPeerError: It is not on the PATH, and the package cannot be unpacked.
    """
    return debian(program, ("postfix",), "lib/postfix")


@cache
def pgbouncer() -> str:
    """Return the path of PgBouncer.

    Raises:
        MissingPeerError: It is not on the PATH, and the package cannot be unpacked.
    """
    packages = ("pgbouncer", "libevent-2.1-7", "libc-ares2")
    return debian("pgbouncer", packages, f"lib/{os.uname().machine}-linux-gnu")


def debian(program: str, packages: tuple[str, ...], libraries: str) -> str:
    """Return the path of a program of the PATH, or of Debian's packages, which are unpacked.

    Args:
        program: Its name.
        packages: What it needs, the first being its own.
        libraries: Where below `/usr` these packages have their libraries.

    Raises:
        MissingPeerError: It is not on the PATH, and the packages cannot be unpacked.
    """
    if found := shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    folder = FOLDER / packages[0]
    unpacked = folder / "usr" / "sbin" / program
    if not unpacked.exists():
        _unpack(folder, packages)
    os.environ["LD_LIBRARY_PATH"] = str(folder / "usr" / libraries)
    return str(unpacked)


def _unpack(folder: Path, packages: tuple[str, ...]) -> None:
    name = packages[0]
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise MissingPeerError(f"{name} is not on the PATH, and this is not Debian")
    folder.mkdir(parents=True, exist_ok=True)
    _call(["apt-get", "download", *packages], f"the package {name} cannot be had", folder)
    for package in folder.glob("*.deb"):
        _call(["dpkg-deb", "-x", str(package), str(folder)], f"{name} cannot be unpacked")


def _call(command: list[str], trouble: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise MissingPeerError(f"{trouble}: {error}") from error
    if done.returncode:
        last = "; ".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise MissingPeerError(f"{trouble}: {last}")


def all_versions() -> dict[str, str]:
    """Return the version of each peer, or why it is missing."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = installed(name).version
        except MissingPeerError as error:
            versions[name] = f"missing: {error}"
    try:
        postfix("smtp-source")
        versions["smtp-source"] = _postfix_version()
    except MissingPeerError as error:
        versions["smtp-source"] = f"missing: {error}"
    return versions


def _postfix_version() -> str:
    """Return the version of Debian's package, installed or unpacked; no path of this machine."""
    commands = [["dpkg-query", "-W", "-f", "${Version}", "postfix"]]
    unpacked = (FOLDER / "postfix").glob("postfix_*.deb")
    commands += [["dpkg-deb", "-f", str(package), "Version"] for package in unpacked]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            continue
        if version := done.stdout.strip():
            return version
    return "another build than Debian's"


if __name__ == "__main__":
    json.dump(all_versions(), sys.stdout, indent=1)
    print()
