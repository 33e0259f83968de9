"""The installation that is examined: its settings, its database, and what is asked of others once.

Owns what several checks share, each made when the first of them needs it: a connection to the mail
server, a look-up, the answers of the web pages. It opens the database as it is: no schema is
upgraded, no key is stored.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from notifier.admin.doctor.findings import Status
from notifier.admin.doctor.name_servers import NameServers
from notifier.deps import Deps
from notifier.email_addresses import domain_of
from notifier.errors import SettingsError
from notifier.settings import Settings, load
from notifier.store import db

if TYPE_CHECKING:
    from notifier.admin.doctor.findings import Finding
    from notifier.admin.doctor.own_pages import Visit
    from notifier.admin.doctor.read_back import ReceivedMail, RoundTrip
    from notifier.deliver.smtp.examination import Acceptance, ServerState

# The port on which mail servers take mail from each other (RFC 5321, 4.5.4.2).
_MAIL_PORT = 25


@dataclass(frozen=True)
class Options:
    """The wishes of the operator, and the places where the doctor looks.

    Attributes:
        config: the settings file.
        now: the time that the clock shows; None for the real one.
        name_server: ``ADDRESS`` or ``ADDRESS:PORT`` of the name server to ask; empty for that of
            this machine.
        send_to: the address that gets a test mail; empty for none.
        imap: the address of the mailbox in which that mail is looked for; empty for none.
        imap_password: its password.
        patience_seconds: how long the mail is waited for.
        mail_port: the port of other mail servers; another one in tests.
    """

    config: Path
    now: datetime | None = None
    name_server: str = ""
    send_to: str = ""
    imap: str = ""
    imap_password: str = ""
    patience_seconds: float = 60.0
    mail_port: int = _MAIL_PORT


@dataclass
class Examined:
    """An installation under examination.

    Attributes:
        options: what is asked.
        findings: the findings so far, by name.
        settings_problem: the reason why the settings cannot be used; None if they can.
        database_problem: the reason why the address of the database cannot be used; likewise.
    """

    options: Options
    findings: "dict[str, Finding]" = field(default_factory=dict)
    settings_problem: SettingsError | None = None
    database_problem: SettingsError | None = None
    _deps: Deps | None = None

    @classmethod
    def open(cls, options: Options, environ: Mapping[str, str]) -> "Examined":
        """Read the settings, and make the engine of the database; wrong ones are kept as problems.

        Args:
            options: what is asked.
            environ: environment variables, which may hold settings.
        """
        examined = cls(options)
        try:
            settings = load(options.config if options.config.exists() else None, environ)
        except SettingsError as error:
            examined.settings_problem = error
            return examined
        try:
            engine = db.make_engine(settings.database_url)
        except SettingsError as error:
            examined.database_problem = error
            # Nothing asks it: it stands where checks without a database expect one.
            engine = db.make_engine("sqlite://")
        examined._deps = Deps(settings, engine, options.now)
        return examined

    def close(self) -> None:
        """Close the database."""
        if self._deps is not None:
            self._deps.engine.dispose()

    @property
    def deps(self) -> Deps:
        """The installation; checks that use it need ``installation.settings``."""
        assert self._deps is not None
        return self._deps

    @property
    def settings(self) -> Settings:
        """Its settings; likewise."""
        return self.deps.settings

    @cached_property
    def now(self) -> datetime:
        """The time of the examination."""
        return self.deps.now()

    @property
    def sender_domain(self) -> str:
        """The domain of the From address; checks that use it need ``installation.sender``."""
        assert self.settings.sender.address is not None
        return domain_of(self.settings.sender.address)

    @property
    def bounce_domain(self) -> str:
        """The domain of the envelope sender, for which SPF counts."""
        return domain_of(self.deps.bounce_address)

    @cached_property
    def names(self) -> NameServers:
        """The name servers that are asked."""
        return NameServers(self.options.name_server)

    @cached_property
    def mail_server(self) -> "ServerState":
        """The state of the mail server, from one connection."""
        from notifier.deliver.smtp.examination import examine

        return examine(self.settings.smtp)

    @cached_property
    def web_nonce(self) -> str:
        """The text that the web pages have to sign."""
        return secrets.token_hex(16)

    @cached_property
    def web_answer(self) -> "Visit":
        """The answer of the public address to that."""
        from notifier.admin.doctor.own_pages import visit

        return visit("GET", f"{self.settings.public_url}/instance/{self.web_nonce}")

    @cached_property
    def acceptances(self) -> "tuple[Acceptance, Acceptance]":
        """The answers about the bounce address, without and with a token."""
        from notifier.admin.doctor.return_path import ask

        return ask(self.deps, self.names, self.options.mail_port)

    @cached_property
    def round_trip(self) -> "RoundTrip":
        """The test mail, which is sent when it is first asked for."""
        from notifier.admin.doctor.read_back import RoundTrip

        return RoundTrip(self.deps, self.now, self.options.send_to)

    @cached_property
    def received_mail(self) -> "ReceivedMail | None":
        """That mail as it arrived; None if it did not come in time."""
        options = self.options
        return self.round_trip.find(options.imap, options.imap_password, options.patience_seconds)

    @property
    def data_folder(self) -> Path:
        """The folder of the database; on PostgreSQL that of the settings."""
        file = self.database_file
        return file.parent if file is not None else self.options.config.parent

    @property
    def database_file(self) -> Path | None:
        """The file of the database; None on PostgreSQL."""
        name = self.deps.engine.url.database or ":memory:"
        if self.deps.engine.dialect.name != "sqlite" or name.startswith((":", "file:")):
            return None
        return Path(name)

    def status_of(self, name: str) -> Status | None:
        """Return the status of an earlier check; None if it was not run."""
        finding = self.findings.get(name)
        return None if finding is None else finding.status

    def cause(self, names: Iterable[str]) -> str:
        """Return the check because of which one that needs these cannot run; empty if it can.

        That is the first of them that did not succeed, or the one because of which it was not run.
        """
        unfit = (Status.FAILED, Status.NOT_CHECKED)
        name = next((name for name in names if self.status_of(name) in unfit), "")
        return self.findings[name].cause or name if name else ""
