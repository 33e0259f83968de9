"""Several changes between two digests, from the source to the mail: told as one, none is lost."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from notifier.digest import archive, archived_news, drafts, editing, item_rows
from notifier.digest.digests import Rendered
from notifier.digest.editing import Edit
from notifier.enums import HeldBecause, Lane, NewsKind
from notifier.i18n.catalog import ENGLISH
from notifier.i18n.messages import LazyMessage
from notifier.match import matches
from notifier.pipeline.run import run_once
from notifier.settings import Operator, Review
from notifier.store.models import Delivery, Digest, DigestItem, Match, Revision
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.news_site import Article
from tests.support.newsroom import EDIT, GONE, Newsroom
from tests.support.paths import PACKAGE

pytestmark = pytest.mark.postgresql_long

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
DAILY, WEEKLY, LATER = "anna@example.org", "ben@example.org", "cleo@example.org"
PATH = "/api/v2/studies/NCT99990001"
BACK = {
    "what": "availability",
    "before": "The page is gone.",
    "after": LazyMessage("The publisher shows it again."),
    "note": "",
}


class Week:
    """A trial and a feed that change from day to day, and what readers are mailed."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self._read: dict[str, int] = {}

    def follow_trial(self) -> None:
        self.put_trial()
        self.made.adopt(sources=(f"{self.made.site.address}{PATH}",))

    def put_trial(self, status: str = "RECRUITING", people: int = 300) -> None:
        record = json.loads((PACKAGE / "demo" / "data" / "trial-1.json").read_text())
        protocol = record["protocolSection"]
        protocol["statusModule"]["overallStatus"] = status
        protocol.setdefault("designModule", {})["enrollmentInfo"] = {"count": people}
        self.made.site.put(PATH, json.dumps(record).encode())

    def put_article(self, number: int) -> None:
        summary = f"In the made-up study {number} of 90 patients had a relapse within a year."
        self.made.publish([Article("Frexalimab in a made-up study", summary, guid="1", slug="a")])

    def run(self, day: float) -> None:
        assert run_once(self.made.at(MONDAY + day * DAY)).problems == ()

    def mails(self, address: str) -> list[str]:
        """Return the mails to a reader since this was asked last."""
        mails = self.made.sink.to(address)
        new = mails[self._read.get(address, 0) :]
        self._read[address] = len(mails)
        return [" ".join(text_of(one).split()) for one in new]

    def lanes(self, day: float) -> list[Lane]:
        with self.made.at(MONDAY).reading() as session:
            since = Delivery.due_at >= MONDAY + (day - 1) * DAY
            lanes = select(Delivery.lane).where(Delivery.digest_id.is_not(None), since)
            return [Lane(lane) for lane in session.scalars(lanes)]

    def newest_digest(self, session) -> Digest:
        newest = select(Digest).order_by(Digest.id.desc()).limit(1)
        return session.scalars(newest).one()


@pytest.fixture
def week(any_installation: Installation) -> Week:
    made = any_installation
    made.subscribe(DAILY)
    made.subscribe(WEEKLY, every="weekly", on="monday")
    return Week(made)


ENDED = "Status: was “Recruiting”, now “Terminated”"
GREW = "Participants: was “300”, now “320”"


def test_who_reads_once_a_week_is_told_of_all_changes_of_a_trial(week: Week):
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    first, second = week.mails(DAILY)
    assert ENDED in first
    assert GREW not in first
    assert GREW in second
    assert ENDED not in second
    assert week.mails(WEEKLY) == []
    week.run(7)
    (mail,) = week.mails(WEEKLY)
    assert ENDED in mail
    assert GREW in mail
    assert mail.count("Why it is here") == 1
    assert week.mails(DAILY) == []
    week.run(14)
    assert week.mails(WEEKLY) == []


def test_of_three_changes_the_first_and_the_last_value_are_told(week: Week):
    week.follow_trial()
    week.run(0)
    for day, (status, people) in enumerate(
        [("SUSPENDED", 300), ("SUSPENDED", 310), ("TERMINATED", 320)], 1
    ):
        week.put_trial(status, people)
        week.run(day)
    week.run(7)
    (mail,) = week.mails(WEEKLY)
    assert ENDED in mail
    assert GREW in mail
    assert "Suspended" not in mail
    assert "310" not in mail


def test_a_trial_that_is_as_it_was_is_not_told(week: Week):
    week.follow_trial()
    week.run(0)
    for day, status in enumerate(["SUSPENDED", "TERMINATED", "RECRUITING"], 1):
        week.put_trial(status)
        week.run(day)
    week.run(7)
    assert week.mails(WEEKLY) == []
    assert len(week.mails(DAILY)) == 3
    week.put_trial(people=320)
    week.run(8)
    week.run(14)
    (mail,) = week.mails(WEEKLY)
    assert GREW in mail
    assert "Status: was" not in mail


def test_what_cannot_wait_is_what_is_told(week: Week):
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    week.run(7)
    assert week.lanes(7) == [Lane.URGENT]
    week.put_trial("RECRUITING", 320)
    week.run(8)
    week.put_trial("TERMINATED", 330)
    week.run(9)
    week.run(14)
    (_, mail) = week.mails(WEEKLY)
    assert "Terminated" not in mail
    assert week.lanes(14) == [Lane.OTHERS]


def test_readers_who_know_other_states_get_digests_of_their_own(week: Week):
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.made.subscribe(LATER, every="weekly", on="monday", moment=MONDAY + 2 * DAY)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    week.run(7)
    (of_both,), (of_one,) = week.mails(WEEKLY), week.mails(LATER)
    assert ENDED in of_both
    assert GREW in of_both
    assert ENDED not in of_one
    assert GREW in of_one


def test_the_pages_of_a_digest_show_what_its_mail_told(week: Week):
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    week.run(7)
    with week.made.at(MONDAY).reading() as session:
        digest = week.newest_digest(session)
        ((section,),) = [archive.sent_view(session, digest).sections]
        words = [change.words for change in section.items[0].changes]
        assert words == ["was “Recruiting”, now “Terminated”", "was “300”, now “320”"]
        assert drafts.is_urgent(session, digest.id)
        listed = archived_news.listed(session, ENGLISH)
        assert all(news.changes for news in listed)


def test_the_archive_lists_all_that_the_only_digest_told(any_installation: Installation):
    any_installation.subscribe(WEEKLY, every="weekly", on="monday")
    week = Week(any_installation)
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    week.run(7)
    with week.made.at(MONDAY).reading() as session:
        (news,) = archived_news.listed(session, ENGLISH)
    assert [change.what for change in news.changes] == ["Status", "Participants"]


def test_an_editor_changes_a_draft_without_losing_what_it_tells(week: Week):
    week.made.change(
        review=Review(required=True, lead_hours=12), operator=Operator(address="o@example.org")
    )
    week.follow_trial()
    week.run(0)
    week.put_trial("TERMINATED")
    week.run(1)
    week.put_trial("TERMINATED", 320)
    week.run(3)
    week.run(6.9)
    with week.made.at(MONDAY).writing() as session:
        digest = week.newest_digest(session)
        assert digest.cadence == "weekly"
        edited = editing.read(session, digest.id, Edit(note="See the record."))
        assert edited.group_key == digest.group_key
        ((section,),) = [edited.view.sections]
        assert [change.what for change in section.items[0].changes] == ["Status", "Participants"]
        rendered = digest.subject, digest.headline, digest.body_html, digest.body_text
        editing.store(session, edited, Rendered(*rendered))
        session.flush()
        (row,) = session.scalars(select(DigestItem).where(DigestItem.digest_id == digest.id))
        assert len(row.earlier or ()) == 1


def test_a_correction_of_a_correction_is_told_from_what_the_reader_knows(week: Week):
    week.run(0)
    week.put_article(10)
    week.run(1)
    week.run(7)
    assert "10 of 90" in week.mails(WEEKLY)[0]
    for day, number in ((8, 20), (10, 15)):
        week.put_article(number)
        week.run(day)
    week.run(14)
    (mail,) = week.mails(WEEKLY)
    assert "[10 → 15] of 90" in mail
    assert "CORRECTED SINCE WE WROTE" in mail
    assert "→ 20]" not in mail
    assert "[20 →" not in mail
    _, first, second = week.mails(DAILY)
    assert "[10 → 20] of 90" in first
    assert "[20 → 15] of 90" in second


def test_a_correction_that_was_taken_back_is_not_told(week: Week):
    week.run(0)
    week.put_article(10)
    week.run(1)
    week.run(7)
    for day, number in ((8, 20), (10, 10)):
        week.put_article(number)
        week.run(day)
    week.run(14)
    assert len(week.mails(WEEKLY)) == 1
    assert len(week.mails(DAILY)) == 3
    week.put_article(12)
    week.run(15)
    week.run(21)
    (mail,) = week.mails(WEEKLY)
    assert "[10 → 12] of 90" in mail


def test_who_was_not_told_of_a_withdrawal_is_not_told_that_it_ended(week: Week):
    room = Newsroom(week.made)
    week.run(0)
    entry_id = room.see()
    week.run(1)
    week.run(7)
    room.revise(entry_id, NewsKind.WITHDRAWN, 8 * DAY - timedelta(hours=2), GONE)
    week.run(8)
    room.revise(entry_id, NewsKind.CORRECTED, 9 * DAY - timedelta(hours=2), BACK)
    week.run(9)
    week.run(14)
    assert len(week.mails(WEEKLY)) == 1
    _, gone, back = week.mails(DAILY)
    assert "The page is gone." in gone
    assert "The publisher shows it again." in back


def test_a_trial_that_is_shown_again_is_no_news_to_who_never_knew_it(week: Week):
    """Whoever was sent nothing of it was not told of its withdrawal either."""
    room = Newsroom(week.made)
    entry_id = room.see(baseline=True)
    week.run(0)
    room.revise(entry_id, NewsKind.WITHDRAWN, DAY - timedelta(hours=2), GONE)
    week.run(1)
    room.revise(entry_id, NewsKind.TRIAL_CHANGE, 2 * DAY - timedelta(hours=2), BACK)
    week.run(2)
    week.run(7)
    assert week.mails(DAILY) == []
    assert week.mails(WEEKLY) == []


HELD_TEXT = "In the study 98 patients had no new lesions after a year."


def test_news_shows_no_state_that_waits_for_a_person_and_that_state_is_told_when_released(
    week: Week,
):
    room = Newsroom(week.made)
    week.run(0)
    entry_id = room.see(body=str(EDIT["before"]))
    week.run(1)
    room.revise(
        entry_id,
        NewsKind.CORRECTED,
        2 * DAY,
        EDIT,
        body=HELD_TEXT,
        held_because=HeldBecause.MASS_EDIT,
    )
    week.run(7)
    (news,) = week.mails(WEEKLY)
    assert "89 patients" in news
    assert "98 patients" not in news
    release(week, room, 7.5)
    week.run(14)
    (correction,) = week.mails(WEEKLY)
    assert "CORRECTED SINCE WE WROTE" in correction
    assert "[89 patients → 98 patients]" in correction


def test_news_shows_no_state_that_waits_to_be_judged(week: Week):
    room = Newsroom(week.made)
    week.run(0)
    entry_id = room.see(body=str(EDIT["before"]))
    room.revise(entry_id, NewsKind.CORRECTED, DAY, EDIT, body=HELD_TEXT, judge=False)
    states = shown_states(week)
    assert states == [1]


def test_news_shows_the_small_edits_since_it_matched(week: Week):
    room = Newsroom(week.made)
    week.run(0)
    entry_id = room.see(body="A made-up txt.")
    room.revise(entry_id, NewsKind.CORRECTED, 2 * DAY, body="A made-up text.", material=False)
    room.revise(entry_id, NewsKind.CORRECTED, 3 * DAY, EDIT, held_because=HeldBecause.MASS_EDIT)
    room.revise(entry_id, NewsKind.CORRECTED, 4 * DAY, body="Another.", material=False)
    week.run(7)
    (mail,) = week.mails(WEEKLY)
    assert "A made-up text." in mail
    assert "Another." not in mail


def test_who_was_shown_a_state_is_not_told_that_it_was_corrected_to_it(week: Week):
    """A newer state was sent whole while a person still looked at an earlier one."""
    room = Newsroom(week.made)
    week.run(0)
    entry_id = room.see(body=str(EDIT["before"]))
    week.run(1)
    assert len(week.mails(DAILY)) == 1
    room.revise(entry_id, NewsKind.CORRECTED, 2 * DAY, EDIT, held_because=HeldBecause.MASS_EDIT)
    headline = {"what": "headline", "before": "A", "after": "B", "note": ""}
    room.revise(entry_id, NewsKind.CORRECTED, 3 * DAY, headline, body=HELD_TEXT)
    week.run(7)
    assert "98 patients" in week.mails(WEEKLY)[0]
    week.mails(DAILY)
    release(week, room, 7.5)
    week.run(8)
    week.run(14)
    assert week.mails(WEEKLY) == []
    (correction,) = week.mails(DAILY)
    assert "[89 patients → 98 patients]" in correction


def release(week: Week, room: Newsroom, day: float) -> None:
    now = MONDAY + day * DAY
    with week.made.at(now).writing() as session:
        matches.release(session, room.held_id(), now)


def shown_states(week: Week) -> list[int]:
    """Return the numbers of the states that a new digest would show as news."""
    with week.made.at(MONDAY).reading() as session:
        news = session.scalars(select(Match)).all()
        shown = item_rows.shown_as_news(session, news)
        return [session.get_one(Revision, state.id).number for state in shown.values()]
