"""An installation: a database, a news site, a mail server, and a clock that the test sets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, update

from notifier import worker
from notifier.admin.profile_import import import_profile
from notifier.deps import Deps
from notifier.enums import Cadence, Edition
from notifier.match import profiles
from notifier.pipeline import match, poll
from notifier.settings import Schedule, Sender, Settings, Smtp, Watch
from notifier.store.models import Source
from notifier.subscribers import schedule, subscriptions
from notifier.subscribers.choices import Choice
from tests.support import mail_sink as sinks
from tests.support import news_site as sites

SUPPRESSION_KEY = "another key that only the tests know"

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def settings_for(smtp_port: int, **changes) -> Settings:
    """Return settings that allow polling of loopback, and mails to a server on it."""
    return Settings(
        public_url="https://news.example.org",
        secret_key="a key that only the tests know",
        suppression_key=SUPPRESSION_KEY,
        sender=Sender(
            name="Example Society",
            address="digest@example.org",
            reply_to="office@example.org",
            postal_address="1 Example Street, Exampletown",
        ),
        smtp=Smtp(port=smtp_port, security="none", connections=2, timeout_seconds=5),
        watch=Watch(allow_private_addresses=True, timeout_seconds=5),
        schedule=Schedule(time_zone="UTC"),
    ).model_copy(update=changes)


@cache
def bundled_profile() -> profiles.ProfileFile:
    """Return the bundled profile, which is read once for each worker."""
    return profiles.parse(profiles.bundled_file(), "the bundled profile")


@dataclass(frozen=True)
class _Prepared:
    """What a preparation left: the database, what the site answers, and the mails that arrived."""

    database: bytes
    answers: dict[str, sites.Answer]
    sink: sinks.Sink


_PREPARED: dict[Callable[["Installation"], object], _Prepared] = {}


class Installation:
    """A complete notifier: database, site, mail server, and a clock that the test sets."""

    def __init__(self, engine: Engine, site: sites.Site, sink: sinks.Sink) -> None:
        self.site = site
        self.sink = sink
        self.feed = f"{site.address}/feed/"
        self._deps = Deps(settings_for(sink.port), engine, MONDAY)
        self.publish([])

    def at(self, moment: datetime) -> Deps:
        """Return the dependencies of the same installation at a moment."""
        return replace(self._deps, fixed_now=moment)

    def change(self, **settings) -> None:
        """Change settings."""
        self._deps = replace(self._deps, settings=self._deps.settings.model_copy(update=settings))

    def wake_workers(self) -> None:
        """Let its transactions wake workers, as those of commands on PostgreSQL do."""
        self._deps = replace(self._deps, waker=worker.wake)

    def publish(self, articles: list[sites.Article]) -> None:
        """Publish these articles in the site's feed."""
        self.site.put("/feed/", sites.rss(articles))

    def adopt(self, moment: datetime = MONDAY, **watched: tuple[str, ...]) -> None:
        """Import the bundled profile, which watches the feed or the given sources and pages."""
        addresses = {"pages": (), "sources": (self.feed,), **watched}
        with self._deps.writing() as session:
            import_profile(session, bundled_profile().model_copy(update=addresses), moment)

    def adopt_as_before(self) -> None:
        """Watch this installation's feed, in a copy of a database that another one adopted."""
        with self._deps.writing() as session:
            session.execute(update(Source).values(url=self.feed))

    def prepare(self, build: Callable[["Installation"], object]) -> None:
        """Do what many tests begin with; where a test before did the same, copy what it left.

        On PostgreSQL it is done each time.

        Args:
            build: a function of a module, which uses an installation that just adopted the bundled
                profile, and nothing else; or such a function with its arguments, made once.
        """
        engine = self._deps.engine
        if engine.dialect.name != "sqlite":
            build(self)
            return
        database = Path(str(engine.url.database))
        if build not in _PREPARED:
            build(self)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            engine.dispose()
            mails = replace(self.sink, **_lists_of(self.sink))
            _PREPARED[build] = _Prepared(database.read_bytes(), dict(self.site.answers), mails)
            return
        prepared = _PREPARED[build]
        engine.dispose()
        database.write_bytes(prepared.database)
        self.adopt_as_before()
        self.site.answers.update(prepared.answers)
        for name, mails in _lists_of(prepared.sink).items():
            getattr(self.sink, name).extend(mails)

    def subscribe(
        self,
        email: str,
        every: str = "daily",
        at: str = "08:00",
        on: str | None = None,
        zone: str = "UTC",
        moment: datetime = MONDAY,
        *,
        confirmed: bool = True,
        edition: str = "patient",
        language: str = "en",
        profile: str | None = None,
    ) -> int:
        """Subscribe an address to a profile, the only one if none is named; return the id."""
        cadence = Cadence(every)
        choice = Choice(
            schedule.Schedule(cadence, at, schedule.parse_on(on, cadence), zone),
            Edition(edition),
            language,
        )
        with self._deps.writing() as session:
            subscription = subscriptions.subscribe(
                session, email, profiles.find(session, profile), choice, moment
            )
            if confirmed:
                subscriptions.confirm(
                    session, subscription, "command line", "operator test", moment
                )
            return subscription.id

    def discover(self, people: int, title: str = "Frexalimab slows lesions") -> datetime:
        """Subscribe so many people and poll news for their daily digest.

        Returns:
            The moment at which the digest is due.
        """
        for number in range(people):
            self.subscribe(f"person{number}@example.org")
        poll.run(self.at(MONDAY))
        self.publish([sites.Article(title)])
        due = MONDAY + timedelta(days=1)
        poll.run(self.at(due))
        match.run(self.at(due))
        return due


def _lists_of(sink: sinks.Sink) -> dict[str, list]:
    """Return copies of the lists of what a mail server received."""
    return {name: list(getattr(sink, name)) for name in ("messages", "envelopes", "raw")}
