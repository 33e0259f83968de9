"""The page of a digest: the mail as its readers get it, what can be changed, and what became of it.

All its parts that an operator decides about carry the state that is shown (`issues.state_of`), for
the digest and for the others of its issue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from notifier.admin import preview as previews
from notifier.deliver.outbox import outcomes
from notifier.deliver.outbox import stop as outbox_stop
from notifier.digest import archive, digests, drafts, editing, issues
from notifier.digest.evidence import snapshot_key
from notifier.digest.groups import candidate_of
from notifier.digest.selection import Section, section_of
from notifier.digest.view import TITLES
from notifier.enums import DigestStatus, NewsKind
from notifier.i18n.catalog import ENGLISH, LANGUAGES
from notifier.operators import actions
from notifier.store.models import Digest
from notifier.subscribers import readers_ahead
from notifier.subscribers.numbers import FEWEST_SHOWN
from notifier.subscribers.readers_ahead import Waiting
from notifier.text.urls import web_address
from notifier.web import mail_views
from notifier.web.operator import rendering, words
from notifier.web.operator.charts import series_charts
from notifier.web.operator.charts.chart_parts import Caption
from notifier.web.operator.digests import digest_words
from notifier.web.operator.digests.digest_words import FRAMING_HEADERS, VIEWS
from notifier.web.operator.visit import Visit
from notifier.web.operator.words import Clock

# Entries of the log that a page shows.
_HISTORY = 20
_HOUR = 60
_ENDED = (DigestStatus.VOID, DigestStatus.DROPPED)


@dataclass(frozen=True)
class Again:
    """Why the page is shown again instead of doing what a form said.

    Attributes:
        problem: what is wrong, for the head of the page; empty where it stands beside a field.
        errors: what is wrong with a field, by its name.
        typed: what was typed, by field.
        is_changed: whether the digest is not what was shown.
    """

    problem: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    is_changed: bool = False


@dataclass(frozen=True)
class Part:
    """A digest of the issue.

    Attributes:
        digest: itself.
        name: for whom it is: ``Patients, German``.
        state: in words.
        number: its readers, in words.
        token: the state that a decision about it is bound to.
        may_change: whether it can be changed still.
        waits: whether it waits for a decision.
    """

    digest: Digest
    name: str
    state: digest_words.State
    number: str
    token: str
    may_change: bool
    waits: bool


@dataclass(frozen=True)
class NoteField:
    """The editor's note in a language.

    Attributes:
        code: of the language.
        name: of the language, in English.
        text: as it is stored.
        earlier: that of a draft that this one replaces; empty for none.
    """

    code: str
    name: str
    text: str
    earlier: str


@dataclass(frozen=True)
class Item:
    """An item of the digest.

    Attributes:
        match_id: of its match.
        place: in the digest, from 1.
        title: the headline that is shown.
        source: the name of its source.
        url: of the article; empty where it has no web address.
        kind: what it is, in words.
        same_story: whether another item above reports the same.
    """

    match_id: int
    place: int
    title: str
    source: str
    url: str
    kind: str
    same_story: bool


def show(visit: Visit) -> Response:
    """Show a digest."""
    return shown(visit, visit.number("digest"))


def show_mail(visit: Visit) -> Response:
    """Show the mail alone, in a frame of the page."""
    preview = previews.of_stored(visit.deps, visit.number("digest"))
    dark = visit.query.get("view") == "dark"
    html = mail_views.in_frame(preview.html, dark=dark)
    return HTMLResponse(html, headers=mail_views.MAIL_HEADERS)


def shown(visit: Visit, digest_id: int, again: Again | None = None, status: int = 200) -> Response:
    """Show a digest, perhaps again with what is wrong.

    Raises:
        NotFoundError: there is no such digest.
    """
    view = visit.query.get("view", "")
    clock = visit.clock
    with visit.deps.reading() as session:
        digest = digests.find(session, digest_id)
        values = _values(visit, session, clock, digest)
    text = previews.of_stored(visit.deps, digest_id) if view == "text" else None
    values |= {
        "again": again or Again(),
        "view": view if view in VIEWS else "desktop",
        "views": VIEWS,
        "text": text,
        "longest_note": editing.LONGEST_NOTE,
    }
    return rendering.show(
        visit, "digest", values, section="digests", status=status, headers=FRAMING_HEADERS
    )


def _values(visit: Visit, session: Session, clock: Clock, digest: Digest) -> dict[str, Any]:
    planned = digests.recipients(session, digest)
    parts = parts_of(visit, session, clock, digest)
    own = next(part for part in parts if part.digest.id == digest.id)
    stopped_at = outbox_stop.stopped_at(session)
    waits = own.waits and digest.open_until is not None
    because = drafts.changed(session, [digest.id]).get(digest.id, "") if waits else ""
    return {
        "digest": digest,
        "title": issues.title_of(digest),
        "cadence": digest_words.CADENCES[digest.cadence],
        "own": own,
        "live": [part for part in parts if part.digest.status not in _ENDED or part is own],
        "ended": [part for part in parts if part.digest.status in _ENDED and part is not own],
        "approvable": [part for part in parts if part.waits],
        "planned": planned,
        "due": clock.full(digest.due_at) if digest.due_at else "",
        "is_due": digest.due_at is None or digest.due_at <= visit.now,
        "composed": clock.full(digest.composed_at),
        "untrue": because,
        "may_drop": own.waits or (digest.status is DigestStatus.APPROVED and not planned),
        "is_draft": digest.open_until is not None,
        "stopped_at": clock.full(stopped_at) if stopped_at else "",
        "notes": _notes(parts),
        "groups": _groups(session, digest),
        "outcomes": outcomes.read(session, digest.id, planned) if planned else None,
        # Bars of a few mails would say what their numbers do not.
        "chart": _chart(session, clock, digest, planned) if planned >= FEWEST_SHOWN else None,
        "mails": words.people if planned < FEWEST_SHOWN else "{:,}".format,
        "history": [
            (clock.short(action.at), action.name, action.text, action.reason)
            for action in actions.newest(session, about=f"digest {digest.id}", limit=_HISTORY)
        ],
        "zone": clock.zone,
        "ended_reasons": digest_words.ended,
    }


def parts_of(visit: Visit, session: Session, clock: Clock, digest: Digest) -> list[Part]:
    """Return the digests of an issue, those that ended at the end."""
    same = issues.of_same_issue(session, digest)
    counted: dict[object, Waiting] = {}
    names = [digest_words.readers(each) for each in same]
    return [
        Part(
            each,
            _told_apart(each, name, names),
            digest_words.state_of(
                each, clock, visit.now, planned := digests.recipients(session, each)
            ),
            words.readers(planned)
            if planned or each.open_until is None
            else digest_words.expected(each, waiting_for(session, each, counted)),
            issues.state_of(each),
            editing.may_change(session, each),
            each.status in issues.WAITING,
        )
        for each, name in zip(same, names, strict=True)
    ]


def waiting_for(session: Session, digest: Digest, counted: dict[object, Waiting]) -> Waiting:
    """Return the readers of the issue of a draft, each issue counted once."""
    key = digest.profile_id, digest.cadence, digest.open_until, digest.position
    if key not in counted:
        counted[key] = readers_ahead.waiting(
            session,
            digest.profile_id,
            digest.cadence,
            digest.open_until,
            digest.position or 0,
            snapshot_key(digest.profile.document),
        )
    return counted[key]


def _told_apart(digest: Digest, name: str, names: Sequence[str]) -> str:
    """Return the name of a part; of several with one name, what tells them apart, too."""
    if names.count(name) == 1:
        return name
    known = "first digest" if digest.seen_snapshot == "" else "known readers"
    return f"{name}, {known}"


def _notes(parts: Sequence[Part]) -> list[NoteField]:
    """Return the fields of the notes: one for each language that can be changed."""
    fields = []
    for code in LANGUAGES:
        of_language = [part for part in parts if part.digest.language == code]
        may_change = [part.digest for part in of_language if part.may_change]
        if not may_change:
            continue
        text = note_of(may_change)
        earlier = [part.digest for part in of_language if part.digest.status in _ENDED]
        before = "" if text else note_of(earlier)
        fields.append(NoteField(code, digest_words.language(code), text, before))
    return fields


def note_of(same_language: Sequence[Digest]) -> str:
    """Return the note of digests in a language: the first one that there is."""
    return next((each.editors_note for each in same_language if each.editors_note), "")


def _groups(session: Session, digest: Digest) -> list[tuple[str, list[Item]]]:
    """Return the items of a digest by section, in the order of the mail."""
    by_section: dict[Section, list[Item]] = {section: [] for section in Section}
    stories: set[int] = set()
    for place, item in enumerate(archive.items_of(session, digest), 1):
        match, entry = item.match, item.match.entry
        story = match.story if item.kind is NewsKind.NEW else None
        by_section[section_of(candidate_of(match, item.kind))].append(
            Item(
                match.id,
                place,
                item.revision.title or entry.title or "(without a headline)",
                entry.source.name or entry.source.url,
                web_address(entry.url),
                digest_words.kind_of(item.kind, match.tier),
                story is not None and story in stories,
            )
        )
        if story is not None:
            stories.add(story)
    therapy = digest.profile.name
    return [
        (ENGLISH.gettext(TITLES[section], therapy=therapy), items)
        if section is Section.ABOUT
        else (ENGLISH.gettext(TITLES[section]), items)
        for section, items in by_section.items()
        if items
    ]


def _chart(session: Session, clock: Clock, digest: Digest, planned: int) -> Markup | None:
    """Return the chart of when mails were accepted; None if none was."""
    times = outcomes.times(session, digest.id, planned) if planned else None
    if times is None:
        return None
    first = clock.full(times.parts[0][0])
    note = f"From {first}; each bar is {_step(times.step)}."
    if times.share > 1:
        note += f" Estimated from one of {times.share} mails."
    caption = Caption("accepted", "Accepted over time", "mails", "Time", note)
    labels = clock.labels([begin for begin, _ in times.parts])
    return series_charts.bars(
        caption, labels, [number for _, number in times.parts], tone=series_charts.GOOD
    )


def _step(step: timedelta) -> str:
    """Return the length of a bar in words."""
    minutes = int(step.total_seconds()) // 60
    if minutes < _HOUR:
        return words.count(minutes, "minute")
    hours = minutes // _HOUR
    return words.count(hours, "hour")
