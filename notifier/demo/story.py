"""The demo's story: what happens in its week, and the installation that it happens to.

The pipeline is the one that runs every day; only the clock is set by the story. The result is a
working installation in a folder of its own, so that every command can be tried on it afterwards.
"""

import secrets
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from notifier.admin.profile_import import import_profile
from notifier.deliver import outbox
from notifier.demo.servers import Sink, Site, mail_sink, serving
from notifier.deps import Deps, from_settings
from notifier.enums import Authority, Cadence, DeliveryKind
from notifier.errors import InputError
from notifier.match import profiles
from notifier.pipeline.run import Report, run_once
from notifier.settings import load
from notifier.store.files import read_input, write_private
from notifier.store.models import Profile
from notifier.subscribers import subscriptions
from notifier.subscribers.choices import Choice
from notifier.subscribers.schedule import Schedule
from notifier.watch import sources

PUBLIC_URL = "https://news.example.org"

_MARK = "# Made by `notifier demo`, which may delete this folder's demo files and make them anew."
_SETTINGS = """\
{mark}

public_url = "{url}"
secret_key = "{key}"
suppression_key = "{suppression_key}"

[sender]
name = "Example Society"
address = "digest@example.org"
reply_to = "office@example.org"
postal_address = "1 Example Street, Exampletown"

[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = 1

[watch]
allow_private_addresses = true
"""
_LARGEST_SETTINGS = 100_000


@dataclass(frozen=True)
class Step:
    """A moment of the story: a sentence about it, and the report of the run at that moment."""

    moment: datetime
    text: str
    report: Report


@dataclass(frozen=True)
class Story:
    """The result of the demo.

    Attributes:
        folder: the installation, with the mails in its folder `mails`.
        steps: the moments of the story, in order.
        mails: recipient, subject and HTML file of each mail, in the order of sending.
        answers: how often the news site answered with each HTTP status.
    """

    folder: Path
    steps: tuple[Step, ...]
    mails: tuple[tuple[str, str, Path], ...]
    answers: dict[int, int]


# Monday 2 March 2026 and the week after it: the time (UTC), the stage of the site, and a sentence
# for the person who watches the demo.
_TIMELINE = (
    (
        "2026-03-02T09:00",
        1,
        "First look at each source: a baseline, mailed to nobody. One person is asked to confirm.",
    ),
    (
        "2026-03-02T12:30",
        1,
        "Half past seven in New York: the daily digest is due, holds nothing, and is not sent.",
    ),
    (
        "2026-03-03T05:00",
        2,
        "Overnight: nine new articles, a changed therapy page, a changed trial record.",
    ),
    ("2026-03-03T05:20", 2, "After the quiet time: the digest of those who want news at once."),
    ("2026-03-03T12:30", 2, "The daily digest."),
    ("2026-03-04T12:30", 2, "A day without news: nothing is sent."),
    ("2026-03-05T06:00", 3, "The site corrects a figure in an article that was mailed."),
    ("2026-03-05T06:20", 3, "A correction, to exactly those who were sent the old figure ..."),
    ("2026-03-05T12:30", 3, "... and in the next daily digest."),
    (
        "2026-03-09T07:00",
        3,
        "Monday, eight in Berlin: the weekly digest, its figures already right.",
    ),
    ("2026-03-09T07:30", 3, "Run once more: nothing is left to send, and nothing is sent."),
)

_PEOPLE = (
    ("anna@example.org", Choice(Schedule(Cadence.WEEKLY, "08:00", 0, "Europe/Berlin"))),
    ("clinic@example.org", Choice(Schedule(Cadence.DAILY, "07:30", None, "America/New_York"))),
    ("editor@example.org", Choice(Schedule(Cadence.IMMEDIATE, "08:00", None, "UTC"))),
)


def run(folder: Path, public_url: str = PUBLIC_URL) -> Story:
    """Play the story in a folder.

    Args:
        folder: it is made if it does not exist; an earlier demo in it is replaced.
        public_url: with which the links in the mails begin.

    Raises:
        InputError: the folder cannot be written, or has files that no demo made.
    """
    _clear(folder)
    site, sink = Site(), Sink(folder / "mails")
    with serving(site.application()) as address, mail_sink(sink) as port:
        deps = _install(folder, address, port, public_url)
        steps = []
        for time, stage, text in _TIMELINE:
            site.stage = stage
            moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
            steps.append(Step(moment, text, run_once(replace(deps, fixed_now=moment))))
        deps.engine.dispose()
    return Story(folder, tuple(steps), tuple(sink.received), site.answers)


def _clear(folder: Path) -> None:
    """Make the folder, or delete the files of an earlier demo in it.

    Raises:
        InputError: it cannot be written, or has files that no demo made.
    """
    mails = folder / "mails"
    try:
        if folder.exists() and any(folder.iterdir()):
            if not _is_demo(folder / "notifier.toml"):
                raise InputError(
                    f"{folder} contains files that are not the demo's.",
                    "Choose another folder with --out.",
                )
            if mails.is_symlink():
                mails.unlink()  # not the folder that it leads to: no demo made that
            elif mails.exists():
                shutil.rmtree(mails)
            for file in folder.glob("subscribers.db*"):
                file.unlink()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mails.mkdir(mode=0o700)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be used: {error.strerror}.", "Choose another folder with --out."
        ) from error


def _is_demo(config: Path) -> bool:
    try:
        return read_input(config, _LARGEST_SETTINGS).startswith(_MARK.encode("utf-8"))
    except InputError:
        return False


def _install(folder: Path, address: str, smtp_port: int, public_url: str) -> Deps:
    """Make settings, database, profile and people, as an operator would."""
    config = folder / "notifier.toml"
    keys = {"key": secrets.token_urlsafe(32), "suppression_key": secrets.token_urlsafe(32)}
    text = _SETTINGS.format(mark=_MARK, url=public_url, port=smtp_port, **keys)
    write_private(config, text.encode("utf-8"))
    start = datetime.fromisoformat(_TIMELINE[0][0]).replace(tzinfo=UTC)
    deps = from_settings(load(config, {}), start)
    bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
    watched = {
        "pages": (f"{address}/frexalimab/",),
        "sources": (
            f"{address}/herald/feed/",
            f"{address}/wire/feed/",
            f"{address}/api/v2/studies/NCT99990001",
        ),
    }
    with deps.writing() as session:
        sources.add(session, f"{address}/company/feed/", start, authority=Authority.SPONSOR)
        import_profile(session, bundled.model_copy(update=watched), start)
        profile = profiles.find(session, bundled.slug)
        for email, choice in _PEOPLE:
            subscription = subscriptions.subscribe(session, email, profile, choice, start)
            subscriptions.confirm(session, subscription, "command line", "the demo", start)
        _subscribe_newcomer(deps, session, profile, start)
    return deps


def _subscribe_newcomer(deps: Deps, session: Session, profile: Profile, now: datetime) -> None:
    """Subscribe a person who never confirms: they get the mail that asks them, and nothing else."""
    choice = Choice(Schedule(Cadence.WEEKLY, "08:00", 4, "Europe/Paris"))
    pending = subscriptions.subscribe(session, "newcomer@example.org", profile, choice, now)
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, pending, deps.mail_domain, now)
