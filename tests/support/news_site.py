"""A news site for the tests: an HTTP server on loopback that keeps the requests it gets."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Seconds after which a held answer is sent in any case, so that no server is left waiting.
_LONGEST_HOLD = 60


@dataclass
class Answer:
    """The answer of one path.

    Attributes:
        status: the status.
        body: the body.
        headers: the headers.
        held_until: an event for which the server waits before it answers; None to answer at once.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    held_until: threading.Event | None = None


@dataclass
class Asked:
    """A recorded request."""

    path: str
    headers: dict[str, str]
    status: int


class Site:
    """The answers by path.

    A body gets an ETag of its own; a request that sends it gets a 304.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers: dict[str, Answer] = {}
        self.dynamic: dict[str, Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []

    def put(
        self, path: str, body: str | bytes, kind: str = "application/rss+xml", **headers: str
    ) -> str:
        """Publish a document; return its address."""
        content = body.encode() if isinstance(body, str) else body
        etag = f'"{sha256(content).hexdigest()[:12]}"'
        self.answers[path] = Answer(200, content, {"Content-Type": kind, "ETag": etag, **headers})
        return self.address + path

    def fail(self, path: str, status: int, body: str = "", **headers: str) -> str:
        """Set an error as the answer of a path; return its address."""
        self.answers[path] = Answer(status, body.encode(), headers)
        return self.address + path

    def answer(self, path: str, known: str | None) -> Answer:
        """Return the answer to a request; `dynamic` paths are found whatever their query is."""
        if maker := self.dynamic.get(path.partition("?")[0]):
            return maker(Asked(path, {}, 0))
        answer = self.answers.get(path, Answer(404))
        if answer.status == 200 and known and known == answer.headers.get("ETag"):
            return Answer(304, b"", {"ETag": known}, answer.held_until)
        return answer


@contextmanager
def running() -> Iterator[Site]:
    """Start a site on a free port of loopback, and stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise a body waits until the client has acknowledged the head, up to 0.04 s.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer = site.answer(self.path, self.headers.get("If-None-Match"))
            site.asked.append(Asked(self.path, dict(self.headers.items()), answer.status))
            if answer.held_until is not None:
                answer.held_until.wait(_LONGEST_HOLD)
            self.send_response(answer.status)
            for name, text in answer.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output free of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_port}")
    # The end of each test waits until the server looks whether it shall stop.
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
    )
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Article:
    """A made-up article of a feed."""

    title: str
    summary: str = "Made up for a test."
    slug: str = ""
    guid: str | None = None
    link: str | None = None
    published: datetime | None = None


def rss(articles: list[Article], title: str = "The Example Herald (fictional)") -> str:
    """Return a feed of these articles in the form of WordPress."""
    items = "".join(_item(article) for article in articles)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://herald.example.org</link>"
        f"{items}</channel></rss>"
    )


def _item(article: Article) -> str:
    slug = article.slug or "-".join(article.title.lower().split())
    link = article.link if article.link is not None else f"https://herald.example.org/{slug}/"
    guid = article.guid if article.guid is not None else f"https://herald.example.org/?p={slug}"
    parts = [
        f"<title>{escape(article.title)}</title>",
        f"<description>{escape(article.summary)}</description>",
    ]
    parts += [f"<link>{escape(link)}</link>"] if link else []
    parts += [f'<guid isPermaLink="false">{escape(guid)}</guid>'] if guid else []
    parts += (
        [f"<pubDate>{format_datetime(article.published)}</pubDate>"] if article.published else []
    )
    return f"<item>{''.join(parts)}</item>"
