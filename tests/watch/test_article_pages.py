"""Article pages: a failed look is repeated, within bounds and with respect for the host."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from notifier.enums import NewsKind
from notifier.pipeline import match as match_step
from notifier.pipeline import poll
from notifier.store import db
from notifier.store.models import Article as Text
from notifier.store.models import ArticleRequest, Entry, Host, Match, Revision, Source
from notifier.watch import articles, entries, hosts, sources
from notifier.watch.http import client
from notifier.watch.http.types import Response
from notifier.watch.parsers.observation import Observation
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Answer, Article

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEASER = "The clinic of Oberau tells how its trial ended […]"
PAGE = (
    "<article><h1>A trial ended</h1><p>The clinic of Oberau tells how its trial ended, after two"
    " years.</p><p>It gave {} to people with multiple sclerosis.</p></article>"
)
WALL = "<main><h1>Before you go on</h1><p>We use cookies on this site. Accept or refuse.</p></main>"
GATE = "<html><title>One moment</title><p>We are checking that your browser is safe.</p></html>"


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)


def run(made: Installation, after: timedelta, *, force: bool = False) -> None:
    deps = made.at(MONDAY + after)
    poll.run(deps, force=force)
    match_step.run(deps)


def publish(made: Installation, count: int = 1, title: str = "A trial ended") -> None:
    """Publish a feed's first news after its baseline."""
    made.publish([Article("Made-up welcome", "It is open.", guid="welcome", link="")])
    run(made, timedelta(0))
    made.site.asked.clear()
    made.publish(
        [
            Article(f"{title}, {n}", TEASER, f"n{n}", link=f"{made.site.address}/a/{n}")
            for n in range(count)
        ]
    )


def show(made: Installation, count: int = 1, drug: str = "frexalimab") -> None:
    for number in range(count):
        made.site.put(f"/a/{number}", PAGE.format(drug), "text/html")


def asked(made: Installation, start: str = "/a/") -> int:
    return sum(one.path.startswith(start) for one in made.site.asked)


def matched(made: Installation) -> list[tuple[str, str]]:
    with made.at(MONDAY).reading() as session:
        query = session.query(Match).order_by(Match.id)
        return [(match.kind, match.tier) for match in query]


def put(made: Installation, answer: Answer) -> None:
    made.site.answers["/a/0"] = answer


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Answer(429), id="too many requests"),
        pytest.param(Answer(503, b"", {"Retry-After": "60"}), id="busy"),
        pytest.param(Answer(500), id="error"),
        pytest.param(Answer(502), id="bad gateway"),
        pytest.param(Answer(404), id="not there yet"),
        pytest.param(Answer(403), id="forbidden"),
        pytest.param(Answer(200, WALL.encode(), {"Content-Type": "text/html"}), id="consent"),
        pytest.param(Answer(200, GATE.encode(), {"Content-Type": "text/html"}), id="check"),
        pytest.param(Answer(200, b"", {"Content-Type": "text/html"}), id="nothing"),
        pytest.param(Answer(200, b"{}", {"Content-Type": "application/json"}), id="JSON"),
        pytest.param(
            Answer(200, b"<p>Wird geladen ...</p>", {"Content-Type": "text/html"}), id="loading"
        ),
    ],
)
def test_a_page_that_fails_is_requested_again_and_its_news_is_found(
    installation: Installation, first: Answer
):
    made = installation
    publish(made)
    put(made, first)
    run(made, HOUR, force=True)
    assert matched(made) == []
    show(made)
    run(made, HOUR + 5 * MINUTE)
    assert asked(made) == 1
    run(made, 3 * HOUR)
    run(made, DAY, force=True)
    assert (matched(made), asked(made)) == ([("new", "mention")], 2)


TORN = (
    "<!DOCTYPE html><html><body><article><h1>A trial ended</h1><p>The clinic of Oberau tells.</p>"
)


def test_a_page_without_its_end_is_read_and_requested_again(installation: Installation):
    made = installation
    publish(made)
    put(made, Answer(200, TORN.encode(), {"Content-Type": "text/html"}))
    run(made, HOUR, force=True)
    assert matched(made) == []
    show(made)
    run(made, 3 * HOUR)
    assert matched(made) == [("new", "mention")]
    run(made, DAY)
    assert asked(made) == 2


@pytest.mark.long
def test_a_page_that_never_has_an_end_tag_counts_at_once(installation: Installation):
    made = installation
    publish(made)
    whole = f"{TORN}<p>It gave frexalimab to people with multiple sclerosis.</p>"
    put(made, Answer(200, whole.encode(), {"Content-Type": "text/html"}))
    for hours in range(1, 20, 3):
        run(made, hours * HOUR)
    with made.at(MONDAY).reading() as session:
        assert session.query(ArticleRequest).count() == 0
    assert (matched(made), asked(made)) == ([("new", "mention")], 4)


def test_a_page_that_comes_late_is_news_once_and_no_correction(any_installation: Installation):
    made = any_installation
    publish(made, title="Frexalimab trial ended")
    run(made, HOUR, force=True)
    assert matched(made) == [("new", "about")]
    show(made)
    for hours in (2, 3, 30):
        run(made, hours * HOUR, force=True)
    assert matched(made) == [(NewsKind.NEW, "about")]
    with made.at(MONDAY).reading() as session:
        assert session.query(Text).count() == 1
        assert session.query(ArticleRequest).count() == 0
        assert all(len(entry.revisions) == 1 for entry in session.query(Entry))


def test_a_page_is_requested_with_growing_pauses_for_three_days(sqlite_engine: Engine):
    with db.writing(sqlite_engine) as session:
        source, _ = sources.add(session, "https://herald.example.org/feed/", MONDAY)
        teaser = Observation("1", "https://herald.example.org/a", "A trial ended", summary=TEASER)
        stored = entries.store(session, source, [teaser], MONDAY)
        articles.want(session, stored.new_ids, MONDAY)
        requested_at = []
        while wanted := session.query(ArticleRequest).one_or_none():
            requested_at.append(wanted.next_at)
            (request,) = articles.due(session, [source.id], wanted.next_at)
            articles.note_failure(session, Response(request, request.url, 500), wanted.next_at)
            session.flush()
    pauses = [later - earlier for earlier, later in pairwise(requested_at)]
    assert pauses[0] == 15 * MINUTE
    assert max(pauses) == 12 * HOUR
    assert pauses[:-1] == sorted(pauses[:-1])
    assert requested_at[-1] == MONDAY + 3 * DAY


@pytest.mark.parametrize("status", [410, 451])
def test_a_page_that_is_gone_for_good_is_not_requested_again(
    installation: Installation, status: int
):
    publish(installation)
    put(installation, Answer(status))
    for hours in (1, 3, 24):
        run(installation, hours * HOUR, force=True)
    assert asked(installation) == 1


def test_a_file_that_is_no_page_is_not_requested_again(installation: Installation):
    publish(installation)
    put(installation, Answer(200, b"%PDF-1.7", {"Content-Type": "application/pdf"}))
    for hours in (1, 3, 24):
        run(installation, hours * HOUR, force=True)
    assert asked(installation) == 1


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        pytest.param({"Retry-After": "7200"}, 2 * HOUR, id="two hours"),
        pytest.param({}, HOUR, id="no time"),
        pytest.param({"Retry-After": "soon"}, HOUR, id="no number"),
        pytest.param({"Retry-After": "999999999"}, 3 * DAY, id="for ever"),
    ],
)
def test_a_host_that_answers_429_is_left_alone(
    installation: Installation, headers: dict, waits: timedelta
):
    made = installation
    publish(made, 5)
    for number in range(5):
        made.site.answers[f"/a/{number}"] = Answer(429, b"", headers)
    run(made, HOUR, force=True)
    assert asked(made) == 1
    run(made, HOUR + waits - MINUTE, force=True)
    assert asked(made) == 1
    with made.at(MONDAY).reading() as session:
        assert session.query(Host).one().wait_until == MONDAY + HOUR + waits


def test_what_is_not_opened_in_one_poll_is_opened_in_the_next(installation: Installation):
    made = installation
    publish(made, 27)
    show(made, 27)
    run(made, HOUR, force=True)
    assert asked(made) == 20
    run(made, HOUR + MINUTE)
    run(made, HOUR + 2 * MINUTE)
    assert (asked(made), len(matched(made))) == (27, 27)


def test_of_a_baseline_the_newest_twenty_are_opened(installation: Installation):
    made = installation
    made.publish(
        [
            Article(f"Old news {n}", TEASER, f"n{n}", link=f"{made.site.address}/a/{n}")
            for n in range(25)
        ]
    )
    show(made, 25)
    for minutes in (0, 30, 60):
        run(made, minutes * MINUTE)
    assert asked(made) == 20


def test_a_host_has_a_limit_of_pages_a_day(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hosts, "MOST_PAGES_A_DAY", 3)
    publish(installation, 5)
    show(installation, 5)
    run(installation, HOUR, force=True)
    run(installation, 3 * HOUR, force=True)
    assert asked(installation) == 3
    run(installation, DAY, force=True)
    assert asked(installation) == 5


def test_pages_that_robots_txt_forbids_are_not_requested(installation: Installation):
    made = installation
    publish(made, 3)
    show(made, 3)
    made.site.put("/robots.txt", "User-agent: *\nDisallow: /a/\nAllow: /a/1", "text/plain")
    run(made, HOUR, force=True)
    assert [one.path for one in made.site.asked if one.path[:3] == "/a/"] == ["/a/1"]
    assert asked(made, "/feed/") == 1


@pytest.mark.parametrize(
    ("status", "allowed"),
    [(404, True), (403, True), (401, True), (500, False), (503, False), (429, False)],
)
def test_a_robots_txt_that_fails_allows_or_defers(
    installation: Installation, status: int, allowed: bool
):
    made = installation
    publish(made)
    show(made)
    made.site.fail("/robots.txt", status)
    run(made, HOUR, force=True)
    assert asked(made) == allowed
    made.site.put("/robots.txt", "", "text/plain")
    run(made, 3 * HOUR)
    assert matched(made) == [("new", "mention")]


def test_robots_txt_is_read_once_a_day(installation: Installation):
    made = installation
    publish(made, 2)
    put(made, Answer(500))
    for hours in (1, 3, 5, 7, 27):
        run(made, hours * HOUR, force=True)
    assert asked(made, "/robots.txt") == 2


def test_a_list_of_posts_that_is_refused_leaves_the_pages(installation: Installation):
    made = installation
    publish(made)
    show(made)
    made.site.answers["/feed/"].headers["Link"] = (
        f'<{made.site.address}/wp-json/>; rel="https://api.w.org/"'
    )
    made.site.fail("/wp-json/wp/v2/posts", 401)
    run(made, HOUR, force=True)
    assert asked(made) == 0
    run(made, 3 * HOUR)
    assert matched(made) == [("new", "mention")]


def test_the_pages_of_a_removed_source_are_not_requested(installation: Installation):
    made = installation
    publish(made)
    run(made, HOUR, force=True)
    with made.at(MONDAY).writing() as session:
        session.query(Source).one().removed_at = MONDAY
    show(made)
    run(made, DAY)
    assert asked(made) == 1


def test_old_hosts_are_forgotten(installation: Installation):
    publish(installation)
    run(installation, HOUR, force=True)
    with installation.at(MONDAY).writing() as session:
        hosts.forget_unused(session, MONDAY + 20 * DAY)
        assert session.query(Host).count() == 1
        hosts.forget_unused(session, MONDAY + 40 * DAY)
        assert session.query(Host).count() == 0


@pytest.mark.parametrize(
    "ending",
    [
        "Weiterlesen »",
        "Mehr erfahren",
        "Lire la suite →",
        "En savoir plus…",
        "Leer más",
        "Continúa leyendo",
        "Leggi tutto",
        "Lees verder >",
        "Leia mais",
        "Läs mer",
        "Lue lisää",
        "Czytaj dalej",
        "Читать далее",
        "続きを読む",
        "阅读全文",
        "더 보기",
        "Devamını oku",
        "Read the full story on our site",
        "[+1234 chars]",
    ],
)
def test_a_text_that_ends_in_a_pointer_is_a_teaser(ending: str):
    assert articles.is_teaser("", "A long beginning of a made-up text. " * 40 + ending)


@pytest.mark.parametrize(
    "ending", ["She will not read it.", "the end", "They learned more about it.", "It was open."]
)
def test_a_long_text_that_ends_like_any_other_is_whole(ending: str):
    assert not articles.is_teaser("", "A long beginning of a made-up text. " * 40 + ending)


@pytest.mark.parametrize(
    ("teaser", "text", "expected"),
    [
        pytest.param(
            "A trial of a second drug has ended in Ternau.",
            "Frexalimab did well in the trial of multiple sclerosis, the company said.",
            True,
            id="an article in other words than its teaser",
        ),
        pytest.param(
            "Une étude sur la sclérose en plaques à Ternau.",
            "L'étude a montré que le frexalimab réduit les poussées.",
            True,
            id="an article in French",
        ),
        pytest.param(
            "A trial of a second drug has ended in Ternau.",
            "We and our partners use cookies on this site. Accept or refuse them to go on.",
            False,
            id="a consent wall that is not recognised",
        ),
        pytest.param(
            "Eine Studie mit einem neuen Mittel in Ternau.",
            "Einen Augenblick bitte, Ihr Browser wird geprüft.",
            False,
            id="a check of the browser in German",
        ),
        pytest.param("多発性硬化症の新薬の試験", "多発性硬化症の試験の結果", True, id="Japanese"),
    ],
)
def test_a_page_that_shares_no_word_with_its_teaser_is_not_its_article(
    teaser: str, text: str, expected: bool
):
    entry = Entry(revisions=[Revision(title="News of Ternau", summary=teaser, body="")])
    assert articles.is_about(entry, "News", text) is expected
