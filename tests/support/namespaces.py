"""Networks and containers of the kernel, made without a container engine; needs root on Linux.

A network is a bridge in a network namespace of its own, so nothing of the machine's own network is
touched. A container is a process in namespaces (network, mounts, processes) whose root is an
overlay above the machine's files: what is written there is gone with the process. This file knows
nothing of the services that run inside.
"""

import contextlib
import ipaddress
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("ip", "unshare", "nsenter", "setpriv", "mount", "chroot")


def why_not() -> str:
    """Return why no namespaces can be made here; nothing if they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "NAMESPACES NEED ROOT ON LINUX"
    if absent := [program for program in PROGRAMS if not shutil.which(program)]:
        return f"PROGRAMS ARE MISSING: {', '.join(absent)}"
    name = f"try{secrets.token_hex(3)}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if done.returncode:
        return f"THIS KERNEL GIVES NO NETWORK NAMESPACE: {done.stderr.decode().strip()}"
    _run("ip", "netns", "del", name)
    return ""


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@dataclass
class Networks:
    """Bridges, by name, and the namespaces that are plugged into them.

    Attributes:
        subnets: The network's addresses, by name.
        addresses: The address of each namespace in each network.
    """

    subnets: dict[str, ipaddress.IPv4Network]
    prefix: str = field(default_factory=lambda: f"n{secrets.token_hex(3)}")
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)

    def namespace(self, name: str) -> str:
        """Return the kernel's name of a namespace."""
        return f"{self.prefix}-{name}"

    def add(self, name: str, networks: list[str]) -> None:
        """Make a namespace and plug it into networks."""
        space = self.namespace(name)
        _run("ip", "netns", "add", space)
        self._made.append(space)
        _run("ip", "-n", space, "link", "set", "lo", "up")
        # As container engines do: a service that is not root may listen on every port.
        ports = "net.ipv4.ip_unprivileged_port_start=0"
        _run("ip", "netns", "exec", space, "sysctl", "-q", "-w", ports)
        for number, network in enumerate(networks):
            self._plug(space, name, network, f"eth{number}")

    def _plug(self, space: str, name: str, network: str, device: str) -> None:
        subnet = self.subnets[network]
        taken = sum(1 for _, other in self.addresses if other == network)
        address = str(subnet[10 + taken])
        self.addresses[name, network] = address
        switch, port = self.namespace("switch"), f"p{len(self.addresses)}"
        _run(
            "ip", "-n", switch, "link", "add", port, "type", "veth", "peer", device, "netns", space
        )
        _run("ip", "-n", switch, "link", "set", port, "master", f"br-{network}"[:15], "up")
        _run("ip", "-n", space, "address", "add", f"{address}/{subnet.prefixlen}", "dev", device)
        _run("ip", "-n", space, "link", "set", device, "up")

    def begin(self) -> None:
        """Make the namespace with the bridges."""
        switch = self.namespace("switch")
        _run("ip", "netns", "add", switch)
        self._made.append(switch)
        for network in self.subnets:
            bridge = f"br-{network}"[:15]
            _run("ip", "-n", switch, "link", "add", bridge, "type", "bridge")
            _run("ip", "-n", switch, "link", "set", bridge, "up")

    def end(self) -> None:
        """Remove everything that was made."""
        for space in reversed(self._made):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


@contextlib.contextmanager
def networks(subnets: dict[str, str]) -> Iterator[Networks]:
    """Give networks, and remove them and their namespaces at the end."""
    made = Networks({name: ipaddress.IPv4Network(text) for name, text in subnets.items()})
    try:
        made.begin()
        yield made
    finally:
        made.end()


@dataclass
class Container:
    """A process to be started in namespaces.

    Attributes:
        space: The network namespace.
        state: A folder of the machine for the container's own files and its log.
        command: Program and arguments, as inside.
        environment: All variables that it gets.
        user: `uid:gid`.
        folder: Where it starts.
        capabilities: What it keeps of root's powers, as in `net_bind_service`.
        writable: tmpfs file systems: path and mount options.
        bound: Files and folders of the machine: inside path, outside path, and `ro` or `rw`.
        links: Symbolic links: inside path and where it leads.
        hosts: The text of `/etc/hosts`.
    """

    space: str
    state: Path
    command: list[str]
    environment: dict[str, str]
    user: str
    folder: str = "/"
    capabilities: tuple[str, ...] = ()
    writable: dict[str, str] = field(default_factory=dict)
    bound: list[tuple[str, Path, str]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    hosts: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file with everything that the process printed."""
        return self.state / "log"

    def start(self) -> None:
        """Start the process; it ends with `stop`."""
        self.state.mkdir(parents=True, exist_ok=True)
        script = self.state / "enter.sh"
        script.write_text(self._script(), encoding="utf-8")
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"]
        command = ["ip", "netns", "exec", self.space, *inside, "sh", str(script)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self) -> None:
        """End the process and everything that it started."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def run(self, command: list[str], timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
        """Run a command inside, as the same user and with the same environment."""
        enter = ["nsenter", "--target", str(self._inner_id()), "--all", "--root"]
        return subprocess.run(
            [*enter, *self._as_user(command)], capture_output=True, timeout=timeout, check=False
        )

    def _inner_id(self) -> int:
        """Return the process id of the first process inside, seen from outside."""
        assert self.process is not None
        for _ in range(100):
            if self.process.poll() is not None:
                break
            outer = self.process.pid
            text = Path(f"/proc/{outer}/task/{outer}/children").read_text(encoding="ascii")
            if text.split():
                return int(text.split()[0])
            time.sleep(0.05)
        raise RuntimeError(f"The container does not run: {self.log.read_text()}")

    def _as_user(self, command: list[str]) -> list[str]:
        uid, _, gid = self.user.partition(":")
        kept = "".join(f",+{name}" for name in self.capabilities)
        limits = ["setpriv", "--reuid", uid, "--regid", gid or uid, "--clear-groups"]
        limits += ["--no-new-privs", f"--bounding-set=-all{kept}", "--inh-caps=-all"]
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return [*limits, "env", "-i", "-C", self.folder, *variables, *command]

    def _script(self) -> str:
        """Return what makes the container's root, and then becomes its process."""
        base = shlex.quote(str(self.state / "base"))
        lines = [
            "set -e",
            "mount --make-rprivate /",
            f"mkdir -p {base} && mount -t tmpfs tmpfs {base} && cd {base}",
            "mkdir upper work root",
            "mount -t overlay -o lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work overlay root",
            "mount -t proc proc root/proc && mount --rbind /dev root/dev",
            # A Python below root's folder can be run, and the folder's files not be listed.
            "chmod 711 root/root",
            f"printf %s {shlex.quote(self.hosts)} > root/etc/hosts",
            ": > root/etc/resolv.conf",
        ]
        uid, _, gid = self.user.partition(":")
        user = f"service:x:{uid}:{gid or uid}::/tmp:/bin/sh"
        lines.append(f"echo {shlex.quote(user)} >> root/etc/passwd")
        lines += self._mounts()
        command = shlex.join(["chroot", "root", *self._as_user(self.command)])
        return "\n".join([*lines, "mount -o remount,ro root", f"exec {command}", ""])

    def _mounts(self) -> list[str]:
        """Return the lines that mount what is bound and what may be written.

        `realpath` runs inside, because `/var/run` leads elsewhere there and here.
        """
        lines = ['inside() { echo "root$(chroot root realpath -m "$1")"; }']
        for path, leads_to in self.links.items():
            lines.append(f"mkdir -p root{Path(path).parent} && ln -sfn {leads_to} root{path}")
        for path, options in self.writable.items():
            place = f'"$(inside {path})"'
            lines.append(f"mkdir -p {place} && mount -t tmpfs -o {options} tmpfs {place}")
        for path, outside, mode in self.bound:
            place = f'"$(inside {path})"'
            make = f"mkdir -p {place}"
            if outside.is_file():
                make = f'mkdir -p "$(dirname {place})" && touch {place}'
            lines.append(f"{make} && mount --bind {shlex.quote(str(outside))} {place}")
            if mode == "ro":
                lines.append(f"mount -o remount,bind,ro {place}")
        return lines
