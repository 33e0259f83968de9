"""Doubted documents: nothing is stored or told of them until a second look says the same."""

import json
from datetime import datetime, timedelta

import pytest

from notifier.enums import SourceKind
from notifier.pipeline import poll as poll_step
from notifier.store.models import Doubt, Entry, Revision, Source
from notifier.watch import sources
from notifier.watch.health import health
from notifier.watch.plausibility import SECOND_LOOK
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article, rss

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECTIONS = {
    "How it works": "Frexalimab (a made-up page) blocks a signal between immune cells.",
    "Dose": "It is given as an infusion of 1,200 mg every four weeks by trained nurses.",
    "Side effects": "Most people who had frexalimab for a year told of tiredness or headache.",
    "Trials": "Two late trials in multiple sclerosis are under way in many countries.",
}


def page(*headings: str, title: str = "Frexalimab, a made-up guide", note: str = "") -> str:
    sections = "".join(f"<h2>{heading}</h2><p>{SECTIONS[heading]}</p>" for heading in headings)
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body>"
        f"<nav><a href=/>Home</a></nav><main><h1>{title}</h1>{sections}{note}</main></body></html>"
    )


WHOLE = page(*SECTIONS)
LITTLE = page("Dose")
CHECK = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>example.org</h1>"
    "<p>Checking your browser before you go on.</p></body></html>"
)
STRANGER = (
    "<!DOCTYPE html><html><head><title>Roulette</title></head><body><main><h1>Roulette</h1>"
    "<p>Play now and win a bonus of 500 coins, only today.</p></main></body></html>"
)


class Watched:
    """One watched document of an installation."""

    def __init__(self, made: Installation, path: str, kind: SourceKind, media_type: str) -> None:
        self.made, self.path, self.media_type = made, path, media_type
        with made.at(MONDAY).writing() as session:
            sources.remove(session, "1", MONDAY)
            sources.add(session, made.site.address + path, MONDAY, kind=kind)

    def poll(self, moment: datetime, document: str | bytes | None = None):
        if document is not None:
            self.made.site.put(self.path, document, self.media_type)
        (result,) = poll_step.run(self.made.at(moment), force=True)
        return result

    def statuses(self, *looks: tuple[timedelta, str | bytes]) -> list[str]:
        return [self.poll(MONDAY + after, document).status for after, document in looks]

    def revisions(self) -> int:
        with self.made.at(MONDAY).reading() as session:
            return session.query(Revision).count()

    def source(self) -> Source:
        with self.made.at(MONDAY).reading() as session:
            return session.query(Source).filter(Source.removed_at.is_(None)).one()

    def doubts(self) -> int:
        with self.made.at(MONDAY).reading() as session:
            return session.query(Doubt).count()


@pytest.fixture
def guide(installation: Installation) -> Watched:
    return Watched(installation, "/guide/", SourceKind.PAGE, "text/html; charset=utf-8")


def test_a_page_that_lacks_most_is_believed_at_the_second_look(any_installation: Installation):
    guide = Watched(any_installation, "/guide/", SourceKind.PAGE, "text/html; charset=utf-8")
    assert guide.statuses((0 * HOUR, WHOLE), (HOUR, LITTLE)) == ["ok", "failed"]
    assert guide.source().last_error == (
        "the page lacks 3 of its 4 sections; this is believed if it is still so after 12 hours"
    )
    assert (health(guide.source(), MONDAY + HOUR), guide.doubts()) == ("failing", 1)
    assert guide.statuses((3 * HOUR, LITTLE)) == ["failed"]
    assert guide.revisions() == 1
    assert guide.statuses((HOUR + SECOND_LOOK, LITTLE)) == ["ok"]
    assert (guide.revisions(), guide.doubts()) == (2, 0)
    assert health(guide.source(), MONDAY + DAY) == "healthy"


def test_a_page_that_returns_has_not_changed(guide: Watched):
    looks = ((0 * HOUR, WHOLE), (DAY, LITTLE), (2 * DAY, WHOLE), (9 * DAY, LITTLE))
    assert guide.statuses(*looks) == ["ok", "failed", "unchanged", "failed"]
    assert (guide.revisions(), guide.doubts()) == (1, 1)


def test_a_page_that_is_each_time_another_is_not_believed(guide: Watched):
    looks = ((DAY, page("Dose")), (2 * DAY, page("Trials")), (3 * DAY, page("Side effects")))
    assert guide.statuses((0 * HOUR, WHOLE), *looks) == ["ok", "failed", "failed", "failed"]
    assert guide.revisions() == 1


def test_a_doubted_page_is_requested_again_in_an_hour(guide: Watched):
    guide.statuses((0 * HOUR, WHOLE), (DAY, LITTLE))
    assert guide.source().next_poll_at == MONDAY + DAY + HOUR


@pytest.mark.parametrize("other", [CHECK, STRANGER], ids=["a check", "another subject"])
def test_another_page_is_never_believed_and_always_requested_whole(guide: Watched, other: str):
    guide.statuses((0 * HOUR, WHOLE))
    assert guide.statuses(*((day * DAY, other) for day in (1, 2, 3))) == ["failed"] * 3
    assert guide.revisions() == 1
    assert guide.source().last_error.startswith(("the address answered with", "the page shows"))
    poll_step.run(guide.made.at(MONDAY + 4 * DAY))
    etag = guide.made.site.answers["/guide/"].headers["ETag"]
    assert guide.made.site.asked[-1].headers.get("If-None-Match") != etag
    assert guide.statuses((5 * DAY, WHOLE)) == ["unchanged"]


def test_a_check_at_the_first_look_is_no_baseline(guide: Watched):
    assert guide.statuses((0 * HOUR, CHECK), (DAY, WHOLE)) == ["failed", "ok"]
    with guide.made.at(MONDAY).reading() as session:
        assert [revision.baseline for revision in session.query(Revision)] == [True]


def test_a_page_that_is_cut_off_is_not_believed(guide: Watched):
    cut = WHOLE[: WHOLE.index("for a year")]
    looks = ((0 * HOUR, WHOLE), (DAY, cut), (2 * DAY, cut), (3 * DAY, WHOLE))
    assert guide.statuses(*looks) == ["ok", "failed", "failed", "unchanged"]
    assert guide.revisions() == 1


def test_an_edit_of_a_page_is_stored_at_once(guide: Watched):
    changed = WHOLE.replace("1,200 mg", "1,800 mg")
    assert guide.statuses((0 * HOUR, WHOLE), (HOUR, changed)) == ["ok", "ok"]
    assert guide.revisions() == 2


def test_a_broken_character_on_a_page_is_no_edit(guide: Watched):
    sound = WHOLE.replace("trained nurses", "nurses of the café").encode()
    broken = sound.replace("é".encode(), b"\xc3")
    looks = ((0 * HOUR, sound), (HOUR, broken), (2 * HOUR, sound))
    assert guide.statuses(*looks) == ["ok", "ok", "ok"]
    assert guide.revisions() == 1


def test_the_encoding_of_yesterday_is_remembered(installation: Installation):
    text = page(*SECTIONS, note="<p>Рассеянный склероз, новое исследование.</p>")
    guide = Watched(installation, "/guide/", SourceKind.PAGE, "text/html; charset=windows-1251")
    guide.poll(MONDAY, text.encode("cp1251"))
    assert (guide.source().encoding, guide.source().ended) == ("cp1251", True)
    guide.media_type = "text/html"
    guide.poll(MONDAY + DAY, (text + "<!-- made in 0.1 s -->").encode("cp1251"))
    assert guide.revisions() == 1


FEED_TYPE = "application/rss+xml; charset=utf-8"


def feed_of(*numbers: int) -> str:
    return rss([Article(f"Article {number}", published=MONDAY) for number in numbers])


def listed(watched: Watched) -> set[str]:
    with watched.made.at(MONDAY).reading() as session:
        return {entry.title for entry in session.query(Entry) if entry.left_at is None}


@pytest.fixture
def herald(installation: Installation) -> Watched:
    return Watched(installation, "/herald/", SourceKind.FEED, FEED_TYPE)


@pytest.mark.parametrize("few", [(), (1,)], ids=["nothing", "one of twenty"])
def test_a_feed_that_lists_hardly_anything_waits_before_the_others_have_left(
    any_installation: Installation, few: tuple[int, ...]
):
    herald = Watched(any_installation, "/herald/", SourceKind.FEED, FEED_TYPE)
    herald.statuses((0 * HOUR, feed_of(*range(20))))
    assert herald.statuses((DAY, feed_of(*few))) == ["failed"]
    assert f"lists {len(few)} of its 20 items" in herald.source().last_error
    assert len(listed(herald)) == 20
    assert herald.statuses((DAY + SECOND_LOOK, feed_of(*few))) == ["ok"]
    assert len(listed(herald)) == len(few)


def test_new_items_of_a_doubted_feed_are_stored_at_once(herald: Watched):
    herald.statuses((0 * HOUR, feed_of(*range(20))))
    result = herald.poll(MONDAY + DAY, feed_of(77))
    assert (result.status, result.new) == ("failed", 1)
    assert len(listed(herald)) == 21


def test_a_feed_that_fills_again_was_never_short(herald: Watched):
    whole = feed_of(*range(20))
    looks = ((0 * HOUR, whole), (DAY, feed_of()), (2 * DAY, whole), (3 * DAY, feed_of()))
    assert herald.statuses(*looks) == ["ok", "failed", "unchanged", "failed"]
    assert len(listed(herald)) == 20


@pytest.mark.parametrize("kept", [10, 2])
def test_a_feed_that_lists_a_tenth_or_more_is_believed(herald: Watched, kept: int):
    looks = ((0 * HOUR, feed_of(*range(20))), (DAY, feed_of(*range(kept))))
    assert herald.statuses(*looks) == ["ok", "ok"]
    assert len(listed(herald)) == kept


def test_a_feed_that_is_cut_off_gives_its_new_items_and_nothing_has_left(herald: Watched):
    herald.statuses((0 * HOUR, feed_of(1, 2, 3)))
    whole = feed_of(4, 1, 2, 3)
    cut = whole[: whole.index("<title>Article 2") + 10]
    result = herald.poll(MONDAY + HOUR, cut)
    assert (result.status, result.new, result.changed) == ("failed", 1, 0)
    assert herald.source().last_error == "the feed ends in the middle of an item"
    assert len(listed(herald)) == 4
    assert herald.poll(MONDAY + 2 * HOUR, whole).status == "ok"
    assert herald.revisions() == 4


def test_a_feed_that_is_always_cut_off_has_a_baseline_and_news(herald: Watched):
    cut = [feed_of(*numbers).rpartition("</item>")[0] for numbers in ((1, 2), (1, 2), (3, 1, 2))]
    looks = [(number * HOUR, document) for number, document in enumerate(cut)]
    assert herald.statuses(*looks) == ["failed"] * 3
    with herald.made.at(MONDAY).reading() as session:
        baselines = {revision.title: revision.baseline for revision in session.query(Revision)}
    assert baselines == {"Article 1": True, "Article 3": False}


def test_one_broken_byte_changes_no_item_of_a_feed(herald: Watched):
    items = [Article("Müde Ärzte", published=MONDAY), Article("Größe", published=MONDAY)]
    whole = rss(items).encode()
    broken = rss([Article("Schnee ☃", published=MONDAY), *items]).encode()
    broken = broken.replace("☃".encode(), "☃".encode()[:2])
    herald.statuses((0 * HOUR, whole), (HOUR, broken))
    again = whole.replace("Größe".encode(), b"Gr\xc3\xb6\xc3e")
    result = herald.poll(MONDAY + 2 * HOUR, again)
    assert (result.changed, herald.revisions()) == (0, 3)


STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT00000009", "briefTitle": "A made-up trial"},
        "statusModule": {"overallStatus": "RECRUITING", "startDateStruct": {"date": "2026-01"}},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Pharma"}},
        "conditionsModule": {"conditions": ["Multiple Sclerosis"]},
        "designModule": {"phases": ["PHASE3"], "enrollmentInfo": {"count": 1400}},
        "outcomesModule": {"primaryOutcomes": [{"measure": "Relapses"}]},
    }
}
IN_PART = {
    "protocolSection": {
        name: STUDY["protocolSection"][name] for name in ("identificationModule", "statusModule")
    }
}


@pytest.mark.parametrize("in_search", [False, True], ids=["a record", "a search"])
def test_a_record_in_part_is_believed_at_the_second_look(
    any_installation: Installation, *, in_search: bool
):
    def answer(study: dict) -> str:
        return json.dumps({"studies": [study]} if in_search else study)

    path = "/api/v2/studies" + ("" if in_search else "/NCT00000009")
    record = Watched(any_installation, path, SourceKind.REGISTRY, "application/json")
    whole, part = answer(STUDY), answer(IN_PART)
    looks = ((0 * HOUR, whole), (DAY, part), (2 * DAY, whole))
    assert record.statuses(*looks)[:2] == ["ok", "failed"]
    assert "lacks 4 of its 5 modules" not in (record.source().last_error or "")
    assert (record.revisions(), record.doubts()) == (1, 0)
    assert record.statuses((3 * DAY, part), (4 * DAY, part)) == ["failed", "ok"]
    assert record.revisions() == 2


@pytest.mark.parametrize(
    "first",
    [
        WHOLE[: WHOLE.index("for a year")],
        page(title="Frexalimab, a made-up guide", note="<p>Artikel wird geladen, Moment.</p>"),
    ],
    ids=["cut off", "an empty frame"],
)
def test_a_doubtful_first_look_is_no_baseline(guide: Watched, first: str):
    assert guide.statuses((0 * HOUR, first), (2 * HOUR, first), (DAY, WHOLE))[1:] == [
        "failed",
        "ok",
    ]
    with guide.made.at(MONDAY).reading() as session:
        assert [revision.baseline for revision in session.query(Revision)] == [True]


def test_a_page_with_its_text_that_speaks_of_logging_in_is_a_baseline(guide: Watched):
    form = "<form><input type=password></form><p>Please log in to comment. Forgot password?</p>"
    first = page(*SECTIONS, note=form)
    changed = first.replace("1,200 mg", "1,800 mg")
    assert guide.statuses((0 * HOUR, first), (DAY, changed)) == ["ok", "ok"]
    assert guide.revisions() == 2


def test_a_page_that_always_stops_in_its_text_is_believed_at_the_second_look(guide: Watched):
    odd = WHOLE.removesuffix("</main></body></html>") + "Written by hand"
    assert guide.statuses((0 * HOUR, odd), (HOUR, odd), (DAY, odd)) == ["failed", "failed", "ok"]


def test_a_page_that_leads_to_the_front_page_has_not_changed(guide: Watched):
    guide.statuses((0 * HOUR, WHOLE))
    guide.made.site.put("/", page("Dose", "Trials", title="Welcome"), "text/html")
    guide.made.site.fail("/guide/", 302, Location="/")
    for day in (1, 2):
        assert guide.poll(MONDAY + day * DAY).error == "the address leads to the site's front page"
    assert guide.revisions() == 1
