"""The composing step under review: drafts before the due time, deliveries after the approval.

For each profile whose readers are due soon: find the draft that each class of them waits for,
compose one for those who have none, and mail the operator about it. Those who are due and whose
draft is approved get their deliveries, from who is subscribed now (`pipeline/planning.py`). A draft
is found by what its readers are owed up to the match at which it was composed, so later matches
wait for the next digest, and a process may end between any two steps.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests, drafts, groups, outdated
from notifier.digest.digests import States
from notifier.digest.drafts import OpenDraft
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import Group, Owed, Stock
from notifier.digest.selection import Candidate
from notifier.digest.view import Variant
from notifier.enums import Lane
from notifier.messages import digest_body
from notifier.pipeline import classes, planning, review_mails, review_work
from notifier.pipeline.notices import enqueue_for_operator
from notifier.pipeline.planning import OutdatedError, Plan
from notifier.pipeline.problems import Problems
from notifier.pipeline.review_work import Work
from notifier.store import wakes
from notifier.store.models import Profile
from notifier.subscribers import due_groups
from notifier.subscribers.due_ahead import AT_ONCE
from notifier.subscribers.due_classes import DueClass, Grouped, History, Outcome
from notifier.subscribers.due_profiles import Due

# How often a profile is read in one run, if matches are stored for it meanwhile. Chosen by hand;
# not measured.
_ATTEMPTS = 3

_SWITCHED_OFF = "review.required was switched off"


@dataclass
class _New:
    """A draft to compose.

    Attributes:
        group: its items and variant.
        states: the states that the items show.
        due_at: the time at which the first of its readers are due; `AT_ONCE` for no such time.
        classes: its readers.
        number: how many they are.
    """

    group: Group
    states: States
    due_at: datetime
    classes: list[DueClass] = field(default_factory=list)
    number: int = 0


@dataclass
class _Look:
    """Everything that one look at a profile showed.

    Attributes:
        plan: the due subscriptions, without outcomes.
        changed: the open drafts of which an item changed, by id.
        missed: those among them for which somebody is or will soon be due.
        wanted: the open drafts for which somebody is or will soon be due, by id.
        outcomes: of the due classes, by the position that their digest covers.
        new: the drafts to compose.
    """

    plan: Plan
    changed: frozenset[int]
    missed: set[int] = field(default_factory=set)
    wanted: set[int] = field(default_factory=set)
    outcomes: dict[int, dict[DueClass, Outcome]] = field(default_factory=dict)
    new: list[_New] = field(default_factory=list)

    def settle(self, due_class: DueClass, outcome: Outcome, position: int) -> None:
        """Note what becomes of a class, if it is due."""
        if due_class in self.plan.grouped.classes:
            self.outcomes.setdefault(position, {})[due_class] = outcome


def run(deps: Deps, now: datetime, problems: Problems, only: Collection[int] | None = None) -> int:
    """Compose drafts, and plan the deliveries of approved ones; return how many were stored.

    Args:
        deps: settings, sessions, templates.
        now: when.
        problems: collects what could not be composed.
        only: the ids of the profiles to look at; None for all.
    """
    with deps.reading() as session:
        works = review_work.find(session, deps.settings, now)
        interrupted = digests.profiles_composing(session)
    for profile_id in interrupted:
        # Composed before a review was required, in a process that ended.
        with deps.writing() as session:
            planning.lock(session, profile_id)
            digests.release(session, profile_id)
    stored = 0
    for work in works:
        if only is None or work.profile_id in only:
            with problems.contained(f"Composing drafts for profile {work.profile_id}"):
                stored += _run_unless_idle(deps, work, now, problems)
    return stored


def _run_unless_idle(deps: Deps, work: Work, now: datetime, problems: Problems) -> int:
    """Look at a profile, unless nothing changed since a look that found nothing to do."""
    with deps.reading() as session:
        seen = work.seen(session)
        open_drafts = drafts.open_of(session, work.profile_id)
    if deps.looks.is_idle(work.profile_id, seen, now):
        return 0
    stored, was_idle = _run_for(deps, work, now, problems)
    if was_idle:
        deps.looks.note(work.profile_id, seen, open_drafts, now)
    return stored


def end_all(deps: Deps) -> None:
    """End the drafts that were composed while a review was required, which it is no more."""
    with deps.writing() as session:
        drafts.end_all(session, _SWITCHED_OFF)


def _run_for(deps: Deps, work: Work, now: datetime, problems: Problems) -> tuple[int, bool]:
    """Do what is to be done for a profile; return how many drafts were stored, and if it was idle.

    It was if nothing was to be done but to wait.
    """
    stored = 0
    for _ in range(_ATTEMPTS):
        look = _read(deps, work, problems)
        if look is None:
            break
        if look.changed:
            _end_changed(deps, work.profile_id, look.missed, now)
        try:
            for new in look.new:
                stored += _compose(deps, look, new, now, problems)
            _serve(deps, look, now)
        except OutdatedError:
            continue
        _tidy(deps, work.profile_id, look.wanted, now)
        return stored, not (look.new or look.outcomes or look.changed)
    return stored, False


def _end_changed(deps: Deps, profile_id: int, missed: Collection[int], now: datetime) -> None:
    """End the drafts of a profile that are not true any more, and mail the operator, once.

    One that all its readers were sent is no news: they are owed the change.
    """
    with deps.writing() as session:
        planning.lock(session, profile_id)
        ended = [
            draft
            for draft in drafts.end_changed(session, profile_id)
            if not draft.was_sent or draft.digest_id in missed
        ]
        if ended:
            enqueue_for_operator(deps, session, *review_mails.ended(ended), now)


def _read(deps: Deps, work: Work, problems: Problems) -> _Look | None:
    """Read what is to be done for a profile; None if it does not exist any more."""
    with deps.reading() as session:
        profile = session.get(Profile, work.profile_id)
        if profile is None:
            return None
        snapshot = snapshot_key(profile.document)
        waiting = _outdated(session, profile.id)
        history = planning.history((), waiting)
        ahead = _grouped(session, work.ahead, history, snapshot)
        lowest = min((each.position for each in ahead.classes), default=profile.position)
        stock = groups.stock(session, profile, lowest, waiting)
        if stock.changed:
            history = planning.history(stock.changed, waiting)
            ahead = _grouped(session, work.ahead, history, snapshot)
        due = _grouped(session, work.due, history, snapshot)
        plan = Plan(profile, work.due, history, snapshot, due, go_on=drafts.go_on)
        open_drafts = drafts.open_of(session, profile.id)
        may_change = [each.digest_id for each in open_drafts if not each.is_dropped]
        look = _Look(plan, frozenset(drafts.changed(session, may_change)))
        _Assignment(session, look, stock, open_drafts).run(ahead, problems)
        return look


def _outdated(session: Session, profile_id: int) -> tuple[int, ...]:
    """Return the digests that wait and say what is not true any more: drafts contain the rest."""
    changed = {*outdated.going_out(session)}
    waiting = outbox.waiting_digests(session, profile_id) if changed else ()
    return tuple(each for each in waiting if each in changed)


def _grouped(session: Session, due: Due, history: History, snapshot: str) -> Grouped:
    return due_groups.read(session, due, history, snapshot) if due.is_any else Grouped()


class _Assignment:
    """The finding of a draft for each class.

    Args:
        session: a reading session.
        look: where the results are noted.
        stock: everything that may be owed.
        open_drafts: those with fewer matches first.
    """

    def __init__(
        self, session: Session, look: _Look, stock: Stock, open_drafts: list[OpenDraft]
    ) -> None:
        self._session, self._look, self._stock = session, look, stock
        self._drafts = open_drafts
        self._items: dict[tuple[Owed, int], tuple[tuple[Candidate, ...], bool]] = {}
        self._keys: dict[tuple[Variant, tuple[Candidate, ...]], str] = {}

    def run(self, ahead: Grouped, problems: Problems) -> None:
        """Note what becomes of each class, and which drafts are to be composed."""
        new: dict[tuple[Variant, tuple[Candidate, ...]], _New] = {}
        position = self._look.plan.profile.position
        for due_class, earliest in ahead.classes.items():
            if trouble := due_class.trouble:
                self._look.settle(due_class, Outcome(trouble=trouble), position)
                continue
            try:
                items = self._assign(due_class, earliest.own)
            except Exception as error:  # noqa: BLE001 - one class stops no other
                profile_id = self._look.plan.profile.id
                problems.note(f"Grouping subscriptions of profile {profile_id}", error)
                self._look.settle(due_class, Outcome(trouble=classes.NOT_COMPOSED), position)
                continue
            if items:
                key = classes.variant(due_class), items
                if key not in new:
                    states = digests.states(self._session, items)
                    new[key] = _New(Group(items, key[0]), states, earliest.own)
                new[key].classes.append(due_class)
                new[key].number += ahead.members[due_class]
                new[key].due_at = min(new[key].due_at, earliest.own)
        self._look.new = list(new.values())

    def _assign(self, due_class: DueClass, due_at: datetime) -> tuple[Candidate, ...]:
        """Note the draft that a class waits for; return the items of a new one if there is none."""
        owed, variant = classes.owed(due_class, self._look.plan.history), classes.variant(due_class)
        newest, ends = self._owed_at(owed, self._look.plan.profile.position)
        for draft in self._drafts:
            if draft.cadence != due_class.cadence or due_at >= draft.open_until:
                continue
            items, merges = self._owed_at(owed, draft.position)
            if not items or self._key(variant, items) != draft.group_key:
                continue
            if draft.digest_id in self._look.changed:
                self._look.missed.add(draft.digest_id)
                continue
            # Who waits for no due time is owed it again as soon as there is more.
            if draft.is_dropped and due_at == AT_ONCE and items != newest:
                continue
            self._note(draft, due_class, due_at, merges=merges)
            return ()
        if not newest:
            nothing = Outcome(covers=ends, merges=ends)
            self._look.settle(due_class, nothing, self._look.plan.profile.position)
        return newest

    def _note(
        self, draft: OpenDraft, due_class: DueClass, due_at: datetime, *, merges: bool
    ) -> None:
        self._look.wanted.add(draft.digest_id)
        if draft.is_dropped:
            # Who waits for no due time has none that could pass.
            if due_at != AT_ONCE:
                self._look.settle(due_class, Outcome(), draft.position)
        elif draft.is_released:
            urgent = drafts.is_urgent(self._session, draft.digest_id)
            lane = Lane.URGENT if urgent else Lane.OTHERS
            outcome = Outcome(draft.digest_id, lane, covers=True, merges=merges)
            self._look.settle(due_class, outcome, draft.position)

    def _owed_at(self, owed: Owed, position: int) -> tuple[tuple[Candidate, ...], bool]:
        """Return what is owed of the matches up to a position, and whether it ends what waits."""
        key = owed, position
        if key not in self._items:
            self._items[key] = groups.items_of(owed, self._stock.until(position))
        return self._items[key]

    def _key(self, variant: Variant, items: tuple[Candidate, ...]) -> str:
        key = variant, items
        if key not in self._keys:
            self._keys[key] = digests.group_key(Group(items, variant))
        return self._keys[key]


def _compose(deps: Deps, look: _Look, new: _New, now: datetime, problems: Problems) -> int:
    """Render and store a draft, with the mail about it; return how many were stored.

    Raises:
        OutdatedError: see `planning.require_position`.
    """
    profile = look.plan.profile
    lead = timedelta(hours=deps.settings.review.lead_hours)
    due_at = None if new.due_at == AT_ONCE else new.due_at
    try:
        render = digest_body.renderer(deps)
        composed = digests.compose(profile, new.group, new.states, render, due_at or now, now)
        with deps.writing() as session:
            planning.require_position(session, profile)
            draft, is_new = drafts.store(
                session, profile.id, profile.position, composed, due_at, lead, now
            )
            if is_new:
                subject, text = review_mails.waits(draft, new.number)
                enqueue_for_operator(deps, session, subject, text, now, draft_id=draft.id)
            look.wanted.add(draft.id)
            return int(is_new)
    except OutdatedError:
        raise
    except Exception as error:  # noqa: BLE001 - one draft stops no other
        problems.note(f"Composing a draft for profile {profile.id}", error)
        for due_class in new.classes:
            outcome = Outcome(trouble=classes.NOT_COMPOSED)
            look.settle(due_class, outcome, profile.position)
        return 0


def _serve(deps: Deps, look: _Look, now: datetime) -> None:
    """Plan the deliveries of approved drafts, and move on who is owed nothing.

    Raises:
        OutdatedError: see `planning.carry_out`.
    """
    for position, outcomes in sorted(look.outcomes.items()):
        plan = replace(look.plan, outcomes=outcomes, position=position)
        planning.carry_out(deps, plan, now)
    if look.outcomes:
        with deps.writing() as session:
            wakes.note(session, wakes.Wake.DELIVER)


def _tidy(deps: Deps, profile_id: int, wanted: Collection[int], now: datetime) -> None:
    """Remind the operator of drafts, and close those whose time has passed."""
    with deps.reading() as session:
        waiting = drafts.open_of(session, profile_id)
    if not any(_is_to_do(draft, wanted, now) for draft in waiting):
        return
    with deps.writing() as session:
        planning.lock(session, profile_id)
        for draft in drafts.due_for_reminder(session, wanted, now):
            drafts.note_reminded(draft)
            enqueue_for_operator(
                deps, session, *review_mails.reminder(draft), now, draft_id=draft.id
            )
        drafts.end_past(session, profile_id, wanted, now)


def _is_to_do(draft: OpenDraft, wanted: Collection[int], now: datetime) -> bool:
    if draft.digest_id in wanted:
        return draft.remind_at is not None and draft.remind_at <= now
    return draft.open_until <= now
