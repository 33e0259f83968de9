"""Wrong input is refused in one sentence with the fix, exit code 1 or 2, never with a trace."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.mail_sink import free_port
from tests.support.news_site import Article, Site

OPML = """<opml version="2.0"><body>
<outline xmlUrl="https://news.example.org/feed"/>
<outline xmlUrl="http://127.0.0.1:9/feed"/><outline xmlUrl="http://10.0.0.7/feed"/>
<outline xmlUrl="http://[::1]/feed"/><outline xmlUrl="http://wiki.intranet/feed"/>
</body></opml>"""


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def assert_refused(result, code: int, *parts: str) -> None:
    words = " ".join(result.err.split())
    assert result.code == code, words
    assert "Traceback" not in words
    for part in parts:
        assert part in words


@pytest.mark.parametrize(
    ("command", "code", "parts"),
    [
        ("serve --port 99999", 2, ["--port", "less than or equal to 65535"]),
        ("serve --port PORT", 2, ["is in use by another program", "--port"]),
        ("serve --host 192.0.2.1", 2, ["192.0.2.1:8000 is no address of this machine"]),
        ("serve --host no..name", 2, ["'no..name' is no name or address", "--host"]),
        ("preview --serve --port PORT", 2, ["is in use by another program"]),
        ("dkim --domain not_a_domain", 2, ["--domain 'not_a_domain'", "must look like"]),
        ("dkim --domain https://example.org", 2, ["--domain", "must look like"]),
        ("dkim --domain 192.0.2.1", 2, ["--domain", "must look like"]),
        ("dkim --domain example.org --selector a.b", 2, ["--selector 'a.b'", "DNS label"]),
        ("preview --since 30days", 2, ["'30days'", "30d"]),
        ("sources add http://10.0.0.7/feed", 2, ["cannot be watched"]),
        ("init --config nowhere/notifier.toml", 2, ["There is no folder nowhere"]),
        ("sources list --config FOLDER", 2, ["cannot be read: Is a directory"]),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused(
    ready, taken: int, monkeypatch, command: str, code: int, parts: list[str]
):
    monkeypatch.setenv("NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES", "false")
    words = command.replace("PORT", str(taken)).replace("FOLDER", ".")
    assert_refused(ready(*words.split()), code, *parts)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEB__TRUSTED_PROXIES", "the proxy"),
        ("WEB__TRUSTED_PROXIES", "10.0.0.0/33"),
        ("WEB__TRUSTED_PROXIES", "10.0.0.7/8"),
        ("WEB__TRUSTED_PROXIES", "127.0.0.1; 10.0.0.1"),
        ("DKIM__DOMAIN", "not a domain"),
        ("WEB__PORT", "99999"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(ready, monkeypatch, variable: str, value: str):
    monkeypatch.setenv(f"NOTIFIER_{variable}", value)
    assert_refused(ready("sources", "list"), 2, f"NOTIFIER_{variable}")


@pytest.mark.parametrize("value", ["127.0.0.1, 10.0.0.0/8", "::1", "*", ""])
def test_addresses_and_networks_may_be_trusted(ready, monkeypatch, value: str):
    monkeypatch.setenv("NOTIFIER_WEB__TRUSTED_PROXIES", value)
    assert ready("sources", "list").code == 0


def test_an_address_that_cannot_be_read_is_not_watched_unless_it_is_asked_for(ready, site: Site):
    site.fail("/typo/", 404)
    before = ready("sources", "list", "--json").json
    refused = ready("sources", "add", f"{site.address}/typo/", *NOW)
    assert_refused(refused, 1, "/typo/ cannot be read now", "It is not watched", "--anyway")
    assert ready("sources", "list", "--json").json == before
    added = ready("sources", "add", f"{site.address}/typo/", "--anyway", *NOW)
    assert (added.code, "Watching" in added.out) == (0, True)
    again = ready("sources", "add", f"{site.address}/typo/", *NOW)
    assert (again.code, "Already watched" in again.out) == (0, True)


def test_an_address_where_nothing_answers_is_not_watched(ready):
    address = f"http://127.0.0.1:{free_port()}/feed"
    assert_refused(ready("sources", "add", address, *NOW), 1, address, "It is not watched")


def test_private_addresses_of_a_list_are_left_out_and_named(ready, home: Path, monkeypatch):
    monkeypatch.setenv("NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES", "false")
    (home / "list.opml").write_text(OPML)
    result = ready("sources", "import", "list.opml", *NOW)
    assert_refused(result, 1, "http://127.0.0.1:9/feed", "and 1 more", "allow_private_addresses")
    assert "1 feed in list.opml: 1 are watched from now on" in result.out
    urls = [source["url"] for source in ready("sources", "list", "--json").json]
    assert "https://news.example.org/feed" in urls
    assert "http://10.0.0.7/feed" not in urls


def test_an_intranet_may_be_imported(ready, home: Path):
    (home / "list.opml").write_text(OPML)
    assert ready("sources", "import", "list.opml", *NOW).code == 0


@pytest.mark.parametrize(
    "command",
    ["init --config FOLDER/notifier.toml", "demo --out FOLDER/demo"],
)
def test_a_folder_that_may_not_be_written_to_is_refused(notifier, home: Path, command: str):
    # Not even root makes files there; a folder without the right to write refuses others.
    folder = Path("/proc/self") if os.geteuid() == 0 else home / "closed"
    if folder.parent == home:
        folder.mkdir(mode=0o500)
    result = notifier(*command.replace("FOLDER", str(folder)).split())
    assert_refused(result, 2, str(folder), "cannot be", "--out" if "demo" in command else "folder")


def test_a_digest_is_written_to_no_file_in_place_of_a_folder(ready, site: Site, home: Path):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    (home / "a-file").write_text("")
    shown = ready("preview", "--since", "30d", "--out", "a-file", *NOW)
    assert_refused(shown, 2, "a-file cannot be written", "--out")
