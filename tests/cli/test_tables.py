"""Listings at 80 columns: short, cut at words, and whole with --wide or in a pipe."""

from datetime import timedelta

import pytest

from notifier.cli import filters, tables
from notifier.cli.tables import Column, Kind
from notifier.errors import InputError
from tests.support import news_site as sites
from tests.support.command_line import LATER, NOW
from tests.support.installation import MONDAY
from tests.support.news_site import Article, Site

LONG = "Frexalimab calms the disease in a trial with 129 people from eleven countries of Europe"
COLUMNS = (
    Column("id"),
    Column("kind", drop=1),
    Column("title", Kind.TEXT),
    Column("host", Kind.HOST, field="url"),
    Column("seen", Kind.TIME),
)
ROW = (7, "corrected", LONG, "https://www.herald.example.org/a/long/path", "2026-03-02T09:00+01:00")


def test_a_text_is_cut_at_a_word_and_times_and_hosts_are_short():
    table = tables.laid_out(COLUMNS, [ROW], 80)
    (line,) = table.lines
    assert len(line) <= 80
    assert line.startswith(" 7  corrected  Frexalimab calms the…")
    assert line.endswith("herald.example.org  2026-03-02 08:00")
    assert table.left_out == []


def test_columns_that_are_not_needed_are_left_out_where_there_is_no_room():
    table = tables.laid_out(COLUMNS, [ROW], 60)
    assert table.left_out == ["kind"]
    assert "corrected" not in table.lines[0]
    assert len(table.lines[0]) <= 60


def test_without_a_width_every_cell_is_whole():
    (line,) = tables.laid_out(COLUMNS, [ROW], None).lines
    assert all(str(cell) in line for cell in ROW)


def test_an_optional_column_without_a_value_takes_no_room():
    table = tables.laid_out((Column("id"), Column("error", Kind.TEXT, 1)), [(1, None)], 80)
    assert table.heading == "id"
    wide = tables.laid_out((Column("id"), Column("error", Kind.TEXT, 1)), [(1, None)], None)
    assert wide.heading == "id  error"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("some words that are many", "some words that…"),
        ("exactly eighteen c", "exactly eighteen c"),
        ("Pneumonoultramicroscopic", "Pneumonoultramicr…"),
        ("東京で始まる臨床試験の結果", "東京で始まる臨床…"),
        ("a\nline\tof its own", "a\\nline\\tof its…"),
    ],
    ids=["short", "words", "just room", "one word", "wide letters", "controls"],
)
def test_a_cell_takes_no_more_columns_than_it_has(text: str, shown: str):
    (line,) = tables.laid_out((Column("x", Kind.TEXT),), [(text,)], 18).lines
    assert line == shown


def test_numbers_stand_at_the_right():
    table = tables.laid_out(("id", "name"), [(7, "a"), (1200, "b")], 80)
    assert table.lines == ["   7  a", "1200  b"]


def test_a_terminal_without_an_ellipsis_gets_three_dots():
    (line,) = tables.laid_out((Column("t", Kind.TEXT),), [(LONG,)], 30, "...").lines
    assert line == "Frexalimab calms the..."


def test_a_paragraph_breaks_no_word(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = tables.wrapped(f"{LONG} https://herald.example.org/a-very-long/address/of/a/page", "  ")
    assert all(line.startswith("  ") for line in lines)
    assert "https://herald.example.org/a-very-long/address/of/a/page" in lines[-1]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("12h", MONDAY - timedelta(hours=12)),
        ("30d", MONDAY - timedelta(days=30)),
        ("4w", MONDAY - timedelta(weeks=4)),
        ("2026-03-02", MONDAY.replace(hour=0)),
        ("2026-03-02T10:00+01:00", MONDAY),
    ],
)
def test_since_takes_a_period_or_a_date(text: str, moment):
    assert filters.since(text, MONDAY) == moment


@pytest.mark.parametrize("text", ["30", "d", "-3d", "30 days", "yesterday", "2026-13-01", "5y"])
def test_a_since_of_another_form_is_refused_with_the_forms_there_are(text: str):
    with pytest.raises(InputError, match="neither a period of time nor a date") as raised:
        filters.since(text, MONDAY)
    assert "30d" in raised.value.fix


LISTINGS = (
    "sources list",
    "entries list",
    "profiles list",
    "matches list",
    "matches list --held",
    "subscribers list",
    "digests list",
    "deliveries list",
    "bounces held",
)


@pytest.fixture
def busy(ready, site: Site):
    """The command line of an installation with long titles, a failing source and mails."""
    ready("subscribe", "anna.of.the.long.name@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("subscribe", "ben@example.org", *NOW)
    site.put("/feed/", sites.rss([Article(f"{LONG} {number}") for number in range(3)]))
    site.put("/other/", sites.rss([Article("Rain")]))
    ready("sources", "add", f"{site.address}/other/", *NOW)
    ready("run", "--once", *NOW)
    site.fail("/other/", 500)
    site.put("/feed/", sites.rss([Article(f"{LONG} {number}") for number in range(4)]))
    ready("run", "--once", *LATER)
    return ready


def test_every_listing_fits_into_80_columns_and_wide_shows_all(
    busy, monkeypatch: pytest.MonkeyPatch
):
    for width in ("80", "60", "200"):
        monkeypatch.setenv("COLUMNS", width)
        for listing in LISTINGS:
            result = busy(*listing.split())
            assert result.code == 0, result.err
            # An address is never cut: with a long one, 60 columns are too few.
            assert max(map(len, result.out.splitlines())) <= max(int(width), 80), (listing, width)
            assert busy(*listing.split(), "--wide").out.strip()
    whole = busy("entries", "list", "--wide").out
    assert f"{LONG} 3" in whole
    assert "https://herald.example.org/frexalimab" in whole


def test_listings_choose_by_source_profile_and_time(busy):
    def ids(*command: str) -> list[int]:
        return [row["id"] for row in busy(*command[:2], "--json", *command[2:]).json]

    feed, other = (str(number) for number in ids("sources", "list"))
    assert ids("entries", "list", "--source", other) == [4]
    assert ids("entries", "list", "--since", "2026-03-03") == [5]
    assert ids("entries", "list", "--since", "1h", "--source", feed, *LATER) == [5]
    assert ids("matches", "list", "--source", other) == []
    assert len(ids("matches", "list", "--source", feed, "--profile", "frexalimab")) == 4
    assert len(ids("matches", "list", "--since", "2026-03-03")) == 1
    assert len(ids("digests", "list", "--since", "1h", *LATER)) == 1
    assert ids("digests", "list", "--since", "2026-03-04") == []
    assert len(ids("digests", "list", "--profile", "frexalimab")) == 1
    assert len(ids("deliveries", "list", "--since", "1h", "--status", "sent", *LATER)) == 1
    assert len(ids("deliveries", "list", "--profile", "frexalimab")) == 2
    assert len(ids("subscribers", "list", "--since", "2026-03-01")) == 2
    assert ids("subscribers", "list", "--since", "2026-03-04") == []
    assert ids("sources", "list", "--limit", "1") == [int(other)]
    assert ids("matches", "list", "--held", "--since", "30d") == []


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("entries list --source 99", 1, "There is no source 99"),
        ("entries list --since soon", 2, "neither a period of time nor a date"),
        ("digests list --profile nothing", 1, "nothing"),
    ],
)
def test_a_filter_that_means_nothing_is_named(busy, command: str, code: int, words: str):
    result = busy(*command.split())
    assert (result.code, result.out) == (code, "")
    assert words in result.err


def test_a_filter_that_leaves_nothing_says_so_and_does_not_say_that_there_is_nothing(busy):
    assert "no entries like that" in busy("entries", "list", "--since", "2026-03-05").out
    assert "no match like that" in busy("matches", "list", "--since", "2026-03-05").out


@pytest.mark.parametrize(
    "command",
    ["", "sources", "matches list", "why", "subscribers show"],
    ids=lambda text: text or "-",
)
def test_the_short_form_of_help_works_everywhere(notifier, command: str):
    assert notifier(*command.split(), "-h").out == notifier(*command.split(), "--help").out


def test_the_help_of_a_group_cuts_no_sentence_on_a_narrow_terminal(
    notifier, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "45")
    for command in ("--help", "subscribers --help"):
        text = notifier(*command.split()).out
        assert "..." not in text.partition("Commands:")[2]
    assert "with their subscriptions and consent ledger." in " ".join(text.split())


def test_a_digest_has_as_many_items_in_the_list_as_its_subject_says(ready, site: Site):
    """Two reports of one event are one item of the mail."""
    ready("subscribe", "anna@example.org", "--confirmed", "--every", "daily", *NOW)
    ready("run", "--once", *NOW)
    words = "Frexalimab lowers the number of new lesions by 89 percent in a phase 2 trial"
    site.put("/feed/", sites.rss([Article(words, slug="one"), Article(words, slug="two")]))
    ready("run", "--once", *LATER)
    (digest,) = ready("digests", "list", "--json").json
    (number,) = [int(word) for word in digest["subject"].split() if word.isdecimal()]
    assert (len(digest["items"]), digest["item_count"], number) == (2, 1, 1)
    assert ready("digests", "list").out.split()[-2:] == ["1", "1"]
