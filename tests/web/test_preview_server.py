"""The preview server: views as they would be sent, on loopback only, after each change."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.admin.preview import PreviewOptions, preview
from notifier.pipeline import match, poll
from notifier.settings import TemplateFiles
from notifier.store.models import Delivery, Digest
from notifier.web import app, preview_server
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import text_of
from tests.support.mails import parsed
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

SEEN = PreviewOptions(since=timedelta(days=30))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "email").mkdir(parents=True)
    return folder


@pytest.fixture
def room(installation: Installation, own: Path) -> Iterator[Client]:
    installation.change(templates=TemplateFiles(directory=own))
    installation.publish([Article("Frexalimab slows lesions")])
    deps = installation.at(MONDAY)
    poll.run(deps)
    match.run(deps)
    with serving(preview_server.create(deps, SEEN)) as address:
        yield Client(address)


def test_the_page_shows_each_view_of_the_mail_that_would_be_sent(
    installation: Installation, room: Client
):
    page = room.get("/")
    assert page.status_code == 200
    for kind in ("light", "dark", "phone", "text", "raw"):
        assert (
            f'src="view/{kind}?profile=frexalimab&amp;every=weekly&amp;edition=patient&amp;'
            in page.text
        )
    shown = preview(installation.at(MONDAY), SEEN)
    assert shown is not None
    assert text_of(parsed(shown.message)) in room.get("/view/text").text
    assert "Content-Transfer-Encoding: quoted-printable" in room.get("/view/raw").text
    light, dark = room.get("/view/light").text, room.get("/view/dark").text
    assert "@media not all{" in light
    assert "@media all{" in dark
    assert "prefers-color-scheme" not in light + dark


def test_the_query_chooses_the_digest(room: Client):
    assert "Fachleute" not in room.get("/view/text?language=de").text
    assert (
        "Warum es hier steht"
        in room.get("/view/text?language=de&edition=clinician&every=daily").text
    )
    assert "There is nothing to send" in room.get("/view/light?since=0").text
    assert '<option value="de" selected>' in room.get("/?language=de").text


@pytest.mark.parametrize(
    "query", ["every=hourly", "edition=x", "since=x", "since=99999999999999", "profile=nobody"]
)
def test_a_wrong_query_is_refused_with_a_message(room: Client, query: str):
    answer = room.get(f"/?{query}")
    assert answer.status_code == 422
    assert answer.text


def test_a_changed_template_is_used_for_the_next_view(own: Path, room: Client):
    before = room.get("/version").text
    assert room.get("/version").text == before
    (own / "email" / "item.html.j2").write_text("<h3>{{ item.title }} IN NEW CLOTHES</h3>\n")
    assert room.get("/version").text != before
    assert "IN NEW CLOTHES" in room.get("/view/light").text
    (own / "email" / "item.html.j2").write_text("\n{% for %}")
    broken = room.get("/view/light")
    assert broken.status_code == 422
    assert f"{own / 'email' / 'item.html.j2'}, line 2: " in broken.text


def test_the_preview_answers_loopback_alone_and_is_not_part_of_the_web_application(
    installation: Installation, room: Client
):
    assert room.get("/", Host="evil.example.org").status_code == 400
    with serving(app.create(installation.at(MONDAY))) as address:
        for path in ("/view/light", "/version", "/showroom.js", "/showroom.css"):
            assert Client(address).get(path).status_code == 404


def test_the_preview_stores_nothing(installation: Installation, room: Client):
    for path in ("/", "/view/light", "/view/raw"):
        room.get(path)
    with installation.at(MONDAY).reading() as session:
        assert session.query(Digest).count() == session.query(Delivery).count() == 0


def test_the_script_and_the_style_sheet_are_served(room: Client):
    assert room.get("/showroom.js").headers["Content-Type"].startswith("text/javascript")
    assert room.get("/showroom.css").headers["Content-Type"].startswith("text/css")


def test_the_preview_for_a_subscriber_shows_the_mail_they_would_get(
    installation: Installation, room: Client
):
    installation.subscribe("anna@example.org", language="es")
    made = replace(SEEN, to="anna@example.org")
    with serving(preview_server.create(installation.at(MONDAY), made)) as address:
        assert "Por qué está aquí" in Client(address).get("/view/text").text
