"""Stories that a person joined or separated: what digests show, and what later reports find."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifier.admin import news_review, review
from notifier.admin.profile_import import import_profile
from notifier.errors import InputError, NotFoundError, NotifierError
from notifier.match import profiles, shown_state
from notifier.match.shown_state import ChangedMeanwhileError
from notifier.messages import digest_body
from notifier.operators import actions
from notifier.operators.actions import Actor
from notifier.pipeline import match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Review
from notifier.store.models import Digest, Match
from tests.support.installation import MONDAY, Installation, bundled_profile
from tests.support.news_site import Article

pytestmark = pytest.mark.postgresql_long

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUE = MONDAY + DAY - HOUR
READER = "anna@example.org"
RELEASE = (
    "A made-up company said today that frexalimab lowered the number of new lesions in a made-up "
    "trial. The people who took part had relapsing multiple sclerosis and were followed for a "
    "year. Nobody should believe a word of this."
)
LESIONS = Article("Frexalimab slows lesions", RELEASE, slug="lesions")
SLEEP = Article("Frexalimab and sleep", "A survey of 12 clinics.", slug="sleep")
TRIAL = Article("Frexalimab phase 3 trial is full", "All 1400 places are taken.", slug="full")


def begin(installation: Installation) -> None:
    installation.subscribe(READER)
    run_once(installation.at(MONDAY))
    installation.publish([LESIONS, SLEEP, TRIAL])
    poll.run(installation.at(MONDAY + 3 * HOUR))
    match.run(installation.at(MONDAY + 3 * HOUR))


@pytest.fixture
def desk(any_installation: Installation) -> Installation:
    """An installation with three reports that no digest has yet: matches 1, 2 and 3."""
    any_installation.prepare(begin)
    return any_installation


def stories(installation: Installation) -> list[int | None]:
    with installation.at(MONDAY).reading() as session:
        return list(session.scalars(select(Match.story).order_by(Match.id)))


def of_another_therapy(session: Session, profile_id: int) -> Match:
    """Return a match of another profile with the first report, not stored yet."""
    columns = {
        column.name: getattr(session.get_one(Match, 1), column.name)
        for column in Match.__table__.columns
        if column.name != "id"
    }
    return Match(**{**columns, "profile_id": profile_id})


def publish(installation: Installation, moment: datetime, *articles: Article) -> None:
    installation.publish(list(articles))
    poll.run(installation.at(moment))
    match.run(installation.at(moment))


def copy(number: int) -> Article:
    """Return another outlet's report of the same press release."""
    return Article(f"Copy {number} of a release", f"{RELEASE} More below.", slug=f"copy-{number}")


def subject(installation: Installation, moment: datetime = DUE) -> str:
    run_once(installation.at(moment))
    return installation.sink.to(READER)[-1]["Subject"]


def test_reports_that_were_joined_are_one_item_of_the_next_digest(desk):
    news_review.join(desk.at(MONDAY), 3, 1)
    assert stories(desk) == [1, None, 1]
    assert subject(desk) == "Your daily digest: 2 items"


def test_a_later_report_joins_what_a_person_joined(desk):
    news_review.join(desk.at(MONDAY), 3, 1)
    publish(desk, MONDAY + 4 * HOUR, copy(1))
    assert stories(desk) == [1, None, 1, 1]


def test_a_report_that_was_separated_is_an_item_of_its_own_and_stays_so(desk):
    publish(desk, MONDAY + 4 * HOUR, copy(1))
    assert stories(desk) == [1, None, None, 1]
    news_review.separate(desk.at(MONDAY), 4)
    assert stories(desk) == [None] * 4
    publish(desk, MONDAY + 5 * HOUR, copy(1), copy(2))
    assert stories(desk) == [1, None, None, None, 1]
    assert subject(desk) == "Your daily digest: 4 items"


def test_when_the_first_report_is_separated_later_reports_do_not_bring_it_back(desk):
    publish(desk, MONDAY + 4 * HOUR, copy(1), copy(2))
    assert stories(desk) == [1, None, None, 1, 1]
    news_review.separate(desk.at(MONDAY), 1)
    assert stories(desk) == [None, None, None, 4, 4]
    publish(desk, MONDAY + 5 * HOUR, copy(3))
    (first, *_, fourth, fifth, newest) = stories(desk)
    assert (fourth, fifth) == (4, 4)
    assert first != 4
    assert newest in (1, 4)


def test_two_stories_become_one(desk):
    publish(desk, MONDAY + 4 * HOUR, copy(1))
    news_review.join(desk.at(MONDAY), 2, 3)
    news_review.join(desk.at(MONDAY), 3, 4)
    assert stories(desk) == [1, 1, 1, 1]
    news_review.separate(desk.at(MONDAY), 1)
    assert stories(desk) == [None, 2, 2, 2]


@pytest.mark.parametrize(
    ("match_id", "other_id", "error", "words"),
    [
        pytest.param(1, 1, InputError, "the same article", id="with itself"),
        pytest.param(1, 4, InputError, "Only new reports", id="with a correction"),
        pytest.param(1, 5, InputError, "different therapies", id="of two therapies"),
        pytest.param(1, 99, NotFoundError, "no match 99", id="with nothing"),
        pytest.param(2, 3, NotifierError, "one story already", id="that are joined already"),
    ],
)
def test_what_cannot_be_joined_is_refused_and_nothing_changes(
    desk, match_id, other_id, error, words
):
    news_review.join(desk.at(MONDAY), 2, 3)
    publish(desk, MONDAY + 4 * HOUR, LESIONS, replace(SLEEP, summary="A survey of 21 clinics."))
    with desk.at(MONDAY).writing() as session:
        other = bundled_profile().model_copy(update={"slug": "other", "sources": ()})
        import_profile(session, other, MONDAY)
        session.add(of_another_therapy(session, profiles.find(session, "other").id))
    before = stories(desk)
    with pytest.raises(error, match=words):
        news_review.join(desk.at(MONDAY), match_id, other_id)
    assert stories(desk) == before


@pytest.mark.parametrize(
    ("match_id", "error"), [(1, NotifierError), (99, NotFoundError)], ids=["alone", "nothing"]
)
def test_what_is_in_no_story_cannot_be_separated(desk, match_id, error):
    with pytest.raises(error):
        news_review.separate(desk.at(MONDAY), match_id)


def test_a_draft_that_shows_them_as_two_is_void_and_composed_anew(desk):
    desk.change(review=Review(required=True))
    run_once(desk.at(DUE - HOUR))
    moved = news_review.join(desk.at(DUE - HOUR), 2, 1)
    assert [ended.because for ended in moved.drafts] == ["two of its items were joined to one"]
    run_once(desk.at(DUE - HOUR))
    with desk.at(MONDAY).reading() as session:
        digests = session.scalars(select(Digest).order_by(Digest.id)).all()
        assert [(str(each.status), each.subject) for each in digests] == [
            ("void", "Your daily digest: 3 items"),
            ("draft", "Your daily digest: 2 items"),
        ]
    review.approve(desk.at(DUE - HOUR), 2)
    assert subject(desk) == "Your daily digest: 2 items"
    assert len(desk.sink.to(READER)) == 1


@pytest.mark.parametrize("required", [True, False], ids=["reviewed", "not reviewed"])
def test_what_is_joined_while_a_digest_is_composed_is_one_item_of_it(desk, monkeypatch, required):
    desk.change(review=Review(required=required))
    renderer = digest_body.renderer

    def join_meanwhile(deps):
        if stories(desk) == [None] * 3:
            news_review.join(desk.at(DUE), 2, 1)
        return renderer(deps)

    monkeypatch.setattr(digest_body, "renderer", join_meanwhile)
    run_once(desk.at(DUE))
    with desk.at(MONDAY).reading() as session:
        assert session.scalars(select(Digest.subject)).all() == ["Your daily digest: 2 items"]


def test_a_draft_without_both_of_them_stays_and_is_sent_once(desk):
    desk.change(review=Review(required=True))
    run_once(desk.at(DUE - 12 * HOUR))
    publish(desk, DUE - HOUR, copy(1))
    assert news_review.separate(desk.at(DUE - HOUR), 4).drafts == ()
    review.approve(desk.at(DUE - HOUR), 1)
    assert subject(desk) == "Your daily digest: 3 items"
    assert len(desk.sink.to(READER)) == 1


def test_the_log_says_who_joined_what_and_why(desk):
    anna = Actor("anna", MONDAY)
    news_review.join(desk.at(MONDAY), 2, 1, because="the same survey", actor=anna)
    news_review.separate(desk.at(MONDAY), 2, actor=anna)
    with desk.at(MONDAY).reading() as session:
        assert [(entry.text, entry.reason) for entry in actions.newest(session)] == [
            (
                "Separated “Frexalimab and sleep” (Frexalimab) from the other reports of its story",
                "",
            ),
            (
                "Joined “Frexalimab and sleep” (Frexalimab) with “Frexalimab slows lesions”",
                "the same survey",
            ),
        ]


def test_of_two_who_decide_at_once_the_second_is_told(desk):
    with desk.at(MONDAY).reading() as session:
        seen = shown_state.of_matches(session, [session.get_one(Match, 2)])[2]
    news_review.join(desk.at(MONDAY), 2, 1, seen=seen)
    with pytest.raises(ChangedMeanwhileError):
        news_review.join(desk.at(MONDAY), 2, 3, seen=seen)
    with pytest.raises(ChangedMeanwhileError):
        review.drop_match(desk.at(MONDAY), 2, "wrong", seen=seen)
    assert stories(desk) == [1, 1, None]


def test_of_two_who_join_at_once_the_second_is_told_of_the_other_report(desk):
    with desk.at(MONDAY).reading() as session:
        seen = shown_state.of_matches(session, session.scalars(select(Match)).all())
    news_review.join(desk.at(MONDAY), 3, 2)
    with pytest.raises(ChangedMeanwhileError) as changed:
        news_review.join(desk.at(MONDAY), 1, 2, seen=seen[1], other_seen=seen[2])
    assert changed.value.match_id == 2
    assert stories(desk) == [None, 2, 2]
