"""The demo: the whole journey on one machine, with a made-up news site and a mail sink, both on loopback.

It uses the very pipeline that runs every day; only the clock is moved by hand. What it makes is a working installation
in a folder of its own, so that every command can be tried on it afterwards.
"""

import asyncio
import hashlib
import secrets
import shutil
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.admin.profile_import import adopt
from notifier.deliver import outbox
from notifier.deps import Deps, from_settings
from notifier.enums import Authority, Cadence, DeliveryKind
from notifier.errors import SettingsError
from notifier.match import profiles
from notifier.pipeline.run import Report, run_once
from notifier.settings import load
from notifier.store.files import read_input, write_private
from notifier.store.models import Profile
from notifier.subscribers import subscriptions
from notifier.subscribers.subscriptions import Choice
from notifier.watch import sources
from notifier.web.server import limits

PUBLIC_URL = "https://news.example.org"

_MARK = "# Made by `notifier demo`, which may delete this folder's demo files and make them anew."
_SETTINGS = """\
{mark}

public_url = "{url}"
secret_key = "{key}"
suppression_key = "{suppression_key}"

[sender]
name = "Example Society"
address = "digest@example.org"
reply_to = "office@example.org"
postal_address = "1 Example Street, Exampletown"

[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = 1

[watch]
allow_private_addresses = true
"""
_LARGEST_SETTINGS = 100_000
_DATA = files("notifier") / "demo" / "data"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"


@dataclass
class Site:
    """The made-up news site. `stage` says how far its story has gone; set it to publish."""

    stage: int = 1
    answers: dict[int, int] = field(default_factory=dict)

    def application(self) -> Starlette:
        """Feed, therapy page and trial record, each with its ETag."""
        return Starlette(
            routes=[
                Route("/{outlet}/feed/", self._feed),
                Route("/frexalimab/", self._page),
                Route("/api/v2/studies/NCT99990001", self._trial),
            ]
        )

    def _feed(self, request: Request) -> Response:
        return self._answer(request, self.feed(request.path_params["outlet"]), "application/rss+xml")

    def _page(self, request: Request) -> Response:
        return self._answer(request, self._file("page", "html"), "text/html; charset=utf-8")

    def _trial(self, request: Request) -> Response:
        return self._answer(request, self._file("trial", "json"), "application/json")

    def _file(self, name: str, ending: str) -> bytes:
        return (_DATA / f"{name}-{min(self.stage, 2)}.{ending}").read_bytes()

    def _answer(self, request: Request, body: bytes, kind: str) -> Response:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        known = request.headers.get("if-none-match") == etag
        status = 304 if known else 200
        self.answers[status] = self.answers.get(status, 0) + 1
        return Response(b"" if known else body, status, {"ETag": etag}, media_type=kind)

    def feed(self, outlet: str) -> bytes:
        """An outlet's feed as WordPress shapes it: the ten newest articles, teaser and whole text."""
        content = tomllib.loads((_DATA / "articles.toml").read_text(encoding="utf-8"))
        ET.register_namespace("content", _CONTENT)
        root = ET.Element("rss", version="2.0")
        channel = ET.SubElement(root, "channel")
        named = content["outlets"][outlet]
        _element(channel, "title", named["name"])
        _element(channel, "link", named["address"])
        _element(channel, "generator", "https://wordpress.org/?v=6.8")
        shown = [
            article
            for article in content["articles"]
            if article["stage"] <= self.stage and article.get("outlet", "herald") == outlet
        ]
        for article in sorted(shown, key=lambda one: one["published"], reverse=True)[:10]:
            self._item(channel, article, named["address"])
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return document

    def _item(self, channel: ET.Element, article: dict[str, Any], home: str) -> None:
        later = article.get("later", {})
        now = {**article, **later} if later.get("stage", self.stage + 1) <= self.stage else article
        link = f"{home}/news-posts/{now['published']:%Y/%m/%d}/{now['slug']}/"
        backlink = (
            f'<p>The post <a href="{link}">{now["title"]}</a> appeared first on <a href="{home}">the site</a>.</p>'
        )
        item = ET.SubElement(channel, "item")
        _element(item, "title", now["title"])
        _element(item, "link", link)
        _element(item, "guid", f"{home}/?p={int(now['published'].timestamp())}").set("isPermaLink", "false")
        _element(item, "pubDate", format_datetime(now["published"]))
        _element(item, "category", now["category"])
        _element(item, "description", f"<p>{now['text'][0]}</p>\n{backlink}")
        _element(item, f"{{{_CONTENT}}}encoded", "".join(f"<p>{line}</p>\n" for line in now["text"]) + backlink)


def _element(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


class Sink:
    """A mail server that keeps what it takes: each message as .eml, .html and .txt in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.received: list[tuple[str, str, Path]] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message, and accept it."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        person = envelope.rcpt_tos[0].partition("@")[0]
        stem = self._folder / f"{len(self.received) + 1:02}-{person}"
        write_private(stem.with_suffix(".eml"), envelope.content)
        for ending, subtype in ((".html", "html"), (".txt", "plain")):
            part = mail.get_body((subtype,))
            if part is not None:
                write_private(stem.with_suffix(ending), part.get_content().encode("utf-8"))
        self.received.append((envelope.rcpt_tos[0], str(mail["Subject"]), stem.with_suffix(".html")))
        return "250 OK"


@dataclass(frozen=True)
class Step:
    """A moment of the story: what happened there, and what the run at that moment did."""

    moment: datetime
    told: str
    report: Report


@dataclass(frozen=True)
class Story:
    """What the demo did: its steps, the mails with their files, and what the site answered."""

    folder: Path
    steps: tuple[Step, ...]
    mails: tuple[tuple[str, str, Path], ...]
    answers: dict[int, int]


# Monday 2 March 2026 and the week after it; the stage of the site, and what a reader of the demo is told.
_TIMELINE = (
    ("2026-03-02T09:00", 1, "First look at each source: a baseline, mailed to nobody. One person is asked to confirm."),
    ("2026-03-02T12:30", 1, "Half past seven in New York: the daily digest is due, holds nothing, and is not sent."),
    ("2026-03-03T05:00", 2, "Overnight: nine new articles, a changed therapy page, a changed trial record."),
    ("2026-03-03T05:20", 2, "After the quiet time: the digest of those who want news at once."),
    ("2026-03-03T12:30", 2, "The daily digest."),
    ("2026-03-04T12:30", 2, "A day without news: nothing is sent."),
    ("2026-03-05T06:00", 3, "The site corrects a figure in an article that was mailed."),
    ("2026-03-05T06:20", 3, "A correction, to exactly those who were sent the old figure ..."),
    ("2026-03-05T12:30", 3, "... and in the next daily digest."),
    ("2026-03-09T07:00", 3, "Monday, eight in Berlin: the weekly digest, its figures already right."),
    ("2026-03-09T07:30", 3, "Run once more: nothing is left to send, and nothing is sent."),
)

_PEOPLE = (
    ("anna@example.org", Choice(Cadence.WEEKLY, "08:00", 0, "Europe/Berlin")),
    ("clinic@example.org", Choice(Cadence.DAILY, "07:30", None, "America/New_York")),
    ("editor@example.org", Choice(Cadence.IMMEDIATE, "08:00", None, "UTC")),
)


def run(folder: Path) -> Story:
    """Play the whole journey into a folder.

    Args:
        folder: made if it is not there; an earlier demo in it is replaced, anything else is refused.

    Raises:
        SettingsError: the folder is not the demo's to write to.
    """
    _clear(folder)
    site, sink = Site(), Sink(folder / "mails")
    with serving(site.application()) as address, mail_sink(sink) as port:
        deps = _install(folder, address, port)
        steps = []
        for text, stage, told in _TIMELINE:
            site.stage = stage
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
            steps.append(Step(moment, told, run_once(replace(deps, fixed_now=moment))))
        deps.engine.dispose()
    return Story(folder, tuple(steps), tuple(sink.received), site.answers)


def _clear(folder: Path) -> None:
    mails = folder / "mails"
    try:
        if folder.exists() and any(folder.iterdir()):
            if not _is_demo(folder / "notifier.toml"):
                raise SettingsError(
                    f"{folder} holds files that are not the demo's.", "Choose another folder with --out."
                )
            if mails.is_symlink():
                mails.unlink()  # what it leads to is not the demo's
            elif mails.exists():
                shutil.rmtree(mails)
            for file in folder.glob("subscribers.db*"):
                file.unlink()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mails.mkdir(mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be used: {error.strerror}.", "Choose another folder with --out."
        ) from error


def _is_demo(config: Path) -> bool:
    try:
        return read_input(config, _LARGEST_SETTINGS).startswith(_MARK.encode("utf-8"))
    except SettingsError:
        return False


def _install(folder: Path, address: str, smtp_port: int) -> Deps:
    """Settings, database, profile and people, as an operator would set them up."""
    config = folder / "notifier.toml"
    keys = {"key": secrets.token_urlsafe(32), "suppression_key": secrets.token_urlsafe(32)}
    write_private(config, _SETTINGS.format(mark=_MARK, url=PUBLIC_URL, port=smtp_port, **keys).encode("utf-8"))
    began = datetime.fromisoformat(_TIMELINE[0][0]).replace(tzinfo=UTC)
    deps = from_settings(load(config, {}), began)
    bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
    watched = {
        "pages": (f"{address}/frexalimab/",),
        "sources": (f"{address}/herald/feed/", f"{address}/wire/feed/", f"{address}/api/v2/studies/NCT99990001"),
    }
    with deps.writing() as session:
        sources.add(session, f"{address}/company/feed/", began, authority=Authority.SPONSOR)
        adopt(session, bundled.model_copy(update=watched), began)
        profile = profiles.find(session, bundled.slug)
        for email, choice in _PEOPLE:
            one = subscriptions.subscribe(session, email, profile, choice, began)
            subscriptions.confirm(session, one, "command line", "the demo", began)
        _ask_somebody(deps, session, profile, began)
    return deps


def _ask_somebody(deps: Deps, session: Any, profile: Profile, now: datetime) -> None:
    """One person who has not confirmed yet: they get the question, and nothing else."""
    choice = Choice(Cadence.WEEKLY, "08:00", 4, "Europe/Paris")
    one = subscriptions.subscribe(session, "newcomer@example.org", profile, choice, now)
    outbox.enqueue_asked(session, DeliveryKind.CONFIRMATION, one, deps.mail_domain, now)


@contextmanager
def serving(application: Starlette) -> Iterator[str]:
    """The application on a free loopback port; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application, log_level="error", log_config=None, lifespan="off", **limits())
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), name="demo-site", daemon=True
        )
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def mail_sink(sink: Sink) -> Iterator[int]:
    """The sink on a free loopback port; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
