"""Links to the archive: random keys, older links, caching, and the statistics of complaints."""

import re
from datetime import timedelta

import pytest

from notifier.enums import DigestStatus
from notifier.links import Purpose
from notifier.match import profiles
from notifier.pipeline.run import run_once
from notifier.store.models import Digest
from tests.support.installation import MONDAY, Installation
from tests.support.mail_sink import html_of
from tests.support.news_site import Article
from tests.support.visitor import Client

pytestmark = pytest.mark.postgresql_long


def mail_with_digest(made: Installation, *, public: bool = True, every: str = "daily"):
    """Let one subscriber be sent one digest; gives the mail."""
    if not public:
        with made.at(MONDAY).writing() as session:
            file = profiles.parse(profiles.bundled_file(), "the bundled profile")
            private = file.model_copy(
                update={"public": False, "sources": (made.feed,), "pages": ()}
            )
            profiles.save(session, private, MONDAY)
    made.subscribe("anna@example.org", every=every, on="tuesday" if every == "weekly" else None)
    run_once(made.at(MONDAY))
    made.publish([Article("Frexalimab slows lesions")])
    run_once(made.at(MONDAY + timedelta(days=1)))
    return made.sink.messages[-1]


def online(mail) -> str:
    (link,) = set(re.findall(r"https://news\.example\.org(/archive/[\w.-]+)", html_of(mail)))
    return link


@pytest.mark.parametrize("public", [True, False])
def test_a_mail_links_to_its_digest_by_a_random_key(
    any_installation: Installation, any_client: Client, public: bool
):
    link = online(mail_with_digest(any_installation, public=public))
    key = link.removeprefix("/archive/")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", key)
    assert "Frexalimab slows lesions" in any_client.get(link).text
    assert (key in any_client.get("/archive").text) is public
    # A random key may begin with the number.
    assert not re.search(r"/archive/1(?![\w-])", any_client.get("/archive").text)
    for other in (
        key[:-1],
        key + "x",
        key[::-1],
        key.swapcase(),
        "A" * 22,
        key + "%00",
        f"{key}/x",
    ):
        assert any_client.get(f"/archive/{other}").status_code == 404, other


def test_links_in_older_mails_still_open_the_digest(
    any_installation: Installation, any_client: Client
):
    mail_with_digest(any_installation)
    links = any_installation.at(MONDAY).links
    for old in ("1", links.token(Purpose.ARCHIVE, "1", MONDAY)):
        assert "Frexalimab slows lesions" in any_client.get(f"/archive/{old}").text


def test_the_number_of_a_digest_that_is_not_public_opens_nothing(
    any_installation: Installation, any_client: Client
):
    mail_with_digest(any_installation, public=False)
    links = any_installation.at(MONDAY).links
    assert any_client.get("/archive/1").status_code == 404
    assert (
        "Frexalimab slows lesions"
        in any_client.get(f"/archive/{links.token(Purpose.ARCHIVE, '1', MONDAY)}").text
    )
    for signed in ("x", "", "-1", "²", "9" * 30, "1 "):
        assert (
            any_client.get(f"/archive/{links.token(Purpose.ARCHIVE, signed, MONDAY)}").status_code
            == 404
        )


def test_a_signed_number_of_a_digest_that_is_gone_is_answered_for_readers(
    installation: Installation, client: Client
):
    token = installation.at(MONDAY).links.token(Purpose.ARCHIVE, "7", MONDAY)
    answer = client.get(f"/archive/{token}")
    assert answer.status_code == 404
    assert "There is no such digest." in answer.text
    assert "notifier digests" not in answer.text


NO_KEYS = [
    *(
        "%C2%B2",
        "%D9%A3",
        "%EF%BC%91",
        "%00",
        "1%00",
        "%31%00",
        "1.0",
        "+1",
        "-1",
        "1e0",
        "0x1",
        "1_0",
        "%20",
        "1%20",
    ),
    *(
        "0",
        "9" * 9,
        "9" * 15,
        "9" * 20,
        "9" * 4000,
        "a" * 8000,
        "%FF%FE",
        "%ED%A0%80",
        "..",
        ".",
        "a.b.c",
        "%2e%2e",
    ),
]


def test_a_missing_digest_is_answered_with_a_page(
    any_installation: Installation, any_client: Client
):
    for key in NO_KEYS:
        answer = any_client.get(f"/archive/{key}")
        assert answer.status_code == 404, key[:30]
        assert "<h1>" in answer.text


def test_a_public_digest_may_be_cached_for_some_minutes_and_is_not_sent_twice(
    any_installation: Installation, any_client: Client
):
    link = online(mail_with_digest(any_installation))
    for path in (link, "/archive"):
        answer = any_client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        again = any_client.get(path, If_None_Match=answer.headers["ETag"])
        assert (again.status_code, again.text) == (304, "")
        assert again.headers["ETag"] == answer.headers["ETag"]
        assert again.headers["Cache-Control"] == "public, max-age=300"
        assert any_client.get(path, If_None_Match='"other"').status_code == 200


def test_a_digest_that_is_not_public_is_not_cached(
    any_installation: Installation, any_client: Client
):
    link = online(mail_with_digest(any_installation, public=False))
    answer = any_client.get(link)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_a_held_digest_is_shown_to_its_readers_and_not_cached(
    any_installation: Installation, any_client: Client
):
    link = online(mail_with_digest(any_installation))
    with any_installation.at(MONDAY).writing() as session:
        session.query(Digest).one().status = DigestStatus.HELD
    assert any_client.get(link).headers["Cache-Control"] == "no-store"
    assert any_client.get("/archive/1").status_code == 404


@pytest.mark.parametrize(
    ("address", "sender_id"),
    [
        ("digest@example.org", "example"),
        ("digest@mail.society.example.co.uk", "society"),
        ("digest@ms.org", "ms-org"),
        ("digest@a-very-long-name-of-a-society.org", "a-very-long-nam"),
    ],
)
def test_the_feedback_id_of_a_sender_stays_the_same(
    installation: Installation, address: str, sender_id: str
):
    sender = installation.at(MONDAY).settings.sender.model_copy(update={"address": address})
    installation.change(sender=sender)
    mail = mail_with_digest(installation, every="weekly")
    assert mail["Feedback-ID"] == f"weekly:digest:news:{sender_id}"
    assert 5 <= len(sender_id) <= 15
