"""The composing step: a digest for every group of subscriptions that is due and owed something.

For each profile with something due: group who is due and what they are owed, close, render each
group's digest, store it as `composing`, store its deliveries in short transactions
(`pipeline/planning.py`), and release it. Where a person reviews digests, `pipeline/review.py` does
this instead. No object is made for a subscription. One that changed in
between is left for the next run. A profile, group or subscription that cannot be composed stops no
other; the trouble is stored with the subscription.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests, drafts, groups
from notifier.digest.digests import ComposedDigest, States
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import Group, Owed, Stock
from notifier.digest.selection import Candidate
from notifier.digest.view import Variant
from notifier.enums import Lane
from notifier.messages import digest_body
from notifier.pipeline import classes, planning, review, silent_months, unsent
from notifier.pipeline.planning import OutdatedError, Plan
from notifier.pipeline.problems import Problems
from notifier.store import backup_state, wakes
from notifier.store.models import Profile
from notifier.subscribers import due_groups, due_profiles
from notifier.subscribers.due_classes import DueClass, Outcome
from notifier.subscribers.due_profiles import Due

# How often a profile is read in one run, if matches are stored for it while it is composed. Chosen
# by hand; not measured.
_ATTEMPTS = 3


@dataclass
class _Share:
    """The classes that share a digest.

    Attributes:
        classes: each with true where its waiting digests are merged.
        due_at: the earliest time at which something of the digest was due.
    """

    classes: dict[DueClass, bool]
    due_at: datetime


class _Rendered(NamedTuple):
    """A group whose digest is to be rendered.

    Attributes:
        group: its items and variant.
        states: the states that the items show.
        share: who gets it.
    """

    group: Group
    states: States
    share: _Share


def run(
    deps: Deps,
    problems: Problems | None = None,
    only: Collection[int] | None = None,
    *,
    after_restore: bool = False,
) -> int:
    """Compose digests for all profiles; return how many were stored.

    Args:
        deps: settings, sessions, templates, clock.
        problems: collects what could not be composed.
        only: the ids of the profiles to compose for; None for all.
        after_restore: True where a person decides about what is composed; else nothing is composed
            between a restore and that decision.
    """
    problems = problems if problems is not None else Problems()
    with deps.reading() as session:
        if not after_restore and backup_state.restored(session) is not None:
            return 0
        has_drafts = bool(drafts.profiles_with_open(session))
    now = deps.now()
    composed = 0
    # Also for a single profile: a newer digest is to contain them.
    with problems.contained("Making digests due that are owed again"):
        unsent.owe_again(deps, now)
    if after_restore:
        # Each of these is sent by a decision of its own, whether or not drafts are reviewed.
        composed += _compose_due(deps, now, problems, only)
    elif deps.settings.review.required:
        composed += review.run(deps, now, problems, only)
    else:
        if has_drafts:
            review.end_all(deps)
        composed += _compose_due(deps, now, problems, only)
    if deps.settings.schedule.sign_of_life:
        composed += silent_months.run(deps, now, problems, only)
    return composed


def _compose_due(
    deps: Deps, now: datetime, problems: Problems, only: Collection[int] | None
) -> int:
    quiet_time = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    with deps.reading() as session:
        work = {due.profile_id: due for due in due_profiles.work(session, now, quiet_time)}
        for profile_id in digests.profiles_composing(session):
            work.setdefault(profile_id, Due(profile_id, now))
    composed = 0
    for profile_id, due in work.items():
        if only is not None and profile_id not in only:
            continue
        with problems.contained(f"Composing for profile {profile_id}"):
            composed += _compose_for(deps, due, now, problems)
    return composed


def _compose_for(deps: Deps, due: Due, now: datetime, problems: Problems) -> int:
    """Compose the digests of a profile; return how many were stored."""
    stored: set[int] = set()
    for _ in range(_ATTEMPTS if due.is_any else 0):
        read = read_due(deps, due, problems)
        if read is None:
            break
        plan, rendered = read
        try:
            for each in rendered:
                stored |= _compose_group(deps, plan, each, now, problems)
            planning.carry_out(deps, plan, now)
        except OutdatedError:
            continue
        break
    with deps.writing() as session:
        planning.lock(session, due.profile_id)
        digests.release(session, due.profile_id)
        wakes.note(session, wakes.Wake.DELIVER)
        return digests.stored(session, stored)


def read_due(deps: Deps, due: Due, problems: Problems) -> tuple[Plan, list[_Rendered]] | None:
    """Read the groups of a profile; None if it does not exist any more."""
    with deps.reading() as session:
        profile = session.get(Profile, due.profile_id)
        if profile is None:
            return None
        snapshot = snapshot_key(profile.document)
        waiting = tuple(outbox.waiting_digests(session, profile.id))
        history = planning.history((), waiting)
        grouped = due_groups.read(session, due, history, snapshot)
        lowest = min((each.position for each in grouped.classes), default=profile.position)
        stock = groups.stock(session, profile, lowest, waiting)
        if stock.changed:
            history = planning.history(stock.changed, waiting)
            grouped = due_groups.read(session, due, history, snapshot)
        plan = Plan(profile, due, history, snapshot, grouped)
        return plan, _groups(session, plan, stock, problems)


def _groups(session: Session, plan: Plan, stock: Stock, problems: Problems) -> list[_Rendered]:
    """Group the classes of a plan by what they are owed.

    The outcomes of those without a digest, or with a trouble, are added to the plan.
    """
    shares: dict[tuple[Variant, tuple[Candidate, ...]], _Share] = {}
    items_of: dict[Owed, tuple[tuple[Candidate, ...], bool]] = {}
    for due_class, earliest in plan.grouped.classes.items():
        if trouble := due_class.trouble:
            plan.outcomes[due_class] = Outcome(trouble=trouble)
            continue
        try:
            owed = classes.owed(due_class, plan.history)
            if owed not in items_of:
                items_of[owed] = groups.items_of(owed, stock)
        except Exception as error:  # noqa: BLE001 - one class stops no other
            problems.note(f"Grouping subscriptions of profile {plan.profile.id}", error)
            plan.outcomes[due_class] = Outcome(trouble=classes.NOT_COMPOSED)
            continue
        items, merges = items_of[owed]
        if not items:
            plan.outcomes[due_class] = Outcome(covers=merges, merges=merges)
            continue
        due_at = earliest.with_waiting(merges=merges)
        share = shares.setdefault((classes.variant(due_class), items), _Share({}, due_at))
        share.classes[due_class], share.due_at = merges, min(share.due_at, due_at)
    return [
        _Rendered(
            Group(items, variant, any(share.classes.values())),
            digests.states(session, items),
            share,
        )
        for (variant, items), share in shares.items()
    ]


def _compose_group(
    deps: Deps, plan: Plan, rendered: _Rendered, now: datetime, problems: Problems
) -> set[int]:
    """Render and store the digest of a group; return its id, or nothing if that failed."""
    try:
        composed = digests.compose(
            plan.profile,
            rendered.group,
            rendered.states,
            digest_body.renderer(deps),
            rendered.share.due_at,
            now,
        )
        with deps.writing() as session:
            planning.require_position(session, plan.profile)
            digest_id, lane = _stored(session, plan.profile, composed, now)
    except OutdatedError:
        raise
    except Exception as error:  # noqa: BLE001 - one group stops no other
        problems.note(f"Composing a digest for profile {plan.profile.id}", error)
        for due_class in rendered.share.classes:
            plan.outcomes[due_class] = Outcome(trouble=classes.NOT_COMPOSED)
        return set()
    for due_class, merges in rendered.share.classes.items():
        plan.outcomes[due_class] = Outcome(digest_id, lane, covers=True, merges=merges)
    return {digest_id}


def _stored(
    session: Session, profile: Profile, composed: ComposedDigest, now: datetime
) -> tuple[int, Lane]:
    """Store a digest; return its id, and the lane of its deliveries."""
    lane = Lane.URGENT if composed.urgent else Lane.OTHERS
    return digests.store(session, profile.id, composed, now), lane
