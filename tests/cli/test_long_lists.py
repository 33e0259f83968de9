"""Listings of long lists: the newest rows, or all of them as one JSON document, row by row."""

import json

import pytest

from notifier.cli import shared
from notifier.deliver.outbox import listing
from notifier.enums import DeliveryStatus
from notifier.pipeline import compose, deliver
from notifier.store import db
from notifier.store.db import statements
from notifier.subscribers import overview
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Article, Site


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [{"id": 1, "items": [{"title": "two\nlines", "reasons": []}]}, {"id": 2, "items": []}],
        [{"text": "Frexalimab\u202e\x1b[31m 東京"}],
        [1, "two", None],
    ],
    ids=["none", "an empty row", "rows in rows", "characters that control a terminal", "values"],
)
def test_a_list_that_is_printed_row_by_row_looks_as_if_it_were_printed_at_once(capsys, rows: list):
    shared.print_json(rows)
    at_once = capsys.readouterr().out
    shared.print_json_rows(iter(rows))
    row_by_row = capsys.readouterr().out
    assert row_by_row == at_once
    json.loads(row_by_row)


def test_digests_and_entries_show_their_newest_rows_and_say_how_to_see_more(ready, site: Site):
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("subscribe", "ben@example.org", "--confirmed", "--every", "weekly", *NOW)
    ready("run", "--once", *NOW)
    articles = [Article(f"Frexalimab in study {number}", slug=f"n{number}") for number in (1, 2, 3)]
    site.put("/feed/", sites.rss(articles))
    ready("run", "--once", *LATER)

    entries = ready("entries", "list", "--json").json
    assert len(entries) == 3
    assert entries == sorted(entries, key=lambda entry: -entry["id"])
    shown = ready("entries", "list", "--limit", "2")
    assert "These are the newest 2 of 3" in shown.err
    assert ready("entries", "list", "--limit", "2", "--json").json == entries[:2]

    digests = ready("digests", "list", "--json").json
    assert [(len(digest["items"]), digest["recipients"]) for digest in digests] == [(3, 1)]
    assert ready("digests", "list", "--limit", "1", "--json").json == digests
    assert ready("digests", "list").err == ""


@pytest.mark.parametrize("status", [None, DeliveryStatus.PENDING, DeliveryStatus.SENT])
def test_deliveries_of_any_status_come_newest_first(installation: Installation, status):
    for number in range(3):
        installation.subscribe(f"p{number}@example.org")
    due = installation.discover(0)
    compose.run(installation.at(due))
    if status is DeliveryStatus.SENT:
        deliver.run(installation.at(due))
    with installation.at(MONDAY).reading() as session:
        ids = [row["id"] for row in listing.listed(session, status)]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == listing.count(session, status) == 3
        assert [row["id"] for row in listing.listed(session, status, 2)] == ids[:2]


def test_of_very_many_rows_only_so_many_are_counted(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(statements, "MOST_COUNTED", 3)
    monkeypatch.setattr(db, "MOST_COUNTED", 3)
    for number in range(5):
        installation.subscribe(f"p{number}@example.org")
    with installation.at(MONDAY).reading() as session:
        shared.say_if_cut(2, overview.count(session))
    assert "These are the newest 2 of more than 3; --limit" in capsys.readouterr().err
