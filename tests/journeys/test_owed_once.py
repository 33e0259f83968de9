"""Whatever people and servers do in between, each entry reaches a confirmed reader exactly once."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from notifier.enums import Cadence, NewsKind, SubscriptionStatus, SuppressionCause, Tier
from notifier.pipeline import compose, deliver, housekeeping, unsent
from notifier.settings import Smtp
from notifier.store.models import Entry, Match, Profile, Revision, Source, Subscription
from notifier.subscribers import lifecycle, subscriptions, suppressions
from notifier.subscribers.choices import choice_of
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import free_port, text_of

ANNA, BEN = "anna@example.org", "ben@example.org"
HOURS = (1, 5, 11, 23)
ACTIONS = (
    "news",
    "compose",
    "deliver",
    "deliver without a server",
    "deliver put off",
    "leave",
    "undo",
    "suppress",
    "unsuppress",
    "pause",
    "resume",
    "save",
    "another cadence",
    "retry",
)


class Sequence:
    """One sequence of actions on an installation with two readers, Anna and Ben.

    Ben does nothing; he must get everything in any case.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation, self.now, self.published = installation, MONDAY, 0

    def act(self, action: str, hours: int) -> None:
        """Let time pass, and do something."""
        self.now += timedelta(hours=hours)
        getattr(self, action.replace(" ", "_"))()

    def news(self) -> None:
        """Store a match, as polling and matching do."""
        self.published += 1
        with self.installation.at(self.now).writing() as session:
            profile, source = session.query(Profile).one(), session.query(Source).first()
            title = f"Story-{self.published}-told"
            entry = Entry(source_id=source.id, key=title, url=f"https://herald.example/{title}")
            entry.title, entry.first_seen_at = title, self.now
            session.add(entry)
            session.flush()
            profile.position += 1
            revision = new_revision(entry, title, self.now)
            session.add(revision)
            session.flush()
            session.add(new_match(profile, entry, revision, self.now))

    def compose(self) -> None:
        """Run the steps before sending."""
        housekeeping.run(self.installation.at(self.now))
        compose.run(self.installation.at(self.now))

    def deliver(self) -> None:
        """Send what is due."""
        deliver.run(self.installation.at(self.now))

    def deliver_without_a_server(self) -> None:
        """Try to send while the mail server is away."""
        deps = self.installation.at(self.now)
        away = Smtp(port=free_port(), security="none", timeout_seconds=5)
        changed = deps.settings.model_copy(update={"smtp": away})
        deliver.run(replace(deps, settings=changed))

    def deliver_put_off(self) -> None:
        """Send while Anna's server puts everything off."""
        refused = self.installation.sink.refuse_recipient
        refused[ANNA] = "451 4.7.1 please come back"
        self.deliver()
        refused.clear()

    def leave(self) -> None:
        """End the subscription, if it has not ended."""
        self._change(lambda s, one: subscriptions.end(s, one, "link", "subscriber", self.now))

    def undo(self) -> None:
        """Take that back, if it is possible still."""
        self._change(lambda s, one: lifecycle.undo(s, one, self.now))

    def suppress(self) -> None:
        """Suppress the address."""
        cause, why = SuppressionCause.ASKED, "by mistake"
        self._change(
            lambda s, one: suppressions.add(s, one.subscriber.address_hash, cause, why, self.now)
        )

    def unsuppress(self) -> None:
        """Let the address go."""
        self._change(lambda s, one: suppressions.lift(s, one.subscriber.address_hash))

    def pause(self) -> None:
        """Pause for two days."""
        until = self.now + timedelta(days=2)
        self._change(lambda _, one: lifecycle.pause(one, until, self.now))

    def resume(self) -> None:
        """End the pause."""
        self._change(lambda _, one: lifecycle.resume(one, self.now))

    def save(self) -> None:
        """Save the preferences unchanged."""
        self._change(lambda _, one: subscriptions.set_choice(one, choice_of(one), self.now))

    def another_cadence(self) -> None:
        """Change between daily and at once."""

        def change(_session: object, one: Subscription) -> None:
            daily = one.cadence is Cadence.DAILY
            cadence = Cadence.IMMEDIATE if daily else Cadence.DAILY
            choice = choice_of(one)
            schedule = replace(choice.schedule, cadence=cadence, on=None)
            subscriptions.set_choice(one, replace(choice, schedule=schedule), self.now)

        self._change(change)

    def retry(self) -> None:
        """Retry what waits or failed."""
        unsent.retry(self.installation.at(self.now))

    def _change(self, change: Callable[..., object]) -> None:
        with self.installation.at(self.now).writing() as session:
            anna = session.query(Subscription).order_by(Subscription.id).first()
            change(session, anna)

    def anna_runs(self) -> bool:
        """Return whether Anna's subscription is confirmed."""
        with self.installation.at(self.now).reading() as session:
            anna = session.query(Subscription).order_by(Subscription.id).first()
            return anna is not None and anna.status is SubscriptionStatus.CONFIRMED

    def finish(self) -> None:
        """Remove every obstacle, and run for some days."""
        for action in ("unsuppress", "undo", "resume"):
            self.act(action, 0)
        for _ in range(10):
            self.act("compose", 12)
            self.deliver()


def new_revision(entry: Entry, title: str, now: datetime) -> Revision:
    """Return the first state of an entry."""
    return Revision(
        entry_id=entry.id,
        number=1,
        hash=title,
        kind=NewsKind.NEW,
        material=True,
        baseline=False,
        observed_at=now,
        url=entry.url,
        title=title,
        summary="",
        body="",
        author="",
        categories=[],
        content={},
        changes=[],
    )


def new_match(profile: Profile, entry: Entry, revision: Revision, now: datetime) -> Match:
    """Return the match that makes news of it."""
    return Match(
        profile_id=profile.id,
        entry_id=entry.id,
        revision_id=revision.id,
        position=profile.position,
        kind=NewsKind.NEW,
        tier=Tier.ABOUT,
        score=1.0,
        reasons=[],
        filed=False,
        created_at=now,
    )


def stories_of(installation: Installation, email: str) -> Counter[str]:
    """Count the mails to an address that tell each story."""
    texts = (text_of(mail) for mail in installation.sink.to(email))
    return Counter(story for text in texts for story in {*re.findall(r"Story-\d+-told", text)})


def play(installation: Installation, seed: int) -> None:
    """Play a sequence of actions and check what both readers got."""
    for email in (ANNA, BEN):
        installation.subscribe(email)
    dice, played = Random(seed), Sequence(installation)
    actions = [(dice.choice(ACTIONS), dice.choice(HOURS)) for _ in range(25)]
    for action, hours in actions:
        played.act(action, hours)
    played.finish()
    all_once = {f"Story-{number}-told": 1 for number in range(1, played.published + 1)}
    assert stories_of(installation, BEN) == all_once, actions
    got = stories_of(installation, ANNA)
    if played.anna_runs():
        assert got == all_once, actions
    else:  # she left too long ago to undo it
        assert set(got.values()) <= {1}, actions


@pytest.mark.parametrize("seed", range(6))
def test_each_entry_reaches_its_readers_exactly_once(installation: Installation, seed: int):
    play(installation, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_each_entry_reaches_its_readers_exactly_once_in_many_sequences(
    any_installation: Installation, seed: int
):
    play(any_installation, seed)
