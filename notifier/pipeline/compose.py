"""The composing step: a digest for every group of subscriptions that is due and owed something.

For each profile: read who is due and what they are owed, close, render, and store the digest in
short transactions that check once more everything that was read. A subscription that changed in
between is left for the next run. A profile, group or subscription that cannot be composed stops no
other; the trouble is stored with the subscription.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deliver.outbox import Waiting
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.digests import ComposedDigest, States
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import Group, group_subscriptions, variant_of
from notifier.digest.no_news import PollingSummary, no_news_view
from notifier.digest.view import Variant
from notifier.enums import Health
from notifier.match import profiles
from notifier.messages import digest_body
from notifier.pipeline import unsent
from notifier.pipeline.problems import Problems
from notifier.store.db import in_chunks
from notifier.store.models import Profile, Subscription
from notifier.subscribers import due_subscriptions, due_times
from notifier.subscribers.due_subscriptions import MONTH
from notifier.watch import poll_counts, source_lists
from notifier.watch.health import health

# How often a profile is read in one run, if matches are stored for it while it is composed. Chosen
# by hand; not measured.
_ATTEMPTS = 3
# How many members of a group one transaction serves, so that no other writer waits for long. Chosen
# by hand; bench/composing.py shows what a writer waits for.
_AT_ONCE = 500

_NOT_COMPOSED = (
    "The digest could not be composed because of an unexpected error; its trace is in the log."
)


class _OutdatedError(Exception):
    """A match was stored for the profile after it was read: the rendered digest may lack items."""


@dataclass(frozen=True)
class _Due:
    """The due subscriptions of a profile.

    Attributes:
        profile: as it was read with them.
        groups: those that are owed items, with the states that the items show.
        owed_nothing: those that are owed no items.
        troubles: by subscription id, why a subscription cannot be served.
        waiting: by subscription id, the digests that a newer one may contain.
    """

    profile: Profile
    groups: tuple[tuple[Group, States], ...]
    owed_nothing: tuple[Subscription, ...]
    troubles: dict[int, str]
    waiting: Mapping[int, Sequence[Waiting]]


def run(deps: Deps, problems: Problems | None = None, only: Collection[int] | None = None) -> int:
    """Compose digests for all profiles; return how many were stored.

    Args:
        deps: settings, sessions, templates, clock.
        problems: collects what could not be composed.
        only: the ids of the profiles to compose for; None for all.
    """
    problems = problems if problems is not None else Problems()
    now = deps.now()
    composed = 0
    if only is None:
        with problems.contained("Making digests due that are owed again"):
            unsent.owe_again(deps, now)
    with deps.reading() as session:
        profile_ids = profiles.ids(session)
    for profile_id in profile_ids:
        if only is not None and profile_id not in only:
            continue
        with problems.contained(f"Composing for profile {profile_id}"):
            composed += _compose_for(deps, profile_id, now, problems)
        if deps.settings.schedule.sign_of_life:
            with problems.contained(f"Composing the digest without news for profile {profile_id}"):
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
                composed += _compose_group(deps, due, group, states, now, problems)
            _advance(deps, due, now)
        except _OutdatedError:
            continue
        return composed
    return composed


def _read_due(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> _Due | None:
    quiet_time = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    with deps.reading() as session:
        profile = session.get(Profile, profile_id)
        if profile is None:
            return None
        due, troubles = due_subscriptions.readable(
            session, due_subscriptions.due(session, profile_id, now, quiet_time)
        )
        waiting = outbox.waiting_digests(session, profile_id)
        groups = _groups(session, profile, due, troubles, problems, waiting)
        served = {subscription.id for group in groups for subscription in group.subscriptions}
        return _Due(
            profile=profile,
            groups=tuple((group, digests.states(session, group.items)) for group in groups),
            owed_nothing=tuple(
                subscription
                for subscription in due
                if subscription.id not in served and subscription.id not in troubles
            ),
            troubles=troubles,
            waiting=waiting,
        )


def _groups(
    session: Session,
    profile: Profile,
    members: Sequence[Subscription],
    troubles: dict[int, str],
    problems: Problems,
    waiting: Mapping[int, Sequence[Waiting]],
) -> list[Group]:
    """Group subscriptions by what they are owed; group them one by one if that fails for all.

    Adds those for which it fails to `troubles`.
    """
    unsent_digests = {
        member.id: [each.digest_id for each in waiting[member.id]]
        for member in members
        if member.id in waiting
    }
    try:
        return group_subscriptions(session, profile, members, unsent_digests)
    except Exception as error:  # noqa: BLE001 - one row stops nobody else
        problems.note(f"Grouping the subscriptions of profile {profile.id}", error)
    groups: list[Group] = []
    for subscription in members:
        try:
            alone = {subscription.id: unsent_digests.get(subscription.id, [])}
            groups += group_subscriptions(session, profile, [subscription], alone)
        except Exception as error:  # noqa: BLE001 - likewise
            problems.note(f"Grouping subscription {subscription.id}", error)
            troubles[subscription.id] = _NOT_COMPOSED
    return groups


def _compose_group(
    deps: Deps, due: _Due, group: Group, states: States, now: datetime, problems: Problems
) -> int:
    """Render and store the digest of a group; return 1, or 0 if all its members changed since."""
    profile, merged = due.profile, {each: due.waiting[each] for each in group.merging}
    served = 0
    try:
        composed = _composed(deps, profile, group, states, merged, now)
        for members in in_chunks(group.subscriptions, _AT_ONCE):
            with deps.writing() as session:
                _require_position(session, profile)
                ready = _ready(session, members, merged)
                _serve(deps, session, profile, ready, composed, merged, now)
                served += len(ready) if composed is not None else 0
    except _OutdatedError:
        raise
    except Exception as error:  # noqa: BLE001 - one group stops no other
        problems.note(f"Composing a digest for profile {profile.id}", error)
        troubles = {subscription.id: _NOT_COMPOSED for subscription in group.subscriptions}
        _put_off(deps, troubles, now)
    return 1 if served else 0


_Merged = Mapping[int, Sequence[Waiting]]


def _composed(
    deps: Deps, profile: Profile, group: Group, states: States, merged: _Merged, now: datetime
) -> ComposedDigest | None:
    """Return the rendered digest of a group; None if it has no items."""
    if not group.items:
        return None
    due_at = min(_due_at(each, merged, now) for each in group.subscriptions)
    return digests.compose(profile, group, states, digest_body.renderer(deps), due_at, now)


def _due_at(subscription: Subscription, merged: _Merged, now: datetime) -> datetime:
    """Return the earliest time at which something of a digest was due to a subscription."""
    waiting = merged.get(subscription.id, ())
    return min([subscription.next_due_at or now, *(each.due_at for each in waiting)])


def _ready(
    session: Session, members: Sequence[Subscription], merged: _Merged
) -> list[Subscription]:
    """Lock and return the members that did not change, and whose waiting digests wait still."""
    unchanged = due_subscriptions.unchanged(session, members)
    waiting = [each for member in unchanged for each in merged.get(member.id, ())]
    still = outbox.still_waiting(session, waiting)
    return [
        member
        for member in unchanged
        if all(each.delivery_id in still for each in merged.get(member.id, ()))
    ]


def _serve(
    deps: Deps,
    session: Session,
    profile: Profile,
    members: Sequence[Subscription],
    composed: ComposedDigest | None,
    merged: _Merged,
    now: datetime,
) -> None:
    """Store a digest for these members, in place of their waiting ones, and their next due times.

    Without a digest their waiting ones end: what they say was withdrawn meanwhile.
    """
    if not members:
        return
    if composed is None:
        due_subscriptions.mark_covered(members, profile.position)
    else:
        owed = [(member, _due_at(member, merged, now)) for member in members]
        _store(deps, session, profile, composed, owed, now)
        snapshot = snapshot_key(profile.document)
        due_subscriptions.mark_composed(members, profile.position, snapshot, now)
    ended = [each.delivery_id for member in members for each in merged.get(member.id, ())]
    outbox.end_merged(session, ended)
    for member in members:
        due_times.advance(member, now)


def _store(
    deps: Deps,
    session: Session,
    profile: Profile,
    composed: ComposedDigest,
    owed: Sequence[tuple[Subscription, datetime]],
    now: datetime,
) -> None:
    """Store a digest and enqueue its deliveries, each with the time at which it was due."""
    digest = digests.store(session, profile.id, composed, now)
    urgent = digests.is_urgent(session, composed)
    outbox.enqueue_digest(session, digest, owed, deps.mail_domain, now, urgent=urgent)


def _require_position(session: Session, profile: Profile) -> None:
    """Lock the profile's row.

    Raises:
        _OutdatedError: a match was stored for the profile after it was read, or it was deleted.
    """
    current = session.get(Profile, profile.id, with_for_update=True)
    if current is None or current.position != profile.position:
        raise _OutdatedError


def _advance(deps: Deps, due: _Due, now: datetime) -> None:
    """Move those that are owed nothing to their next due time."""
    for members in in_chunks(due.owed_nothing, _AT_ONCE):
        with deps.writing() as session:
            _require_position(session, due.profile)
            for subscription in due_subscriptions.unchanged(session, members):
                due_times.advance(subscription, now)


def _put_off(deps: Deps, troubles: dict[int, str], now: datetime) -> None:
    """Store why subscriptions cannot be served, and when to try again."""
    if troubles:
        with deps.writing() as session:
            for subscription_id, trouble in troubles.items():
                due_subscriptions.put_off(
                    session, subscription_id, trouble, now + due_subscriptions.RETRY_AFTER
                )


def _compose_no_news(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> int:
    """Compose the digests of a month without news; return how many were stored.

    Subscriptions that are owed items get none: their news goes out with their next digest.
    """
    with deps.reading() as session:
        profile = session.get(Profile, profile_id)
        if profile is None:
            return 0
        inactive, troubles = due_subscriptions.readable(
            session, due_subscriptions.inactive_subscriptions(session, profile_id, now)
        )
        due = {
            subscription: due_at
            for subscription in inactive
            if (due_at := due_subscriptions.no_news_due_at(subscription)) and due_at <= now
        }
        groups = _groups(session, profile, list(due), troubles, problems, {})
        owed_items = {member.id for group in groups for member in group.subscriptions}
        polling = _summarize_polling(session, profile, now)
    _put_off(deps, troubles, now)
    members: dict[Variant, dict[Subscription, datetime]] = {}
    for subscription, due_at in due.items():
        left_out = subscription.id in owed_items or subscription.id in troubles
        if not left_out and polling.sources:
            # This digest shows no snapshot, so the one that was seen before stays the seen one.
            variant = variant_of(subscription, subscription.seen_snapshot)
            members.setdefault(variant, {})[subscription] = due_at
    composed = 0
    for variant, due_members in members.items():
        with problems.contained(f"Composing a digest without news for profile {profile_id}"):
            composed += _store_no_news(deps, profile, variant, polling, due_members, now)
    return composed


def _summarize_polling(session: Session, profile: Profile, now: datetime) -> PollingSummary:
    """Count the polls of a profile's sources in the last month."""
    watched = source_lists.of_profile(session, profile)
    since = (now - MONTH).date()
    failing = (
        source.name for source in watched if health(source, now) in (Health.FAILING, Health.GONE)
    )
    polls = sum(poll_counts.since(source.poll_counts, since) for source in watched)
    return PollingSummary(polls, len(watched), tuple(failing))


def _store_no_news(
    deps: Deps,
    profile: Profile,
    variant: Variant,
    polling: PollingSummary,
    due: Mapping[Subscription, datetime],
    now: datetime,
) -> int:
    """Render and store one digest of a month without news; return 1, or 0 if nobody was served.

    Args:
        deps: settings, sessions, templates.
        profile: whose sources were polled.
        variant: the choices that the members share.
        polling: what the digest reports.
        due: the members, each with its due time.
        now: when it is composed.
    """
    view = no_news_view(profile, variant, polling, now.date())
    rendered = digest_body.render_no_news(deps, view)
    composed = digests.compose_no_news(variant, rendered, min(due.values()))
    due_times = {subscription.id: due_at for subscription, due_at in due.items()}
    served = 0
    for members in in_chunks(due, _AT_ONCE):
        with deps.writing() as session:
            _require_position(session, profile)
            unchanged = due_subscriptions.unchanged(session, members)
            if unchanged:
                owed = [(subscription, due_times[subscription.id]) for subscription in unchanged]
                _store(deps, session, profile, composed, owed, now)
                for subscription in unchanged:
                    due_subscriptions.mark_no_news_composed(subscription, now)
            served += len(unchanged)
    return 1 if served else 0
