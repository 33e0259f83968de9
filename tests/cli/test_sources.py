"""`notifier sources`."""

import os
from pathlib import Path

import pytest

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.mail_sink import Sink
from tests.support.news_site import Article, Site


def test_a_source_that_breaks_is_reported_to_the_operator_until_it_works_again(
    ready, site: Site, sink: Sink
):
    link = '<link rel="alternate" type="application/rss+xml" href="/news.xml">'
    front = f"<html><head>{link}</head><body>Hi</body></html>"
    site.put("/", front, "text/html")
    site.put("/news.xml", sites.rss([Article("Frexalimab, before")]))
    added = ready("sources", "add", f"{site.address}/", *NOW)
    assert f"Found the feed of {site.address}/" in added.out
    assert f"Watching {site.address}/news.xml (feed, id 10)" in added.out
    os.environ["NOTIFIER_OPERATOR__ADDRESS"] = "operator@example.org"
    try:
        assert ready("run", "--once", "--now", "2026-03-02T09:00:00Z").code == 0
        site.fail("/news.xml", 500)
        for hour in (10, 13):
            assert ready("run", "--once", "--now", f"2026-03-02T{hour}:00:00Z").code == 0
        (notice,) = sink.to("operator@example.org")
        assert notice["Subject"] == "notifier: 1 source needs attention"
        (row,) = [row for row in ready("sources", "list", "--json", *NOW).json if row["id"] == 10]
        assert (row["health"], row["failures"]) == ("failing", 2)
        assert "answered 500" in row["last_error"]
        checked = ready("sources", "check", "10")
        assert checked.code == 1
        assert "FAIL 10" in checked.out
        site.put(
            "/news.xml",
            sites.rss([Article("Frexalimab, meanwhile"), Article("Frexalimab, before")]),
        )
        assert ready("sources", "check", "10").code == 0
        assert ready("run", "--once", "--now", "2026-03-03T09:00:00Z").code == 0
        assert [mail["Subject"] for mail in sink.to("operator@example.org")][1:] == [
            "notifier: 1 source works again"
        ]
        titles = [entry["title"] for entry in ready("entries", "list", "--json").json]
        assert titles == ["Frexalimab, meanwhile", "Frexalimab, before"]
    finally:
        del os.environ["NOTIFIER_OPERATOR__ADDRESS"]


def test_sources_are_exported_and_imported_as_opml(ready, home: Path):
    out = ready("sources", "export").out
    assert "xmlUrl=" in out
    (home / "list.opml").write_text(out.replace("/feed/", "/other-feed/"), encoding="utf-8")
    output = ready("sources", "import", "list.opml", *NOW).out
    assert "are watched from now on" in output
    again = ready("sources", "import", "list.opml", *NOW).out
    assert ": 0 are watched from now on" in again
    (home / "odd.opml").write_text("<html/>", encoding="utf-8")
    assert ready("sources", "import", "odd.opml", *NOW).code == 2
    assert ready("sources", "import", "missing.opml", *NOW).code == 2


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["--name", "The Herald"], "name", "The Herald"),
        (["--url", "https://herald.example.org/feed"], "url", "https://herald.example.org/feed"),
        (["--authority", "regulator"], "authority", "regulator"),
        (["--profile", ""], "profiles", []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_named_of_a_source_changes_and_nothing_else(
    ready, options: list[str], field: str, value: object
):
    (before,) = ready("sources", "list", "--json", *NOW).json
    result = ready("sources", "edit", str(before["id"]), *options, *NOW)
    assert (result.code, result.out.startswith("Changed ")) == (0, True), result.err
    (after,) = ready("sources", "list", "--json", *NOW).json
    unimportant = {"next_poll_at", field}
    assert after[field] == value
    assert {key: after[key] for key in after if key not in unimportant} == {
        key: before[key] for key in before if key not in unimportant
    }
    again = ready("sources", "edit", str(before["id"]), *options, *NOW)
    assert again.out.startswith("No change of source")


def test_a_source_at_a_new_address_goes_on_and_sends_only_what_is_new(ready, site: Site):
    known = Article("Frexalimab, known")
    site.put("/feed/", sites.rss([known]))
    ready("poll", *NOW)
    site.put("/moved/", sites.rss([Article("Frexalimab, new"), known]))
    assert ready("sources", "edit", "9", "--url", f"{site.address}/moved/", *NOW).code == 0
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    (polled,) = ready("poll", "--json", *NOW).json["sources"]
    assert (polled["id"], polled["new"]) == (9, 1)
    assert "known" not in ready("preview", "--to", "anna@example.org", *NOW).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["9"], 2, "Nothing was named"),
        (["9", "--url", "herald"], 2, "cannot be watched"),
        (["9", "--authority", "gossip"], 2, "registry, regulator"),
        (["9", "--profile", "nothing"], 1, "There is no profile nothing"),
        (["99", "--name", "x"], 1, "There is no source 99"),
        (["9", "--url", "https://x.example.org/api/v2/studies/NCT00000001"], 2, "registry record"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_change_of_a_source_is_refused(ready, arguments: list[str], code: int, words: str):
    before = ready("sources", "list", "--json", *NOW).json
    result = ready("sources", "edit", *arguments, *NOW)
    assert result.code == code
    assert words in result.err
    assert ready("sources", "list", "--json", *NOW).json == before


def test_an_address_of_another_source_is_not_taken(ready, site: Site):
    site.put("/other/", sites.rss([Article("Other")]))
    ready("sources", "add", f"{site.address}/other/", *NOW)
    result = ready("sources", "edit", "9", "--url", f"{site.address}/other/", *NOW)
    assert result.code == 2
    assert "is watched as another source (10)" in result.err


def test_a_private_address_is_no_new_address(ready, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOTIFIER_WATCH__ALLOW_PRIVATE_ADDRESSES", "false")
    assert ready("sources", "edit", "9", "--url", "http://10.0.0.7/feed", *NOW).code == 2


def test_a_source_rests_and_goes_on(ready, site: Site):
    out = ready("sources", "pause", f"{site.address}/feed/", *NOW).out
    assert out.startswith("Paused source ")
    assert "Paused already" in ready("sources", "pause", f"{site.address}/feed/", *NOW).out
    rows = ready("sources", "list", "--json", *NOW).json
    assert [row["paused_at"] for row in rows if row["paused"]] == ["2026-03-02T09:00:00+00:00"]
    assert "Polling again" in ready("sources", "resume", f"{site.address}/feed/", *NOW).out
    assert "Not paused" in ready("sources", "resume", f"{site.address}/feed/", *NOW).out
