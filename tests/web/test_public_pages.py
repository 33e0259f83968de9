"""Pages for everybody: what will come, a sample, about, contact, and where typed addresses lead."""

import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from notifier.i18n.catalog import LANGUAGES
from notifier.messages import digest_body
from notifier.pipeline import match, poll
from notifier.settings.sections import LONGEST_ABOUT, Privacy, Sender, Web
from notifier.web.app import create
from notifier.web.public_pages import TYPED
from tests.support.forms import FORM, add_second_profile, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article
from tests.support.visitor import Client
from tests.support.web_server import serving

DAY = timedelta(days=1)
PUBLIC = ("/", "/link", "/archive", "/about", "/privacy", "/contact", "/sample", "/nothing")
TITLES = ("Frexalimab slows relapses in a made-up trial", "What patients ask about frexalimab")


def seen(made: Installation, *titles: str) -> None:
    """Let the sources show articles at their first poll, which is mailed to nobody."""
    made.publish([Article(title, slug=f"n-{place}") for place, title in enumerate(titles)])
    poll.run(made.at(MONDAY))
    match.run(made.at(MONDAY))


@pytest.mark.parametrize("path", PUBLIC)
def test_every_page_leads_on_to_the_others_and_has_an_icon(client: Client, path: str):
    page = client.get(path).text
    footer = page.partition("<footer>")[2]
    for name in ("archive", "about", "privacy", "contact"):
        assert f'href="./{name}"' in footer
    assert 'href="./"' in footer
    assert '<link rel="icon" type="image/svg+xml" href="./favicon.svg">' in page


def test_a_page_behind_a_link_leads_on_to_the_same_addresses(
    installation: Installation, client: Client
):
    page = client.get("/archive/nothing-with-such-a-key").text
    assert 'href="../contact"' in page
    assert 'href="../favicon.svg"' in page


def test_the_icon_is_our_own_and_is_found_under_its_oldest_name(client: Client):
    icon = client.get("/favicon.svg")
    assert icon.headers["Content-Type"].startswith("image/svg+xml")
    assert icon.text.startswith("<svg")
    assert "http" not in icon.text.replace("http://www.w3.org/2000/svg", "")
    assert "img-src 'self'" in client.get("/").headers["Content-Security-Policy"]
    oldest = client.get("/favicon.ico")
    assert (oldest.status_code, oldest.headers["Location"]) == (308, "favicon.svg")
    again = client.get("/favicon.svg", If_None_Match=icon.headers["ETag"])
    assert (again.status_code, again.text) == (304, "")
    assert "Vary" not in again.headers


@pytest.mark.parametrize("page", TYPED)
def test_a_slash_at_the_end_leads_to_the_page(client: Client, page: str):
    answer = client.get(f"/{page}/?language=de")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"../{page}?language=de")


def test_the_address_of_the_forms_answer_leads_to_the_form(client: Client):
    answer = client.get("/subscribe?profile=frexalimab")
    assert (answer.status_code, answer.headers["Location"]) == (303, "./?profile=frexalimab")
    assert client.request("HEAD", "/subscribe").status_code == 303


def test_a_form_that_is_sent_to_the_address_with_a_slash_keeps_its_method(client: Client):
    assert client.post("/subscribe/", "email=x").status_code == 308


def test_the_form_asks_for_address_and_consent_first_and_folds_the_rest(client: Client):
    page = client.get("/").text
    shown, _, folded = page.partition("<details>")
    assert 'name="email"' in shown
    assert 'name="consent"' in shown
    folded, _, after = folded.partition("</details>")
    for name in ("every", "weekday", "day", "at", "time_zone", "edition", "language"):
        assert f'name="{name}"' in folded
    assert after.lstrip().startswith('<button type="submit">')
    assert "once a week, on Monday at 08:00" in shown


def test_what_is_wrong_among_the_folded_choices_is_shown_at_once(client: Client):
    page = client.post("/subscribe", "email=a@example.org&consent=yes&at=25:00", FORM).text
    assert "<details open>" in page


def test_of_several_therapies_the_choice_is_not_folded(installation: Installation, client: Client):
    add_second_profile(installation)
    shown = client.get("/").text.partition("<details>")[0]
    assert '<select id="profile"' in shown
    assert "sample?profile=frexalimab" in shown
    assert "sample?profile=tolebrutinib" in shown


def test_the_first_page_leads_to_a_sample_with_the_latest_news(
    installation: Installation, client: Client
):
    seen(installation, *TITLES)
    (path,) = re.findall(r'href="\.(/sample\?profile=frexalimab)"', client.get("/").text)
    sample = client.get(path)
    for title in TITLES:
        assert title in sample.text
    assert "Why it is here: the headline names frexalimab." in sample.text
    assert "Where Frexalimab stands" in sample.text
    assert "style=" not in sample.text
    assert sample.headers["Cache-Control"] == "public, max-age=300"


def test_before_there_is_news_the_sample_shows_what_is_known_of_the_therapy(client: Client):
    sample = client.get("/sample")
    assert sample.status_code == 200
    assert "Where Frexalimab stands" in sample.text


@pytest.mark.parametrize("query", ["?profile=nothing", "?profile=%00", "?profile=" + "x" * 3000])
def test_there_is_no_sample_of_a_therapy_that_is_not_public(client: Client, query: str):
    assert client.get(f"/sample{query}").status_code == 404


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_sample_is_in_the_language_that_the_visitor_chose(
    installation: Installation, client: Client, code: str
):
    seen(installation, *TITLES)
    page = client.get(f"/sample?language={code}", Accept_Language="fr").text
    assert f'<html lang="{code}">' in page
    assert (' lang="en"><a href="https://herald.example.org/n-0/">' in page) is (code != "en")
    assert f'href="./about?language={code}"' in page


def test_a_sample_is_rendered_once_in_five_minutes(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    rendered = []
    monkeypatch.setattr(digest_body, "full_body", lambda *_: rendered.append(1) or "<tr></tr>")
    with visiting(installation) as client:
        for _ in range(5):
            assert client.get("/sample").status_code == 200
        client.get("/sample?language=de")
    assert len(rendered) == 2
    application = create(installation.at(MONDAY))
    for minutes, number in ((0, 3), (4, 3), (6, 4)):
        application.state.deps = installation.at(MONDAY + timedelta(minutes=minutes))
        with serving(application) as address:
            Client(address).get("/sample")
        assert len(rendered) == number


def test_the_about_page_shows_the_operators_text_the_therapies_and_the_sources(
    installation: Installation,
):
    about = "We are <three> friends.\n\nWe read the news\nevery day."
    installation.change(web=Web(about=about), privacy=Privacy(contact="team@example.org"))
    seen(installation, *TITLES)
    with visiting(installation) as client:
        page = client.get("/about").text
        german = client.get("/about?language=de").text
    assert "<p>We are &lt;three&gt; friends.</p>\n<p>We read the news every day.</p>" in page
    assert "<li>Frexalimab</li>" in page
    assert "<li>The Example Herald (fictional)</li>" in page
    assert 'href="mailto:team@example.org"' in page
    assert '<p lang="en">We are &lt;three&gt; friends.</p>' in german


def test_a_text_about_the_sender_that_is_too_long_is_refused():
    with pytest.raises(ValidationError, match="about"):
        Web(about="x" * (LONGEST_ABOUT + 1))


def test_the_contact_page_names_the_sender_and_how_to_write(installation: Installation):
    with visiting(installation) as client:
        page = client.get("/contact").text
    assert "Example Society<br>1 Example Street, Exampletown" in page
    assert 'href="mailto:' in page
    installation.change(sender=Sender(name="Example Society"))
    with visiting(installation) as client:
        page = client.get("/contact").text
    assert "Please answer one of our mails." in page
    assert "mailto:" not in page
