"""The accounts of a person and an entry: one for each of the person's subscriptions.

Owns who and what is meant, and which account answers best. Several sources may list the same page:
each such entry has accounts of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from notifier.admin.why import composed, facts, uncomposed
from notifier.admin.why.facts import Circumstances, Facts
from notifier.admin.why.steps import Step, steps
from notifier.admin.why.verdict import Outcome, Verdict, at
from notifier.deps import Deps
from notifier.email_addresses import normalize
from notifier.enums import SignupRequestKind
from notifier.errors import NotFoundError, NotifierError
from notifier.match import profiles
from notifier.store.models import Entry, Match, Profile, SignupRequest, Subscriber, Subscription
from notifier.subscribers import subscriptions, suppressions
from notifier.watch import entry_search


@dataclass(frozen=True)
class Account:
    """The account of an entry for a subscription.

    Attributes:
        facts: what is stored.
        verdict: what became of it, why, and what happens next.
        steps: what happened, the earliest first.
    """

    facts: Facts
    verdict: Verdict
    steps: Sequence[Step]


@dataclass(frozen=True)
class Answer:
    """The answer to a question.

    Attributes:
        now: the time of the question.
        accounts: the best first; never empty.
        also_matched: the slugs of the profiles that the entries matched and that this person does
            not follow.
    """

    now: datetime
    accounts: Sequence[Account]
    also_matched: Sequence[str]


def answer(deps: Deps, email: str, reference: str, slug: str | None = None) -> Answer:
    """Answer what became of an entry for a person.

    Args:
        deps: the installation.
        email: the person's address.
        reference: the entry's address in any form, or its id.
        slug: only the subscription to this profile; None for all.

    Raises:
        AddressError: the first is not an e-mail address.
        InputError: the second is neither an address nor an id.
        NotFoundError: the person, the entry or the profile is not stored, or there is no
            subscription.
        NotifierError: the stored subscription is damaged.
    """
    with deps.reading() as session:
        person = _person(session, email)
        profile = profiles.find(session, slug) if slug else None
        entries = entry_search.named(session, reference)
        followed = _subscriptions(session, person, profile)
        moment = facts.circumstances(
            session,
            deps.now(),
            timedelta(minutes=deps.settings.schedule.quiet_minutes),
            holds_uncertain=deps.settings.smtp.when_uncertain == "hold",
        )
        accounts = [
            _account(session, entry, subscription, moment)
            for entry in entries
            for subscription in followed
        ]
        order = [*Outcome]
        accounts.sort(key=lambda account: order.index(account.verdict.outcome))
        return Answer(moment.now, accounts, _also_matched(session, entries, person))


def _person(session: Session, email: str) -> Subscriber:
    person = subscriptions.find_subscriber(session, email)
    if person is not None:
        return person
    suppression = suppressions.of(session, subscriptions.hash_of(session, email))
    if suppression is not None:
        raise NotFoundError(
            f"Nobody is stored under {email}. The address is suppressed since "
            f"{at(suppression.at)}: {suppressions.describe(suppression)}.",
            "What was sent to an erased person is not kept.",
        )
    asked = select(SignupRequest.id).where(
        SignupRequest.email == normalize(email),
        SignupRequest.kind == SignupRequestKind.SUBSCRIBE,
        SignupRequest.answered_at.is_(None),
    )
    if session.scalar(asked.limit(1)) is not None:
        raise NotFoundError(
            f"Nobody is stored under {email} yet: a sign-up by the form waits to be answered.",
            "The next `notifier run` sends the mail that asks for the confirmation.",
        )
    raise NotFoundError(
        f"Nobody is stored under {email}.",
        "See: notifier subscribers list. A sign-up that nobody confirms is deleted after 48 hours.",
    )


def _subscriptions(
    session: Session, person: Subscriber, profile: Profile | None
) -> Sequence[Subscription]:
    query = (
        select(Subscription)
        .where(Subscription.subscriber_id == person.id)
        .options(joinedload(Subscription.profile), joinedload(Subscription.subscriber))
        .order_by(Subscription.id)
    )
    if profile is not None:
        query = query.where(Subscription.profile_id == profile.id)
    try:
        followed = session.scalars(query).all()
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged() from error
    if not followed:
        to = f" to {profile.slug}" if profile is not None else ""
        raise NotFoundError(
            f"This person has no subscription{to}, and never had one that is kept.",
            "See: notifier subscribers list",
        )
    return followed


def _damaged() -> NotifierError:
    return NotifierError(
        "The stored subscription of this person is damaged, so no digest can be composed for it.",
        "See “trouble” in: notifier subscribers list --json. To store the choice again: notifier "
        "subscribe EMAIL",
    )


def _account(
    session: Session, entry: Entry, subscription: Subscription, moment: Circumstances
) -> Account:
    try:
        stored = facts.read(session, entry, subscription, moment)
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged() from error
    verdict = composed.verdict(stored) or uncomposed.verdict(stored)
    return Account(stored, verdict, steps(stored))


def _also_matched(session: Session, entries: Sequence[Entry], person: Subscriber) -> Sequence[str]:
    followed = select(Subscription.profile_id).where(Subscription.subscriber_id == person.id)
    slugs = (
        select(Profile.slug)
        .join(Match, Match.profile_id == Profile.id)
        .where(
            Match.entry_id.in_([entry.id for entry in entries]),
            Profile.id.not_in(followed),
        )
    )
    return session.scalars(slugs.distinct().order_by(Profile.slug)).all()
