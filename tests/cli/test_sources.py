"""`notifier sources`."""

import os
from pathlib import Path

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
