"""Hostile input of every kind, generated with fixed seeds: it stops nothing beside itself.

No error leaves its source, mail, row or request. Besides, no foreign file is opened, no other
machine is dialled, and time, memory and the length of write transactions stay below limits. These
tests are long: `make test-long`.
"""

import io
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from notifier.enums import SourceKind
from notifier.errors import InputError
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline import bounces, match, poll
from notifier.pipeline.run import run_once
from notifier.settings import Watch
from notifier.store.models import Delivery, Subscriber, Subscription, Suppression
from notifier.subscribers import import_export, list_files
from notifier.watch import parser_process, sources
from notifier.watch.http import ssrf
from notifier.web.app import create
from tests.support.audit import watching
from tests.support.effort import measured, seconds_not_starved
from tests.support.installation import MONDAY, Installation
from tests.support.mutations import field_values, header_values, mutated
from tests.support.news_site import Answer, Article, rss
from tests.support.web_server import serving

pytestmark = pytest.mark.long

# Limits: seconds for one generated input, seconds for one write transaction (without the time in
# which it waits for a processor), and megabytes by which the process may grow in a test. Chosen by
# hand, several times what a quiet machine needs.
SLOWEST_INPUT = 45.0
LONGEST_TRANSACTION = 1.0
MOST_GROWTH_MB = 400

FEW = settings(
    max_examples=120,
    deadline=None,
    database=None,
    # A failure depends on what the database holds by then: to look for a shorter one finds another,
    # or none, for long.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
MANY = settings(FEW, max_examples=250)

RSS = rss(
    [Article("Frexalimab slows lesions", "A made-up summary."), Article("Another made-up headline")]
).encode()
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">\
<title>Made up</title><id>urn:x</id>
<entry><id>urn:1</id><title type="html">Frexalimab &lt;b&gt;again&lt;/b&gt;</title>
<updated>2026-03-02T08:00:00Z</updated>
<link href="https://herald.example.org/1"/>
<content type="html">&lt;p&gt;Nothing is true.&lt;/p&gt;</content></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Made up",
        "items": [
            {
                "id": "1",
                "url": "https://herald.example.org/1",
                "title": "Frexalimab",
                "content_html": "<p>No.</p>",
                "date_published": "2026-03-02T08:00:00Z",
                "tags": ["x"],
                "authors": [{"name": "Nobody"}],
            }
        ],
    }
).encode()
PAGE = b"""<!doctype html><html><head><title>Frexalimab</title>\
<link rel="canonical" href="https://x.example.org/f"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/a">A</a></li>\
<li><a href="/b">B</a></li></ul></nav>
<article><h1>Frexalimab</h1><p>Last updated March 2, 2026</p>\
<p>A made-up page about a made-up antibody.</p>
<h2>Side effects</h2><ul><li>headache</li><li>cold</li></ul>\
<p>1200 mg every month.</p></article></body></html>"""
RECORD = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT99990001", "acronym": "MADEUP",
                                 "briefTitle": "A made-up trial"},
        "statusModule": {"overallStatus": "RECRUITING", "startDateStruct": {"date": "2025-01"},
                         "primaryCompletionDateStruct": {"date": "2027-06", "type": "ESTIMATED"},
                         "studyFirstPostDateStruct": {"date": "2024-12-01"}},
        "designModule": {"phases": ["PHASE3"], "enrollmentInfo": {"count": 10}},
        "armsInterventionsModule": {"interventions": [{"name": "frexalimab"}],
                                    "armGroups": [{"label": "A"}]},
        "contactsLocationsModule": {"locations": [{"facility": "F", "city": "C", "country": "K"}]},
    },
    "hasResults": False,
}  # fmt: skip
STUDY = json.dumps(RECORD).encode()
SEARCH = json.dumps({"studies": [RECORD], "nextPageToken": "abc"}).encode()
POSTS = json.dumps(
    [{"guid": {"rendered": "https://herald.example.org/?p=1"},
      "link": "https://herald.example.org/1/",
      "title": {"rendered": "Frexalimab"}, "content": {"rendered": "<p>Made up.</p>"},
      "excerpt": {"rendered": ""},
      "date_gmt": "2026-03-01T08:00:00", "modified_gmt": "2026-03-02T08:00:00"}]
).encode()  # fmt: skip

HEADERS = ("ETag", "Last-Modified", "Content-Type", "Cache-Control", "Expires", "Retry-After",
           "Link", "Date", "Age", "X-WP-TotalPages", "Location", "Content-Language")  # fmt: skip
STATUSES = st.sampled_from((200, 200, 200, 200, 200, 200, 301, 302, 304, 404, 410, 429, 500, 503))


@contextmanager
def within_limits(engine: Engine, folder: Path) -> Iterator[None]:
    """Check which files are opened, who is dialled, and the limits of time and memory."""
    longest = [0.0]

    def began(connection) -> None:
        connection.info["began_at"] = seconds_not_starved()

    def ended(connection) -> None:
        if (
            connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE"
            or engine.dialect.name != "sqlite"
        ):
            now = seconds_not_starved()
            longest[0] = max(longest[0], now - connection.info.get("began_at", now))

    for name, listener in (("begin", began), ("commit", ended), ("rollback", ended)):
        event.listen(engine, name, listener)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with watching() as seen:
        yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert seen.strangers(folder) == []
    assert seen.far_away() == []
    assert longest[0] < LONGEST_TRANSACTION
    assert grown < MOST_GROWTH_MB


@contextmanager
def in_time() -> Iterator[None]:
    with measured() as effort:
        yield
    assert effort.elapsed < SLOWEST_INPUT


def answers(seeds: tuple[bytes, ...]) -> st.SearchStrategy[Answer]:
    """Return the answers that a hostile server may give."""
    headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=4)
    return st.builds(Answer, STATUSES, mutated(seeds), headers)


@seed(20260302)
@FEW
@given(st.data())
def poll_hostile_sources(
    installation: Installation, moments: Iterator, data: st.DataObject
) -> None:
    """Poll a hostile source of each kind beside one that is well."""
    site, now = installation.site, next(moments)
    for path, seeds in (
        ("/hostile/feed/", (RSS, ATOM, JSON_FEED)),
        ("/hostile/page/", (PAGE,)),
        ("/api/v2/studies/NCT99990001", (STUDY,)),
        ("/api/v2/studies", (SEARCH,)),
        ("/wp-json/wp/v2/posts", (POSTS,)),
    ):
        answer = data.draw(answers(seeds), label=path)
        site.answers[path] = answer
        site.dynamic[path] = lambda _asked, answer=answer: answer
    site.put("/well/", rss([Article(f"Frexalimab, made-up news of {now:%d %B %Y}")]))
    with in_time():
        results = poll.run(installation.at(now), force=True)
        match.run(installation.at(now))
    assert {result.status for result in results} <= {"ok", "unchanged", "failed", "gone", "not_due"}
    (well,) = [result for result in results if result.url.endswith("/well/")]
    assert (well.status, well.new) == ("ok", 1), well.error


def keep_to_this_machine(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let generated links lead nowhere: only names of this machine are looked up and dialled."""
    look_up = socket.getaddrinfo

    def only_here(host, *arguments, **options):
        if host not in ("127.0.0.1", "localhost", "::1", b"127.0.0.1", None):
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    monkeypatch.setattr(ssrf, "is_public_ip", lambda address: address == "127.0.0.1")
    installation.change(watch=Watch(timeout_seconds=30))


def test_hostile_sources_never_stop_the_one_that_is_well(
    any_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    installation, site = any_installation, any_installation.site
    keep_to_this_machine(installation, monkeypatch)
    # On a busy machine the source that is well must not reach the time limit of the parser, which
    # has tests of its own.
    monkeypatch.setattr(parser_process, "LEAST_SECONDS", parser_process.MOST_SECONDS)
    with installation.at(MONDAY).writing() as session:
        for path, kind in (
            ("/hostile/feed/", "feed"),
            ("/hostile/page/", "page"),
            ("/well/", "feed"),
            ("/api/v2/studies/NCT99990001", "registry"),
            ("/api/v2/studies", "registry"),
        ):
            sources.add(session, site.address + path, MONDAY, kind=SourceKind(kind))
    installation.subscribe("anna@example.org")
    moments = (MONDAY + timedelta(days=number) for number in range(10_000))
    site.put("/well/", rss([Article("Made-up news before it all begins")]))
    poll.run(installation.at(next(moments)), force=True)
    with within_limits(installation.at(MONDAY).engine, tmp_path):
        poll_hostile_sources(installation, moments)
        report = run_once(installation.at(next(moments)))
    assert (
        report.sent.accepted == 1
    )  # and the reader of the well source gets a digest after all that


def reports() -> tuple[bytes, ...]:
    """Return valid mails of each kind that comes back."""
    plain = EmailMessage()
    plain["From"], plain["To"] = (
        "Mail Delivery System <mailer-daemon@example.net>",
        "bounce+word@example.org",
    )
    plain["Subject"] = "Undelivered Mail Returned to Sender"
    plain.set_content("<anna@example.org>: host mx.example.net said: 550 5.1.1 user unknown")
    status = (
        b"From: mailer-daemon@example.net\r\nTo: bounce@example.org\r\n"
        b"Subject: failure\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        b"\r\n--b\r\n\r\nIt failed.\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example.net\r\n\r\n"
        b"Final-Recipient: rfc822; anna@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Message-ID: <0123456789abcdef0123456789abcdef@example.org>\r\n"
        b"To: anna@example.org\r\n\r\nHello\r\n--b--\r\n"
    )
    complaint = (
        b"From: fbl@example.net\r\nTo: bounce@example.org\r\n"
        b"Subject: FW\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n'
        b"\r\n--b\r\n\r\nAbuse.\r\n"
        b"--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: abuse\r\nVersion: 1\r\n"
        b"Original-Rcpt-To: anna@example.org\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: anna@example.org\r\n"
        b"\r\nHello\r\n--b--\r\n"
    )
    leave = (
        b"From: anna@example.org\r\nTo: office@example.org\r\n"
        b"Subject: unsubscribe abcdefghijklmnop\r\n\r\n\r\n"
    )
    return plain.as_bytes(), status, complaint, leave


def test_hostile_mails_are_counted_and_change_no_subscription(
    any_installation: Installation, tmp_path: Path
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)

    @seed(20260303)
    @MANY
    @given(st.lists(mutated(reports()), min_size=1, max_size=3))
    def read(mails: list[bytes]) -> None:
        with in_time():
            summary = bounces.read(deps, mails)
        assert sum(summary.kinds.values()) + summary.known >= len(mails)

    with within_limits(deps.engine, tmp_path):
        read()
    with deps.reading() as session:
        assert session.query(Suppression).all() == []
        assert session.query(Subscription).one().status == "confirmed"


ROUTES = ("/", "/subscribe", "/link", "/confirm/", "/unsubscribe/", "/preferences/", "/renew/",
          "/address/", "/never/", "/archive", "/archive/", "/feeds/", "/healthz", "/style.css",
          "/page.js")  # fmt: skip
FIELDS = ("email", "profile", "every", "at", "on", "weekday", "day", "time_zone", "edition",
          "language", "consent", "website", "spoken", "do", "show", "sections", "urgent", "until",
          "sure", "List-Unsubscribe")  # fmt: skip
VALID = {"every": "weekly", "at": "08:00", "weekday": "monday", "day": "1", "time_zone": "UTC",
         "edition": "patient", "language": "en", "consent": "yes", "email": "new@example.org",
         "until": "2026-04-01"}  # fmt: skip
ACTIONS = ("save", "pause", "resume", "follow", "address", "export", "leave", "erase", "nonsense")


def test_no_form_causes_a_server_error_or_stores_a_row_that_stops_a_run(
    any_installation: Installation, tmp_path: Path
):
    installation = any_installation
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        link_id = session.query(Subscription).one().link_id
    tokens = [
        deps.links.token(purpose, link_id, MONDAY)
        for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.RENEW)
    ]

    @seed(20260304)
    @MANY
    @given(st.data())
    def send(data: st.DataObject) -> None:
        route = data.draw(st.sampled_from(ROUTES))
        if route.endswith("/") and len(route) > 1:
            route += data.draw(st.one_of(st.sampled_from(tokens), field_values.map(_in_path)))
        valid = dict(VALID) if data.draw(st.booleans()) else {}
        wrong = data.draw(st.dictionaries(st.sampled_from(FIELDS), field_values, max_size=5))
        values = {**valid, "do": data.draw(st.sampled_from(ACTIONS)), **wrong}
        body = data.draw(st.one_of(st.just(_encoded(values)), mutated((_encoded(values),))))
        kind = data.draw(
            st.sampled_from(
                (
                    "application/x-www-form-urlencoded",
                    "multipart/form-data; boundary=b",
                    "text/plain",
                    "application/json",
                    "",
                )
            )
        )
        method = data.draw(st.sampled_from(("GET", "POST", "POST", "POST", "PUT", "HEAD")))
        connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
        with in_time():
            connection.request(method, route, body[:60_000], {"Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
        connection.close()
        assert answer.status < 500, (method, route, values)

    with serving(create(deps)) as address, within_limits(deps.engine, tmp_path):
        send()
    for days in (0, 1, 8, 40):
        report = run_once(installation.at(MONDAY + timedelta(days=days)))
        assert not report.sent.problem
    with deps.reading() as session:
        assert all(
            delivery.status != "pending" or delivery.attempts
            for delivery in session.query(Delivery)
        )


def _in_path(text: str) -> str:
    return quote(text, safe="")[:3000]


def _encoded(values: dict[str, str]) -> bytes:
    return urlencode(values, errors="replace").encode()


def test_no_line_of_an_import_stops_the_lines_around_it(
    any_installation: Installation, tmp_path: Path
):
    deps = any_installation.at(MONDAY)
    header = b"email,profile,every,at,on,time_zone,edition,language,status\r\n"
    row = b"ben@example.org,frexalimab,weekly,08:00,monday,Europe/Berlin,patient,en,confirmed\r\n"
    line = (
        json.dumps({"email": "ben@example.org", "every": "weekly", "at": "08:00"}).encode() + b"\n"
    )

    @seed(20260305)
    @MANY
    @given(mutated((row * 3, row)), mutated((line * 3, line)))
    def take(table: bytes, objects: bytes) -> None:
        for octets, json_lines in ((header + table, False), (objects, True)):
            with in_time(), deps.writing() as session:
                terms = import_export.ImportOptions(
                    {profile.slug: profile for profile in profiles.listed(session)}, "UTC", "a test"
                )
                text = io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8-sig", newline="")
                try:
                    import_export.import_rows(
                        session, list_files.read(text, json_lines=json_lines), terms, MONDAY
                    )
                except InputError:  # the file as a whole cannot be taken, and nothing of it is
                    session.rollback()

    with within_limits(deps.engine, tmp_path):
        take()
    for days in (0, 8, 40):
        assert not run_once(any_installation.at(MONDAY + timedelta(days=days))).sent.problem
    with deps.reading() as session:
        assert {person.email for person in session.query(Subscriber)} >= {"ben@example.org"}
