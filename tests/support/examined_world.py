"""The world around an installation that the doctor examines: DNS, mail servers, web pages.

Everything is real and on loopback; names are led there. All is well until a test breaks something.
"""

import base64
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.types import ASGIApp, Receive, Scope, Send

from notifier.admin import backup
from notifier.admin.doctor.examination import Examination, examine
from notifier.admin.doctor.examined import Options
from notifier.admin.doctor.findings import Finding, Status
from notifier.deliver.mime import dkim_keys
from notifier.pipeline import poll
from notifier.settings import Settings, load
from notifier.web.app import create
from notifier.web.proxies import Proxies
from tests.support import name_server, talking_server
from tests.support.installation import MONDAY, SUPPRESSION_KEY, Installation
from tests.support.name_server import Zone
from tests.support.news_site import Article
from tests.support.talking_server import Talker
from tests.support.web_server import serving

DOMAIN = "example.org"
WEB_HOST = "news.example.org"
# The address of the sending machine, and its name in the DNS backwards.
SENDING, BACKWARDS = "9.8.7.6", "6.7.8.9.in-addr.arpa"
DKIM = "notifier._domainkey.example.org"


@dataclass
class World:
    """The installation with its surroundings.

    Attributes:
        installation: the installation; None where nothing of its database is needed.
        zone: the DNS.
        mail: our own mail server.
        mx: the mail server of the bounce address.
        folder: the folder of settings and key.
        environment: the settings, as environment variables.
        moment: the time of the examination.
        trusted: the proxies that the web pages believe.
        forwarded_for: the visitor that the proxy names; empty for none.
        options: further options of the doctor.
        patch: for what no server can show.
        front: what stands before the web pages.
        reported: the proxies that were noticed.
    """

    installation: Installation | None
    zone: Zone
    mail: Talker
    mx: Talker
    folder: Path
    certificate: Path
    patch: pytest.MonkeyPatch
    environment: dict[str, str] = field(default_factory=dict)
    moment: datetime = MONDAY
    trusted: str = "127.0.0.1"
    forwarded_for: str = "198.51.100.7"
    options: dict[str, object] = field(default_factory=dict)
    front: Callable[[ASGIApp], ASGIApp] = lambda application: application
    reported: list[str] = field(default_factory=list)

    def set(self, key: str, text: str) -> None:
        """Change a setting, ``smtp.port``."""
        self.environment[f"NOTIFIER_{key.upper().replace('.', '__')}"] = text

    def unset(self, key: str) -> None:
        """Let a setting have its default."""
        del self.environment[f"NOTIFIER_{key.upper().replace('.', '__')}"]

    def texts(self, name: str, *texts: str) -> None:
        """Replace the TXT records of a name."""
        self.zone.records[name, "TXT"] = list(texts)

    def back_up(self) -> Path:
        """Make a backup as `notifier db backup` does; return its file."""
        assert self.installation is not None
        file = self.folder / "subscribers.backup"
        backup.make(self.installation.at(MONDAY), file)
        return file

    def settings(self) -> Settings:
        """Return the settings as the web pages have them."""
        return load(None, self.environment)

    def examine(
        self, *only: str, on_finding: Callable[[Finding], None] | None = None
    ) -> Examination:
        """Let the doctor look at some checks, or at all."""
        config = self.folder / "notifier.toml"
        options = Options(
            config, self.moment, self.zone.address, mail_port=self.mx.port, **self.options
        )
        return examine(options, self.environment, on_finding, only)

    def find(self, name: str) -> Finding:
        """Return the finding of one check."""
        return {each.name: each for each in self.examine(name).findings}[name]

    @contextmanager
    def pages(self) -> Iterator[None]:
        """Serve the web pages over TLS, as a proxy in front of them would."""
        assert self.installation is not None
        deps = replace(self.installation.at(self.moment), settings=self.settings())
        pages = Proxies(create(deps), self.trusted, self.reported.append)
        proxy = self._passing_on(pages) if self.forwarded_for else pages
        with serving(self.front(proxy), self.certificate) as address:
            port = address.rpartition(":")[2]
            self.set("public_url", f"https://{WEB_HOST}:{port}")
            yield

    def _passing_on(self, application: ASGIApp) -> ASGIApp:
        """Return what passes requests on to an application, and says for whom."""

        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            forwarded = (b"x-forwarded-for", self.forwarded_for.encode())
            await application({**scope, "headers": [*scope["headers"], forwarded]}, receive, send)

        return pass_on


class Servers(NamedTuple):
    """The name server, our own mail server, and that of the bounce address."""

    zone: Zone
    mail: Talker
    mx: Talker


class Fault(NamedTuple):
    """A fault: how it is planted, the check that names it, and words of the fix."""

    plant: Callable[[World], object]
    check: str
    status: Status
    fix: str


def expect(world: World, fault: Fault) -> None:
    """Plant a fault, and expect that its check names it: the check passes before."""
    assert world.find(fault.check).status is Status.OK, "the check passes before"
    fault.plant(world)
    finding = world.find(fault.check)
    assert finding.status is fault.status, finding.result
    assert fault.fix in finding.result.fix
    assert finding.result.actual


def settings(**values: str) -> Callable[[World], object]:
    """Return what changes settings, ``smtp__port``."""
    return lambda world: [world.set(key.replace("__", "."), text) for key, text in values.items()]


@contextmanager
def servers(certificate: Path) -> Iterator[Servers]:
    """Start a name server, our own mail server, and that of the bounce address."""
    with (
        name_server.running() as zone,
        talking_server.running(certificate) as mail,
        talking_server.running() as mx,
    ):
        yield Servers(zone, mail, mx)


def around(
    running: Servers,
    installation: Installation | None,
    folder: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Return a world in which all is well, but for the web pages, which `pages` starts.

    Whatever a test before did to the servers is forgotten.
    """
    _lead_names_here(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    zone, mail, mx = running
    for server, new in ((zone, Zone()), (mail, Talker(certificate)), (mx, Talker())):
        vars(server).update({**vars(new), "port": server.port})
    world = World(installation, zone, mail, mx, folder, certificate, monkeypatch)
    _set_up(world)
    if installation is not None:
        installation.prepare(_polled)
    return world


def _lead_names_here(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def look_up_here(host, *args, **options):
        is_ours = isinstance(host, str) and host.endswith((".example.org", ".example"))
        return look_up("127.0.0.1" if is_ours else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


def _polled(installation: Installation) -> None:
    installation.publish([Article("Frexalimab slows lesions")])
    poll.run(installation.at(MONDAY))


_KEY = dkim_keys.new_key("ed25519")


def _set_up(world: World) -> None:
    key_file = world.folder / "dkim.pem"
    key_file.write_bytes(_KEY)
    key_file.chmod(0o600)
    if world.installation is not None:
        engine = world.installation.at(MONDAY).engine
        world.set("database_url", engine.url.render_as_string(hide_password=False))
    values = {
        "secret_key": "dD3-kx_92Qm7vLw0aZpE",
        "suppression_key": SUPPRESSION_KEY,
        "public_url": f"https://{WEB_HOST}",
        "sender.name": "Example Society",
        "sender.address": f"digest@{DOMAIN}",
        "operator.address": f"operator@{DOMAIN}",
        "sender.postal_address": "1 Example Street",
        "smtp.host": "127.0.0.1",
        "smtp.port": str(world.mail.port),
        "smtp.username": "digest",
        "smtp.password": "correct horse",
        "smtp.helo_name": f"mail.{DOMAIN}",
        "smtp.timeout_seconds": "5",
        "dkim.domain": DOMAIN,
        "dkim.private_key_file": str(key_file),
    }
    for key, text in values.items():
        world.set(key, text)
    records = {
        (".", "NS"): ["a.root-servers.example."],
        (DOMAIN, "MX"): [f"10 mx.{DOMAIN}."],
        (DOMAIN, "TXT"): ["a word of another service", "v=spf1 a:mail.example.org -all"],
        (f"mx.{DOMAIN}", "A"): ["127.0.0.1"],
        (f"mail.{DOMAIN}", "A"): [SENDING],
        (BACKWARDS, "PTR"): [f"mail.{DOMAIN}."],
        (DKIM, "TXT"): [record_of(_KEY)],
        (f"_dmarc.{DOMAIN}", "TXT"): ["v=DMARC1; p=quarantine; rua=mailto:reports@example.org"],
        (f"_mta-sts.{DOMAIN}", "TXT"): ["v=STSv1; id=20260301"],
        (f"_smtp._tls.{DOMAIN}", "TXT"): ["v=TLSRPTv1; rua=mailto:reports@example.org"],
    }
    world.zone.records.update(records)


def record_of(pem: bytes) -> str:
    """Return the DNS record of a key, made without the product."""
    public = dkim_keys.load_key(pem).public_key()
    encoded = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return f"v=DKIM1; k=ed25519; p={encoded}"
