"""The demo's news site and mail server, both on loopback."""

import asyncio
import hashlib
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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

from notifier.store.files import write_private

_DATA = files("notifier") / "demo" / "data"

_CONTENT = "http://purl.org/rss/1.0/modules/content/"


@dataclass
class Site:
    """The news site.

    Attributes:
        stage: how far the story has gone, 1 to 3; raising it publishes the next articles.
        answers: how often it answered with each HTTP status.
    """

    stage: int = 1
    answers: dict[int, int] = field(default_factory=dict)

    def application(self) -> Starlette:
        """Return the application that serves the feeds, the therapy page and the trial record."""
        return Starlette(
            routes=[
                Route("/{outlet}/feed/", self._feed),
                Route("/frexalimab/", self._page),
                Route("/api/v2/studies/NCT99990001", self._trial),
            ]
        )

    def _feed(self, request: Request) -> Response:
        return self._answer(
            request, self.feed(request.path_params["outlet"]), "application/rss+xml"
        )

    def _page(self, request: Request) -> Response:
        return self._answer(request, self._file("page", "html"), "text/html; charset=utf-8")

    def _trial(self, request: Request) -> Response:
        return self._answer(request, self._file("trial", "json"), "application/json")

    def _file(self, name: str, ending: str) -> bytes:
        return (_DATA / f"{name}-{min(self.stage, 2)}.{ending}").read_bytes()

    def _answer(self, request: Request, body: bytes, kind: str) -> Response:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        unchanged = request.headers.get("if-none-match") == etag
        status = 304 if unchanged else 200
        self.answers[status] = self.answers.get(status, 0) + 1
        return Response(b"" if unchanged else body, status, {"ETag": etag}, media_type=kind)

    def feed(self, outlet: str) -> bytes:
        """Return an outlet's RSS feed as WordPress writes it: the ten newest articles in full."""
        content = tomllib.loads((_DATA / "articles.toml").read_text(encoding="utf-8"))
        ET.register_namespace("content", _CONTENT)
        root = ET.Element("rss", version="2.0")
        channel = ET.SubElement(root, "channel")
        site = content["outlets"][outlet]
        _element(channel, "title", site["name"])
        _element(channel, "link", site["address"])
        _element(channel, "generator", "https://wordpress.org/?v=6.8")
        published = [
            article
            for article in content["articles"]
            if article["stage"] <= self.stage and article.get("outlet", "herald") == outlet
        ]
        published.sort(key=lambda article: article["published"], reverse=True)
        for article in published[:10]:
            self._item(channel, article, site["address"])
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return document

    def _item(self, channel: ET.Element, article: dict[str, Any], home: str) -> None:
        later = article.get("later", {})
        now = {**article, **later} if later.get("stage", self.stage + 1) <= self.stage else article
        link = f"{home}/news-posts/{now['published']:%Y/%m/%d}/{now['slug']}/"
        backlink = (
            f'<p>The post <a href="{link}">{now["title"]}</a> appeared first on '
            f'<a href="{home}">the site</a>.</p>'
        )
        item = ET.SubElement(channel, "item")
        _element(item, "title", now["title"])
        _element(item, "link", link)
        _element(item, "guid", f"{home}/?p={int(now['published'].timestamp())}").set(
            "isPermaLink", "false"
        )
        _element(item, "pubDate", format_datetime(now["published"]))
        _element(item, "category", now["category"])
        _element(item, "description", f"<p>{now['text'][0]}</p>\n{backlink}")
        _element(
            item,
            f"{{{_CONTENT}}}encoded",
            "".join(f"<p>{line}</p>\n" for line in now["text"]) + backlink,
        )


def _element(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


class Sink:
    """A mail server that writes each message to a folder, as .eml, .html and .txt.

    Attributes:
        received: recipient, subject and HTML file of each message, in the order of arrival.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.received: list[tuple[str, str, Path]] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Write a message, and return the SMTP reply that accepts it."""
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
        self.received.append(
            (envelope.rcpt_tos[0], str(mail["Subject"]), stem.with_suffix(".html"))
        )
        return "250 OK"


@contextmanager
def serving(application: Starlette) -> Iterator[str]:
    """Serve an application on a free loopback port, and yield its address (`http://…`)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # The site answers plain requests, so no WebSocket library is loaded (some warn of their
        # age); a log of requests would be printed between the lines of the story.
        config = uvicorn.Config(
            application,
            ws="none",
            access_log=False,
            lifespan="off",
            log_level="error",
            log_config=None,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])),
            name="demo-site",
            daemon=True,
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
    """Run a mail server on a free loopback port, and yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
