"""The composition root: what a step needs, made from the settings and handed in.

Owns the one clock. Everything heavy is made when it is first asked for, so that a light command
stays light.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from notifier import settings as files
from notifier.email_addresses import domain_of, to_ascii_domain
from notifier.errors import SettingsError
from notifier.settings import Settings
from notifier.store import db, keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

    from notifier.deliver.mime.dkim_keys import Signer
    from notifier.deliver.smtp.client import Transport
    from notifier.links import Links
    from notifier.render import Templates


@dataclass(frozen=True)
class Deps:
    """Settings, database, clock, and the constructors of what talks to the outside.

    Args:
        settings: checked settings.
        engine: a database whose schema is current.
        fixed_now: acts as at this moment (`--now`); None means the real clock.
    """

    settings: Settings
    engine: "Engine"
    fixed_now: datetime | None = None

    def now(self) -> datetime:
        """This moment, aware UTC; taken once per step."""
        return self.fixed_now or datetime.now(UTC)  # noqa: TID251 - this is the one clock

    def reading(self) -> "AbstractContextManager[Session]":
        """A session that only reads."""
        return db.reading(self.engine, self.settings.suppression_key)

    def writing(self) -> "AbstractContextManager[Session]":
        """A session in a transaction of its own."""
        return db.writing(self.engine, self.settings.suppression_key)

    def small_transactions(
        self,
    ) -> "AbstractContextManager[Callable[[], AbstractContextManager[Connection]]]":
        """A connection kept for many small transactions; what is given begins one."""
        return db.small_transactions(self.engine)

    @cached_property
    def links(self) -> "Links":
        """The signer of links."""
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
    def transport(self) -> "Transport":
        """The way to the mail server."""
        from notifier.deliver.smtp.client import Transport

        return Transport(self.settings.smtp)

    @cached_property
    def signers(self) -> "tuple[Signer, ...]":
        """The keys that sign our mails; none where none are set.

        Raises:
            SettingsError: a key cannot be read or is too weak.
        """
        dkim = self.settings.dkim
        if dkim.domain is None or dkim.private_key_file is None:
            return ()
        from notifier.deliver.mime.dkim_keys import Signer, read_key

        keys = [
            (dkim.selector, dkim.private_key_file),
            *((one.selector, one.private_key_file) for one in dkim.also),
        ]
        return tuple(Signer(dkim.domain, selector, read_key(file)) for selector, file in keys)

    @property
    def bounce_address(self) -> str:
        """Where reports about our mails come back to."""
        return to_ascii_domain(self.settings.sender.bounce_address or f"bounce@{self.mail_domain}")

    @property
    def mail_domain(self) -> str:
        """The right side of our Message-IDs."""
        sender = self.settings.sender.address
        return (
            domain_of(sender)
            if sender
            else urlsplit(self.settings.public_url).hostname or "localhost"
        )

    def for_preview(self) -> "Deps":
        """The same with a stand-in for a sender that is not set yet, for mails that are only looked at."""
        named = self.settings.sender
        stand_in = {
            "address": named.address
            or f"digest@{self.mail_domain if '.' in self.mail_domain else 'example.org'}",
            "postal_address": named.postal_address or "(sender.postal_address is not set)",
        }
        sender = named.model_copy(update=stand_in)
        return replace(self, settings=self.settings.model_copy(update={"sender": sender}))

    def require_sender(self) -> None:
        """Refuse to send before it is known who writes.

        Raises:
            SettingsError: the setting that is missing, and how to give it.
        """
        for key in ("address", "postal_address"):
            if not getattr(self.settings.sender, key):
                raise SettingsError(
                    f"sender.{key} is not set: no mail can be sent.",
                    f"Set {key} under [sender] in notifier.toml, or NOTIFIER_SENDER__{key.upper()}.",
                )


def open_deps(config: Path | None = None, now: datetime | None = None) -> Deps:
    """Read the settings, open the database and bring its schema up to date.

    Raises:
        SettingsError: a wrong setting.
        StoreError: a database that cannot be used.
    """
    return from_settings(files.load(config), now)


def from_settings(settings: Settings, now: datetime | None = None) -> Deps:
    """The same from settings that are at hand."""
    keys.require(settings.suppression_key)
    engine = db.make_engine(settings.database_url)
    db.upgrade(engine)
    keys.adopt(engine, settings.suppression_key)
    deps = Deps(settings, engine, now)
    if settings.templates.directory is not None:
        assert (
            deps.templates
        )  # compiled now, so that a broken one is refused before anything is done
    return deps
