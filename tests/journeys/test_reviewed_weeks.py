"""Made-up weeks under review: whatever a person decides and when, nobody misses or repeats news.

News, corrections, sign-ups, departures and decisions come at random. What is checked is the promise
of the mails, from the stored deliveries: each reader is sent each entry once as news, nothing that
was not approved, and nothing that had changed when it was planned.
"""

import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from notifier.admin import review
from notifier.digest import digests, drafts
from notifier.digest.editing import Edit
from notifier.enums import DeliveryStatus, DigestStatus, NewsKind, SubscriptionStatus, Tier
from notifier.errors import NotifierError
from notifier.pipeline import compose
from notifier.pipeline.problems import Problems
from notifier.settings import Operator, Review
from notifier.store.models import Delivery, Digest, Match, Subscription
from notifier.subscribers import subscriptions
from tests.support import owed_history
from tests.support.installation import MONDAY, Installation
from tests.support.owed_history import Published

HOUR = timedelta(hours=1)
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin")
DAYS = 8


class Weeks:
    """A history under review, made up from a seed.

    Args:
        installation: an installation with a profile and a source.
        seed: of everything that happens.
    """

    def __init__(self, installation: Installation, seed: int) -> None:
        self.draw = random.Random(seed)
        self.installation = installation
        self.now = MONDAY
        self.entries: list[Published] = []
        self.joined: dict[int, int] = {}
        self.left: set[int] = set()
        lead = self.draw.choice((1, 6, 12, 30))
        installation.change(
            review=Review(required=True, lead_hours=lead),
            operator=Operator(address="editor@example.org"),
        )

    def run(self) -> None:
        """Let the weeks pass, and then some days in which everything is approved."""
        for _ in range(6):
            self.join()
        for hour in range(0, DAYS * 24, 3):
            self.now = MONDAY + hour * HOUR
            for happens, share in (
                (self.publish, 0.15),
                (self.change_entry, 0.1),
                (self.join, 0.05),
                (self.leave, 0.02),
                (self.decide, 0.5),
            ):
                if self.draw.random() < share:
                    happens()
            self.compose()
        for _ in range(8 * 4):
            self.now += 6 * HOUR
            self.approve_all()
            self.compose()

    def join(self) -> None:
        every = self.draw.choice(("daily", "daily", "weekly", "immediate"))
        number = self.installation.subscribe(
            f"reader{len(self.joined)}@example.org",
            every,
            on="monday" if every == "weekly" else None,
            zone=self.draw.choice(ZONES),
            moment=self.now,
            language=self.draw.choice(("en", "en", "de")),
        )
        with self.installation.at(self.now).reading() as session:
            self.joined[number] = session.get_one(Subscription, number).position

    def leave(self) -> None:
        number = self.draw.choice(sorted(self.joined))
        if number in self.left:
            return
        self.left.add(number)
        with self.installation.at(self.now).writing() as session:
            subscription = session.get_one(Subscription, number)
            subscriptions.end(session, subscription, "link", "subscriber", self.now)

    def publish(self) -> None:
        with self.installation.at(self.now).writing() as session:
            tier = self.draw.choice((Tier.ABOUT, Tier.MENTION))
            entry = owed_history.publish(session, None, NewsKind.NEW, tier, self.now)
            self.entries.append(entry)

    def change_entry(self) -> None:
        if not self.entries:
            return
        with self.installation.at(self.now).writing() as session:
            entry = self.draw.choice(self.entries)
            owed_history.publish(session, entry, NewsKind.CORRECTED, entry.tier, self.now)

    def decide(self) -> None:
        """Make a decision about a digest, whichever; a refused one changes nothing."""
        with self.installation.at(self.now).reading() as session:
            waiting = session.scalars(
                select(Digest.id).where(Digest.open_until.is_not(None)).order_by(Digest.id)
            ).all()
            matches = session.scalars(select(Match.id).order_by(Match.id)).all()
        if not waiting:
            return
        deps, number = self.installation.at(self.now), self.draw.choice(waiting)
        with suppress(NotifierError):
            match self.draw.randrange(10):
                case 0:
                    review.hold(deps, number)
                case 1:
                    review.drop(deps, number, "not now")
                case 2:
                    review.edit(deps, number, Edit("A note."))
                case 3:
                    dropped = Edit(dropped=(self.draw.choice(matches),))
                    review.edit(deps, number, dropped, "wrong")
                case 4:
                    dropped_id = self.draw.choice(matches)
                    review.drop_match(deps, dropped_id, "wrong")
                    if self.draw.random() < 0.5:
                        review.restore_match(deps, dropped_id)
                case _:
                    review.approve(deps, number)

    def approve_all(self) -> None:
        with self.installation.at(self.now).reading() as session:
            numbers = session.scalars(
                select(Digest.id).where(Digest.status.in_((DigestStatus.DRAFT, DigestStatus.HELD)))
            ).all()
        for number in numbers:
            with suppress(NotifierError):
                review.approve(self.installation.at(self.now), number)

    def compose(self) -> None:
        """Compose, check what was planned, and let it arrive."""
        problems = Problems()
        compose.run(self.installation.at(self.now), problems)
        assert problems.lines == []
        with self.installation.at(self.now).writing() as session:
            pending = Delivery.status == DeliveryStatus.PENDING, Delivery.digest_id.is_not(None)
            planned = set(session.scalars(select(Delivery.digest_id).where(*pending)))
            for digest in session.scalars(select(Digest).where(Digest.id.in_(planned))):
                assert digest.reviewed_at is not None
            assert drafts.changed(session, planned) == {}
            arrived = {"status": DeliveryStatus.SENT, "sent_at": self.now}
            session.execute(update(Delivery).where(*pending).values(**arrived))
            digests.finish(session)

    def check(self) -> None:
        """Check that each reader was sent what is owed, once."""
        with self.installation.at(self.now).reading() as session:
            rows = session.execute(
                select(Delivery.subscription_id, Digest).join(
                    Digest, Digest.id == Delivery.digest_id
                )
            ).all()
            news = Counter(
                (reader, item.match.entry_id)
                for reader, digest in rows
                for item in digest.items
                if item.kind is NewsKind.NEW
            )
            assert max(news.values()) == 1, "an entry is news once"
            matches = session.scalars(select(Match).where(Match.kind == NewsKind.NEW)).all()
            owed = {
                (reader, match.entry_id)
                for reader, position in self.joined.items()
                for match in matches
                if match.position > position and not match.filed and reader not in self.left
            }
            assert owed - news.keys() == set(), "nothing owed is missing"
            confirmed = Subscription.status == SubscriptionStatus.CONFIRMED
            assert session.scalars(select(Subscription.id).where(confirmed)).all()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_nobody_misses_or_repeats_news_whatever_is_decided(installation: Installation, seed: int):
    weeks = Weeks(installation, seed)
    weeks.run()
    weeks.check()
