"""Measure the time and the memory of a poll, beside lemon24/reader in the same run, as ratios.

    python -m venv /somewhere && /somewhere/bin/pip install reader==3.26 sgmllib3k
    python bench/polling.py --peer /somewhere/bin/python [--sources 500]

A server on loopback gives every source an address of its own (127.1.x.y), so that the pause per
host is kept and costs nothing. Both poll three times: every feed is new in the first cycle and
answers 304 in the others. The check of addresses runs in full; only its result for loopback is
replaced. Both keep their database with full durability.

Goals: all-304 cycle at least 10 times as fast as reader's, first cycle at least twice; under 120 MB
at 1,000 sources.
"""

import argparse
import json
import multiprocessing
import socket
import socketserver
import subprocess
import sys
import tempfile

ITEMS = 10

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
for cycle in range(3):
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
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            command = [python, "-c", program, folder, *args]
            process = subprocess.run(
                command, input=json.dumps(urls), capture_output=True, text=True, check=False
            )
            if process.returncode:
                sys.exit(process.stderr)
    return tuple(json.loads(process.stdout.splitlines()[-1]))


def main() -> None:
    """Alternate between the two, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="a Python that has reader installed")
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    listener = socket.create_server(("0.0.0.0", 0), backlog=1024)  # all loopback addresses
    port = listener.getsockname()[1]
    site = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    site.start()
    urls = [f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/feed/" for n in range(options.sources)]
    programs = {
        "notifier": (sys.executable, (PREPARED, OURS), ()),
        "reader, 1 worker": (options.peer, (PEERS_PREPARED, PEERS), ("1",)),
        "reader, 10 workers": (options.peer, (PEERS_PREPARED, PEERS), ("10",)),
    }
    measured = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, (python, both, args) in programs.items():
            measured[name].append(measure(python, both, urls, *args))
    site.terminate()
    best = {
        name: tuple(min(column) for column in zip(*rows, strict=True))
        for name, rows in measured.items()
    }
    ours = best["notifier"]
    print(
        f"{options.sources} sources{'first s':>21}{'x ours':>8}{'304 s':>9}{'x ours':>8}"
        f"{'peak MB':>9}"
    )
    for name, (first, unchanged, peak) in best.items():
        ratios = first / ours[0], unchanged / ours[1]
        print(
            f"{name:<24}{first:>8.2f}{ratios[0]:>8.2f}{unchanged:>9.3f}{ratios[1]:>8.2f}"
            f"{peak:>9.0f}"
        )


if __name__ == "__main__":
    main()
