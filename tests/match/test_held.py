"""Held matches: they wait, are reported once a day, and are released, dropped or superseded."""

from datetime import datetime, timedelta

import pytest

from notifier.admin.backtest import backtest
from notifier.digest import archive
from notifier.enums import Cadence, HeldBecause, NewsKind, Tier
from notifier.errors import NotFoundError
from notifier.i18n.messages import LazyMessage
from notifier.match import dropping, held, matches, unjudged
from notifier.pipeline import match, waiting
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store.models import Digest, Entry, Match, NearMiss, Notice, Revision, Source
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of

pytestmark = pytest.mark.postgresql_long

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
READER = "anna@example.org"
GONE = {"what": "withdrawn", "before": "", "after": LazyMessage("The page is gone."), "note": ""}
BACK = {"what": "availability", "before": "", "after": "The publisher shows it again.", "note": ""}
EDIT = {"what": "text", "before": "89 patients", "after": "98 patients", "note": ""}


class Desk:
    """An installation whose feed's entries and revisions the test stores by hand."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        made.subscribe(READER)
        run_once(made.at(MONDAY))

    def see(self, title: str = "Frexalimab slows lesions", after: timedelta = HOUR, **more) -> int:
        """Store a new entry and judge it; return its id."""
        with self.made.at(MONDAY).writing() as session:
            entry = Entry(
                source_id=session.query(Source).one().id,
                key=title,
                url=f"https://herald.example.org/{len(title)}",
                title=title,
                first_seen_at=MONDAY + after,
            )
            session.add(entry)
            session.flush()
            number = entry.id
        self.revise(number, NewsKind.NEW, after, title=title, **more)
        return number

    def revise(
        self, entry_id: int, kind: NewsKind, after: timedelta, *changes: dict, **more
    ) -> None:
        """Store a newer state of an entry and judge it."""
        columns = {
            "title": "Frexalimab slows lesions",
            "url": "https://herald.example.org/",
            "hash": "",
            "summary": "Made up.",
            "body": "",
            "author": "",
            "material": True,
            "baseline": False,
        }
        with self.made.at(MONDAY).writing() as session:
            number = session.query(Revision).filter(Revision.entry_id == entry_id).count() + 1
            revision = Revision(
                entry_id=entry_id,
                number=number,
                kind=kind,
                observed_at=MONDAY + after,
                categories=[],
                content={},
                changes=list(changes),
                **{**columns, **more},
            )
            session.add(revision)
        match.run(self.made.at(MONDAY + after))

    def held(self) -> list[tuple[str, str]]:
        """Return kind and reason of what waits."""
        with self.made.at(MONDAY).reading() as session:
            return [(one.kind, one.because) for one in held.listed(session)]

    def release(self, after: timedelta) -> None:
        """Release the newest of what waits."""
        with self.made.at(MONDAY).writing() as session:
            matches.release(session, held.listed(session)[0].id, MONDAY + after)

    def mails(self, after: timedelta) -> list[str]:
        """Run once and return the texts of the mails that the reader gets."""
        before = len(self.made.sink.to(READER))
        run_once(self.made.at(MONDAY + after))
        return [" ".join(text_of(one).split()) for one in self.made.sink.to(READER)[before:]]

    def archived_corrections(self) -> list[bool]:
        """Return for each correction above the first digest's page whether it is a withdrawal."""
        with self.made.at(MONDAY).reading() as session:
            digest = session.query(Digest).order_by(Digest.id).first()
            return [one.withdrawn for one in archive.corrected_since(session, digest)]


@pytest.fixture
def desk(any_installation: Installation) -> Desk:
    return Desk(any_installation)


def test_old_news_waits_in_its_newest_state_until_it_is_released(desk: Desk):
    entry_id = desk.see(held_because="old_news")
    desk.revise(
        entry_id,
        NewsKind.CORRECTED,
        2 * HOUR,
        EDIT,
        title="Frexalimab slows lesions, a little",
        held_because="old_news",
    )
    assert desk.held() == [(NewsKind.NEW, HeldBecause.OLD_NEWS)]
    assert desk.mails(DAY) == []
    desk.release(DAY + HOUR)
    assert desk.held() == []
    (mail,) = desk.mails(2 * DAY)
    assert "Frexalimab slows lesions, a little" in mail


def test_a_correction_of_released_old_news_does_not_wait(desk: Desk):
    entry_id = desk.see(held_because="old_news")
    desk.release(2 * HOUR)
    assert len(desk.mails(DAY)) == 1
    desk.revise(entry_id, NewsKind.CORRECTED, DAY + HOUR, EDIT, held_because="old_news")
    (mail,) = desk.mails(2 * DAY)
    assert "98 patients" in mail


def test_a_near_miss_that_its_publisher_withdrew_waits_no_more(desk: Desk):
    entry_id = desk.see("FREXALT, the album")
    assert desk.held() == [(NewsKind.NEW, HeldBecause.DOUBTFUL)]
    desk.revise(entry_id, NewsKind.WITHDRAWN, 2 * HOUR, GONE, title="FREXALT, the album")
    assert desk.held() == []


def test_what_concerns_no_profile_does_not_wait(desk: Desk):
    entry_id = desk.see("Rain in the north", held_because="old_news")
    desk.revise(entry_id, NewsKind.WITHDRAWN, HOUR, GONE, title="Rain", held_because="withdrawal")
    assert desk.held() == []


def test_a_held_withdrawal_is_told_only_when_it_is_released_and_to_who_was_sent_the_entry(
    desk: Desk,
):
    entry_id = desk.see()
    assert len(desk.mails(DAY)) == 1
    desk.made.subscribe("ben@example.org", moment=MONDAY + DAY)
    desk.revise(entry_id, NewsKind.WITHDRAWN, DAY + HOUR, GONE, held_because="withdrawal")
    assert desk.held() == [(NewsKind.WITHDRAWN, HeldBecause.WITHDRAWAL)]
    assert desk.mails(2 * DAY) == []
    assert desk.archived_corrections() == []
    desk.release(2 * DAY + HOUR)
    (mail,) = desk.mails(3 * DAY)
    assert "Withdrawn: The page is gone." in mail
    assert desk.archived_corrections() == [True]
    assert desk.made.sink.to("ben@example.org") == []


def test_a_held_withdrawal_vanishes_when_the_page_comes_back(desk: Desk):
    entry_id = desk.see()
    assert len(desk.mails(DAY)) == 1
    desk.revise(entry_id, NewsKind.WITHDRAWN, DAY + HOUR, GONE, held_because="withdrawal")
    desk.revise(entry_id, NewsKind.CORRECTED, DAY + 2 * HOUR, BACK)
    assert desk.held() == []
    assert desk.mails(2 * DAY) == []
    assert desk.archived_corrections() == []
    desk.revise(entry_id, NewsKind.CORRECTED, 2 * DAY + HOUR, EDIT)
    assert len(desk.mails(3 * DAY)) == 1


def test_an_entry_that_is_shown_again_after_a_released_withdrawal_is_news(desk: Desk):
    entry_id = desk.see()
    desk.mails(DAY)
    desk.revise(entry_id, NewsKind.WITHDRAWN, DAY + HOUR, GONE, held_because="withdrawal")
    desk.release(DAY + 2 * HOUR)
    assert len(desk.mails(2 * DAY)) == 1
    desk.revise(entry_id, NewsKind.CORRECTED, 2 * DAY + HOUR, BACK)
    (mail,) = desk.mails(3 * DAY)
    assert "The publisher shows it again." in mail


def test_a_withdrawal_on_strong_evidence_leaves_nothing_of_its_entry_waiting(desk: Desk):
    entry_id = desk.see()
    desk.mails(DAY)
    desk.revise(entry_id, NewsKind.CORRECTED, DAY + HOUR, EDIT, held_because="mass_edit")
    desk.revise(entry_id, NewsKind.WITHDRAWN, DAY + 2 * HOUR, GONE, held_because="withdrawal")
    assert len(desk.held()) == 2
    desk.revise(entry_id, NewsKind.WITHDRAWN, DAY + 3 * HOUR, GONE)
    assert desk.held() == []
    assert len(desk.mails(2 * DAY)) == 1


def test_a_held_correction_goes_on_waiting_beside_a_newer_one_and_can_be_released(desk: Desk):
    entry_id = desk.see()
    desk.mails(DAY)
    desk.revise(entry_id, NewsKind.CORRECTED, DAY + HOUR, EDIT, held_because="mass_edit")
    later = {**EDIT, "before": "week 12", "after": "week 24"}
    desk.revise(entry_id, NewsKind.CORRECTED, DAY + 2 * HOUR, later)
    (mail,) = desk.mails(2 * DAY)
    assert "week 24" in mail
    assert "98 patients" not in mail
    assert desk.held() == [(NewsKind.CORRECTED, HeldBecause.MASS_EDIT)]
    desk.release(2 * DAY + HOUR)
    (mail,) = desk.mails(3 * DAY)
    assert "98 patients" in mail


def test_revisions_that_are_judged_again_are_held_once_and_stay_dropped_or_released(desk: Desk):
    first, second = desk.see("Frexalimab A"), desk.see("Frexalimab B")
    for entry_id in (first, second):
        desk.revise(entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT, held_because="mass_edit")
        desk.revise(entry_id, NewsKind.CORRECTED, 3 * HOUR, EDIT)
    desk.see("Frexalimab C", held_because="old_news")
    with desk.made.at(MONDAY).writing() as session:
        old_news, dropped, released = held.listed(session)
        held.drop(session, dropped.id, "the site's new footer")
        matches.release(session, released.id, MONDAY + 4 * HOUR)
        unjudged.requeue_judged_since(session, 0, ())
    match.run(desk.made.at(MONDAY + 5 * HOUR))
    with desk.made.at(MONDAY).reading() as session:
        assert [one.id for one in held.listed(session)] == [old_news.id]
        assert session.query(NearMiss).count() == 3
        assert session.query(Match).count() == 5


def test_a_baseline_is_filed_and_never_waits(desk: Desk):
    desk.see(held_because="old_news", baseline=True)
    assert desk.held() == []
    with desk.made.at(MONDAY).reading() as session:
        assert session.query(Match).one().filed


def test_a_dropped_match_is_listed_with_its_reason_and_mailed_to_nobody(desk: Desk):
    entry_id = desk.see()
    with desk.made.at(MONDAY).writing() as session:
        (found,) = matches.listed(session)
        dropping.drop(session, found.id, "an advertisement")
        with pytest.raises(NotFoundError):
            dropping.drop(session, found.id + 1, "unknown")
    desk.revise(entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT)
    assert desk.mails(DAY) == []
    with desk.made.at(MONDAY).reading() as session:
        assert matches.listed(session)[-1].dropped_because == "an advertisement"


def test_a_dropped_held_match_cannot_be_released(desk: Desk):
    desk.see(held_because="old_news")
    with desk.made.at(MONDAY).writing() as session:
        (old_news,) = held.listed(session)
        held.drop(session, old_news.id, "too old")
        with pytest.raises(NotFoundError):
            matches.release(session, old_news.id, MONDAY + HOUR)


def test_a_released_match_has_the_tier_and_the_score_of_its_text(desk: Desk):
    desk.see(held_because="old_news")
    desk.release(2 * HOUR)
    with desk.made.at(MONDAY).reading() as session:
        found = session.query(Match).one()
        assert (found.tier, found.score, found.kind) == (Tier.ABOUT, 0.9, NewsKind.NEW)
        assert found.reasons[-1] == "a person released it"


def test_a_backtest_counts_what_is_held_and_sends_what_was_released(desk: Desk):
    desk.see("Frexalimab A", held_because="old_news")
    desk.release(2 * HOUR)
    desk.see("Frexalimab B", held_because="old_news")
    week = desk.made.at(MONDAY + 7 * DAY)
    result = backtest(week, None, since=MONDAY - DAY, cadence=Cadence.DAILY)
    titles = [item.title for digest in result.digests for item in digest.items]
    assert (titles, result.held) == (["Frexalimab A"], 1)


class Office:
    """The operator, who is mailed what waits."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.made.change(operator=Operator(address="office@example.org"))

    def mails(self, moment: datetime) -> list[Notice]:
        """Return the notices that one step writes."""
        deps = self.desk.made.at(moment)
        with deps.reading() as session:
            before = session.query(Notice).count()
        waiting.notify_operator(deps)
        with deps.reading() as session:
            return session.query(Notice).order_by(Notice.id).all()[before:]


def test_the_operator_is_mailed_once_a_day_what_newly_waits(desk: Desk):
    office = Office(desk)
    assert office.mails(MONDAY) == []
    desk.see("Frexalimab A", held_because="old_news")
    desk.see("Sanofi and multiple sclerosis")
    desk.see("Frexalimab of the first poll, FREXALT the album", baseline=True)
    (mail,) = office.mails(MONDAY + HOUR)
    assert mail.subject == "notifier: 2 matches wait for you"
    assert "“Frexalimab A”" in mail.text
    assert "its own date is more than 90 days before" in mail.text
    assert "“Sanofi and multiple sclerosis”" in mail.text
    assert "first poll" not in mail.text
    with desk.made.at(MONDAY).reading() as session:
        for one in held.listed(session):
            assert f"notifier matches release {one.id}" in mail.text
            assert f"notifier matches drop {one.id} --held --because TEXT" in mail.text

    desk.see("Frexalimab B", 2 * HOUR, held_because="old_news")
    assert office.mails(MONDAY + 3 * HOUR) == []
    (mail,) = office.mails(MONDAY + DAY + HOUR)
    assert mail.subject == "notifier: 1 match waits for you"
    assert "“Frexalimab A”" not in mail.text
    assert office.mails(MONDAY + 3 * DAY) == []


def test_what_was_reported_is_not_reported_again_in_a_newer_state(desk: Desk):
    office = Office(desk)
    entry_id = desk.see(held_because="old_news")
    assert len(office.mails(MONDAY + HOUR)) == 1
    desk.revise(entry_id, NewsKind.CORRECTED, 2 * HOUR, EDIT, held_because="old_news")
    assert office.mails(MONDAY + 2 * DAY) == []


def test_a_mail_dated_by_a_wrong_clock_does_not_silence_later_ones(desk: Desk):
    office = Office(desk)
    desk.see("Frexalimab A", held_because="old_news")
    assert len(office.mails(MONDAY + 400 * DAY)) == 1
    desk.see("Frexalimab B", held_because="old_news")
    assert len(office.mails(MONDAY + HOUR)) == 1


def test_a_long_list_is_cut_in_the_mail_and_reported_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting, "_MOST_DESCRIBED", 1)
    office = Office(desk)
    for letter in "ABC":
        desk.see(f"Frexalimab {letter}", held_because="old_news")
    (mail,) = office.mails(MONDAY + HOUR)
    assert mail.subject == "notifier: 3 matches wait for you"
    assert "And 2 more." in mail.text
    assert office.mails(MONDAY + 2 * DAY) == []


def test_without_an_address_nothing_counts_as_reported(desk: Desk):
    desk.see(held_because="old_news")
    waiting.notify_operator(desk.made.at(MONDAY + HOUR))
    assert len(Office(desk).mails(MONDAY + 2 * HOUR)) == 1
