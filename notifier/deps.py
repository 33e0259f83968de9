"""The composition root: everything a step needs, made from the settings and passed to it.

Owns the one clock. What takes long to make is made when it is first needed, so that a small command
starts fast.
"""

import logging
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from notifier.email_addresses import domain_of, to_ascii_domain
from notifier.errors import SettingsError, StoreError
from notifier.settings import Settings, load
from notifier.store import db, departures, keys, wakes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from notifier.deliver.mime.dkim_keys import Signer
    from notifier.deliver.smtp.client import Transport
    from notifier.digest.looks import Looks
    from notifier.links import Links
    from notifier.match.kept_terms import KeptTerms
    from notifier.render import Templates
    from notifier.store.departures import Departure

log = logging.getLogger("notifier")


@dataclass(frozen=True)
class Deps:
    """Settings, database, clock, and what talks to the outside.

    Args:
        settings: checked settings.
        engine: a database whose schema is current.
        fixed_now: the time that the clock shows (`--now`), aware UTC; None means the real time.
        waker: tells workers, inside a transaction, what it leaves for them; None where none listen.
    """

    settings: Settings
    engine: "Engine"
    fixed_now: datetime | None = None
    waker: "Callable[[Session, Collection[wakes.Wake]], None] | None" = None

    def now(self) -> datetime:
        """Return the current time, aware UTC; a step takes it once and passes it on.

        On PostgreSQL it is the server's, so that processes on several machines have one clock.
        """
        if self.fixed_now is not None:
            return self.fixed_now
        return _local_now() if self.engine.dialect.name == "sqlite" else self._server_clock.now()

    @cached_property
    def _server_clock(self) -> db.ServerClock:
        return db.ServerClock(self.engine, _local_now)

    @property
    def has_real_clock(self) -> bool:
        """True unless the clock shows a fixed time (`--now`)."""
        return self.fixed_now is None

    def reading(self) -> "AbstractContextManager[Session]":
        """Open a session that only reads; see `store.db.reading`."""
        return db.reading(self.engine, self.settings.suppression_key)

    @contextmanager
    def writing(self) -> "Iterator[Session]":
        """Open a session in a transaction of its own; see `store.db.writing`.

        Workers are woken by the same transaction, at its end: they are if it is committed.
        """
        with db.writing(self.engine, self.settings.suppression_key) as session:
            yield session
            if self.waker is not None and (noted := wakes.noted(session)):
                self.waker(session, noted)
        self._append_to_journal(departures.noted(session))

    def _append_to_journal(self, noted: "Sequence[Departure]") -> None:
        """Append who left to the journal of departures; where that fails, the database has it.

        It is noted there for the step `departures` of the next run, which reports it and appends
        what is missing (`pipeline/departures.py`). Whoever left has left all the same.
        """
        backup = self.settings.backup
        if backup.journal_file is None or not noted:
            return
        try:
            departures.append(backup.journal_file, noted, self.now(), backup.journal_days)
        except Exception as error:  # noqa: BLE001 - whoever left has left, whatever a file does
            self._note_journal_failure(error)

    def _note_journal_failure(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or type(error).__name__
        log.error(
            "%s cannot be written: %s. Nothing is lost while the database is there.",
            self.settings.backup.journal_file,
            reason,
        )
        from notifier.deliver import alerts

        with suppress(StoreError), db.writing(self.engine) as session:
            alerts.note_journal(session, reason, self.now())

    def small_transactions(self) -> "AbstractContextManager[db.Run]":
        """Open a connection for many small transactions; see `store.db.small_transactions`."""
        return db.small_transactions(self.engine)

    @cached_property
    def links(self) -> "Links":
        """The signed links."""
        from notifier.links import Links

        return Links(
            self.settings.public_url, self.settings.secret_key, self.settings.secret_key_previous
        )

    @cached_property
    def templates(self) -> "Templates":
        """The compiled templates."""
        from notifier.render import Templates

        return Templates(self.settings.templates.directory)

    @cached_property
    def kept_terms(self) -> "KeptTerms":
        """The terms of all profiles, kept between runs."""
        from notifier.match.kept_terms import KeptTerms

        return KeptTerms()

    @cached_property
    def looks(self) -> "Looks":
        """The memory of profiles whose drafts wait for a person."""
        from notifier.digest.looks import Looks

        return Looks()

    @cached_property
    def transport(self) -> "Transport":
        """The connection to the mail server."""
        from notifier.deliver.smtp.client import Transport

        return Transport(self.settings.smtp)

    @cached_property
    def signers(self) -> "tuple[Signer, ...]":
        """The DKIM keys that sign our mails; empty if none are set.

        Raises:
            SettingsError: a key cannot be read or is too weak.
        """
        dkim = self.settings.dkim
        if dkim.domain is None or dkim.private_key_file is None:
            return ()
        from notifier.deliver.mime.dkim_keys import Signer, read_key

        keys = [
            (dkim.selector, dkim.private_key_file),
            *((key.selector, key.private_key_file) for key in dkim.also),
        ]
        return tuple(Signer(dkim.domain, selector, read_key(file)) for selector, file in keys)

    @property
    def bounce_address(self) -> str:
        """The envelope sender, to which bounce reports return."""
        return to_ascii_domain(self.settings.sender.bounce_address or f"bounce@{self.mail_domain}")

    @property
    def mail_domain(self) -> str:
        """The domain of our Message-IDs."""
        sender = self.settings.sender.address
        return (
            domain_of(sender)
            if sender
            else urlsplit(self.settings.public_url).hostname or "localhost"
        )

    def for_preview(self) -> "Deps":
        """Return a copy that can be used without a sender.

        Missing settings of the sender get placeholders: the mails are shown, not sent.
        """
        sender = self.settings.sender
        domain = self.mail_domain if "." in self.mail_domain else "example.org"
        completed = {
            "address": sender.address or f"digest@{domain}",
            "postal_address": sender.postal_address or "(sender.postal_address is not set)",
        }
        sender = sender.model_copy(update=completed)
        return replace(self, settings=self.settings.model_copy(update={"sender": sender}))

    def require_sender(self) -> None:
        """Refuse to send mails while the sender's address is not complete.

        Raises:
            SettingsError: the setting that is missing, and how to set it.
        """
        for key in ("address", "postal_address"):
            if not getattr(self.settings.sender, key):
                raise SettingsError(
                    f"sender.{key} is not set: no mail can be sent.",
                    f"Run `notifier init` in a terminal, which asks for it; or set {key} under"
                    f" [sender] in notifier.toml, or NOTIFIER_SENDER__{key.upper()}.",
                )


def _local_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


def open_deps(
    config: Path | None = None, now: datetime | None = None, *, create: bool = False
) -> Deps:
    """Read the settings, open the database and bring its schema up to date.

    Args:
        config: the settings file; None for the usual one.
        now: the time that the clock shows; None for the real one.
        create: make the database if there is none.

    Raises:
        SettingsError: a wrong setting, or there is no database.
        StoreError: a database that cannot be used.
    """
    return from_settings(load(config), now, create=create)


def from_settings(settings: Settings, now: datetime | None = None, *, create: bool = True) -> Deps:
    """Open the database of these settings and bring its schema up to date.

    Arguments and errors are those of `open_deps`.
    """
    if create:
        keys.require(settings.suppression_key)
    engine = db.make_engine(settings.database_url)
    try:
        db.upgrade(engine, create=create)
        keys.require(settings.suppression_key)
        keys.adopt(engine, settings.suppression_key)
    except BaseException:
        engine.dispose()
        raise
    deps = Deps(settings, engine, now)
    if settings.templates.directory is not None:
        # Compiled now, so that a broken template is refused before anything is done.
        assert deps.templates
    return deps
