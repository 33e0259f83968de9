"""The first sight of an entry: a baseline, news whatever its date, or old news that is held."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from notifier.enums import SourceKind
from notifier.pipeline import match, poll
from notifier.store import db
from notifier.store.models import Entry, Match, NearMiss, Revision, Source
from notifier.watch import entries, sources
from notifier.watch.first_sight import FirstSight, has_backlog, judge
from notifier.watch.parsers.observation import Observation, Origin
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BASELINE, NEWS, OLD = FirstSight(True), FirstSight(False), FirstSight(False, "old_news")


def item(moment: datetime | None, origin: Origin = Origin.DOCUMENT) -> Observation:
    return Observation(guid="1", url="", title="Made up", published_at=moment, origin=origin)


def feed(**state) -> Source:
    values = {"kind": SourceKind.FEED, "baselined_at": MONDAY, "last_success_at": MONDAY + 10 * DAY}
    return Source(**{**values, **state})


NOW = MONDAY + 11 * DAY
# A feed whose last successful poll was 130 days after its first.
OLDER = {"last_success_at": MONDAY + 130 * DAY}


@pytest.mark.parametrize(
    ("state", "moment", "sight"),
    [
        pytest.param({}, MONDAY + 10 * DAY, NEWS, id="of today"),
        pytest.param({}, None, NEWS, id="undated"),
        pytest.param({}, MONDAY + 400 * DAY, NEWS, id="post-dated"),
        pytest.param({}, MONDAY - 20 * DAY, NEWS, id="back-dated to before the baseline"),
        pytest.param({}, MONDAY - 80 * DAY, NEWS, id="just 90 days before the last poll"),
        pytest.param({}, MONDAY - 81 * DAY, OLD, id="more than 90 days before the last poll"),
        pytest.param({}, datetime(1999, 1, 1, tzinfo=MONDAY.tzinfo), OLD, id="of 1999"),
        pytest.param(OLDER, MONDAY + 20 * DAY, OLD, id="published while we watched, never shown"),
        pytest.param(
            {"last_success_at": MONDAY + DAY}, MONDAY + 2 * DAY, NEWS, id="after a long outage"
        ),
        pytest.param({"kind": SourceKind.REGISTRY}, MONDAY - 900 * DAY, NEWS, id="an old trial"),
        pytest.param({"kind": SourceKind.PAGE}, MONDAY - 900 * DAY, NEWS, id="an old page"),
        pytest.param({"baselined_at": None}, MONDAY, BASELINE, id="first poll"),
        pytest.param({"baselined_at": NOW}, None, BASELINE, id="first poll, next page"),
    ],
)
def test_an_entry_is_news_whatever_its_date_says_but_for_old_news(
    state: dict, moment: datetime | None, sight: FirstSight
):
    assert judge(feed(**state), item(moment), NOW) == sight


@pytest.mark.parametrize(
    ("moment", "backlog", "sight"),
    [
        pytest.param(MONDAY - 2 * DAY, False, BASELINE, id="of earlier"),
        pytest.param(MONDAY - 900 * DAY, False, BASELINE, id="of long ago"),
        pytest.param(MONDAY.replace(hour=0), False, NEWS, id="of the same day, without an hour"),
        pytest.param(MONDAY + DAY, False, NEWS, id="of later"),
        pytest.param(MONDAY + DAY, True, NEWS, id="of later, beside many undated ones"),
        pytest.param(None, False, NEWS, id="undated, and few"),
        pytest.param(None, True, BASELINE, id="undated, and many"),
    ],
)
def test_after_an_empty_first_answer_only_what_was_published_since_is_news(
    moment: datetime | None, backlog: bool, sight: FirstSight
):
    state = feed(baselined_at=None, empty_since=MONDAY)
    assert judge(state, item(moment), MONDAY + 2 * DAY, backlog=backlog) == sight


@pytest.mark.parametrize(
    ("state", "moment", "sight"),
    [
        pytest.param({"posts_until": MONDAY}, MONDAY - 3 * DAY, NEWS, id="back-dated"),
        pytest.param({"posts_until": MONDAY}, MONDAY - 300 * DAY, BASELINE, id="old and touched"),
        pytest.param({"posts_until": None}, MONDAY - 3 * DAY, BASELINE, id="list not read yet"),
        pytest.param(
            {"posts_until": MONDAY - 30 * DAY}, MONDAY - 3 * DAY, BASELINE, id="list read in part"
        ),
        pytest.param({"posts_until": MONDAY + 130 * DAY}, MONDAY + DAY, OLD, id="of the spring"),
        pytest.param({"posts_until": MONDAY + DAY}, MONDAY + 2 * DAY, NEWS, id="of yesterday"),
    ],
)
def test_a_post_that_only_the_list_shows_is_news_unless_it_was_there_before(
    state: dict, moment: datetime, sight: FirstSight
):
    assert judge(feed(**state), item(moment, Origin.POSTS), NOW) == sight


def test_ten_items_without_a_date_are_of_more_than_one_day():
    assert has_backlog([item(None)] * 10)
    assert not has_backlog([item(None)] * 9 + [item(MONDAY)])


def test_the_first_answer_with_entries_is_the_baseline(any_installation: Installation):
    made = any_installation
    old = [Article(f"Made-up news {n}", published=MONDAY - n * 9 * DAY) for n in range(1, 6)]
    fresh = Article("Made-up news of today", published=MONDAY + 5 * HOUR)
    for hours, articles in enumerate(([], [], [*old, fresh], [*old, fresh, Article("Later")])):
        made.publish(articles)
        poll.run(made.at(MONDAY + hours * 3 * HOUR), force=True)
    with made.at(MONDAY).reading() as session:
        news = select(Entry.title).join(Revision).where(~Revision.baseline).order_by(Entry.id)
        assert session.scalars(news).all() == ["Made-up news of today", "Later"]
        source = session.scalars(select(Source).where(Source.url == made.feed)).one()
        assert (source.empty_since, source.baselined_at) == (MONDAY, MONDAY + 6 * HOUR)


def test_old_news_is_held_and_its_edits_too(engine: Engine):
    old = MONDAY - 200 * DAY
    for number, title in enumerate(("Cut by 89%", "Cut by 86%")):
        with db.writing(engine) as session:
            source, _ = sources.add(session, "https://herald.example.org/feed/", MONDAY)
            source.baselined_at = source.last_success_at = MONDAY
            observation = Observation("urn:1", "", title, published_at=old)
            entries.store(session, source, [observation], MONDAY + (number + 1) * DAY)
    with db.reading(engine) as session:
        held = session.scalars(select(Revision.held_because).order_by(Revision.id)).all()
    assert held == ["old_news", "old_news"]


def test_old_news_waits_for_a_person_and_is_mailed_to_nobody(installation: Installation):
    made = installation
    made.adopt()
    made.publish([Article("Made-up welcome", published=MONDAY)])
    poll.run(made.at(MONDAY), force=True)
    old = Article("Frexalimab in a made-up archive", published=MONDAY - 200 * DAY)
    made.publish([old])
    deps = made.at(MONDAY + DAY)
    poll.run(deps, force=True)
    match.run(deps)
    with deps.reading() as session:
        assert session.query(Match).count() == 0
        assert [waiting.because for waiting in session.query(NearMiss)] == ["old_news"]
