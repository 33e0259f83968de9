"""The HTTP client: one request at a time to a host, redirects, encodings, proxies, no cookies."""

import gzip
import socketserver
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import brotli
import pytest
from backports import zstd

from notifier.pipeline import poll as poll_step
from notifier.store.models import Source
from notifier.text.cleaning import storable
from notifier.watch.http import client
from notifier.watch.http.client import fetch_all
from notifier.watch.http.handling import OnResponse, Prepare
from notifier.watch.http.types import Request, Response, leads_to_front_page
from tests.support import news_site as sites
from tests.support.installation import MONDAY, Installation, settings_for
from tests.support.news_site import Answer, Article, Site, rss

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

HOUR = timedelta(hours=1)


def fetched(site: Site, *paths: str, **watch) -> list[Response]:
    settings = settings_for(25)
    settings = settings.model_copy(update={"watch": settings.watch.model_copy(update=watch)})
    answers: list[Response] = []
    fetch_all(
        [Request(n, site.address + path) for n, path in enumerate(paths)], settings, answers.append
    )
    return answers


def test_a_host_gets_one_request_at_a_time_with_a_pause_between(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.2)
    busy, most = [], []

    def slow(_):
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.05)
        busy.pop()
        return Answer(200, b"x")

    for path in ("/1", "/2", "/3"):
        site.dynamic[path] = slow
    began = time.monotonic()
    assert len(fetched(site, "/1", "/2", "/3")) == 3
    assert time.monotonic() - began >= 0.55
    assert max(most) == 1


@contextmanager
def server_that_goes_on(status: str, late: bytes) -> Iterator[str]:
    """Start a server whose answer to ``/odd`` is followed a moment later by further bytes."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline() not in (b"\r\n", b""):
                    continue
                is_odd = b"/odd" in line
                head = status if is_odd else "200 OK"
                self.wfile.write(f"HTTP/1.1 {head}\r\nContent-Length: 2\r\n\r\n".encode())
                self.wfile.write(b"" if head.startswith("304") else b"ok")
                if is_odd:
                    time.sleep(0.03)
                    self.wfile.write(late)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def fetch_from_hosts(
    count: int, prepare: Prepare, on_response: OnResponse, answer: Answer | None = None
) -> None:
    """Request a page from each of so many hosts; the request's source is the host's number."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(sites.running()) for _ in range(count)]
        for host in hosts:
            host.answers["/"] = answer or Answer(200, b"x")
        requests = [Request(number, f"{host.address}/") for number, host in enumerate(hosts)]
        fetch_all(requests, settings_for(25), on_response, prepare=prepare)


def test_one_response_is_prepared_while_another_is_handled():
    prepared, waited = [], []
    second = threading.Event()

    def prepare(response: Response) -> None:
        prepared.append(response)
        if len(prepared) == 2:
            second.set()

    def on_response(_: Response) -> None:
        waited.append(second.wait(10))

    fetch_from_hosts(2, prepare, on_response)
    assert waited == [True, True]


def test_only_few_responses_are_prepared_before_they_are_handled():
    ahead, most = [], []

    def prepare(response: Response) -> None:
        ahead.append(response)
        most.append(len(ahead))

    def on_response(response: Response) -> None:
        time.sleep(0.02)
        ahead.remove(response)

    fetch_from_hosts(8, prepare, on_response)
    assert len(most) == 8
    assert max(most) <= 3


def test_a_response_without_a_body_is_not_prepared(site: Site):
    site.answers["/gone"] = Answer(404, b"")
    prepared, answers = [], []
    requests = [Request(1, f"{site.address}/gone")]
    fetch_all(requests, settings_for(25), answers.append, prepare=prepared.append)
    assert (len(answers), prepared) == (1, [])


def test_responses_without_a_body_lead_each_to_its_own_requests():
    asked: list[tuple[int, str]] = []

    def on_response(response: Response) -> list[Request]:
        asked.append((response.request.source_id, response.request.etag or ""))
        if response.request.etag:
            return []
        return [Request(response.request.source_id, response.request.url, etag='"again"')]

    fetch_from_hosts(12, lambda _: None, on_response, Answer(304))
    assert sorted(asked) == sorted((n, tag) for n in range(12) for tag in ("", '"again"'))


def test_an_error_about_a_response_without_a_body_keeps_no_other_from_being_handled():
    handled = []

    def on_response(response: Response) -> None:
        if response.request.source_id in (0, 5):
            raise LookupError("made up")
        handled.append(response.request.source_id)

    with pytest.raises(LookupError, match="made up"):
        fetch_from_hosts(12, lambda _: None, on_response, Answer(304))
    assert sorted(handled) == [n for n in range(12) if n not in (0, 5)]


def test_an_error_while_preparing_is_raised_after_the_other_responses():
    handled = []

    def prepare(response: Response) -> None:
        if response.request.source_id == 0:
            raise LookupError("made up")

    with pytest.raises(LookupError, match="made up"):
        fetch_from_hosts(3, prepare, handled.append)
    assert sorted(response.request.source_id for response in handled) == [1, 2]


@pytest.mark.parametrize("late", [b"<p>not HTTP</p>", b"HTTP/1.1 500 Mine\r\n\r\n", b"\x00" * 9])
@pytest.mark.parametrize("status", ["304 Not Modified", "200 OK", "404 Not Found"])
def test_bytes_after_an_answer_harm_no_other_source_of_the_host(
    status: str, late: bytes, monkeypatch: pytest.MonkeyPatch
):
    # The next request is made while the bytes are on their way.
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.02)
    with server_that_goes_on(status, late) as address:
        requests = [
            Request(n, address + path) for n, path in enumerate(("/odd", "/1", "/odd", "/2"))
        ]
        answers: dict[str, Response] = {}
        fetch_all(requests, settings_for(25), lambda got: answers.update({got.request.url: got}))
    for path in ("/1", "/2"):
        response = answers[address + path]
        assert (response.error, response.status, response.body) == ("", 200, b"ok"), path


def test_the_pause_is_never_longer_than_a_second():
    assert 0 < Pause.seconds <= 1


class Pause:
    """The pause in the product; the other tests run without it."""

    seconds = client.PAUSE_SECONDS


@pytest.mark.parametrize(
    ("name", "pack"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstd.compress), ("deflate", None)],
)
def test_an_answer_in_every_encoding_is_unpacked_within_its_limit(site: Site, name: str, pack):
    pack = pack or zlib.compress
    site.answers["/small"] = Answer(200, pack(b"<rss>small</rss>"), {"Content-Encoding": name})
    site.answers["/bomb"] = Answer(200, pack(b" " * 30_000_000), {"Content-Encoding": name})
    small, bomb = fetched(site, "/small", "/bomb", max_bytes=100_000)
    assert small.body == b"<rss>small</rss>"
    assert "larger than 100,000 bytes" in bomb.error
    assert name in dict(site.asked[0].headers)["Accept-Encoding"]


def test_no_cookie_is_kept(site: Site):
    site.answers["/1"] = Answer(200, b"x", {"Set-Cookie": "visitor=1"})
    site.answers["/2"] = Answer(200, b"x")
    named = site.address.replace(
        "127.0.0.1", "localhost"
    )  # cookies of bare addresses are never kept
    fetch_all([Request(n, f"{named}/{n}") for n in (1, 2)], settings_for(25), lambda _: None)
    assert [("Cookie" in one.headers) for one in site.asked] == [False, False]


def test_proxies_of_the_environment_are_ignored(site: Site, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.answers["/1"] = Answer(200, b"x")
    assert fetched(site, "/1")[0].status == 200


def test_a_configured_proxy_is_used_but_never_for_a_private_name(site: Site):
    site.dynamic["http://herald.example.org/feed/"] = lambda _: Answer(200, b"by proxy")
    settings = settings_for(25)
    watch = settings.watch.model_copy(
        update={"proxy": site.address, "allow_private_addresses": False}
    )
    answers: list[Response] = []
    urls = [
        "http://herald.example.org/feed/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://printer.local/",
    ]
    requests = [Request(n, url) for n, url in enumerate(urls)]
    fetch_all(requests, settings.model_copy(update={"watch": watch}), answers.append)
    good, *refused = sorted(answers, key=lambda one: one.request.source_id)
    assert good.body == b"by proxy"
    assert [one.refused for one in refused] == [True, True, True]
    assert len(site.asked) == 1


class Mover:
    """A feed that has moved."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.new = made.site.put("/new/", rss([Article("One")]))
        self.redirect(301)

    def redirect(self, status: int, to: str = "/new/") -> None:
        self.made.site.answers["/feed/"] = Answer(status, b"", {"Location": to})

    def poll(self, after: timedelta) -> str:
        """Poll once and return the address that is stored then."""
        poll_step.run(self.made.at(MONDAY + after), force=True)
        with self.made.at(MONDAY).reading() as session:
            return session.query(Source).one().url


@pytest.fixture
def mover(any_installation: Installation) -> Mover:
    return Mover(any_installation)


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_is_stored_when_it_is_seen_twice_an_hour_apart(
    mover: Mover, status: int
):
    mover.redirect(status)
    old = mover.made.feed
    assert mover.poll(0 * HOUR) == old
    assert mover.poll(HOUR / 2) == old
    assert mover.poll(HOUR) == mover.new
    mover.poll(2 * HOUR)
    assert [one.path for one in mover.made.site.asked][-1] == "/new/"
    with mover.made.at(MONDAY).reading() as session:
        assert session.query(Source).one().failures == 0


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_followed_and_not_stored(mover: Mover, status: int):
    mover.redirect(status)
    assert [mover.poll(hours * HOUR) for hours in range(4)] == [mover.made.feed] * 4


def test_a_permanent_redirect_that_did_not_hold_is_forgotten(mover: Mover):
    mover.poll(0 * HOUR)
    mover.made.publish([Article("One")])
    mover.poll(HOUR)
    mover.redirect(301)
    assert mover.poll(2 * HOUR) == mover.made.feed
    assert mover.poll(3 * HOUR) == mover.new


def test_a_failure_in_between_does_not_forget_a_redirect(mover: Mover):
    assert mover.poll(0 * HOUR) == mover.made.feed
    mover.made.site.fail("/feed/", 500)
    mover.poll(HOUR / 2)
    mover.redirect(301)
    assert mover.poll(HOUR) == mover.new


def test_a_redirect_to_an_address_that_fails_or_is_watched_is_not_stored(mover: Mover):
    mover.made.site.fail("/new/", 404)
    assert [mover.poll(hours * HOUR) for hours in range(3)] == [mover.made.feed] * 3
    with mover.made.at(MONDAY).reading() as session:
        assert "404" in session.query(Source).one().last_error


def test_a_permanent_redirect_behind_a_temporary_one_is_not_stored(mover: Mover):
    mover.redirect(302, "/between/")
    mover.made.site.answers["/between/"] = Answer(301, b"", {"Location": "/new/"})
    assert [mover.poll(hours * HOUR) for hours in range(3)] == [mover.made.feed] * 3


def fetched_by_name(site: Site, *urls: str) -> list[Response]:
    """Fetch addresses one after the other; `127.0.0.1` and `localhost` are two hosts."""
    answers: list[Response] = []
    for url in urls:
        fetch_all([Request(1, url)], settings_for(25), answers.append)
    return answers


def gate(site: Site, cookie: str, to: str = "/feed/") -> None:
    """Let a path answer only to who shows a cookie, and send everybody else to where it is set."""
    site.answers["/gate"] = Answer(302, b"", {"Location": to, "Set-Cookie": cookie})


def cookies_shown(site: Site) -> list[str]:
    return [one.headers.get("Cookie", "") for one in site.asked]


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        pytest.param("seen=1; Path=/", "seen=1", id="a plain cookie"),
        pytest.param("seen=1", "seen=1", id="no path"),
        pytest.param('seen="a b"; Path=/', 'seen="a b"', id="in quotes"),
        pytest.param("__cf=x.y-z_1=; HttpOnly; SameSite=Lax", "__cf=x.y-z_1=", id="a token"),
        pytest.param("seen=1; Max-Age=3600; Path=/feed", "seen=1", id="the path that follows"),
        pytest.param("seen=1; Path=/other", "", id="another path"),
        pytest.param("seen=1; Secure", "", id="only for https"),
        pytest.param("seen=1; Max-Age=0", "", id="deleted"),
        pytest.param("seen=1; Domain=example.org", "", id="another domain"),
        pytest.param("seen=1; Domain=org", "", id="a domain that strangers share"),
        pytest.param("seen=caf\xe9", "", id="raw bytes"),
        pytest.param("seen=" + "x" * 9000, "", id="longer than a header may be"),
        pytest.param("=;;=;", "", id="no cookie at all"),
    ],
)
def test_a_cookie_is_shown_along_one_chain_of_redirects(site: Site, cookie: str, shown: str):
    gate(site, cookie)
    site.answers["/feed/"] = Answer(200, b"x")
    assert fetched(site, "/gate")[0].status == 200
    assert cookies_shown(site) == ["", shown]


def test_a_chain_of_redirects_that_asks_for_its_own_cookie_is_followed(site: Site):
    gate(site, "seen=1; Path=/")

    class Headers:
        count = 0

    def first_sends_away(_):
        Headers.count += 1
        return Answer(302, b"", {"Location": "/gate"}) if Headers.count == 1 else Answer(200, b"x")

    site.dynamic["/feed/"] = first_sends_away
    assert fetched(site, "/feed/")[0].body == b"x"
    assert cookies_shown(site) == ["", "", "seen=1"]


def test_a_cookie_goes_to_no_other_host_and_into_no_other_request(site: Site):
    named = site.address.replace("127.0.0.1", "localhost")
    gate(site, "seen=1; Path=/", to=f"{named}/feed/")
    site.answers["/feed/"] = Answer(200, b"x")
    fetched_by_name(site, f"{site.address}/gate", f"{site.address}/feed/")
    assert cookies_shown(site) == ["", "", ""]


@pytest.mark.parametrize(
    ("status", "headers", "seen_as"),
    [
        (203, {}, 200),
        (206, {}, 200),
        (206, {"Content-Range": "bytes 0-4/5"}, 200),
        (206, {"Content-Range": "bytes 0-4/50"}, 206),
        (206, {"Content-Range": "bytes 1-4/5"}, 206),
        (206, {"Content-Range": "bytes 0-4/*"}, 206),
        (206, {"Content-Range": "nonsense"}, 206),
        (202, {}, 202),
        (226, {}, 226),
    ],
)
def test_an_answer_with_the_whole_document_is_one(site: Site, status: int, headers, seen_as: int):
    site.answers["/1"] = Answer(status, b"whole", headers)
    response = fetched(site, "/1")[0]
    assert (response.status, response.body) == (seen_as, b"whole" if seen_as == 200 else b"")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Security-Policy": "x" * 12_000}, id="one of 12,000 bytes"),
        pytest.param({"Link": "y" * 60_000}, id="one of 60,000 bytes"),
        pytest.param({f"X-Made-Up-{n}": "z" * 100 for n in range(400)}, id="400 headers"),
    ],
)
def test_headers_of_64_kilobytes_are_read(site: Site, headers: dict[str, str]):
    site.answers["/1"] = Answer(200, b"x", headers)
    assert (fetched(site, "/1")[0].error, fetched(site, "/1")[0].body) == ("", b"x")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Link": "y" * 70_000}, id="one header"),
        pytest.param({f"X-Made-Up-{n}": "z" * 1_000 for n in range(70)}, id="seventy headers"),
    ],
)
def test_larger_headers_fail_that_source_alone(site: Site, headers: dict[str, str]):
    site.answers["/1"] = Answer(200, b"x", headers)
    site.answers["/2"] = Answer(200, b"x")
    large, other = sorted(fetched(site, "/1", "/2"), key=lambda one: one.request.source_id)
    assert large.error == "the headers of the answer are larger than 65,536 bytes"
    assert other.body == b"x"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("/a%3Bb%21/%7Eward?sig=a%2Fb%3D%2B%27", "/a%3Bb%21/%7Eward?sig=a%2Fb%3D%2B%27"),
        ("/feed?u=https%3A%2F%2Fh.example.org%2F%3Fa%3D1", None),
        ("/caf%c3%a9", None),
        ("/café news?q=ü%20x", "/caf%C3%A9%20news?q=%C3%BC%20x"),
        ("/100%?q=%zz", "/100%25?q=%25zz"),
        ("/a[1]?b=%5B2%5D|3", "/a%5B1%5D?b=%5B2%5D%7C3"),
        ("/plain?a=1#place", "/plain?a=1"),
        ("/with%20place#a%20b", "/with%20place"),
    ],
)
def test_an_address_is_sent_in_the_letters_in_which_it_was_given(
    site: Site, given: str, asked: str | None
):
    fetched(site, given)
    assert site.asked[0].path == (asked or given)


def test_a_server_that_leads_to_its_own_form_of_an_address_is_followed(site: Site):
    site.fail("/start", 301, Location="/caf%C3%A9%21?a=b%2Fc")
    site.fail("/caf%C3%A9!?a=b/c", 301, Location="/caf%C3%A9%21?a=b%2Fc")
    site.answers["/caf%C3%A9%21?a=b%2Fc"] = Answer(200, b"x")
    (answer,) = fetched(site, "/start")
    assert (answer.error, answer.body) == ("", b"x")
    assert answer.moved_to == f"{site.address}/caf%C3%A9%21?a=b%2Fc"


def test_a_list_in_several_headers_is_one_list():
    lines = (
        "HTTP/1.1 200 OK", "Content-Length: 1", "Link: <https://h.example.org/wp-json/>; rel=api",
        "Cache-Control: no-cache", "Link: <https://hub.example.org/>; rel=hub",
        "Cache-Control: max-age=86400", "Date: yesterday", "Date: today",
    )  # fmt: skip

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                continue
            self.wfile.write("\r\n".join([*lines, "", "x"]).encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        (answer,) = fetched(Site(f"http://127.0.0.1:{server.server_address[1]}"), "/")
        thread.join()
    assert answer.body == b"x", answer.error
    assert {name: answer.headers[name] for name in ("link", "cache-control", "date")} == {
        "link": "<https://h.example.org/wp-json/>; rel=api, <https://hub.example.org/>; rel=hub",
        "cache-control": "no-cache, max-age=86400",
        "date": "today",
    }


def test_a_packed_answer_without_a_word_is_unpacked_within_its_limit(site: Site):
    site.answers["/feed.xml.gz"] = Answer(
        200, gzip.compress(b"<rss/>"), {"Content-Type": "text/xml"}
    )
    site.answers["/bomb"] = Answer(200, gzip.compress(b" " * 30_000_000))
    site.answers["/old"] = Answer(200, gzip.compress(b"<rss/>"), {"Content-Encoding": "x-gzip"})
    small, old, bomb = fetched(site, "/feed.xml.gz", "/old", "/bomb", max_bytes=100_000)
    assert (small.body, old.body) == (b"<rss/>", b"<rss/>")
    assert "larger than 100,000 bytes" in bomb.error


ODD = (
    "\x00", "\x7f\x01", "\xff\xfe\x80", "caf\xe9", "\xed\xa0\xbd", "x" * 3_000, "%", ";,=\"'", "",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "ETag", "Last-Modified", "Location", "Retry-After", "Content-Type", "Content-Encoding",
        "Content-Range", "Set-Cookie", "Link", "Expires", "Cache-Control", "Age", "Date",
    ],
)  # fmt: skip
def test_no_bytes_in_a_header_harm_another_source(site: Site, name: str):
    status = {"Location": 301, "Content-Range": 206}.get(name, 200)
    for number, text in enumerate(ODD):
        site.answers[f"/odd{number}"] = Answer(status, b"<rss/>", {name: text})
    site.answers["/fine"] = Answer(200, b"fine")
    answers = fetched(site, *(f"/odd{number}" for number in range(len(ODD))), "/fine")
    assert len(answers) == len(ODD) + 1
    for answer in answers:
        stored = [answer.error, answer.url, answer.moved_to, *answer.headers.values()]
        assert [storable(text) for text in stored] == stored
        assert answer.body == b"fine" or answer.request.url != f"{site.address}/fine"


@pytest.mark.parametrize(
    ("wanted", "answered", "leads"),
    [
        ("https://a.example.org/guide/", "https://a.example.org/", True),
        ("https://a.example.org/guide/", "https://a.example.org", True),
        ("https://a.example.org/guide/", "https://b.example.org/de/", True),
        ("https://a.example.org/guide/", "https://a.example.org/en-US/index.html", True),
        ("https://a.example.org/", "https://www.example.org/de/", False),
        ("https://a.example.org/guide/", "https://a.example.org/guide-2/", False),
        ("https://a.example.org/guide/", "https://a.example.org/ms/guide/", False),
        ("https://a.example.org/guide/", "https://a.example.org/ms/", False),
    ],
)
def test_a_redirect_to_a_front_page_is_known(wanted: str, answered: str, *, leads: bool):
    assert leads_to_front_page(Response(Request(1, wanted), answered, 200)) is leads
