"""Polling: requests, limits, and failures that are stored with their source."""

import gzip
import re
import threading
from datetime import timedelta

import pytest

from notifier.enums import SourceKind
from notifier.pipeline import poll as poll_step
from notifier.store.models import Entry, Revision, Source
from notifier.watch import parser_process, sources
from notifier.watch.health import health
from notifier.watch.http import ssrf
from notifier.watch.http.client import fetch_all
from notifier.watch.http.types import Request
from notifier.watch.parser_process import child
from notifier.watch.parsers import document
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.mail_sink import free_port
from tests.support.news_site import Answer, Article, Site, rss

HALF_HOUR = timedelta(minutes=30)


def poll(made: Installation, after: timedelta = timedelta(0), **options):
    (result,) = poll_step.run(made.at(MONDAY + after), **options)
    return result


def source(made: Installation) -> Source:
    with made.at(MONDAY).reading() as session:
        return session.query(Source).one()


def test_a_known_document_is_neither_sent_nor_parsed_again(installation: Installation):
    installation.publish([Article("One")])
    assert poll(installation).status == "ok"

    assert poll(installation, HALF_HOUR).status == "unchanged"

    first, second = installation.site.asked
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == installation.site.answers["/feed/"].headers["ETag"]
    assert (first.status, second.status) == (200, 304)


def validators_shown(made: Installation) -> list[bool]:
    return [
        bool({"If-None-Match", "If-Modified-Since"} & set(asked.headers))
        for asked in made.site.asked
        if asked.path == "/feed/"
    ]


def test_once_a_day_a_document_is_requested_without_validators(installation: Installation):
    installation.publish([Article("One")])
    hours = (0, 7, 14, 21, 28, 35)
    statuses = [poll(installation, timedelta(hours=hour)).status for hour in hours]
    assert statuses == ["ok", *["unchanged"] * 5]
    assert validators_shown(installation) == [False, True, True, True, False, True]


def test_a_forced_poll_requests_the_document_without_validators(installation: Installation):
    installation.publish([Article("One")])
    poll(installation)
    assert poll(installation, HALF_HOUR / 2, force=True).status == "unchanged"
    assert validators_shown(installation) == [False, False]


@pytest.mark.parametrize(
    ("after", "force"), [(timedelta(days=1), False), (HALF_HOUR, True)], ids=["a day", "forced"]
)
def test_a_server_that_calls_everything_unchanged_does_not_hide_its_news(
    any_installation: Installation, after: timedelta, force: bool
):
    tag = {"ETag": '"always the same"'}
    any_installation.site.answers["/feed/"] = Answer(200, rss([Article("One")]).encode(), tag)
    poll(any_installation)
    changed = rss([Article("Two"), Article("One")]).encode()
    # The site answers 304 to whoever shows the tag.
    any_installation.site.answers["/feed/"] = Answer(200, changed, tag)
    assert poll(any_installation, after, force=force).new == 1


def test_a_server_that_calls_a_document_unchanged_to_whom_it_never_gave_it_fails(
    installation: Installation,
):
    installation.site.fail("/feed/", 304)
    assert poll(installation).status == "failed"
    assert source(installation).last_error == "the address answered 304 instead of a document"
    installation.publish([Article("One"), Article("Two")])
    assert poll(installation, HALF_HOUR).new == 2
    with installation.at(MONDAY).reading() as session:
        assert all(revision.baseline for revision in session.query(Revision))
    installation.site.fail("/feed/", 304)
    poll(installation, timedelta(hours=7))
    poll(installation, timedelta(hours=25))
    assert source(installation).failures == 1


def test_a_request_without_validators_that_failed_is_made_again(installation: Installation):
    installation.publish([Article("One")])
    poll(installation)
    installation.site.fail("/feed/", 500)
    poll(installation, timedelta(hours=25))
    installation.publish([Article("One")])
    poll(installation, timedelta(hours=30))
    poll(installation, timedelta(hours=37))
    assert validators_shown(installation) == [False, False, False, True]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, timedelta(hours=1)),
        (429, {"Retry-After": "60"}, timedelta(hours=1)),
        (429, {"Retry-After": "7200"}, timedelta(hours=2)),
        (503, {"Retry-After": "7200"}, timedelta(hours=2)),
        (503, {"Retry-After": "Mon, 02 Mar 2026 12:00:00 GMT"}, timedelta(hours=3)),
        (503, {"Retry-After": "99999999"}, timedelta(days=7)),
        (503, {}, HALF_HOUR * 0.9),
    ],
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    installation: Installation, status: int, headers: dict[str, str], wait: timedelta
):
    installation.site.fail("/feed/", status, **{"Date": "Mon, 02 Mar 2026 09:00:00 GMT", **headers})
    assert poll(installation).status == "failed"
    assert wait <= source(installation).next_poll_at - MONDAY <= wait * 1.2


def test_last_modified_is_sent_back_as_it_came(installation: Installation):
    stamp = "Mon, 02 Mar 2026 08:00:00 GMT"
    installation.site.answers["/feed/"] = Answer(200, rss([]).encode(), {"Last-Modified": stamp})
    poll(installation)
    poll(installation, HALF_HOUR)
    assert installation.site.asked[1].headers["If-Modified-Since"] == stamp


def test_the_same_bytes_without_validators_are_not_parsed_again(installation: Installation):
    installation.site.answers["/feed/"] = Answer(200, rss([Article("One")]).encode(), {})
    assert poll(installation).status == "ok"
    assert poll(installation, HALF_HOUR).status == "unchanged"


def test_requests_name_their_user_agent(installation: Installation):
    poll(installation)
    assert installation.site.asked[0].headers["User-Agent"].startswith("notifier/")
    assert "https://news.example.org" in installation.site.asked[0].headers["User-Agent"]


def test_a_source_is_polled_when_it_is_due_or_forced(installation: Installation):
    assert poll(installation).status == "ok"
    assert poll(installation, timedelta(minutes=26)).status == "not_due"
    assert poll(installation, timedelta(minutes=26), force=True).status == "unchanged"
    assert poll(installation, timedelta(hours=1)).status == "unchanged"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(500), "answered 500"),
        (Answer(404), "answered 404"),
        (Answer(200, b""), "answered with nothing"),
        (
            Answer(200, b"<!doctype html><html><body>Hello</body></html>"),
            "an HTML page, not a feed",
        ),
        (Answer(200, b"<rss><channel><item>"), "in the middle of its first item"),
        (Answer(302, b"", {"Location": "/feed/"}), "redirects more than"),
        (Answer(302, b"", {"Location": "file:///etc/passwd"}), "not an http or https"),
        (Answer(302, b"", {"Location": "http://user:pass@127.0.0.1/"}), "user name"),
        (Answer(200, b"x", {"Content-Encoding": "gzip"}), "gzip|decode|encoding|nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_failure_is_stored_with_its_reason_and_no_entry_is_lost(
    installation: Installation, answer: Answer, said: str
):
    installation.publish([Article("One")])
    poll(installation)
    installation.site.answers["/feed/"] = answer

    result = poll(installation, HALF_HOUR)

    assert result.status == "failed"
    stored = source(installation)
    assert stored.last_error == result.error
    assert re.search(said, stored.last_error)
    assert health(stored, MONDAY) == "failing"
    installation.publish([Article("One"), Article("Two")])
    again = poll(installation, timedelta(hours=2))
    assert (again.status, again.new) == ("ok", 1)
    assert health(source(installation), MONDAY) == "healthy"


def test_a_host_that_does_not_exist_is_a_failure_with_its_reason(installation: Installation):
    installation.adopt(
        sources=(f"http://127.0.0.1:{free_port()}/feed/", "http://no-such-host.invalid/feed/")
    )
    results = poll_step.run(installation.at(MONDAY))
    errors = [one.error for one in results if one.status == "failed"]
    assert len(errors) == 2
    assert "cannot be reached" in errors[0]
    assert "cannot be resolved" in errors[1]


def test_a_source_that_is_gone_for_good_is_not_polled_again(installation: Installation):
    installation.site.fail("/feed/", 410)
    assert poll(installation).status == "gone"
    assert health(source(installation), MONDAY) == "gone"
    assert poll(installation, timedelta(days=9)).status == "not_due"
    assert len(installation.site.asked) == 1


def test_a_failing_source_is_polled_less_and_less_often_but_never_given_up(
    installation: Installation,
):
    installation.site.fail("/feed/", 500)
    moment, gaps = timedelta(0), []
    for _ in range(8):
        poll(installation, moment)
        wait = source(installation).next_poll_at - (MONDAY + moment)
        gaps.append(wait)
        moment += wait
    expected = [HALF_HOUR, HALF_HOUR * 2, HALF_HOUR * 4, HALF_HOUR * 8]
    assert all(wait * 0.9 <= gap <= wait for gap, wait in zip(gaps[:4], expected, strict=True))
    assert timedelta(hours=5.4) <= gaps[-1] <= timedelta(hours=6)


def test_an_answer_that_takes_too_long_is_given_up(site: Site):
    site.put("/feed/", rss([]))
    # The site answers only when the client has given up, however slow the machine is.
    given_up = site.answers["/feed/"].held_until = threading.Event()
    settings = settings_for(25)
    settings = settings.model_copy(
        update={"watch": settings.watch.model_copy(update={"timeout_seconds": 0.3})}
    )
    responses = []
    try:
        fetch_all([Request(1, f"{site.address}/feed/")], settings, responses.append)
    finally:
        given_up.set()
    assert "did not answer completely within 0.3 s" in responses[0].error


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_given_up(site: Site, packed: bool):
    body = b"<rss>" + b" " * 5_000_000
    headers = {"Content-Encoding": "gzip"} if packed else {}
    site.answers["/feed/"] = Answer(200, gzip.compress(body) if packed else body, headers)
    settings = settings_for(25)
    settings = settings.model_copy(
        update={"watch": settings.watch.model_copy(update={"max_bytes": 100_000})}
    )
    answers = []
    fetch_all([Request(1, f"{site.address}/feed/")], settings, answers.append)
    assert "larger than 100,000 bytes" in answers[0].error
    assert answers[0].body == b""


def test_a_redirect_is_followed(installation: Installation):
    installation.site.put("/new/", rss([Article("One")]))
    installation.site.answers["/feed/"] = Answer(301, b"", {"Location": "/new/"})
    assert (poll(installation).status, poll(installation, HALF_HOUR).status) == ("ok", "unchanged")


def test_private_addresses_are_refused_unless_they_are_allowed(site: Site):
    site.put("/feed/", rss([]))
    settings = settings_for(25)
    settings = settings.model_copy(
        update={"watch": settings.watch.model_copy(update={"allow_private_addresses": False})}
    )
    answers = []
    addresses = [
        f"{site.address}/feed/",
        f"http://localhost:{site.address.rpartition(':')[2]}/feed/",
    ]
    fetch_all([Request(n, url) for n, url in enumerate(addresses)], settings, answers.append)
    assert ["is not a public one" in one.error for one in answers] == [True, True]
    assert site.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::80ff:fffe", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool):
    assert ssrf.is_public_ip(address) is public


def test_a_bug_in_a_parser_is_one_sources_failure(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    def stumble(*_):
        raise RecursionError("too deep")

    installation.adopt(
        sources=(installation.feed,), pages=(installation.site.put("/page/", "<p>x", "text/html"),)
    )
    monkeypatch.setitem(document.PARSERS, SourceKind.PAGE, stumble)
    page_request = {"task": "document", "kind": "page", "headers": {}, "url": "", "encoding": ""}
    answer = child._answer(page_request, b"<p>x")
    ask = parser_process.Child.ask
    monkeypatch.setattr(
        parser_process.Child,
        "ask",
        lambda self, request, *rest: (
            answer if request.get("kind") == "page" else ask(self, request, *rest)
        ),
    )
    installation.publish([Article("One")])
    results = {one.kind: one for one in poll_step.run(installation.at(MONDAY))}
    assert results["feed"].status == "ok"
    assert "RecursionError" in results["page"].error


def test_a_source_takes_the_name_it_gives_itself_unless_an_operator_named_it(
    installation: Installation,
):
    with installation.at(MONDAY).writing() as session:
        sources.add(
            session,
            installation.site.put("/other/", rss([], title="Their name")),
            MONDAY,
            name="Our name",
        )
    poll_step.run(installation.at(MONDAY))
    with installation.at(MONDAY).reading() as session:
        assert [one.name for one in sources.listed(session)] == [
            "The Example Herald (fictional)",
            "Our name",
        ]


def test_a_removed_source_is_not_polled_but_its_entries_stay(
    any_installation: Installation,
):
    made = any_installation
    made.publish([Article("Frexalimab")])
    deps = made.at(MONDAY)
    poll_step.run(deps)
    with deps.writing() as session:
        sources.remove(session, "1", MONDAY)
    assert poll_step.run(deps, force=True) == []
    with deps.reading() as session:
        assert sources.listed(session) == []
        assert session.query(Entry).count() == 1


def test_a_source_that_is_watched_again_begins_with_a_baseline(any_installation: Installation):
    made = any_installation
    deps = made.at(MONDAY)
    poll_step.run(deps)
    with deps.writing() as session:
        sources.remove(session, "1", MONDAY)
        assert sources.add(session, made.feed, MONDAY)[1]
    made.publish([Article("Frexalimab, meanwhile")])
    poll_step.run(deps)
    with deps.reading() as session:
        assert [one.revisions[0].baseline for one in session.query(Entry)] == [True]
