"""Requests that no browser sends: the operator pages answer them, and no page fails."""

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.routing import Route

from notifier.pipeline import compose
from notifier.settings import Watch
from notifier.web.operator.routes import routes
from tests.support.forms import FORM, visiting
from tests.support.installation import Installation
from tests.support.operators import Operator, add_operator, token_in
from tests.support.visitor import Client

pytestmark = pytest.mark.postgresql_long

NUL, SURROGATE = "%00", "%ED%A0%80"
NUMBERS = ("9223372036854775808", "9" * 400, "-1", "%D9%A3", "%C2%B2", "1e5", "0x1", "1_0")
# The names of fields that the pages read from the queries of addresses.
QUERIES = (
    *("after", "all", "because", "before", "bundled", "day", "did", "done", "edition", "entry"),
    *("every", "first", "kind", "language", "next", "page", "part", "profile", "search", "show"),
    *("since", "source", "source_id", "tier", "title", "url", "view", "who", "about"),
)
# No browser sends these: Python reads none of them as an address.
NO_ADDRESSES = ("//[", "http://[", "http://[::1", "//]", "https://[x]/", "http://a]b/", "//[v1.x]")


@pytest.fixture(autouse=True)
def failures(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No page fails: a failure is in the log with its trace."""
    caplog.set_level(logging.ERROR)
    yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.fixture
def stranger(installation: Installation) -> Iterator[Client]:
    """Somebody who is not logged in."""
    add_operator(installation)
    with visiting(installation) as client:
        yield client


def multipart(fields: list[tuple[str, str]]) -> str:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in fields
    ]
    return "\r\n".join([*parts, "--b--\r\n"])


def send(client: Client, path: str, charset: str, fields: list[tuple[str, str]], **headers: str):
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    return client.request("POST", path, multipart(fields), kind, **headers)


def test_a_log_in_that_leads_to_no_address_leads_to_the_first_page(stranger):
    for place in NO_ADDRESSES:
        assert stranger.get(f"/operator/login?next={quote(place)}").status_code == 200, place
        answer = Operator(stranger).log_in(place=place)
        assert (answer.status_code, answer.headers["location"]) == (303, "./"), place


@pytest.mark.parametrize("path", ["logout", "digests/1/approve", "profiles/x/edit", "sources/add"])
def test_a_form_from_no_address_is_asked_to_log_in(stranger, path: str):
    for address in NO_ADDRESSES:
        answer = stranger.request("POST", f"/operator/{path}", "a=b", FORM, Referer=address)
        assert answer.status_code == 401, address


@pytest.mark.parametrize("path", ["/subscribe", "/link", "/operator/login"])
def test_a_form_of_an_origin_that_is_no_address_is_refused(stranger, path: str):
    for origin in NO_ADDRESSES:
        named = {"Sec_Fetch_Site": "same-origin", "Origin": origin}
        assert stranger.request("POST", path, "email=x", FORM, **named).status_code == 403, origin


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "idna", "utf-7", "utf-16", "unicode_escape", "rot13", "x"]
)
def test_a_form_is_read_as_utf_8_whatever_it_says(stranger, charset: str):
    fields = [("email", "+2AA-"), ("+2AA-", "a"), ("\\ud800", "\\ud800"), ("name", "ä")]
    forms = ("/subscribe", "/link", "/operator/login", "/operator/logout", "/unsubscribe/x")
    for spelling in (charset, f'"{charset}"', f"{charset}; CHARSET ={charset}"):
        for path in forms:
            assert send(stranger, path, spelling, fields).status_code < 500, (path, spelling)


def test_a_password_with_half_a_character_is_wrong(stranger):
    opened = stranger.get("/operator/login")
    token = re.search(r'name="opened" value="([^"]+)"', opened.text)[1]
    fields = [("name", "anna"), ("password", "+2AA-"), ("opened", token)]
    answer = send(stranger, "/operator/login", "utf-7", fields, Cookie=f"notifier_login={token}")
    assert answer.status_code == 401


def test_what_was_written_is_shown_again_with_any_name(stranger):
    answer = send(stranger, "/operator/logout", "utf-7", [("+2AA-", "Dear readers")])
    assert answer.status_code == 401
    assert "Dear readers" in answer.text


@pytest.fixture
def busy(any_installation: Installation) -> Iterator[Operator]:
    """An owner, logged in, of an installation with digests, on each kind of database in turn."""
    due = any_installation.discover(3)
    compose.run(any_installation.at(due))
    add_operator(any_installation)
    any_installation.change(watch=Watch(allow_private_addresses=False))
    with visiting(any_installation, due) as client:
        browser = Operator(client)
        assert browser.log_in().status_code == 303
        yield browser


def paths(method: str, text: str) -> list[str]:
    """Return the paths of all routes of a method, with a text in the place of each name."""
    found = [route for route in routes() if isinstance(route, Route) and method in route.methods]
    return [re.sub(r"{\w+}", text, route.path) for route in found]


def test_no_path_makes_a_page_fail(busy: Operator):
    for text in (NUL, SURROGATE, *NUMBERS):
        for path in {*paths("GET", text)} - {*paths("GET", "1")}:
            assert busy.get(path).status_code < 500, path


def test_no_field_of_an_address_makes_a_page_fail(busy: Operator):
    for path in paths("GET", "1"):
        for text in (NUL, SURROGATE, *NUMBERS):
            query = "&".join(f"{name}={text}" for name in QUERIES)
            assert busy.get(f"{path}?{query}").status_code < 500, (path, text)


ADDRESSES = (
    ("news?title=%00", 200),
    ("news?source=%00", 422),
    ("news?profile=%00", 422),
    ("profiles?search=%00", 200),
    ("sources?search=%00", 200),
    ("digests?profile=%00", 422),
    ("log?who=%00", 200),
    ("log?about=%00", 200),
    ("profiles/%00", 404),
    ("profiles/%00/edit", 404),
    ("profiles/%00/file", 404),
    ("profiles/%00/history", 404),
    ("profiles/%00/history/1", 404),
    ("profiles/%00/remove", 404),
    ("trials?profile=%00", 404),
    ("trials/%00", 404),
    ("digests/next?profile=%00&every=weekly", 404),
    ("digests/next/mail?profile=%00&every=weekly", 404),
    ("new-profile?bundled=%00", 200),
    ("sources/9223372036854775808", 404),
    ("news/entries/9223372036854775808", 404),
    ("profiles?page=9223372036854775808", 200),
    ("news?before=9223372036854775808", 200),
    ("?done=9223372036854775808", 200),
)


def test_what_no_database_can_hold_is_not_found(busy: Operator):
    answers = [(address, busy.get(f"/operator/{address}").status_code) for address, _ in ADDRESSES]
    assert answers == [*ADDRESSES]


def test_a_form_of_a_profile_that_no_database_can_hold_is_not_found(busy: Operator):
    token = token_in(busy.get("/operator/").text)
    fields = {"token": token, "name": "x", "do": "save"}
    for path in ("edit", "remove", "file", "history/1"):
        assert busy.send(f"/operator/profiles/{NUL}/{path}", fields).status_code == 404, path


def test_a_ticked_box_that_no_database_can_hold_is_no_profile(busy: Operator):
    page = busy.get("/operator/sources/1").text
    mark = re.search(r'name="mark" value="([^"]+)"', page)[1]
    fields = {"mark": mark, "name": "x", "authority": "news", "for": "some", "profile": "\0"}
    url = {"url": "https://herald.example.org/feed"}
    page = "/operator/sources/1"
    answer = busy.act(page, f"{page}/edit", **fields, **url)
    assert (answer.status_code, "There is no profile" in answer.text) == (422, True)
    answer = busy.act(page, "/operator/sources/add", **fields, **url, kind="feed")
    assert (answer.status_code, "There is no profile" in answer.text) == (422, True)


def test_what_is_no_address_is_not_watched(busy: Operator):
    page = "/operator/sources/1"
    mark = re.search(r'name="mark" value="([^"]+)"', busy.get(page).text)[1]
    for address in NO_ADDRESSES:
        fields = {"mark": mark, "name": "x", "authority": "news", "for": "all", "url": address}
        assert busy.act(page, f"{page}/edit", **fields).status_code == 422, address
        assert busy.act(page, "/operator/sources/add", **fields, kind="feed").status_code == 422
        assert busy.act(page, "/operator/sources/find", url=address).status_code == 422, address


@pytest.mark.parametrize("name", ["name", "summary", "terms.text", "sources", "pages"])
def test_a_profile_file_with_what_no_database_can_hold_is_refused(busy: Operator, name: str):
    page = "/operator/new-profile"
    assert busy.get(page).status_code == 200
    values = {
        "name": "Nulix",
        "summary": "A text.",
        "terms.text": "nulix",
        "sources": "",
        "pages": "",
    }
    values[name] += "\\u0000"
    lines = [
        'slug = "nulix"',
        *(f'{key} = "{values[key]}"' for key in ("name", "summary")),
        'stage = "Phase 3"',
        *(f'{key} = ["https://herald.example.org/{values[key]}"]' for key in ("sources", "pages")),
        "[[terms]]",
        'kind = "name"',
        f'text = "{values["terms.text"]}"',
    ]
    answer = busy.act(page, page, file="\n".join(lines), do="save")
    assert answer.status_code == 422
    assert "holds a control character" in answer.text
