"""Mails and pages in other languages have no English but publishers' texts, which say so."""

import html
import re
from datetime import timedelta
from functools import partial
from html.parser import HTMLParser

import pytest

from notifier.enums import Cadence, Edition
from notifier.i18n.catalog import LANGUAGES
from notifier.links import Purpose
from notifier.match import profiles
from notifier.messages import digest_mail
from notifier.pipeline.run import run_once
from notifier.store.models import Digest, Source
from tests.messages.test_discreet_mails import KINDS, spec_of
from tests.support.forms import link_to, post, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of, text_of
from tests.support.mails import parsed
from tests.support.news_site import Article

DAY = timedelta(days=1)
OTHERS = [code for code in LANGUAGES if code != "en"]
# Frequent English words that are no words of German, French or Spanish.
ENGLISH = re.compile(
    r"(?i)\b(?:the|of|and|to|with|for|your|you|this|that|is|are|was|were|it|from|by|be|not|have|"
    r"has|will|which|when|where|what|why|here|read|change|news|digest|mail|unsubscribe|subscribe|"
    r"preferences|trial|headline|text|daily|weekly|monthly|day|days|week)\b"
)
# Words of one of the languages that look English.
ALIKE = {"fr": {"mail", "change"}, "de": {"was", "mail", "text"}, "es": set()}
# What an installation calls itself and its sources, and codes.
NAMES = re.compile(
    r"The Example (?:Herald|Wire|Society)[^·<]*|Example Society|MS News|\S+@\S+|https?://\S+"
)
TITLE = "The drug frexalimab was tested with placebo and cuts the number of lesions by 41%"
BODY = "The team of doctors said that it was the best result which they have seen."


class Outside(HTMLParser):
    """The visible texts of a document that are in no element of another language."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._code = code

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "link", "br", "input", "img"):
            return
        lang = dict(attrs).get("lang")
        is_other = lang is not None and lang != self._code
        self._open.append((tag, is_other or tag in ("style", "script", "option")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(is_other for _, is_other in self._open):
            self.texts.append(" ".join(data.split()))


def english_words(document: str, code: str) -> list[str]:
    """Return the English words outside elements that are marked as another language."""
    reader = Outside(code)
    reader.feed(re.sub(r"(?s)<!--.*?-->", "", document))
    return words_in(" ".join(reader.texts), code)


def words_in(text: str, code: str) -> list[str]:
    found = (word.lower() for word in ENGLISH.findall(NAMES.sub("", html.unescape(text))))
    return sorted({word for word in found if word not in ALIKE[code]})


def test_the_check_finds_english_outside_marked_elements():
    page = '<p>Guten Tag <span lang="en">the news</span> and <b>tschüss</b></p>'
    assert english_words(page, "de") == ["and"]


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("digest", "late")])
def test_a_mail_in_another_language_has_no_english(
    installation: Installation, kind: str, code: str
):
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        profile = profiles.find(session, None)
        for edition in Edition:
            for cadence in Cadence:
                spec = spec_of(deps, kind, profile, cadence, edition, code)
                mail = parsed(digest_mail.build_message(deps, spec, MONDAY))
                assert english_words(html_of(mail), code) == []
                assert words_in(text_of(mail), code) == []
                assert words_in(mail["Subject"], code) == []


def send_an_article_and_its_correction(made: Installation, code: str) -> None:
    for name, edition in (("anna", "patient"), ("doctor", "clinician")):
        made.subscribe(f"{name}@example.org", language=code, edition=edition)
    run_once(made.at(MONDAY))
    first = Article(TITLE, BODY, guid="1", slug="one")
    also = Article("A second look at the drug frexalimab", f"{BODY} (NCT04879628)", slug="two")
    made.publish([first, also])
    run_once(made.at(MONDAY + DAY))
    made.publish([Article(TITLE.replace("41", "37"), BODY, guid="1", slug="one"), also])
    run_once(made.at(MONDAY + 2 * DAY))


SENT = {code: partial(send_an_article_and_its_correction, code=code) for code in OTHERS}


@pytest.fixture
def reader(installation: Installation, request: pytest.FixtureRequest) -> str:
    """Somebody in another language who was sent an article and its correction, in each edition."""
    code: str = request.param
    installation.prepare(SENT[code])
    return code


@pytest.mark.parametrize("reader", OTHERS, indirect=True)
def test_a_digest_in_another_language_marks_what_publishers_wrote(
    installation: Installation, reader: str
):
    mails = installation.sink.messages
    assert len(mails) == 4
    for mail in mails:
        page = html_of(mail)
        assert english_words(page, reader) == []
        assert re.search(r'<h3 lang="en"[^>]*><a href=[^>]*>(?:The drug|A second)', page)
        assert words_in(mail["Subject"], reader) == []
    for mail in mails[2:]:
        assert re.search(
            r'<span lang="en">[^<]*<del[^>]*>41%</del> → <ins[^>]*>37%</ins>', html_of(mail)
        )


@pytest.mark.parametrize("reader", OTHERS, indirect=True)
def test_the_pages_of_a_reader_in_another_language_have_no_english(
    installation: Installation, reader: str
):
    made = installation
    with made.at(MONDAY).reading() as session:
        keys = [digest.key for digest in session.query(Digest)]
        names = {source.name for source in session.query(Source)}
    assert names == {"The Example Herald (fictional)"}
    links = {purpose: link_to(made, purpose, "anna@example.org") for purpose in Purpose}
    public = ("/", "/link", "/archive", "/about", "/privacy", "/contact", "/sample", "/nothing")
    with visiting(made) as client:
        pages = {path: client.get(f"{path}?language={reader}").text for path in public}
        pages |= {key: client.get(f"/archive/{key}").text for key in keys}
        pages |= {
            purpose: client.get(links[purpose], Accept_Language=reader).text
            for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.RENEW)
        }
        for do in ("save", "pause", "erase"):
            pages[do] = post(client, links[Purpose.PREFERENCES], do=do, until="2026-04-01").text
        pages["left"] = post(client, links[Purpose.UNSUBSCRIBE], do="leave").text
    for name, page in pages.items():
        assert f'<html lang="{reader}">' in page, name
        assert english_words(page, reader) == [], name
