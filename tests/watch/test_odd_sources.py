"""Odd dates, headers, keys and lists: they trouble one source alone, and are not stored."""

import json
import pkgutil
import threading
import unicodedata
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from notifier.admin.source_check import check, find_source
from notifier.cli.main import app
from notifier.enums import SourceKind
from notifier.errors import InputError, StoreError
from notifier.pipeline import poll as poll_step
from notifier.pipeline.poll_result import PollResult
from notifier.pipeline.run import run_once
from notifier.settings import Operator
from notifier.store import db
from notifier.store.models import Entry, EntryAlias, Revision, Source
from notifier.text.cleaning import clean, fold
from notifier.text.urls import LONGEST_ADDRESS
from notifier.watch import entries, parser_process, presence, source_lists, sources, trial_lists
from notifier.watch.compare import edits
from notifier.watch.health import expected_by
from notifier.watch.http import ssrf
from notifier.watch.http.client import fetch_all
from notifier.watch.http.ssrf import AddressRefusedError
from notifier.watch.http.types import Request, Response
from notifier.watch.keys import keys
from notifier.watch.page_checks import PRESENT
from notifier.watch.parser_process import Parser
from notifier.watch.parsers import wordpress
from notifier.watch.parsers.observation import Observation, published_moment
from notifier.watch.polling_interval import LONGEST_RETRY, server_requested_wait
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.news_site import Answer, Article, Asked, rss
from tests.support.paths import SHARED

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def results(made: Installation, moment: datetime = MONDAY, **options) -> dict[str, PollResult]:
    return {
        result.url.removeprefix(made.site.address): result
        for result in poll_step.run(made.at(moment), **options)
    }


def stored(made: Installation, path: str) -> Source:
    with made.at(MONDAY).reading() as session:
        return session.query(Source).filter_by(url=made.site.address + path).one()


def every_text(made: Installation) -> str:
    """Return all that the database holds, as text."""
    with made.at(MONDAY).reading() as session:
        tables = ("source", "entry", "entry_alias", "revision", "article")
        return "".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))
        )


def watched_beside(
    made: Installation, document: str | bytes, kind: str = "application/rss+xml", **headers: str
) -> None:
    """Watch a document beside a healthy feed."""
    made.publish([Article("A healthy one")])
    made.site.put("/odd/", document, kind, **headers)
    with made.at(MONDAY).writing() as session:
        sources.add(session, f"{made.site.address}/odd/", MONDAY)


ODD_DATES = [
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "1899-12-31T23:59:59Z",
    "2101-01-01T00:00:00Z",
    "1601-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "Fri, 31 Dec 9999 23:59:59 -1200",
    "Mon, 99 Jan 2026 99:99:99 GMT",
    "0000-00-00T00:00:00Z",
    "2026-13-45",
    "٢٠٢٦-٠١-٠١T00:00:00Z",
    "12026-01-01T00:00:00Z",
    "9" * 5000,
    "\u0000",
    "",
]


@pytest.mark.parametrize("date", ODD_DATES)
def test_an_odd_date_is_ignored_and_stops_no_other_source(
    any_installation: Installation, date: str
):
    made = any_installation
    item = "<item><title>Odd</title><guid>1</guid><pubDate>{}</pubDate></item>"
    watched_beside(
        made, f"<rss version='2.0'><channel>{item.format(date.replace(chr(0), ''))}</channel></rss>"
    )
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": "1", "date_published": date, "title": "Odd"}],
    }
    study = {
        "protocolSection": {"identificationModule": {"nctId": "NCT00000001"}, "statusModule": {}}
    }
    study["protocolSection"]["statusModule"]["studyFirstPostDateStruct"] = {"date": date}
    made.site.put("/json/", json.dumps(feed), "application/json")
    made.site.put("/api/v2/studies/NCT00000001", json.dumps(study), "application/json")
    made.site.put("/api/v2/version", json.dumps({"dataTimestamp": date}), "application/json")
    with made.at(MONDAY).writing() as session:
        for path in ("/json/", "/api/v2/studies/NCT00000001"):
            sources.add(session, made.site.address + path, MONDAY)
    assert {result.status for result in results(made).values()} == {"ok"}
    with made.at(MONDAY).reading() as session:
        # What a lenient reader makes of it may be a date, but none that lies outside the calendars
        # of the news.
        dates = [entry.published_at for entry in session.query(Entry) if entry.published_at]
        assert all(1900 <= moment.year <= 2100 for moment in dates)
        assert not dates or date[:4] not in ("0001", "9999", "1899", "2101", "1601", "0000")
        assert {source.as_of for source in session.query(Source)} == {None}
    assert {result.status for result in results(made, MONDAY + DAY).values()} <= {"ok", "unchanged"}


@pytest.mark.parametrize(
    ("moment", "becomes"),
    [
        (datetime(1, 1, 1), None),  # noqa: DTZ001 - some documents give no zone
        (datetime(1, 1, 1, tzinfo=UTC), None),
        (datetime.fromisoformat("0001-01-01T00:00:00+14:00"), None),
        (datetime.max.replace(tzinfo=UTC), None),
        (datetime.fromisoformat("9999-12-31T23:59:59-12:00"), None),
        (datetime(1899, 12, 31, 23, 59, tzinfo=UTC), None),
        (datetime(1900, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)),
        (datetime(2100, 12, 31, 23, tzinfo=UTC), datetime(2100, 12, 31, 23, tzinfo=UTC)),
        (datetime(2101, 1, 1, tzinfo=UTC), None),
        (datetime(2026, 3, 2, 9), MONDAY),  # noqa: DTZ001 - some documents give no zone
        (datetime.fromisoformat("2026-03-02T10:00:00+01:00"), MONDAY),
        (None, None),
    ],
)
def test_a_published_date_lies_within_the_years_that_news_can_be_of(
    moment: datetime, becomes: datetime | None
):
    assert published_moment(moment) == becomes


def test_posts_that_are_dated_ahead_do_not_hide_the_edits_until_then():
    body = json.dumps([{"modified_gmt": "2099-01-01T00:00:00"}]).encode()
    until = wordpress.parse_until(
        body, {"x-wp-totalpages": "9"}, "https://x.example.org/?page=1", MONDAY
    )
    assert until <= MONDAY


def test_no_wait_that_a_source_requests_overflows():
    far = {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "cache-control": "max-age=999999999"}
    assert (
        server_requested_wait({**far, "date": "Mon, 01 Jan 0001 00:00:00 GMT"}, 999_999, MONDAY)
        == LONGEST_RETRY
    )
    for odd in ("9" * 4000, "-1", "٩", "", "\udcff", "Mon, 01 Jan 0001 00:00:00 +9999", "1e9"):
        server_requested_wait(
            {
                "retry-after": odd,
                "expires": odd,
                "date": odd,
                "age": odd,
                "cache-control": f"max-age={odd}",
            },
            0,
            MONDAY,
        )
    assert (
        expected_by([datetime(1900 + n * 20, 1, 1, tzinfo=UTC) for n in range(6)], MONDAY) > MONDAY
    )


ODD_TEXTS = [
    "caf\xe9",
    "\xff\xfe",
    '"\xe9\xe9"',
    "\x80",
    '"' + "x" * 1001 + '"',
    "a\tb",
    "\xc3\x28",
]


@pytest.mark.parametrize(
    "name",
    ["ETag", "Last-Modified", "Link", "Content-Type", "X-Odd", "Cache-Control", "Content-Location"],
)
@pytest.mark.parametrize("value", ODD_TEXTS)
def test_an_odd_header_stops_no_other_source_and_is_not_stored(
    any_installation: Installation, name: str, value: str
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]), **{name: value})
    assert {result.status for result in results(made).values()} == {"ok"}
    source = stored(made, "/odd/")
    for validator in (source.etag, source.last_modified):
        assert validator is None or (validator.isprintable() and len(validator) <= 1000)
    if name in ("ETag", "Last-Modified"):
        assert value.encode("latin-1").decode("utf-8", "surrogateescape") not in (
            source.etag,
            source.last_modified,
        )
    every_text(made).encode()
    assert results(made, MONDAY + DAY)["/odd/"].status in ("ok", "unchanged")


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/caf\xe9/", "/caf%E9/"),
        ("/\xff\xfe/", "/%FF%FE/"),
        ("/\xc3\xa9/", "/%C3%A9/"),
        ("/a b/", "/a%20b/"),
        ("/x/", "/x/"),
        ("http://[::1", ""),
        ("http://\xff/", ""),
        ("/" + "x" * 8_001, ""),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("http://user@127.0.0.1/", ""),
        ("", "/odd/"),
    ],
)
def test_an_odd_redirect_is_followed_by_its_bytes_or_refused_with_a_reason(
    any_installation: Installation, location: str, asked: str
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    made.site.answers["/odd/"] = Answer(301, b"", {"Location": location})
    if asked not in ("", "/odd/"):
        made.site.put(asked, rss([Article("Moved")]))
    outcome = results(made)
    assert outcome["/feed/"].status == "ok"
    assert outcome["/odd/"].status == ("ok" if asked not in ("", "/odd/") else "failed")
    if asked:
        assert asked in [request.path for request in made.site.asked]
    else:
        assert outcome["/odd/"].error.isprintable()
    every_text(made).encode()
    results(made, MONDAY + 2 * HOUR, force=True)
    results(made, MONDAY + 4 * HOUR, force=True)
    every_text(made).encode()


LONG = {
    "guid": {"guid": "g" * 3_000},
    "guid of random letters": {
        "guid": "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(3_000))
    },
    "link": {"link": f"https://herald.example.org/{'x' * 3_000}"},
    "link alone": {"link": f"https://herald.example.org/{'x' * 3_000}", "guid": ""},
    "link of 2,000": {"link": "https://herald.example.org/" + "x" * (LONGEST_ADDRESS - 27)},
    "link in letters": {
        "link": "https://herald.example.org/" + "".join(chr(0x4E00 + n) for n in range(1_900))
    },
    "both": {"guid": "g" * 30_000, "link": f"https://herald.example.org/?{'x=1&' * 3_000}"},
    "title": {"title": "Odd " * 30_000},
    "summary": {"summary": "Odd " * 100_000},
    "guid that is a link": {"guid": f"https://herald.example.org/{'y' * 3_000}", "link": ""},
}


@pytest.mark.parametrize("long", LONG.values(), ids=LONG)
def test_a_long_key_identifies_one_item_and_is_not_a_link(
    any_installation: Installation, long: dict[str, str]
):
    made = any_installation
    article = Article(**{"title": "Odd", **long})
    watched_beside(
        made, rss([article, Article("Beside it", link="https://herald.example.org/" + "z" * 3_000)])
    )
    outcome = results(made)
    assert {result.status for result in outcome.values()} == {"ok"}
    assert outcome["/odd/"].new == 2
    made.site.put("/odd/", rss([Article("A third"), article]))
    assert results(made, MONDAY + DAY)["/odd/"].new == 1
    with made.at(MONDAY).reading() as session:
        assert max(len(entry.url) for entry in session.query(Entry)) <= LONGEST_ADDRESS
        assert max(len(alias.key.encode()) for alias in session.query(EntryAlias)) < 2_100


def test_short_keys_stay_as_they_are():
    observation = Observation(guid="g" * 2_000, url="https://x.example.org/a", title="T")
    assert keys(observation)[:2] == [f"guid:{'g' * 2_000}", "link:x.example.org/a"]
    longer = keys(Observation(guid="g" * 2_001, url="", title="T"))
    assert longer[0].startswith("guid:sha256:")
    assert longer == keys(Observation(guid="g" * 2_001, url="", title="T"))


def many_signs(count: int) -> str:
    """Return so many different characters of three bytes, which no database packs into few."""
    return "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(count))


def test_an_address_too_long_for_an_index_is_refused(any_installation: Installation):
    with any_installation.at(MONDAY).writing() as session:
        with pytest.raises(InputError):
            sources.add(session, f"https://herald.example.org/{many_signs(1_900)}", MONDAY)
        source, _ = sources.add(session, f"https://herald.example.org/{many_signs(600)}", MONDAY)
        assert source.url.endswith(many_signs(600))


def test_a_move_to_an_address_too_long_for_an_index_changes_nothing(
    any_installation: Installation,
):
    with any_installation.at(MONDAY).writing() as session:
        source = session.query(Source).one()
        before = source.url
        request = Request(source.id, source.url)
        moved = Response(
            request, source.url, 200, moved_to=f"https://herald.example.org/{many_signs(1_900)}"
        )
        for hours in (0, 2):
            now = MONDAY + timedelta(hours=hours)
            assert not sources.follow_move(session, source, moved, now)
        assert source.url == before


def test_an_item_with_too_long_a_link_leads_to_its_source(installation: Installation):
    installation.subscribe("anna@example.org")
    run_once(installation.at(MONDAY))
    installation.publish(
        [Article("Frexalimab slows lesions", link=f"https://herald.example.org/{'x' * 3_000}")]
    )
    run_once(installation.at(MONDAY + DAY))
    (mail,) = installation.sink.messages
    assert f'href="{installation.feed}"' in mail.get_body(("html",)).get_content()


ODD_CHARACTERS = [
    "\x00",
    "\udc80",
    "\x1b]0;x\x07",
    "\x9b31m",
    "\u202e",
    "\x7f",
    "\x08",
    "&#0;",
    "&#xD800;",
    "&#27;",
    "\ufffe",
]


@pytest.mark.parametrize("odd", ODD_CHARACTERS)
def test_no_character_that_a_database_refuses_or_a_terminal_obeys_is_stored(
    any_installation: Installation, odd: str
):
    made = any_installation
    words = f"Frexalimab {odd} slows"
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": words, "items": [
        {"id": words, "title": words, "summary": words, "content_text": words, "tags": [words],
         "authors": [{"name": words}]}
    ]}  # fmt: skip
    protocol = {
        "identificationModule": {"nctId": "NCT00000001", "briefTitle": words},
        "statusModule": {"overallStatus": words, "whyStopped": words, "statusVerifiedDate": words},
        "contactsLocationsModule": {"locations": [{"facility": words, "country": words}]},
    }
    study = {"protocolSection": protocol, "nextPageToken": words}
    article = f"<article><h2>{words}</h2><p>{words} in a made-up sentence.</p></article>"
    page = f"<title>{words}</title><h1>{words}</h1>{article}"
    watched_beside(made, json.dumps(feed), "application/json")
    made.site.put("/api/v2/studies/NCT00000001", json.dumps(study), "application/json")
    made.site.put("/page/", page.encode("utf-8", "surrogatepass"), "text/html; charset=utf-8")
    with made.at(MONDAY).writing() as session:
        sources.add(session, f"{made.site.address}/api/v2/studies/NCT00000001", MONDAY)
        sources.add(session, f"{made.site.address}/page/", MONDAY, kind=SourceKind.PAGE)
    assert {result.status for result in results(made).values()} == {"ok"}
    with made.at(MONDAY).reading() as session:
        for revision in session.query(Revision):
            said = [
                revision.title,
                revision.summary,
                revision.author,
                *revision.categories,
                json.dumps(revision.content),
            ]
            for words in said:
                assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in words)
                assert "\\ud" not in words
                assert "\\u00" not in words.replace("\\u00b7", "")


def test_marks_without_end_are_cut_and_folded_fast():
    endless = "a" + "\u0301\u0327" * 200_000
    assert len(clean(endless)) == 31
    assert len(fold(endless)) <= 31
    assert clean("e\u0301" * 100) == "e\u0301" * 100


class OddError(Exception):
    """An error that nobody expected."""


PLACES = (
    "notifier.watch.entries.store_part",
    "notifier.watch.compare.edits.plan",
    "notifier.watch.presence.note_listed",
    "notifier.watch.sources.record_success",
    "notifier.watch.sources.follow_move",
    "notifier.watch.sources.note_posts_url",
    "notifier.watch.compare.edits.Plan.compare",
    "notifier.watch.parser_process.Parser.parse",
    "notifier.pipeline.poll.Poll._store_document",
)
ERRORS = (
    OddError,
    ValueError,
    OverflowError,
    RecursionError,
    MemoryError,
    UnicodeError,
    KeyError,
    AssertionError,
    TypeError,
)


@pytest.mark.parametrize(
    ("place", "error"),
    [*zip(PLACES, ERRORS, strict=True), *((PLACES[0], one) for one in ERRORS[1:])],
)
def test_any_error_with_one_response_is_stored_with_its_source_alone(
    any_installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    error: type[Exception],
    caplog,
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    odd_id = stored(made, "/odd/").id
    owner, name = place.rsplit(".", 1)
    before = getattr(pkgutil.resolve_name(owner), name)

    def stumble(*args, **options):
        if concerns(args, odd_id):
            raise error("anna@example.org")
        return before(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(place, stumble)
        outcome = results(made)
    assert outcome["/feed/"].status == "ok"
    assert (outcome["/odd/"].status, outcome["/odd/"].new) == ("failed", 0)
    source = stored(made, "/odd/")
    assert source.last_error == f"the answer could not be stored ({error.__name__})"
    assert (source.failures, source.baselined_at, source.etag) == (1, None, None)
    assert "Traceback" in caplog.text
    outcome = results(made, MONDAY + DAY)
    assert (outcome["/odd/"].status, outcome["/odd/"].new) == ("ok", 1)
    with made.at(MONDAY).reading() as session:
        assert {revision.baseline for revision in session.query(Revision)} == {True}


def concerns(arguments: tuple, source_id: int) -> bool:
    """Return whether a call is about this source."""
    for argument in arguments:
        if isinstance(argument, Source) and argument.id == source_id:
            return True
        if "/odd/" in str(
            getattr(
                getattr(argument, "request", None),
                "url",
                argument if isinstance(argument, str) else "",
            )
        ):
            return True
        if isinstance(argument, edits.Plan):
            return any(
                "Odd" in observation.title for part in argument.parts for observation, _ in part
            )
        if isinstance(argument, frozenset | set) and argument:
            return False
    return False


def test_an_unchanged_source_that_cannot_be_stored_stops_no_other(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    results(made)
    odd_id, succeed = stored(made, "/odd/").id, sources.record_success

    def stumble(source: Source, *rest, **options):
        if source.id == odd_id:
            raise OverflowError("date value out of range")
        succeed(source, *rest, **options)

    monkeypatch.setattr(sources, "record_success", stumble)
    outcome = results(made, MONDAY + DAY)
    assert {result.status for result in outcome.values()} == {"unchanged"}
    assert stored(made, "/feed/").last_success_at == MONDAY + DAY
    assert stored(made, "/odd/").last_success_at == MONDAY


def test_a_part_of_the_poll_that_fails_stops_no_later_part(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    made.change(operator=Operator(address="office@example.org"))
    watched_beside(made, rss([Article("Odd")]))
    told = []

    def stumble(*_):
        told.append(1)
        raise OddError("a row")

    poll = poll_step.Poll(made.at(MONDAY))
    monkeypatch.setattr(presence, "note_checked", lambda *_: 1 / 0)
    monkeypatch.setattr(source_lists, "unreported", stumble)
    poll.state.page_checks[1][1] = PRESENT
    assert {result.status for result in poll.run()} == {"ok"}
    assert told == [1]


@pytest.mark.parametrize(
    "look", ["notifier.watch.page_checks.due", "notifier.watch.due_requests.posts"]
)
def test_further_requests_that_cannot_be_looked_up_stop_no_other_source(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch, look: str
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    odd_id = stored(made, "/odd/").id
    looked_at = []

    def stumble(_session, source_ids, _now):
        looked_at.append(list(source_ids))
        if odd_id in source_ids:
            raise LookupError("an odd row")
        return []

    monkeypatch.setattr(look, stumble)
    assert results(made)["/feed/"].status == "ok"
    assert len(looked_at) >= 3


def test_a_row_that_cannot_be_read_stops_no_other_source(
    any_installation: Installation,
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    with made.at(MONDAY).writing() as session:
        session.execute(text("UPDATE source SET kind = 'gopher' WHERE url LIKE '%/odd/'"))
    assert {path: result.status for path, result in results(made).items()} == {"/feed/": "ok"}


def test_a_database_that_cannot_be_used_is_raised_after_everything_else(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    watched_beside(made, rss([Article("Odd")]))
    odd_id, store_part = stored(made, "/odd/").id, entries.store_part

    def locked(session, source: Source, *rest, **options):
        if source.id == odd_id:
            raise StoreError("The database is locked.", "Wait.")
        return store_part(session, source, *rest, **options)

    monkeypatch.setattr(entries, "store_part", locked)
    with pytest.raises(StoreError, match="locked"):
        poll_step.run(made.at(MONDAY))
    assert stored(made, "/feed/").last_success_at == MONDAY
    assert stored(made, "/odd/").failures == 0  # it is not the site's fault


def test_a_response_that_cannot_be_handled_stops_no_other_request(site):
    addresses = [site.put(f"/{n}/", rss([])) for n in range(6)]
    taken = []

    def arrived(response):
        taken.append(response.request.source_id)
        if response.request.source_id == 0:
            raise OddError("the first")

    with pytest.raises(OddError):
        fetch_all([Request(n, url) for n, url in enumerate(addresses)], settings_for(25), arrived)
    assert sorted(taken) == list(range(6))


def test_a_source_check_that_fails_stops_no_other_check(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    watched_beside(installation, rss([Article("Odd")]))
    read = Parser.parse

    def stumble(self, kind, body, headers, url, *rest):
        if "/odd/" in url:
            raise OddError("anna@example.org")
        return read(self, kind, body, headers, url, *rest)

    monkeypatch.setattr(Parser, "parse", stumble)
    wanted = [
        (f"{installation.site.address}{path}", SourceKind.FEED) for path in ("/odd/", "/feed/")
    ]
    odd, healthy = check(installation.at(MONDAY), wanted)
    assert (odd.ok, odd.error) == (False, "the answer could not be checked (OddError)")
    assert healthy.ok


def listing(made: Installation, token) -> str:
    """Watch a search whose every page names a further one, and return its path."""

    def page(_: Asked) -> Answer:
        number = len(made.site.asked)
        trial = {"protocolSection": {"identificationModule": {"nctId": f"NCT{number:08}"}}}
        return Answer(
            200, json.dumps({"studies": [trial], "nextPageToken": token(number)}).encode()
        )

    made.site.dynamic["/api/v2/studies"] = page
    with made.at(MONDAY).writing() as session:
        sources.add(session, f"{made.site.address}/api/v2/studies?query=x", MONDAY)
    return "/api/v2/studies?query=x"


@pytest.mark.parametrize(
    ("token", "pages"),
    [
        (lambda number: f"t{number}", trial_lists.MOST_PAGES),
        (lambda _: "the same", 2),
        pytest.param(
            lambda number: "x" * 100 + str(number), trial_lists.MOST_PAGES, marks=pytest.mark.long
        ),
        pytest.param(
            lambda number: f"\u0661{number}", trial_lists.MOST_PAGES, marks=pytest.mark.long
        ),
        (lambda _: "\udc80", 2),
        (lambda _: ["no text"], 1),
        (lambda _: "", 1),
    ],
)
def test_a_list_without_end_is_read_for_fifty_pages(
    any_installation: Installation, token, pages: int
):
    made = any_installation
    path = listing(made, token)
    outcome = results(made)[path]
    status = "ok" if pages == 1 else "failed"
    assert (outcome.status, outcome.entries) == (status, pages)
    assert ("its list of trials" in (outcome.error or "")) == (pages > 1)
    with made.at(MONDAY).reading() as session:
        assert {revision.baseline for revision in session.query(Revision)} == {True}
    assert not [asked for asked in made.site.asked if "/NCT" in asked.path]


NOT_PUBLIC = [
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://127｡0｡0｡1/",
    "http://１２７.0.0.1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://LOCALHOST./",
    "http://localhost../",
    "http://loc\u00adalhost/",
    "http://loc%61lhost/",
    "http://%31%32%37.0.0.1/",
    "http://%2531%2532%2537.0.0.1/",
    "http://%6c%6f%63%61%6c%68%6f%73%74/",
    "http://x.%6c%61%6e/",
    "http://0x7F.1/",
    "http://printer.lan/",
    "http://printer.LAN./",
    "http://printer.ｌａｎ/",
    "http://printer。lan/",
    "http://mail.corp/",
    "http://x.home/",
    "http://x.home.arpa/",
    "http://x.intranet/",
    "http://x.private/",
    "http://localhost.localdomain/",
    "http://x.localdomain/",
    "http://metadata.google.internal/",
    "http://x.local/",
    "http://x.onion/",
    "http://home.arpa/",
    "http://intranet/",
    "http://[fec0::1]/",
    "http://[feff::1]/",
    "http://[3ffe::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/",
    "http://192.88.99.1/",
    "http://127.0.0.1%00.example.com/",
    "http://127.0.0.1%2f.example.com/",
    "http://127.0.0.1%5c.example.com/",
    "http://a b.example.com/",
    "http://xn--/",
]


@pytest.mark.parametrize("url", NOT_PUBLIC)
def test_a_proxy_is_never_asked_for_a_host_that_is_not_public(url: str):
    with pytest.raises((AddressRefusedError, ValueError)):
        ssrf.refuse_private_name(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/feed/",
        "https://EXAMPLE.com./feed/",
        "https://bücher.example.org/",
        "https://xn--bcher-kva.example.org/",
        "https://localhost.example.org/",
        "https://lan.example.org/",
        "https://corp.com/",
        "https://plan.org/",
        "https://athome.org/",
        "https://例え.jp/",
        "https://93.184.216.34/",
        "https://[2606:4700:4700::1111]/",
        "https://127.0.0.1.example.com/feed",
    ],
)
def test_a_public_name_is_allowed(url: str):
    ssrf.refuse_private_name(url)


@pytest.mark.parametrize(
    "network",
    ["fec0::1", "feff:ffff::1", "3ffe:831f::1", "192.88.99.1", "192.88.99.255", "::1.2.3.4"],
)
def test_networks_that_are_not_routed_are_not_public(network: str):
    assert not ssrf.is_public_ip(network)


@pytest.mark.skipif(not SHARED.exists(), reason="the corpora are not here")
def test_no_address_of_the_corpus_reaches_a_proxy_by_its_form():
    lines = (
        Path(SHARED / "corpora" / "hostile" / "ssrf_urls.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    passed = []
    for line in lines:
        url, _, kind = line.partition("\t")
        try:
            if url.startswith(("http://", "https://")):
                ssrf.refuse_private_name(url)
                passed.append(kind)
        except (AddressRefusedError, ValueError):
            continue
    # A public name that resolves to a private place is the proxy's to refuse; user names are
    # refused elsewhere.
    assert set(passed) <= {"dns-name", "userinfo", "parser-confusion"}


@pytest.mark.parametrize(
    "url", ["https://x.example.org/" + "x" * 2_000, f"https://x.example.org/{quote('ü' * 700)}"]
)
def test_an_address_that_is_too_long_cannot_be_watched(installation: Installation, url: str):
    with (
        installation.at(MONDAY).writing() as session,
        pytest.raises(InputError, match="cannot be watched"),
    ):
        sources.add(session, url, MONDAY)
    with pytest.raises(InputError):
        find_source(installation.at(MONDAY), url, None)


def test_nothing_is_parsed_or_compared_in_a_write_transaction(
    any_installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    made = any_installation
    writing, read, compare = db.writing, Parser.parse, edits.compare
    # By the thread: one document is parsed while another, in its own thread, is stored.
    is_open, seen = defaultdict(list), []

    @contextmanager
    def noted(*arguments):
        with writing(*arguments) as session:
            is_open[threading.get_ident()].append(True)
            yield session
            is_open[threading.get_ident()].pop()

    def checked(kind: str, function):
        def call(*arguments):
            seen.append(kind)
            assert not is_open[threading.get_ident()]
            return function(*arguments)

        return call

    monkeypatch.setattr(db, "writing", noted)
    monkeypatch.setattr(Parser, "parse", checked("read", read))
    monkeypatch.setattr(edits, "compare", checked("compared", compare))
    for number in range(2):
        made.publish([Article("Frexalimab", f"It slowed lesions by {number + 50} %.", slug="one")])
        assert results(made, MONDAY + number * DAY)["/feed/"].status == "ok"
    assert seen == ["read", "read", "compared"]


@pytest.mark.parametrize(("words", "stored_now"), [(10, True), (20_000, False)])
def test_a_long_state_that_changed_meanwhile_is_compared_later(
    engine, words: int, stored_now: bool
):
    def edition(number: int) -> list[Observation]:
        return [
            Observation(
                guid="1",
                url="",
                title="T",
                body=f"It slowed lesions by {number} %. " + "word " * words,
            )
        ]

    with db.writing(engine) as session:
        source, _ = sources.add(session, "https://x.example.org/feed/", MONDAY)
        entries.store(session, source, edition(10), MONDAY)
    with db.reading(engine) as session:
        plan = edits.plan(session, session.get(Source, source.id), edition(30))
    plan.compare()
    with db.writing(engine) as session:
        entries.store(session, session.get(Source, source.id), edition(20), MONDAY + HOUR)
    with db.writing(engine) as session:
        outcome = entries.store_part(
            session, session.get(Source, source.id), plan.parts[0], plan.differences, MONDAY + HOUR
        )
    assert (outcome.changed, outcome.postponed) == ((1, 0) if stored_now else (0, 1))


def test_parts_of_a_document_are_one_document(engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(edits, "_PART", 100)

    def observed(number: int, title: str) -> Observation:
        return Observation(guid=f"g{number}", url=f"https://x.example.org/{number}", title=title)

    with db.writing(engine) as session:
        source, _ = sources.add(session, "https://x.example.org/feed/", MONDAY)
        assert (
            entries.store(
                session, source, [observed(n, f"Title {n}") for n in range(250)], MONDAY
            ).new
            == 250
        )
    # The last one takes over the link of the first, and the first has another: the guid is the
    # stronger key.
    moved = [replace(observed(249, "Title 249"), url="https://x.example.org/0")]
    document = (
        [observed(n, f"Title {n}, edited") for n in range(1, 249)]
        + moved
        + [Observation(guid="new", url="https://x.example.org/249", title="New")]
    )
    with db.reading(engine) as session:
        plan = edits.plan(session, session.get(Source, source.id), document)
    assert len(plan.parts) == 3
    plan.compare()
    new = 0
    for part in plan.parts:
        with db.writing(engine) as session:
            found = session.get(Source, source.id)
            new += entries.store_part(session, found, part, plan.differences, MONDAY + HOUR).new
    assert new == 1


def test_the_number_of_items_left_out_of_a_long_document_is_shown(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # It takes a few seconds, and several times as long on a busy machine.
    monkeypatch.setattr(parser_process, "LEAST_SECONDS", parser_process.MOST_SECONDS)
    installation.publish([Article(f"Article {n}") for n in range(5_003)])
    (seen,) = check(installation.at(MONDAY), [(installation.feed, SourceKind.FEED)])
    assert "It has 3 more items, which are not read: only the newest 5,000 are." in seen.lines
    with installation.at(MONDAY).writing() as session:
        sources.listed(session)[0].left_out = 3
    config = tmp_path / "notifier.toml"
    database = installation.at(MONDAY).engine.url.database
    key = installation.at(MONDAY).settings.suppression_key
    config.write_text(
        f'database_url = "sqlite:///{database}"\nsecret_key = "x"\nsuppression_key = "{key}"\n'
    )
    shown = CliRunner().invoke(app, ["--config", str(config), "sources", "list", "--json"])
    assert [source["left_out"] for source in json.loads(shown.stdout)] == [3]
