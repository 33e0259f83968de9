"""`notifier matches`, `evaluate` and `backtest`."""

from pathlib import Path

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.news_site import Article, Site


def test_matching_is_measured_replayed_and_corrected_from_the_command_line(
    ready, home: Path, site: Site
):
    later = ["--now", "2026-03-09T09:00:00+00:00"]
    site.put(
        "/feed/",
        sites.rss([Article("Frexalimab slows lesions"), Article("Sanofi and multiple sclerosis")]),
    )
    ready("poll", *NOW)
    site.put("/feed/", sites.rss([Article("Frexalimab again"), Article("FREXALT, the album")]))
    ready("poll", "--force", "--now", "2026-03-03T09:00:00+00:00")
    played = ready("backtest", "--every", "daily", "--json", *later).json
    assert [[item["title"] for item in digest["items"]] for digest in played["digests"]][-1] == [
        "Frexalimab again"
    ]
    assert played["held"] == 2
    assert "1 digest with 2 items since 2025-12-09; 2 matches held" in ready("backtest", *later).out

    (held, _) = ready("matches", "list", "--held", "--json").json
    assert (held["held"], held["held_because"]) == (True, "doubtful")
    assert (held["kind"], held["entry"]["title"]) == ("new", "FREXALT, the album")
    assert "the text nearly matches" in ready("matches", "list", "--held").out
    assert "1 held match for you to decide on" in ready("sources", "list").out
    assert [source["held"] for source in ready("sources", "list", "--json").json] == [1]
    assert "Released as match" in ready("matches", "release", str(held["id"]), *later).out
    assert ready("matches", "release", str(held["id"]), *later).code == 1
    assert ready("matches", "list", "--json").json[0]["entry"]["title"] == "FREXALT, the album"

    (found, *_) = ready("matches", "list", "--json").json
    assert (found["held_because"], found["dropped_because"]) == (None, None)
    assert ready("matches", "drop", str(found["id"])).code == 2
    assert ready("matches", "drop", str(found["id"]), "--because", " ").code == 2
    dropped = ready("matches", "drop", str(found["id"]), "--because", "a record, no medicine")
    assert "Dropped match" in dropped.out
    (found, *_) = ready("matches", "list", "--json").json
    assert (found["filed"], found["dropped_because"]) == (True, "a record, no medicine")
    assert ready("matches", "drop", "99", "--held", "--because", "x").code == 1

    (home / "set.jsonl").write_text(
        '{"title": "Frexalimab", "label": "about"}\n{"title": "x", "label": "unrelated"}\n'
    )
    measured = ready("evaluate", "set.jsonl", "--json").json
    assert (measured["items"], measured["alert"], measured["errors"]) == (
        2,
        {"precision": 1.0, "recall": 1.0},
        [],
    )
    assert "precision 1.00, recall 1.00" in ready("evaluate", "set.jsonl").out
    assert ready("evaluate", "missing.jsonl").code == 2

    (home / "x.toml").write_text(
        ready("profiles", "export", "frexalimab").out.replace("Sanofi", "Roche")
    )
    assert (
        "Stored frexalimab"
        in ready("profiles", "import", "x.toml", "--past", "include", *later).out
    )
    assert "term added: sponsor Roche" in ready("profiles", "history", "frexalimab").out
    assert ready("profiles", "import", "x.toml", "--past", "perhaps", *later).code == 2


def test_reports_of_one_event_are_one_item_in_a_replay_as_in_a_digest(ready, site: Site):
    later = ["--now", "2026-03-09T09:00:00+00:00"]
    ready("poll", *NOW)
    title, words = "Frexalimab slows new lesions by 89 percent in a phase 2 trial", "Of 129 people."
    reports = [Article(title, words, slug=name) for name in ("herald", "courier")]
    site.put("/feed/", sites.rss([*reports, Article("Frexalimab and sleep", slug="sleep")]))
    ready("poll", "--force", "--now", "2026-03-03T09:00:00+00:00")
    (digest,) = ready("backtest", "--every", "daily", "--json", *later).json["digests"]
    assert (len(digest["items"]), digest["item_count"]) == (3, 2)
    shown = ready("backtest", "--every", "daily", *later).out
    assert "2026-03-04T08:00:00+00:00: 2 items\n" in shown
    assert "1 digest with 2 items since" in shown


def test_a_long_list_of_matches_shows_the_newest_and_says_how_to_see_more(ready, site: Site):
    titles = ["Frexalimab one", "FREXALT, the album", "Frexalimab two", "FREXALT, the film"]
    site.put("/feed/", sites.rss([Article(title) for title in titles]))
    ready("poll", *NOW)
    for options in ((), ("--held",)):
        cut = ready("matches", "list", "--limit", "1", *options)
        assert "These are the newest 1 of 2; --limit shows more." in cut.err
        (row,) = ready("matches", "list", "--limit", "1", "--json", *options).json
        rows = ready("matches", "list", "--json", *options).json
        assert (row, len(rows)) == (rows[0], 2)
        assert ready("matches", "list", *options).err == ""
