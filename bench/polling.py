"""Measure the time and the memory of a poll, beside aiohttp alone and lemon24/reader, as ratios.

    python bench/polling.py [--sources 500] [--rounds 5]
    python bench/polling.py --growth 10 100 1000 5000     # notifier alone, by the number of sources

A server on loopback gives every source an address of its own (127.1.x.y), so that the pause per
host is kept and costs nothing. All poll several times: every feed is new in the first cycle and
answers 304 in the others, of which the best counts. The check of addresses runs in full; only its
result for loopback is replaced. notifier and reader keep their database with full durability; "bare
aiohttp" does the same requests, 50 at once as notifier does, and neither parses nor stores.

Goals: a cycle of 304 at least 0.8 times as fast as bare aiohttp's, a first cycle at least 3 times
as fast as reader's; under 120 MB at 1,000 sources.
"""

import argparse
import json
import multiprocessing
import os
import socket
import socketserver
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures, peers
from bench.figures import Figure, alone, alternate, compared, missing

ITEMS = 10
UNCHANGED_GOAL, FIRST_GOAL = "ratio >= 0.8", "ratio >= 3"

PREPARED = """
import json, sys
from datetime import UTC, datetime
from notifier.store import db
from notifier.watch import sources

engine = db.make_engine(f"sqlite:///{sys.argv[1]}/subscribers.db")
db.upgrade(engine)
with db.writing(engine) as session:
    for url in json.load(sys.stdin):
        sources.add(session, url, datetime.now(UTC))
"""

OURS = """
import json, resource, sys, time
from datetime import UTC, datetime, timedelta
from notifier.deps import Deps
from notifier.pipeline import poll
from notifier.settings import Settings
from notifier.store import db
from notifier.watch.http import ssrf

is_public_ip = ssrf.is_public_ip
ssrf.is_public_ip = lambda address: is_public_ip(address) or address.startswith("127.1.")
engine = db.make_engine(f"sqlite:///{sys.argv[1]}/subscribers.db")
settings = Settings(secret_key="only for this measurement", suppression_key="x" * 32)
now = datetime.now(UTC)
times = []
# Seven hours apart every source is due again, and none for the daily request without validators.
for cycle in range(6):
    began = time.perf_counter()
    results = poll.run(Deps(settings, engine, now + timedelta(hours=7 * cycle)))
    times.append(time.perf_counter() - began)
    wanted = "unchanged" if cycle else "ok"
    others = [result for result in results if result.status != wanted]
    assert results and not others, others[:1]
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([times[0], min(times[1:]), peak_mb]))
"""

PEERS_PREPARED = """
import json, sys
from reader import make_reader

reader = make_reader(f"{sys.argv[1]}/reader.db")
for url in json.load(sys.stdin):
    reader.add_feed(url)
"""

PEERS = """
import json, resource, sys, time
from reader import make_reader

reader = make_reader(f"{sys.argv[1]}/reader.db")
times = []
for _ in range(3):
    began = time.perf_counter()
    reader.update_feeds(workers=int(sys.argv[2]), scheduled=False)
    times.append(time.perf_counter() - began)
entries, feeds = reader.get_entry_counts().total, reader.get_feed_counts().total
assert entries == feeds * 10, (entries, feeds)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([times[0], min(times[1:]), peak_mb]))
"""


NOTHING = "import sys; sys.stdin.read()"

BARE = """
import asyncio, json, resource, sys, time
import aiohttp

async def cycle(urls, tags):
    slots = asyncio.Semaphore(50)

    async def fetch(client, url):
        headers = {"If-None-Match": tags[url]} if url in tags else {}
        async with slots, client.get(url, headers=headers) as response:
            await response.read()
            assert response.status == (304 if url in tags else 200), response.status
            tags[url] = response.headers["ETag"]

    connector = aiohttp.TCPConnector(limit=50)
    async with aiohttp.ClientSession(connector=connector) as client, asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(fetch(client, url))

urls, tags, times = json.load(sys.stdin), {}, []
for _ in range(6):
    began = time.perf_counter()
    asyncio.run(cycle(urls, tags))
    times.append(time.perf_counter() - began)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([times[0], min(times[1:]), peak_mb]))
"""


def document(host: str) -> bytes:
    """Return a feed like WordPress's: ten made-up items, 120 KB, different for every host."""
    sentence = (
        "Nothing of this is <b>true</b>: it is made up &amp; long enough to be like an article."
    )
    paragraph = f"<p>{sentence}</p>" * 130
    items = "".join(
        f"<item><title>Made-up article {number} of {host}</title>"
        f"<link>http://{host}/{number}/</link><guid isPermaLink='false'>{host}-{number}</guid>"
        f"<pubDate>Mon, 02 Mar 2026 0{number % 10}:00:00 GMT</pubDate>"
        f"<description><![CDATA[{paragraph[:300]}]]></description>"
        f"<content:encoded><![CDATA[{paragraph}]]></content:encoded></item>"
        for number in range(ITEMS)
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        f"<channel><title>{host}</title><link>http://{host}/</link>{items}</channel></rss>"
    ).encode()


class Site(socketserver.StreamRequestHandler):
    """A server of as much HTTP/1.1 as both clients need."""

    def handle(self) -> None:
        """Answer the requests of one connection until it is closed."""
        while request := self.rfile.readline():
            headers = {}
            while (line := self.rfile.readline().strip()) != b"":
                name, _, text = line.partition(b":")
                headers[name.lower()] = text.strip()
            host = headers.get(b"host", b"").decode()
            tag = f'"{host}"'.encode()
            if headers.get(b"if-none-match") == tag:
                self.wfile.write(b"HTTP/1.1 304 Not Modified\r\nETag: " + tag + b"\r\n\r\n")
                continue
            body = document(host) if b"/feed" in request else b""
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
                f"Content-Length: {len(body)}\r\nETag: "
            )
            self.wfile.write(head.encode() + tag + b"\r\n\r\n" + body)


class Server(socketserver.ThreadingTCPServer):
    """The site, on every loopback address."""

    daemon_threads = True
    request_queue_size = 1024


def serve(listener: socket.socket) -> None:
    """Serve the site until the process is ended."""
    server = Server(("127.0.0.1", 0), Site, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def measure(
    python: str, programs: tuple[str, str], urls: list[str], *args: str
) -> tuple[float, float, float]:
    """Return the seconds of the first and of the best unchanged cycle, and the peak in MB.

    The programs run in a fresh process each.
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            command = [python, "-c", program, folder, *args]
            process = subprocess.run(
                command,
                input=json.dumps(urls),
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
            if process.returncode:
                sys.exit(process.stderr)
    return tuple(json.loads(process.stdout.splitlines()[-1]))


def urls_of(port: int, count: int) -> list[str]:
    """Return as many addresses of the site, each on a host of its own."""
    return [f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/feed/" for n in range(count)]


def beside_others(port: int, sources: int, rounds: int) -> list[Figure]:
    """Measure notifier, bare aiohttp and reader in turn."""
    urls = urls_of(port, sources)
    programs = {
        "notifier": (sys.executable, (PREPARED, OURS), ()),
        "bare aiohttp": (sys.executable, (NOTHING, BARE), ()),
    }
    why = ""
    try:
        reader = peers.installed("reader").python
        programs["reader, 10 workers"] = (reader, (PEERS_PREPARED, PEERS), ("10",))
    except peers.MissingPeerError as error:
        why = str(error)
    cases = {
        name: lambda python=python, both=both, words=words: measure(python, both, urls, *words)
        for name, (python, both, words) in programs.items()
    }
    measured = alternate(cases, rounds)
    found = [_bare_figure(measured, sources)]
    if why:
        return [*found, missing("P4 first cycle", why, goal=FIRST_GOAL)]
    return found + _reader_figures(measured, sources)


def _rates(rows: list[tuple[float, float, float]], cycle: int, sources: int) -> list[float]:
    """Return the sources a second in the first cycle (0) or in one without news (1)."""
    return [sources / row[cycle] for row in rows]


def _bare_figure(measured: dict[str, list], sources: int) -> Figure:
    ours, base = (_rates(measured[name], 1, sources) for name in ("notifier", "bare aiohttp"))
    name = f"P4 {sources} sources without news"
    return compared(name, ours, base, against="bare aiohttp", goal=UNCHANGED_GOAL, unit="sources/s")


def _reader_figures(measured: dict[str, list], sources: int) -> list[Figure]:
    against = "reader, 10 workers"
    cycles = ((0, f"P4 {sources} sources for the first time", FIRST_GOAL),)
    cycles += ((1, f"{sources} sources without news, beside reader", ""),)
    return [
        compared(
            name,
            _rates(measured["notifier"], cycle, sources),
            _rates(measured[against], cycle, sources),
            against=against,
            goal=goal,
            unit="sources/s",
        )
        for cycle, name, goal in cycles
    ]


def growth(port: int, counts: list[int], rounds: int) -> list[Figure]:
    """Measure notifier alone with a growing number of sources."""
    found = []
    for count in counts:
        urls = urls_of(port, count)
        rows = [measure(sys.executable, (PREPARED, OURS), urls) for _ in range(rounds)]
        first, unchanged, peak = (list(column) for column in zip(*rows, strict=True))
        at = {"sources": count}
        found += [
            alone(f"First poll of {count:,} sources", first, unit="s", at={**at, "poll": "first"}),
            alone(
                f"Poll of {count:,} sources without news",
                unchanged,
                unit="s",
                at={**at, "poll": "without news"},
            ),
            alone(f"Memory of polling {count:,} sources", peak, unit="MB", at=at),
        ]
    return found


def main() -> None:
    """Serve the site, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", type=int, nargs="+", help="numbers of sources")
    options = parser.parse_args()
    listener = socket.create_server(("0.0.0.0", 0), backlog=1024)  # all loopback addresses
    port = listener.getsockname()[1]
    site = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    site.start()
    if options.growth:
        figures.show(growth(port, options.growth, options.rounds))
    else:
        figures.show(beside_others(port, options.sources, options.rounds))
    site.terminate()


if __name__ == "__main__":
    main()
