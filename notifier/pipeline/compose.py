"""Composing: whoever is due and owed something gets a digest, rendered before a transaction begins.

Owns the order of it, for each profile: read who is due and what they are owed, render, and store
what was rendered in short transactions, in which everything that was read is looked at once more.
Whoever changed meanwhile is left for the next time. What cannot be composed for one profile, group
or person stops no other: it is noted beside the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.digests import Edition, Group, States
from notifier.digest.evidence import snapshot_key
from notifier.digest.no_news import PollingSummary, no_news_view
from notifier.digest.view import Variant
from notifier.enums import Health
from notifier.match import profiles
from notifier.messages import digest_body
from notifier.pipeline.problems import Problems
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Subscription
from notifier.subscribers import due_subscriptions, subscriptions
from notifier.subscribers.subscriptions import MONTH
from notifier.watch import sources
from notifier.watch.health import health

# How often a profile is read again in one run because matching went on meanwhile.
_ATTEMPTS = 3
# How many members of a group one transaction serves, so that no other writer waits for long.
_AT_ONCE = 500

_NOT_COMPOSED = (
    "The digest could not be composed because of an unexpected error; its trace is in the log."
)


class _MovedError(Exception):
    """The profile's match sequence moved on since it was read: what was rendered may not be all that is owed."""


@dataclass(frozen=True)
class _Due:
    """What was read of a profile: whom to serve with what, whom nothing is owed to, and whose row cannot be read."""

    profile: Profile
    groups: tuple[tuple[Group, States], ...]
    owed_nothing: tuple[Subscription, ...]
    troubles: dict[int, str]


def run(deps: Deps, problems: Problems | None = None) -> int:
    """Compose a digest for every group of subscriptions that is due and owed something; returns how many."""
    problems = problems if problems is not None else Problems()
    now = deps.now()
    composed = 0
    with deps.reading() as session:
        waiting = profiles.ids(session)
    for profile_id in waiting:
        with problems.contained(f"Composing for profile {profile_id}"):
            composed += _compose_for(deps, profile_id, now, problems)
        if deps.settings.schedule.sign_of_life:
            with problems.contained(f"The sign of life for profile {profile_id}"):
                composed += _compose_no_news(deps, profile_id, now, problems)
    return composed


def _compose_for(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> int:
    composed = 0
    for _ in range(_ATTEMPTS):
        due = _read_due(deps, profile_id, now, problems)
        if due is None:
            return composed
        _put_off(deps, due.troubles, now)
        try:
            for group, states in due.groups:
                composed += _compose_group(deps, due.profile, group, states, now, problems)
            _advance(deps, due, now)
        except _MovedError:
            continue
        return composed
    return composed


def _read_due(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> _Due | None:
    quiet_time = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    with deps.reading() as session:
        profile = session.get(Profile, profile_id)
        if profile is None:
            return None
        people, troubles = due_subscriptions.readable(
            session, subscriptions.due(session, profile_id, now, quiet_time)
        )
        groups = _groups(session, profile, people, troubles, problems)
        owed = {subscription.id for group in groups for subscription in group.subscriptions}
        rest = tuple(one for one in people if one.id not in owed and one.id not in troubles)
        return _Due(
            profile,
            tuple((group, digests.states(session, group.items)) for group in groups),
            rest,
            troubles,
        )


def _groups(
    session: Session,
    profile: Profile,
    people: Sequence[Subscription],
    troubles: dict[int, str],
    problems: Problems,
) -> list[Group]:
    """Who is owed what; where that cannot be said of all together, it is said of each alone."""
    try:
        return digests.groups(session, profile, people)
    except Exception as error:  # noqa: BLE001 - one row stops nobody else
        problems.note(f"Grouping the subscriptions of profile {profile.id}", error)
    groups: list[Group] = []
    for subscription in people:
        try:
            groups += digests.groups(session, profile, [subscription])
        except Exception as error:  # noqa: BLE001 - likewise
            problems.note(f"Grouping subscription {subscription.id}", error)
            troubles[subscription.id] = _NOT_COMPOSED
    return groups


def _compose_group(
    deps: Deps, profile: Profile, group: Group, states: States, now: datetime, problems: Problems
) -> int:
    """Render and store one digest; returns how many were stored: one, or none where its members all changed."""
    due_at = due_subscriptions.first_due(group.subscriptions, now)
    snapshot = snapshot_key(profile.document)
    served = 0
    try:
        edition = digests.edition(profile, group, states, digest_body.renderer(deps), due_at, now)
        for members in in_chunks(group.subscriptions, _AT_ONCE):
            with deps.writing() as session:
                _require_position(session, profile)
                unchanged = due_subscriptions.unchanged(session, members)
                if unchanged:
                    owed = [(one, one.next_due_at or now) for one in unchanged]
                    _owe(deps, session, profile, edition, owed, now)
                    subscriptions.mark_composed(unchanged, profile.position, snapshot, now)
                    for subscription in unchanged:
                        subscriptions.advance(subscription, now)
                served += len(unchanged)
    except _MovedError:
        raise
    except Exception as error:  # noqa: BLE001 - one group stops no other
        problems.note(f"Composing a digest for profile {profile.id}", error)
        _put_off(deps, {one.id: _NOT_COMPOSED for one in group.subscriptions}, now)
    return 1 if served else 0


def _owe(
    deps: Deps,
    session: Session,
    profile: Profile,
    edition: Edition,
    owed: Sequence[tuple[Subscription, datetime]],
    now: datetime,
) -> None:
    digest = digests.store(session, profile.id, edition, now)
    outbox.enqueue_digest(session, digest, owed, deps.mail_domain, now)


def _require_position(session: Session, profile: Profile) -> None:
    """Lock the profile, and see that nothing was matched since it was read."""
    current = session.get(Profile, profile.id, with_for_update=True)
    if current is None or current.position != profile.position:
        raise _MovedError


def _advance(deps: Deps, due: _Due, now: datetime) -> None:
    """Let the due time pass of those to whom nothing is owed."""
    for members in in_chunks(due.owed_nothing, _AT_ONCE):
        with deps.writing() as session:
            _require_position(session, due.profile)
            for subscription in due_subscriptions.unchanged(session, members):
                subscriptions.advance(subscription, now)


def _put_off(deps: Deps, troubles: dict[int, str], now: datetime) -> None:
    if troubles:
        with deps.writing() as session:
            for subscription_id, trouble in troubles.items():
                subscriptions.put_off(
                    session, subscription_id, trouble, now + due_subscriptions.RETRY_AFTER
                )


def _compose_no_news(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> int:
    """Tell those who have heard nothing for a month that we looked; returns how many digests say so."""
    with deps.reading() as session:
        profile = session.get(Profile, profile_id)
        if profile is None:
            return 0
        people, troubles = due_subscriptions.readable(
            session, subscriptions.inactive_subscriptions(session, profile_id, now)
        )
        moments = {
            one.id: moment
            for one in people
            if (moment := subscriptions.silent_since(one)) and moment <= now
        }
        silent = [one for one in people if one.id in moments]
        groups = _groups(session, profile, silent, troubles, problems)
        owed = {one.id for group in groups for one in group.subscriptions}
        seen = _watched(session, profile, now)
    _put_off(deps, troubles, now)
    served: dict[Variant, list[Subscription]] = {}
    for subscription in silent:
        if subscription.id not in owed and subscription.id not in troubles and seen.sources:
            # Nothing of a snapshot is shown: what was introduced before stays so.
            variant = digests.variant_of(subscription, subscription.seen_snapshot)
            served.setdefault(variant, []).append(subscription)
    composed = 0
    for variant, members in served.items():
        with problems.contained(f"A sign of life for profile {profile_id}"):
            composed += _store_no_news(
                deps, profile, variant, seen, [(one, moments[one.id]) for one in members], now
            )
    return composed


def _watched(session: Session, profile: Profile, now: datetime) -> PollingSummary:
    """What was watched in the last month."""
    watched = sources.sources_for(session, profile)
    since = (now - MONTH).date()
    failing = (
        source.name for source in watched if health(source, now) in (Health.FAILING, Health.GONE)
    )
    looks = sum(sources.poll_counts_since(source, since) for source in watched)
    return PollingSummary(looks, len(watched), tuple(failing))


def _store_no_news(
    deps: Deps,
    profile: Profile,
    variant: Variant,
    seen: PollingSummary,
    owed: Sequence[tuple[Subscription, datetime]],
    now: datetime,
) -> int:
    due_at = min(moment for _, moment in owed)
    rendered = digest_body.render_no_news(deps, no_news_view(profile, variant, seen, now.date()))
    edition = digests.quiet_edition(variant, rendered, due_at)
    moments = {subscription.id: moment for subscription, moment in owed}
    served = 0
    for members in in_chunks((subscription for subscription, _ in owed), _AT_ONCE):
        with deps.writing() as session:
            _require_position(session, profile)
            unchanged = due_subscriptions.unchanged(session, members)
            if unchanged:
                _owe(
                    deps,
                    session,
                    profile,
                    edition,
                    [(one, moments[one.id]) for one in unchanged],
                    now,
                )
                for subscription in unchanged:
                    subscriptions.reassured(subscription, now)
            served += len(unchanged)
    return 1 if served else 0
