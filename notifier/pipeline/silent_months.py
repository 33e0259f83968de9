"""The digests of a month without news: composed for people who got no mail for so long.

Subscriptions that are owed items get none: their news goes out with their next digest.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlalchemy.orm import Session

from notifier.deps import Deps
from notifier.digest import digests, groups
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import Owed
from notifier.digest.no_news import PollingSummary, no_news_view
from notifier.digest.view import Variant
from notifier.enums import Health, Lane
from notifier.match import profiles
from notifier.messages import digest_body
from notifier.pipeline import classes, planning
from notifier.pipeline.planning import OutdatedError, Plan
from notifier.pipeline.problems import Problems
from notifier.store import wakes
from notifier.store.models import Profile
from notifier.subscribers import due_groups, silent_subscriptions
from notifier.subscribers.due_classes import DueClass, Outcome
from notifier.subscribers.due_subscriptions import MONTH
from notifier.watch import poll_counts, source_lists
from notifier.watch.health import health


def run(deps: Deps, now: datetime, problems: Problems, only: Collection[int] | None = None) -> int:
    """Compose the digests of a month without news; return how many were stored.

    Args:
        deps: settings, sessions, templates.
        now: when.
        problems: collects what could not be composed.
        only: the ids of the profiles to compose for; None for all.
    """
    with deps.reading() as session:
        profile_ids = [each for each in profiles.ids(session) if only is None or each in only]
    composed = 0
    for profile_id in profile_ids:
        with problems.contained(f"Composing the digest without news for profile {profile_id}"):
            composed += _compose_for(deps, profile_id, now, problems)
    return composed


def _compose_for(deps: Deps, profile_id: int, now: datetime, problems: Problems) -> int:
    with deps.reading() as session:
        read = _read(session, profile_id, now)
        if read is None:
            return 0
        plan, variants = read
        polling = _summarize_polling(session, plan.profile, now)
    if not variants or not polling.sources:
        return 0
    stored = set()
    for variant, members in variants.items():
        with problems.contained(f"Composing a digest without news for profile {profile_id}"):
            due_at = min(plan.grouped.classes[each].own for each in members)
            view = no_news_view(plan.profile, variant, polling, now.date())
            rendered = digest_body.render_no_news(deps, view)
            composed = digests.compose_no_news(variant, rendered, due_at)
            with deps.writing() as session:
                planning.require_position(session, plan.profile)
                digest_id = digests.store(session, profile_id, composed, now)
            stored.add(digest_id)
            plan.outcomes.update(dict.fromkeys(members, Outcome(digest_id, Lane.OTHERS)))
    # If there is news now: who is not owed it gets this mail in the next run.
    with suppress(OutdatedError):
        planning.carry_out(deps, plan, now)
    with deps.writing() as session:
        planning.lock(session, profile_id)
        digests.release(session, profile_id)
        wakes.note(session, wakes.Wake.DELIVER)
        return digests.stored(session, stored)


def _read(
    session: Session, profile_id: int, now: datetime
) -> tuple[Plan, dict[Variant, list[DueClass]]] | None:
    """Read who is due; None if nobody is."""
    profile = session.get(Profile, profile_id)
    if profile is None:
        return None
    silent = silent_subscriptions.find(session, profile_id, now)
    if not silent.is_any:
        return None
    snapshot = snapshot_key(profile.document)
    history = planning.history((), ())
    grouped = due_groups.read(session, silent, history, snapshot)
    lowest = min((each.position for each in grouped.classes), default=profile.position)
    stock = groups.stock(session, profile, lowest)
    if stock.changed:
        history = planning.history(stock.changed, ())
        grouped = due_groups.read(session, silent, history, snapshot)
    variants: dict[Variant, list[DueClass]] = {}
    for each in grouped.classes:
        if each.trouble:
            continue
        owed = Owed(each.position, each.entries_of(history), (), each.sections)
        if not groups.items_of(owed, stock)[0]:
            # This digest shows no snapshot, so the one that was seen before stays the seen one.
            variants.setdefault(classes.variant(each), []).append(each)
    return Plan(profile, silent, history, snapshot, grouped, without_news=True), variants


def _summarize_polling(session: Session, profile: Profile, now: datetime) -> PollingSummary:
    """Count the polls of a profile's sources in the last month."""
    watched = [
        source for source in source_lists.of_profile(session, profile) if source.paused_at is None
    ]
    since = (now - MONTH).date()
    failing = (
        source.name for source in watched if health(source, now) in (Health.FAILING, Health.GONE)
    )
    polls = sum(poll_counts.since(source.poll_counts, since) for source in watched)
    return PollingSummary(polls, len(watched), tuple(failing))
