"""The digests that come next: when they are composed, for how many, and how they look by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from notifier.admin import preview as previews
from notifier.admin.preview import Preview, PreviewOptions
from notifier.digest.evidence import snapshot_key
from notifier.enums import Cadence, Edition
from notifier.i18n.catalog import LANGUAGES
from notifier.match import profiles
from notifier.store.models import Profile, Subscription
from notifier.subscribers import readers_ahead
from notifier.subscribers.readers_ahead import Upcoming, Waiting
from notifier.web import mail_views
from notifier.web.operator import rendering, words
from notifier.web.operator.digests import digest_words
from notifier.web.operator.digests.digest_words import VIEWS
from notifier.web.operator.visit import Visit, number_of
from notifier.web.operator.words import Clock

# How far ahead the list looks, in days.
_DAYS_AHEAD = 14
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """A digest that is not composed yet.

    Attributes:
        profile: its profile.
        cadence: how often, as it is stored.
        cadence_name: in words.
        when: the first due time, and the last one of the day if it is another.
        composed: when it is composed, in words.
        readers: how many are due, in words.
        matches: how many matches they were not sent yet.
    """

    profile: Profile
    cadence: Cadence
    cadence_name: str
    when: str
    composed: str
    readers: str
    matches: int


@dataclass(frozen=True)
class Day:
    """A page of the digests that are due within 24 hours.

    Attributes:
        number: of the day, 0 for the 24 hours that begin now, or after the lead of drafts.
        begin: its start, in words.
        rows: what is due.
        after: the last profile that is shown, if there are more; else 0.
    """

    number: int
    begin: str
    rows: Sequence[Row]
    after: int

    @property
    def earlier(self) -> int | None:
        """The day before; None for none."""
        return self.number - 1 if self.number else None

    @property
    def later(self) -> int | None:
        """The day after; None if the list looks no farther ahead."""
        return self.number + 1 if self.number + 1 < _DAYS_AHEAD else None


def first_day(visit: Visit, session: Session, profile_ids: Sequence[int], limit: int) -> Day:
    """Return the next day on which anything is due; an empty one if nothing is."""
    for number in range(_DAYS_AHEAD):
        day = read_day(visit, session, profile_ids, number, 0, limit)
        if day.rows:
            return day
    return read_day(visit, session, profile_ids, 0, 0, limit)


def chosen_day(visit: Visit, session: Session, profile_ids: Sequence[int], limit: int) -> Day:
    """Return the page of the list that a visitor chose."""
    query = visit.query
    number = min(number_of(query.get("day", "")), _DAYS_AHEAD - 1)
    after = number_of(query.get("after", ""))
    return read_day(visit, session, profile_ids, number, after, limit)


def read_day(
    visit: Visit,
    session: Session,
    profile_ids: Sequence[int],
    number: int,
    after: int,
    limit: int,
) -> Day:
    """Return a page of what is due on a day, counted from now; drafts are composed before that."""
    clock = visit.clock
    begin = _first_moment(visit) + number * _DAY
    upcoming = list(
        readers_ahead.due_between(session, begin, begin + _DAY, after, limit + 1, profile_ids)
    )
    has_more = len(upcoming) > limit
    if has_more:
        # A profile whose digests do not all fit is on the next page.
        cut = upcoming[limit].profile_id
        shown = [each for each in upcoming[:limit] if each.profile_id != cut] or upcoming[:limit]
        after, upcoming = shown[-1].profile_id, shown
    rows = [_row(visit, session, clock, each) for each in upcoming]
    return Day(number, clock.full(begin), rows, after if has_more else 0)


def show(visit: Visit) -> Response:
    """Show a digest that is not composed yet, as its readers would get it by now."""
    wish = _wish(visit)
    clock = visit.clock
    view = visit.query.get("view", "")
    with visit.deps.reading() as session:
        profile = profiles.find(session, wish.profile)
        waiting = readers_ahead.waiting(
            session, profile.id, wish.cadence, None, profile.position + 1, _snapshot(profile)
        )
        parts = _parts(waiting)
        reader = _reader(visit, session, profile, wish)
        name, due_at = profile.name, reader.next_due_at if reader else None
    preview = _preview(visit, wish)
    values = {
        "profile": name,
        "slug": wish.profile,
        "cadence": wish.cadence,
        "cadence_name": digest_words.CADENCES[wish.cadence],
        "parts": parts,
        "part": f"{wish.edition} {wish.language}",
        "is_complete": waiting.is_complete,
        "due": clock.full(due_at) if due_at else "",
        "composed": composed(visit, clock, due_at) if due_at else "",
        "is_reviewed": visit.deps.settings.review.required,
        "preview": preview,
        "view": view if view in VIEWS else "desktop",
        "views": VIEWS,
    }
    headers = digest_words.FRAMING_HEADERS
    return rendering.show(visit, "digest_next", values, section="digests", headers=headers)


def show_mail(visit: Visit) -> Response:
    """Show the mail alone, in a frame of the page."""
    preview = _preview(visit, _wish(visit))
    if preview is None:
        return PlainTextResponse("No mail goes out.", headers=mail_views.MAIL_HEADERS)
    dark = visit.query.get("view") == "dark"
    html = mail_views.in_frame(preview.html, dark=dark)
    return HTMLResponse(html, headers=mail_views.MAIL_HEADERS)


def composed(visit: Visit, clock: Clock, due_at: datetime) -> str:
    """Return when a digest is composed, in words."""
    review = visit.deps.settings.review
    if not review.required:
        return "when it is due"
    composed_at = due_at - timedelta(hours=review.lead_hours)
    return clock.short(composed_at) if composed_at > visit.now else "by now, if anything is new"


def _first_moment(visit: Visit) -> datetime:
    review = visit.deps.settings.review
    return visit.now + timedelta(hours=review.lead_hours if review.required else 0)


def _row(visit: Visit, session: Session, clock: Clock, upcoming: Upcoming) -> Row:
    first, last = clock.short(upcoming.first_at), clock.short(upcoming.last_at)
    return Row(
        session.get_one(Profile, upcoming.profile_id),
        upcoming.cadence,
        digest_words.CADENCES[upcoming.cadence],
        first if first == last else f"{first} to {last}",
        composed(visit, clock, upcoming.first_at),
        words.people(upcoming.readers),
        readers_ahead.new_matches(session, upcoming),
    )


def _wish(visit: Visit) -> PreviewOptions:
    """Return which digest the address names.

    Raises:
        HTTPException: 404, it names none.
    """
    query = visit.query
    language = query.get("language", "en")
    if language not in LANGUAGES or "profile" not in query:
        raise HTTPException(404)
    try:
        cadence, edition = Cadence(query.get("every", "")), Edition(query.get("edition", "patient"))
    except ValueError as error:
        raise HTTPException(404) from error
    return PreviewOptions(query["profile"], cadence, edition, language)


def _reader(
    visit: Visit, session: Session, profile: Profile, wish: PreviewOptions
) -> Subscription | None:
    return readers_ahead.typical(
        session, profile.id, wish.cadence, wish.edition, wish.language, visit.now
    )


def _preview(visit: Visit, wish: PreviewOptions) -> Preview | None:
    """Return the mail; None if nobody reads this edition and language, or nothing is owed."""
    with visit.deps.reading() as session:
        profile = profiles.find(session, wish.profile)
        reader = _reader(visit, session, profile, wish)
        if reader is None:
            return None
        reader_id = reader.id
    options = PreviewOptions(
        wish.profile, wish.cadence, wish.edition, wish.language, reader_id=reader_id
    )
    return previews.preview(visit.deps, options)


def _snapshot(profile: Profile) -> str:
    return snapshot_key(profile.document)


def _parts(waiting: Waiting) -> list[tuple[str, str, str, str]]:
    """Return edition, language, name and number of readers of each part that has any."""
    return [
        (
            str(edition),
            code,
            f"{digest_words.EDITIONS[edition].capitalize()}, {digest_words.language(code)}",
            words.people(number),
        )
        for edition in Edition
        for code in LANGUAGES
        if (number := waiting.number(edition, code))
    ]
