"""Other programs that send mails to a sink, each giving its mails per second.

Postfix's smtp-source is the yardstick: no database, one fixed message, eight connections. The
others build each message anew, as most programs do. It knows nothing of notifier; those from
`peers.py` run with a Python of their own.
"""

import smtplib
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from email.message import EmailMessage
from pathlib import Path

YARDSTICK = 8  # connections of smtp-source
CONNECTIONS = 32  # of aiosmtplib

Sink = AbstractContextManager[int]


def smtp_source(source: str, sink: Sink, mails: int, size: int) -> float:
    """Send fixed messages of `size` bytes with smtp-source."""
    with sink as port:
        counts = ["-d", "-s", str(YARDSTICK), "-m", str(mails), "-l", str(size)]
        started = time.perf_counter()
        subprocess.run([source, *counts, f"127.0.0.1:{port}"], check=True)
        return mails / (time.perf_counter() - started)


def message(number: int, size: int) -> bytes:
    """Build a message of about `size` bytes for one recipient."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "digest@example.org", "Your digest"
    mail["To"] = f"person{number}@example.com"
    mail.set_content("Nothing of it is true.\n" * (size // 23), cte="quoted-printable")
    return mail.as_bytes()


def plain_smtplib(sink: Sink, mails: int, size: int) -> float:
    """Send over one connection with the standard library."""
    with sink as port:
        started = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", port) as client:
            for n in range(mails):
                to = f"person{n}@example.com"
                client.sendmail("digest@example.org", to, message(n, size))
        return mails / (time.perf_counter() - started)


WITH_AIOSMTPLIB = """
import asyncio, sys, time
sys.path.insert(0, sys.argv[1])
from bench.senders import CONNECTIONS, message
import aiosmtplib

port, mails, size = (int(word) for word in sys.argv[2:])

async def lane(numbers):
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for n in numbers:
            to = [f"person{n}@example.com"]
            await client.sendmail("digest@example.org", to, message(n, size))

async def everything():
    lanes = (lane(range(start, mails, CONNECTIONS)) for start in range(CONNECTIONS))
    await asyncio.gather(*lanes)

began = time.perf_counter()
asyncio.run(everything())
print(mails / (time.perf_counter() - began))
"""

WITH_DKIMPY = """
import sys, time
sys.path.insert(0, sys.argv[1])
from bench.senders import message
import dkim

key, mails, size = open(sys.argv[2], "rb").read(), int(sys.argv[3]), int(sys.argv[4])
mail = message(1, size)
headers = [b"from", b"to", b"subject"]
began = time.perf_counter()
for _ in range(mails):
    dkim.sign(mail, b"s", b"example.org", key, include_headers=headers)
print(mails / (time.perf_counter() - began))
"""

ROOT = str(Path(__file__).parents[1])


def with_aiosmtplib(python: str, sink: Sink, mails: int, size: int) -> float:
    """Send with aiosmtplib over many connections, the start of Python not counted."""
    with sink as port:
        return _printed([python, "-c", WITH_AIOSMTPLIB, ROOT, str(port), str(mails), str(size)])


def with_dkimpy(python: str, key: Path, mails: int, size: int) -> float:
    """Sign messages with dkimpy, and send nothing."""
    return _printed([python, "-c", WITH_DKIMPY, ROOT, str(key), str(mails), str(size)])


def with_mailman(python: str, sink: Sink, mails: int, size: int) -> float:
    """Send with Mailman 3, a personalised mail for each recipient."""
    script = Path(__file__).with_name("with_mailman.py")
    with sink as port:
        return _printed([python, str(script), str(port), str(mails), str(size)])


def _printed(command: list[str]) -> float:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[-1])


ENTRY = (
    "<item><title>Made up</title><link>https://herald.example.org/{0}</link><guid>{0}</guid>"
    "<description>{1}</description></item>"
)


def with_rss2email(r2e: str, sink: Sink, mails: int, size: int) -> float:
    """Send a feed's entries one by one with rss2email.

    The start of the program and its reading of the feed are not counted.
    """
    with tempfile.TemporaryDirectory() as name, sink as port:
        folder = Path(name)
        many, one = (_feed_seconds(r2e, folder, port, n, size) for n in (mails + 1, 1))
        return mails / (many - one)


def _feed_seconds(r2e: str, folder: Path, port: int, mails: int, size: int) -> float:
    text = "Nothing of it is true. " * (size // 23)
    items = "".join(ENTRY.format(n, text) for n in range(mails))
    feed, config = folder / f"{mails}.xml", folder / f"{mails}.cfg"
    feed.write_text(f'<rss version="2.0"><channel><title>Herald</title>{items}</channel></rss>')
    config.write_text(
        "[DEFAULT]\nfrom = digest@example.org\nto = anna@example.org\nemail-protocol = smtp\n"
        f"smtp-server = 127.0.0.1\nsmtp-port = {port}\nsmtp-auth = False\nhtml-mail = True\n"
    )
    command = [r2e, "-c", str(config), "-d", str(folder / f"{mails}.json")]
    subprocess.run([*command, "add", "herald", feed.as_uri()], check=True, capture_output=True)
    started = time.perf_counter()
    subprocess.run([*command, "run"], check=True, capture_output=True)
    return time.perf_counter() - started
