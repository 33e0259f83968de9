"""Links that mail programs and gateways altered still open; what is not ours still does not."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from notifier.enums import SubscriptionStatus
from notifier.links import Links, Purpose
from notifier.web.altered_links import path_of
from tests.support.forms import FORM, link_to, subscription_of, visiting
from tests.support.installation import MONDAY, Installation
from tests.support.visitor import Client

ANNA = "anna@example.org"
LINKS = Links("https://news.example.org", "a key that only the tests know")
PLAIN = urlsplit(LINKS.url(Purpose.UNSUBSCRIBE, "Zm9vYmFyYmF6cXV4MTIzNA", MONDAY)).path
TOKEN = PLAIN.rpartition("/")[2]
HEAD, TAIL = TOKEN[:11], TOKEN[11:]

ALTERATIONS = {
    "a full stop": f"{PLAIN}.",
    "three full stops": f"{PLAIN}...",
    "a closing angle bracket": f"{PLAIN}>",
    "a bracket and a full stop": f"{PLAIN}).",
    "a comma": f"{PLAIN},",
    "a semicolon": f"{PLAIN};",
    "an exclamation mark": f"{PLAIN}!",
    "a quotation mark": f'{PLAIN}"',
    "a typographic quotation mark": f"{PLAIN}”",
    "a German quotation mark and a comma": f"{PLAIN}“,",
    "a slash": f"{PLAIN}/",
    "two slashes": f"{PLAIN}//",
    "an asterisk of a bold text": f"{PLAIN}*",
    "an underscore of a slanted text": f"{PLAIN}_",
    "a square bracket": f"{PLAIN}]",
    "a bracket with a target, as Markdown writes it": f"{PLAIN}](https://news.example.org{PLAIN})",
    "an entity": f"{PLAIN}&gt;",
    "an entity and a full stop": f"{PLAIN}&gt;.",
    "an entity in place of the full stop within": PLAIN.replace(".", "&#46;"),
    "an encoded full stop, encoded twice": f"{PLAIN}%2E",
    "an encoded bracket, encoded twice": f"{PLAIN}%3E",
    "an encoded quotation mark, encoded three times": f"{PLAIN}%2522",
    "an encoded full stop within": PLAIN.replace(".", "%2E"),
    "a parameter whose question mark was encoded": f"{PLAIN}?utm_source=mail&utm_medium=x",
    "a parameter behind an ampersand": f"{PLAIN}&utm_source=mail",
    "an equals sign that was not decoded": f"{PLAIN}=3D",
    "an equals sign": f"{PLAIN}=",
    "a full stop in quoted-printable within": PLAIN.replace(".", "=2E"),
    "a soft line break": f"/unsubscribe/{HEAD}=\r\n{TAIL}",
    "a soft line break without its line end": f"/unsubscribe/{HEAD}={TAIL}",
    "a line end in quoted-printable": f"/unsubscribe/{HEAD}=0D=0A{TAIL}",
    "a line end within": f"/unsubscribe/{HEAD}\n{TAIL}",
    "a line end of two characters within": f"/unsubscribe/{HEAD}\r\n{TAIL}",
    "a line end and the sign of a quotation": f"/unsubscribe/{HEAD}\n> {TAIL}",
    "a line end at its end": f"{PLAIN}\n",
    "a space within": f"/unsubscribe/{HEAD} {TAIL}",
    "a tab behind it": f"{PLAIN}\t",
    "a space of no width": f"/unsubscribe/{HEAD}\u200b{TAIL}",
    "a soft hyphen": f"/unsubscribe/{HEAD}\u00ad{TAIL}",
    "a byte order mark": f"{PLAIN}\ufeff",
    "a non-breaking space": f"{PLAIN}\u00a0",
    "a dot that was doubled at the beginning of a line": PLAIN.replace(".", ".."),
    "a doubled slash at its beginning": f"/{PLAIN}",
    "a doubled slash within": PLAIN.replace("unsubscribe/", "unsubscribe//"),
    "a capital letter": PLAIN.replace("unsubscribe", "Unsubscribe"),
    "capital letters": PLAIN.replace("unsubscribe", "UNSUBSCRIBE"),
    "a folder that a proxy did not remove": f"/news{PLAIN}",
    "the whole address once more": f"/https://news.example.org{PLAIN}",
}


@pytest.mark.parametrize("altered", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_link_is_read_as_it_was_made(altered: str):
    assert path_of(altered, LINKS.is_genuine) == PLAIN


REFUSED = {
    "a cut token": PLAIN[:-3],
    "a changed letter": PLAIN[:-4] + ("A" if PLAIN[-4] != "A" else "B") + PLAIN[-3:],
    "another purpose": PLAIN.replace("unsubscribe", "preferences"),
    "no page of ours": f"/unsubscribes/{TOKEN}",
    "nothing but dots": "/unsubscribe/....",
    "no token": "/unsubscribe/",
    "another letter that looks alike": PLAIN.replace("unsubscribe", "un\u017fubscribe"),
    "a path that is too long": f"{PLAIN}{'.' * 2000}",
    "the settings": "/notifier.toml",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_link_of_ours_stays_as_it_is(path: str):
    assert path_of(path, LINKS.is_genuine) == path


OPEN = {
    "/archive": ("/archive.", "/Archive", "//archive", "/archive>", "/archive\u200b"),
    "/link": ("/link).", "/Link", "/link,", "/link>"),
    "/feeds/frexalimab.atom": ("/feeds/frexalimab.atom)", "//feeds/frexalimab.atom/"),
    "/archive/Zm9vYmFyYmF6cXV4MTIzNA": (
        "/archive/Zm9vYmFyYmF6cXV4MTIzNA.",
        "/ARCHIVE//Zm9vYmFyYmF6cXV4MTIzNA&gt;",
        '/archive/Zm9vYmFyYmF6cXV4MTIzNA"',
        "/archive/Zm9vYmFyYm\nF6cXV4MTIzNA",
    ),
    "/archive/12": ("/archive/12.", "/archive/12/"),
}


@pytest.mark.parametrize(
    ("plain", "altered"), [(plain, each) for plain, many in OPEN.items() for each in many]
)
def test_pages_without_a_signature_are_found_as_well(plain: str, altered: str):
    assert path_of(altered, LINKS.is_genuine) == plain


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/links",
        "/archive/",
        "/archive/²",
        "/archive/12\0",
        "/archives/12",
        "/healthz",
        "/feeds/x",
        "/linked.",
    ],
)
def test_other_pages_keep_their_paths(path: str):
    assert path_of(path, LINKS.is_genuine) == path


def test_a_long_path_of_any_form_is_read_in_little_time():
    for piece in ("=", "/", "A", ".", "%25", "&amp;", "/unsubscribe/", "\n", "A."):
        path_of(("/" + piece * 2_000)[:2_000], LINKS.is_genuine)


@pytest.fixture
def visited(installation: Installation) -> Iterator[tuple[Installation, Client]]:
    installation.adopt()
    installation.subscribe(ANNA)
    with visiting(installation) as client:
        yield installation, client


def test_an_altered_link_of_each_kind_opens_its_page(visited):
    made, client = visited
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.RENEW):
        link = link_to(made, purpose, ANNA)
        forms = client.get(link).text.count("<form")
        assert forms > 0, purpose
        for end in (".", "%3E", "/", "%0A", "=3D", "%E2%80%8B", "%22?utm_source=x", "&gt;)"):
            assert client.get(f"{link}{end}").text.count("<form") == forms, (purpose, end)


def test_one_click_by_an_altered_link_unsubscribes(visited):
    made, client = visited
    link = link_to(made, Purpose.UNSUBSCRIBE, ANNA)
    for end in (".", "%3E", "/", ""):
        answer = client.post(f"{link}{end}", "List-Unsubscribe=One-Click", FORM)
        assert (answer.status_code, answer.headers.get("Location")) == (200, None), end
        assert subscription_of(made, ANNA).status is SubscriptionStatus.ENDED


def test_a_get_by_an_altered_link_changes_nothing(visited):
    made, client = visited
    client.get(f"{link_to(made, Purpose.UNSUBSCRIBE, ANNA)}.")
    assert subscription_of(made, ANNA).status is SubscriptionStatus.CONFIRMED


def test_the_case_of_the_host_does_not_matter(visited):
    made, client = visited
    link = link_to(made, Purpose.PREFERENCES, ANNA)
    assert client.get(link, Host="NEWS.Example.ORG").text.count("<form") > 0
