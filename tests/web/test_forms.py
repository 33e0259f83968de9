"""Forms of other sites, access for operators, and the page for each kind of error."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from notifier.errors import (
    SettingsError,
)
from notifier.links import Purpose
from notifier.settings import Web, load
from notifier.store.models import SignupRequest, Subscription
from notifier.web import operator_access
from notifier.web.app import create
from notifier.web.origins import is_foreign
from tests.support.forms import FORM
from tests.support.installation import MONDAY, Installation
from tests.support.paths import ROOT
from tests.support.visitor import Client
from tests.support.web_server import serving

PARTNER = "https://partner.example.net"
SIGN_UP = urlencode(
    {"email": "anna@example.org", "consent": "yes", "every": "weekly", "at": "08:00"}
)


@pytest.fixture
def client(installation: Installation) -> Iterator[Client]:
    installation.change(web=Web(form_origins=(PARTNER,)))
    with serving(create(installation.at(MONDAY))) as address:
        yield Client(address)


def asked(made: Installation) -> int:
    with made.at(MONDAY).reading() as session:
        return session.query(SignupRequest).count()


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://news.example.org"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://news.example.org"},
    {"Origin": "https://news.example.org.evil.example"},
    {"Origin": "https://news.example.org:8443"},
    {"Origin": "https://evil.example https://news.example.org"},
    {"Origin": "http://partner.example.net"},
    {"Origin": "https://partner.example.net.evil.example"},
    {"Origin": "https://sub.partner.example.net"},
    {"Origin": "file://"},
    {"Origin": "x"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://news.example.org"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://news.example.org"},
    {"Origin": "HTTPS://News.Example.org"},
    {"Origin": PARTNER},
    {"Sec-Fetch-Site": "cross-site", "Origin": PARTNER},
    {"Sec-Fetch-Site": "same-site", "Origin": PARTNER},
]


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_a_form_that_another_site_sent_is_refused_with_a_page(
    installation: Installation, client: Client, path: str
):
    for headers in FOREIGN:
        answer = client.request("POST", path, SIGN_UP, FORM, **headers)
        assert answer.status_code == 403, headers
        assert "another website" in answer.text
        assert "https://news.example.org" in answer.text
    assert asked(installation) == 0


@pytest.mark.parametrize("path", ["/subscribe", "/link"])
def test_forms_of_our_pages_of_allowed_sites_and_of_programs_are_accepted(
    installation: Installation, client: Client, path: str
):
    for headers in OWN:
        assert client.request("POST", path, SIGN_UP, FORM, **headers).status_code == 200, headers
    assert asked(installation) == len(OWN)


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
def test_a_repeated_header_is_refused(name: str):
    values = {"origin": "https://news.example.org", "sec-fetch-site": "same-origin"}
    twice = [(name.encode(), values[name].encode())] * 2
    assert is_foreign(Headers(raw=twice), "https://news.example.org", ())


def test_one_click_works_whatever_origin_the_mail_provider_names(
    installation: Installation, client: Client
):
    installation.subscribe("anna@example.org")
    deps = installation.at(MONDAY)
    with deps.reading() as session:
        link = deps.links.token(
            Purpose.UNSUBSCRIBE, session.query(Subscription).one().link_id, MONDAY
        )
    for headers in FOREIGN:
        answer = client.request(
            "POST", f"/unsubscribe/{link}", "List-Unsubscribe=One-Click", FORM, **headers
        )
        assert answer.status_code == 200, headers


def test_browsers_send_their_origin_with_our_forms_and_pass_no_link_on(
    installation: Installation, client: Client
):
    for path in ("/", "/link"):
        assert client.get(path).headers["Referrer-Policy"] == "same-origin"
    assert client.post("/subscribe", "email=x", FORM).headers["Referrer-Policy"] == "same-origin"
    for path in ("/unsubscribe/x", "/preferences/x", "/archive"):
        assert client.get(path).headers["Referrer-Policy"] == "no-referrer"


def test_the_documented_form_for_other_sites_signs_somebody_up(
    installation: Installation, client: Client
):
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    snippet = re.search(r"```html\n(<form.*?</form>)\n```", text, re.DOTALL).group(1)
    assert "<script" not in snippet
    assert re.search(r'action="https://[^"]+/subscribe"', snippet)
    fields = dict(re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', snippet))
    assert {"email", "consent"} <= set(re.findall(r'name="(\w+)"', snippet))
    body = urlencode({**fields, "email": "anna@example.org"})
    answer = client.request(
        "POST", "/subscribe", body, FORM, Origin=PARTNER, Sec_Fetch_Site="cross-site"
    )
    assert answer.status_code == 200
    assert asked(installation) == 1


@pytest.mark.parametrize(
    "origin",
    [
        "http://www.example.org",
        "https://www.example.org/form",
        "https://user@www.example.org",
        "https://*.example.org",
        "https://",
        "www.example.org",
        "null",
        "*",
        "https://münchen.example",
        "https://www.example.org?x",
    ],
)
def test_a_form_origin_that_no_browser_would_send_is_refused_at_the_start(
    origin: str, tmp_path: Path
):
    file = tmp_path / "notifier.toml"
    file.write_text(f"[web]\nform_origins = [{json.dumps(origin)}]\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"web\.form_origins"):
        load(file, {})


def test_form_origins_are_kept_as_browsers_write_them(tmp_path: Path):
    file = tmp_path / "notifier.toml"
    file.write_text(
        '[web]\nform_origins = ["https://WWW.example.org:443/", "https://x.example:8443"]\n'
    )
    assert load(file, {}).web.form_origins == ("https://www.example.org", "https://x.example:8443")


@pytest.mark.parametrize(
    "token", ["short", "x" * 15, "with a space in it", "x" * 201, "ümlaut" * 5, ""]
)
def test_a_weak_token_is_refused_and_not_shown(token: str, tmp_path: Path):
    file = tmp_path / "notifier.toml"
    file.write_text(f"[web]\nmetrics_token = {json.dumps(token)}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert "web.metrics_token" in refused.value.problem
    assert not token or token not in refused.value.problem


TOKEN = "a token of the tests only"[:25].replace(" ", "-")


@pytest.mark.parametrize(
    ("client_host", "headers", "shown"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:8000"}, True),
        ("::1", {"host": "[::1]:8000"}, True),
        ("::ffff:127.0.0.1", {"host": "localhost"}, True),
        ("127.0.0.1", {"host": "127.0.0.1", "x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "x-forwarded-for": ""}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "x-forwarded-host": "x"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "forwarded": "for=1.2.3.4"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "x-real-ip": "1.2.3.4"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "via": "1.1 proxy"}, False),
        ("127.0.0.1", {"host": "127.0.0.1", "cf-connecting-ip": "1.2.3.4"}, False),
        ("127.0.0.1", {"host": "news.example.org"}, False),
        ("127.0.0.1", {"host": "[::1"}, False),
        ("127.0.0.1", {}, False),
        ("198.51.100.7", {"host": "127.0.0.1"}, False),
        ("10.0.0.1", {"host": "localhost"}, False),
        ("not an address", {"host": "localhost"}, False),
        ("", {"host": "localhost"}, False),
        ("198.51.100.7", {"host": "x", "authorization": f"Bearer {TOKEN}"}, True),
        ("198.51.100.7", {"host": "x", "authorization": f"bearer  {TOKEN} "}, True),
        ("198.51.100.7", {"host": "x", "authorization": f"Basic {TOKEN}"}, False),
        ("198.51.100.7", {"host": "x", "authorization": f"Bearer {TOKEN[:-1]}"}, False),
        ("198.51.100.7", {"host": "x", "authorization": f"Bearer {TOKEN}x"}, False),
        ("198.51.100.7", {"host": "x", "authorization": "Bearer "}, False),
        ("198.51.100.7", {"host": "x", "authorization": "Bearer \xff"}, False),
        ("198.51.100.7", {"host": "x", "authorization": TOKEN}, False),
    ],
)
def test_counts_are_shown_to_operators_alone(
    client_host: str, headers: dict[str, str], shown: bool
):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "client": (client_host, 1) if client_host else None}
    assert operator_access.is_operator(Request(scope), TOKEN) is shown
    if "authorization" in headers:
        assert operator_access.is_operator(Request(scope), None) is False


def test_the_health_check_shows_strangers_one_word(installation: Installation):
    installation.change(web=Web(metrics_token=TOKEN))
    with serving(create(installation.at(MONDAY))) as address:
        client = Client(address)
        stranger = client.get("/healthz", X_Forwarded_For="198.51.100.7")
        assert (stranger.status_code, json.loads(stranger.text)) == (200, {"status": "ok"})
        for headers in (
            {},
            {"X_Forwarded_For": "198.51.100.7", "Authorization": f"Bearer {TOKEN}"},
        ):
            assert {
                check["name"]
                for check in json.loads(client.get("/healthz", **headers).text)["checks"]
            } == {
                "backlog",
                "clock",
                "digests",
                "held",
                "proxy",
                "runs",
                "sending",
                "sources",
                "subscribers",
                "suppressions",
                "unreached",
            }
