"""Measure a poll of one feed with 5,000 items, as ratios to parsing it alone.

    python bench/feeds.py [--items 5000] [--rounds 3]

A server on loopback gives a feed of made-up items (about 1 KB of markup each). Timed are: parsing
it in the parser process and nothing else; its first poll, which stores every item; a poll of the
same items in a document with other bytes, which stores none; and a poll after one item was edited.
SQLite with full durability. Of several runs the median counts.

Goals: the first poll at most 2 times the parsing alone; the same items again, and with one edit, at
most 0.2 times the first poll.
"""

import argparse
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.figures import compared
from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.pipeline import poll
from notifier.settings import Settings, Watch
from notifier.store import db
from notifier.watch import sources
from notifier.watch.parser_process import Parser

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
LONG = 5_000  # the goals are for a feed of this length
SENTENCES = (
    "Nothing of this is <b>true</b>: it is made up &amp; as long as the beginning of an article.",
    "People in the made-up trial were asked how they feel, and 17 of 40 answered.",
    "The made-up clinic will say more in autumn; <a href='/more/'>until then</a> nobody knows.",
)


def document(items: int, edition: int) -> bytes:
    """Return a feed of so many items, newest first; the edition changes its bytes alone."""
    parts = []
    for number in range(items):
        moment = BEGIN - timedelta(hours=number)
        text = "".join(
            f"<p>{SENTENCES[(number + part) % 3]} This is part {part} of item {number}.</p>"
            for part in range(8)
        )
        parts.append(
            f"<item><title>Made-up article {number} of a long list</title>"
            f"<link>https://herald.example.org/{number}/</link>"
            f"<guid isPermaLink='false'>herald-{number}</guid>"
            f"<pubDate>{moment:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
            f"<description><![CDATA[{SENTENCES[number % 3]}]]></description>"
            f"<content:encoded><![CDATA[{text}]]></content:encoded></item>"
        )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>A long list</title><docs>edition {edition}</docs>"
        f"{''.join(parts)}</channel></rss>"
    ).encode()


class Site:
    """A server of one document."""

    def __init__(self) -> None:
        self.body = b""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(site.body)))
                self.end_headers()
                self.wfile.write(site.body)

            def log_message(self, *_: object) -> None:
                """Keep the output free of it."""

        site = self
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/feed/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def parsing_alone(body: bytes, url: str) -> float:
    """Return the seconds for parsing in a process that is ready."""
    with Parser() as parser:
        parser.parse(SourceKind.FEED, document(1, 0), {}, url)
        began = time.perf_counter()
        parsed = parser.parse(SourceKind.FEED, body, {}, url)
        seconds = time.perf_counter() - began
    assert parsed.observations
    return seconds


def polls(site: Site, items: int) -> list[float]:
    """Return the seconds of the first poll, of one of the same items, and of one with an edit."""
    settings = Settings(
        secret_key="only for this measurement",
        suppression_key="x" * 32,
        watch=Watch(allow_private_addresses=True),
    )
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        engine = db.make_engine(f"sqlite:///{folder}/subscribers.db")
        db.upgrade(engine)
        with db.writing(engine) as session:
            sources.add(session, site.address, BEGIN)
        for edition, new, changed in ((1, items, 0), (2, 0, 0), (3, 0, 1)):
            site.body = document(items, edition)
            if changed:
                site.body = site.body.replace(b"This is part 3 of item 7.", b"17 of 50 said no.")
            deps = Deps(settings, engine, BEGIN + timedelta(days=edition))
            began = time.perf_counter()
            (result,) = poll.run(deps, force=True)
            seconds.append(time.perf_counter() - began)
            assert (result.status, result.new, result.changed) == ("ok", new, changed), result
        engine.dispose()
    return seconds


def main() -> None:
    """Measure, and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--items", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    site = Site()
    rows = []
    for _ in range(chosen.rounds):
        body = document(chosen.items, 0)
        alone = parsing_alone(body, site.address)
        rows.append((alone, *polls(site, chosen.items)))
    alone, first, again, edited = (list(column) for column in zip(*rows, strict=True))
    pairs = (
        ("first poll", first, alone, "parsing it alone", "ratio <= 2"),
        ("the same items again", again, first, "its first poll", "ratio <= 0.2"),
        ("one item edited", edited, first, "its first poll", "ratio <= 0.2"),
    )
    figures.show(
        compared(
            f"Feed of {chosen.items:,} items, {name}",
            ours,
            base,
            against=against,
            goal=goal if chosen.items >= LONG else "",
            unit="s",
            at={"items": chosen.items, "poll": name},
        )
        for name, ours, base, against, goal in pairs
    )


if __name__ == "__main__":
    main()
