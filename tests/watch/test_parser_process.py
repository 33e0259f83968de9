"""Documents from outside are parsed in a process of their own, within limits."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.enums import SourceKind
from notifier.pipeline import poll
from notifier.watch import parser_process
from notifier.watch.parser_process import Parser
from notifier.watch.parsers.observation import MOST_ITEMS, ParseError
from tests.support.effort import measured
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article, rss

URL = "https://x.example.org/feed/"

# Parses each body, and prints every file that is opened and every connection that is made for it.
OPENED = """
import json, sys
from notifier.watch import discovery
from notifier.watch.parsers import clinicaltrials, html_page, json_feed, rss, wordpress
from notifier.watch.parsers.observation import ParseError

# Its modules are imported before files are watched.
html_page.parse(b"<body><p>" + b"a made-up sentence, or more. " * 40, {}, "https://x.example.org/")
opened = []

def watch(event, arguments):
    is_module = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
    if event.startswith("socket.") or event == "open" and not is_module:
        opened.append([event, str(arguments[0])])

sys.addaudithook(watch)
for body in json.load(sys.stdin):
    for parse in (rss.parse, html_page.parse, clinicaltrials.parse, wordpress.parse):
        try:
            parse(body.encode(), {}, "https://x.example.org/")
        except ParseError:
            pass
    discovery.feeds(body.encode(), "https://x.example.org/")
print(json.dumps(opened))
"""


@pytest.fixture
def parser() -> Iterator[Parser]:
    with Parser() as made:
        yield made


def bodies(folder: Path, site: str) -> list[str]:
    database = folder / "subscribers.db"
    database.write_bytes(
        b"<rss version='2.0'><channel><item><title>anna@example.org</title></item></channel></rss>"
    )
    os.mkfifo(folder / "fifo")
    external = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{database.as_uri()}">]>'
        "<rss><channel><title>&x;</title></channel></rss>"
    )
    included = (
        '<r xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{database.as_uri()}"/></r>'
    )
    linked = (
        f"<html><base href='{database.as_uri()}'>"
        "<link rel=alternate type=application/rss+xml href='subscribers.db'>"
    )
    return [
        "subscribers.db",
        "./subscribers.db",
        str(database),
        database.as_uri(),
        str(folder / "fifo"),
        "fifo",
        "/dev/zero",
        "/dev/stdin",
        "/etc/passwd",
        f"{site}/feed/",
        f"feed:{site}/feed/",
        "-",
        "notifier.toml",
        "subscribers.db\n",
        external,
        external.replace("SYSTEM", 'PUBLIC "-//x//x"'),
        f'<!DOCTYPE rss SYSTEM "{site}/dtd"><rss/>',
        included,
        f'<?xml-stylesheet href="{site}/x.xsl"?><rss/>',
        linked,
    ]


def test_no_body_makes_a_parser_open_a_file_or_a_connection(tmp_path: Path, site):
    names = bodies(tmp_path, site.address)
    done = subprocess.run(
        [sys.executable, "-c", OPENED],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=True,
    )
    assert json.loads(done.stdout) == []
    assert site.asked == []


@pytest.mark.parametrize("number", range(14))
def test_a_feed_that_names_a_file_is_refused(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    installation.site.put("/feed/", bodies(folder, installation.site.address)[number])
    (result,) = poll.run(installation.at(MONDAY))
    assert result.status == "failed"
    assert "not a feed" in result.error
    assert [asked.path for asked in installation.site.asked] == ["/feed/"]


@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/hostname')",
        "open('notifier.toml', 'w')",
        "open('x.py', 'w')",
        "os.open('/etc/hostname', os.O_RDONLY)",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('x.example.org', 80)",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.fork()",
        "os.remove('x')",
        "sqlite3.connect('subscribers.db')",
        "urllib.request.urlopen('http://127.0.0.1:9')",
    ],
)
def test_the_parser_process_may_do_nothing_but_parse(deed: str):
    program = (
        "import os, socket, sqlite3, subprocess, sys, urllib.request\n"
        "from notifier.watch.parser_process import child\n"
        "sys.addaudithook(child._refuse)\n"
        f"try:\n    {deed}\nexcept PermissionError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.startswith("a document may"), done.stderr


def test_the_parser_process_gets_no_secret_and_no_folder_of_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOTIFIER_SECRET_KEY", "a secret")
    monkeypatch.setenv("PGPASSWORD", "a secret")
    made = parser_process.Child()
    try:
        process = Path(f"/proc/{made._process.pid}")
        if not process.exists():
            pytest.skip("the system shows no processes")
        assert b"secret" not in (process / "environ").read_bytes()
        assert (process / "cwd").resolve() == Path("/")
        files = {str(file.resolve()) for file in (process / "fd").iterdir()}
        assert not [file for file in files if "subscribers" in file or "socket:" in file]
    finally:
        made.end()


def test_one_process_parses_all_documents_of_a_poll_and_ends_with_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    started: list[parser_process.Child] = []
    monkeypatch.setattr(
        parser_process, "start", lambda: started.append(parser_process.Child()) or started[-1]
    )
    monkeypatch.setattr(parser_process, "release", parser_process.Child.end)
    others = [installation.site.put(f"/{n}/", rss([Article(f"Of {n}")])) for n in range(5)]
    installation.adopt(sources=(installation.feed, *others))
    poll.run(installation.at(MONDAY))
    assert len(started) == 1
    assert started[0]._process.poll() is not None
    poll.run(installation.at(MONDAY), force=True)
    assert len(started) == 1  # nothing had changed, so nothing was parsed


def hanging(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let the parser process run something else once it is ready."""
    ready = (
        "import sys, os, time, struct; o = sys.stdout.buffer;"
        "o.write(struct.pack('>Q', 2) + b'{}'); o.flush();"
    )
    monkeypatch.setattr(parser_process, "start", parser_process.Child)
    monkeypatch.setattr(parser_process, "release", parser_process.Child.end)
    monkeypatch.setattr(parser_process, "_PROGRAM", f"{ready}{program}")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("time.sleep(60)", "could not be read within 0.5 s"),
        ("sys.stdin.buffer.read(9); time.sleep(60)", "could not be read within 0.5 s"),
        ("os._exit(1)", "ended the program that reads it"),
        ("sys.stdin.buffer.read(8); os.abort()", "ended the program that reads it"),
        ("o.write(b'{' * 20); o.flush(); time.sleep(60)", "ended the program that reads it"),
        (
            "o.write(struct.pack('>Q', 4) + b'null'); o.flush(); time.sleep(60)",
            "ended the program that reads it",
        ),
        (
            "o.write(struct.pack('>Q', 9) + b'{\"answer\"'); o.flush(); time.sleep(60)",
            "ended the program",
        ),
        (
            "o.write(struct.pack('>Q', 13) + b'{\"answer\": 1}'); o.flush(); time.sleep(60)",
            "makes no sense",
        ),
        (
            "o.write(struct.pack('>Q', 14) + b'{\"answer\": {}}'); o.flush(); time.sleep(60)",
            "makes no sense",
        ),
        (
            "b = b'[' * 99999; o.write(struct.pack('>Q', len(b)) + b); o.flush(); time.sleep(60)",
            "ended the program",
        ),
    ],
)
def test_a_process_that_does_not_answer_well_fails_one_document(
    parser: Parser, monkeypatch: pytest.MonkeyPatch, program: str, words: str
):
    monkeypatch.setattr(parser_process, "LEAST_SECONDS", 0.5)
    with monkeypatch.context() as patched:
        hanging(patched, program)
        with measured() as effort, pytest.raises(ParseError, match=words):
            parser.parse(SourceKind.FEED, rss([Article("One")]).encode(), {}, URL)
        assert effort.elapsed < 20, "the program waits for a minute"
        parser.close()
    monkeypatch.undo()
    assert (
        len(parser.parse(SourceKind.FEED, rss([Article("Two")]).encode(), {}, URL).observations)
        == 1
    )


def test_a_document_that_takes_too_much_memory_fails_alone(
    parser: Parser, monkeypatch: pytest.MonkeyPatch
):
    parser.parse(SourceKind.FEED, rss([Article("One")]).encode(), {}, URL)
    monkeypatch.setattr(parser_process, "MEGABYTES", 4)
    with pytest.raises(ParseError, match=r"more than 4 MB|ended the program"):
        parser.parse(
            SourceKind.FEED,
            rss([Article(f"Article {n}", "words " * 200) for n in range(3000)]).encode(),
            {},
            URL,
        )
    monkeypatch.undo()
    assert (
        len(parser.parse(SourceKind.FEED, rss([Article("Two")]).encode(), {}, URL).observations)
        == 1
    )


@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 5), (1_000, 5), (2_000_000, 10), (6_000_000, 30), (50_000_000, 30)]
)
def test_the_time_limit_grows_with_the_document(size: int, seconds: float):
    assert parser_process.seconds_for(size) == seconds


@pytest.mark.long
def test_while_one_document_is_parsed_for_long_the_others_are_fetched(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    read = Parser.parse

    def slow(self: Parser, kind: SourceKind, body: bytes, *rest):
        time.sleep(1.5)
        return read(self, kind, body, *rest)

    monkeypatch.setattr(Parser, "parse", slow)
    watch = installation.at(MONDAY).settings.watch.model_copy(update={"timeout_seconds": 1})
    installation.change(watch=watch)
    others = [installation.site.put(f"/{n}/", rss([Article(f"Of {n}")])) for n in range(3)]
    installation.adopt(sources=(installation.feed, *others))
    assert {result.status for result in poll.run(installation.at(MONDAY))} == {"ok"}
    assert threading.active_count() < 20


DEEP = {
    "boxes": "<div>" * 100_000,
    "tables": "<table><tr><td>" * 30_000,
    "bold": "<p><b>" * 30_000,
    "bold with attributes": "".join(f"<p><b a{n}>" for n in range(20_000)),
    "bold, and stray ends": "".join(f"<p><b a{n}></i>" for n in range(20_000)),
    "self-closed bold": "".join(f"<p><b a{n}/>" for n in range(20_000)),
    "fonts": "".join(f"<font a={n}>" for n in range(30_000)),
    "lists": "<ul><li>" * 30_000,
    "drawings": "<svg><g>" * 30_000,
    "unknown": "<x-y>" * 100_000,
    "attributes": f"<p {' '.join(f'a{n}=1' for n in range(50_000))}>",
    "attributes apart by slashes": f"<p/{'/'.join(f'a{n}' for n in range(50_000))}>",
    "attributes of the body": "".join(f"<body a{n}=1>" for n in range(50_000)),
    "brackets": "<" * 300_000,
    "unclosed tags": "<a" * 100_000,
    "unclosed quotes": '<a "' * 100_000,
    "comments": "<!--" * 200_000,
    "scripts": "<script>" * 100_000,
    "character number": f"&#{'9' * 100_000};",
    "marks": "a" + "\u0301\u0327" * 100_000,
    "spaces": " " * 1_000_000,
    "equal signs": "=" * 1_000_000,
}


@pytest.mark.parametrize("kind", [SourceKind.FEED, SourceKind.PAGE])
@pytest.mark.parametrize("markup", DEEP.values(), ids=DEEP)
def test_no_markup_takes_much_time_or_memory(
    parser: Parser, monkeypatch: pytest.MonkeyPatch, kind: SourceKind, markup: str
):
    monkeypatch.setattr(parser_process, "MEGABYTES", 128)
    words = "A made-up sentence about frexalimab."
    body = f"<html><body><h1>Title</h1><p>{words}</p>{markup}<p>{words}</p></body></html>"
    document = rss([Article("Title", body)]) if kind is SourceKind.FEED else body
    headers = {"content-type": "text/html; charset=utf-8"}
    refused = ""
    with measured() as effort:
        try:
            (observation,) = parser.parse(kind, document.encode(), headers, URL).observations
        except ParseError as error:
            refused = str(error)
    assert effort.elapsed < 4
    if refused:
        assert kind is SourceKind.PAGE
        assert "nests its elements" in refused
    else:
        assert words in f"{observation.summary} {observation.body}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"items": ' + b"[" * 100_000,
        b'{"items": [{"id": ' + b"9" * 10_000 + b"}]}",
        b'{"a":' * 50_000,
        b'{"items": [{"tags": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]}",
    ],
)
@pytest.mark.parametrize("kind", [SourceKind.FEED, SourceKind.REGISTRY])
def test_deep_json_is_refused_as_broken(parser: Parser, kind: SourceKind, body: bytes):
    with pytest.raises(ParseError):
        parser.parse(kind, body, {}, URL)
    with pytest.raises(ParseError):
        parser.parse_posts(body, {}, URL, MONDAY)


def test_of_a_long_document_the_newest_5000_items_are_read_and_the_rest_is_counted(
    parser: Parser, monkeypatch: pytest.MonkeyPatch
):
    # It takes a few seconds, and several times as long on a busy machine.
    monkeypatch.setattr(parser_process, "LEAST_SECONDS", parser_process.MOST_SECONDS)
    dated = [
        Article(f"Article {n}", published=MONDAY.replace(year=2000 + n % 26))
        for n in range(MOST_ITEMS + 100)
    ]
    reading = parser.parse(SourceKind.FEED, rss(dated).encode(), {}, URL)
    assert (len(reading.observations), reading.left_out) == (MOST_ITEMS, 100)
    oldest = [
        one for one in reading.observations if one.published_at and one.published_at.year == 2000
    ]
    assert len(oldest) == sum(n % 26 == 0 for n in range(MOST_ITEMS + 100)) - 100


def test_an_inline_script_that_compares_numbers_is_not_nested_markup(parser: Parser):
    script = "<script>" + "for(i=0;i<n;i++){a+='<div>'}" * 500 + "</script>"
    drawings = "<svg>" + "<path d='x'/>" * 1000 + "</svg>"
    body = f"<html><article><h1>T</h1><p>A made-up sentence.</p>{script}{drawings}</article></html>"
    (observation,) = parser.parse(SourceKind.PAGE, body.encode(), {}, URL).observations
    assert observation.body == "A made-up sentence."


WORDS = st.sampled_from(
    [
        "Frexalimab", "<b>", "</i>", "&#0;", "&amp;", "\x00", "\ud800", "\x1b[2J", "\u202e",
        "<![CDATA[", "]]>", "<!--", "<p a=1", "0001-01-01", "9999-12-31T23:59:59Z", "1e999", "-1",
        "\u0301" * 40, "javascript:alert(1)", "https://x.example.org/", "subscribers.db",
        "/dev/zero", "<!DOCTYPE x [", "{{", "%(x)s", "\r\n.\r\n", " " * 300, "x" * 3_000,
]
)  # fmt: skip
NAMES = (
    "items", "id", "url", "title", "summary", "content_html", "content_text", "date_published",
    "tags", "authors", "name", "studies", "protocolSection", "identificationModule", "nctId",
    "briefTitle", "statusModule", "overallStatus", "studyFirstPostDateStruct", "date",
    "armsInterventionsModule", "armGroups", "nextPageToken", "guid", "rendered", "link", "content",
    "excerpt", "modified_gmt", "date_gmt",
)  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=20), max_size=5).map("".join)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=6)
    ),
    max_leaves=20,
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8), max_size=3).map(
    lambda items: {"version": "https://jsonfeed.org/version/1.1", "items": items, "studies": items}
)
TAG = st.sampled_from(
    [
        "rss", "channel", "item", "title", "link", "guid", "pubDate", "description",
        "content:encoded", "feed", "entry", "id", "updated", "html", "body", "article", "main",
        "h1", "h2", "p", "ul", "li", "a", "div", "script", "table", "base",
]
)  # fmt: skip
TAGS = st.lists(
    st.builds(lambda tag, words: f"<{tag}>{words}", TAG, TEXTS) | TAG.map("</{}>".format),
    max_size=20,
).map("".join)


UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Parser]:
    """A parser for many documents."""
    with Parser() as made:
        yield made


@pytest.mark.long
@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    kind=st.sampled_from(SourceKind),
    document=TAGS | TEXTS | VALUES.map(json.dumps) | ITEMS.map(json.dumps),
    url=TEXTS,
)
def test_any_answer_is_parsed_or_refused_with_a_reason_and_can_be_stored(
    fuzzed: Parser, kind: SourceKind, document: str, url: str
):
    body = document.encode("utf-8", "surrogatepass")
    headers = {"content-type": url, "link": url, "x-wp-totalpages": url}
    for parse in (
        lambda: fuzzed.parse(kind, body, headers, f"https://x.example.org/{url}"),
        lambda: fuzzed.parse_posts(body, headers, f"https://x.example.org/?page={url}", MONDAY),
    ):
        try:
            parsed = parse()
        except ParseError as error:
            assert "could not be read (" not in str(error)  # noqa: PT017 - the reason counts
            continue
        for item in parsed.observations:
            texts = [
                item.guid,
                item.url,
                item.title,
                item.summary,
                item.body,
                item.author,
                *item.categories,
            ]
            assert not [text for text in texts if UNSTORABLE.search(text)]
            assert not item.url or item.url.startswith(("http://", "https://"))
            assert item.published_at is None or 1900 <= item.published_at.year <= 2100
    fuzzed.find_feeds(body, f"https://x.example.org/{url}")
