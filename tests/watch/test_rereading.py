"""A document that our own new parsers read as another text has not changed."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from notifier.pipeline import match as match_step
from notifier.pipeline import poll
from notifier.store.models import Entry, Match, Revision, Source
from notifier.watch.parsers.clinicaltrials import without_escapes, without_escapes_in
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

HOUR = timedelta(hours=1)
BODY = "<p>Of 134 people 71.4%<sup>9</sup> had frexalimab, at <b>10<sup>6</sup></b> cells.</p>"
AS_READ_BEFORE = "Of 134 people 71.4%9 had frexalimab, at 106 cells."


def polled(made: Installation, body: str, after: timedelta, **article) -> list[Revision]:
    """Poll with this text in the feed, match, and return the revisions of the newest entry."""
    made.publish([Article("A trial", body, link=made.site.address + "/one/", **article)])
    deps = made.at(MONDAY + after)
    poll.run(deps, force=True)
    match_step.run(deps)
    with deps.reading() as session:
        newest = session.query(Entry).order_by(Entry.id.desc()).first()
        return list(newest.revisions)


def read_by_older_parsers(made: Installation, body: str) -> None:
    """Make the newest revisions what an older version would have stored."""
    with made.at(MONDAY).writing() as session:
        session.execute(update(Revision).values(body=body, summary=body, hash="0" * 64, reading=1))
        session.execute(update(Source).values(reading=1))


def kinds(made: Installation) -> list[str]:
    with made.at(MONDAY).reading() as session:
        return [match.kind for match in session.query(Match).order_by(Match.id)]


def test_the_first_look_after_an_update_is_no_news_and_the_next_edit_is(
    any_installation: Installation,
):
    made = any_installation
    polled(made, BODY, timedelta(0))
    before = kinds(made)
    read_by_older_parsers(made, AS_READ_BEFORE)
    *_, reread = polled(made, BODY, HOUR)
    assert (reread.number, reread.material, reread.baseline) == (2, False, True)
    assert "10⁶" in reread.body or "10⁶" in reread.summary
    assert kinds(made) == before
    *_, edited = polled(made, BODY.replace("134", "143"), 3 * HOUR)
    assert (edited.number, edited.material, edited.baseline) == (3, True, False)


def test_an_unchanged_entry_that_older_parsers_read_alike_is_compared_as_ever(
    any_installation: Installation,
):
    made = any_installation
    polled(made, "<p>Of 134 people many had frexalimab.</p>", timedelta(0))
    with made.at(MONDAY).writing() as session:
        session.execute(update(Revision).values(reading=1))
        session.execute(update(Source).values(reading=1))
    polled(made, "<p>Of 134 people many had frexalimab.</p>", HOUR)
    *_, edited = polled(made, "<p>Of 143 people many had frexalimab.</p>", 3 * HOUR)
    assert edited.material


def test_a_document_that_older_parsers_read_is_read_again_though_it_has_not_changed(
    installation: Installation,
):
    polled(installation, BODY, timedelta(0))
    read_by_older_parsers(installation, AS_READ_BEFORE)
    deps = installation.at(MONDAY + timedelta(hours=12))
    results = poll.run(deps)
    assert [result.status for result in results] == ["ok"]
    with deps.reading() as session:
        assert session.query(Revision).order_by(Revision.id.desc()).first().reading > 1
        assert session.query(Source).first().reading > 1


@pytest.mark.parametrize("text", ["a rate \\<0.17 \\[per year\\]", "p \\< 0.05\\*"])
def test_a_record_that_was_stored_with_escapes_is_compared_without_them(text: str):
    stored = {"fields": {"Outcome": text}, "lists": {"Outcomes": [text, 1]}}
    plain = without_escapes(text)
    assert "\\" not in plain
    expected = {"fields": {"Outcome": plain}, "lists": {"Outcomes": [plain, 1]}}
    assert without_escapes_in(stored) == expected
