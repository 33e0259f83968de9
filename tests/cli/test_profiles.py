"""`notifier profiles`."""

from pathlib import Path

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.news_site import Article, Site


def test_a_broad_profile_is_reported_before_it_is_stored(ready, home: Path, site: Site):
    site.put(
        "/feed/", sites.rss([Article(f"Madeupumab and number {number}") for number in range(30)])
    )
    ready("poll", *NOW)
    terms = '[[terms]]\nkind = "name"\ntext = "madeupumab"\n'
    (home / "broad.toml").write_text(f'slug = "broad"\nname = "Broad"\n{terms}')
    result = ready("profiles", "import", "broad.toml", *NOW)
    assert result.code == 0
    assert (
        "broad matches, of 30 entries of the last 90 days: 30 about, 0 mention, 0 related."
        in result.out
    )
    assert "broad is broad: 100% of all entries would be mailed." in result.err


def test_a_profile_is_exported_and_imported_again(ready, home: Path):
    text = ready("profiles", "export", "frexalimab").out
    (home / "copy.toml").write_text(text.replace('slug = "frexalimab"', 'slug = "copy"'))
    result = ready("profiles", "import", "copy.toml", *NOW)
    assert result.out.startswith("Stored copy: ")
    assert [profile["slug"] for profile in ready("profiles", "list", "--json").json] == [
        "frexalimab",
        "copy",
    ]
    assert ready("subscribe", "a@example.org").code == 2
    assert "Target: CD40L" in ready("profiles", "show", "copy").out
    assert ready("profiles", "show", "copy", "--json").json["slug"] == "copy"


def test_long_lists_show_the_newest_and_say_how_to_see_more(ready, home: Path):
    for name in ("madeupumab", "inventimod"):
        (home / f"{name}.toml").write_text(
            f'slug = "{name}"\nname = "{name}"\n[[terms]]\nkind = "name"\ntext = "{name}"\n'
        )
    ready("profiles", "import", "madeupumab.toml", "inventimod.toml", *NOW)
    cut = ready("profiles", "list", "--limit", "2")
    assert [
        line.split()[0] for line in cut.out.splitlines() if "umab" in line or "mod" in line
    ] == [
        "madeupumab",
        "inventimod",
    ]
    assert "These are the newest 2 of 3; --limit shows more." in cut.err
    listed = ready("profiles", "list", "--json").json
    assert [(row["slug"], row["terms"]) for row in listed[1:]] == [
        ("madeupumab", 1),
        ("inventimod", 1),
    ]
    assert listed[0]["terms"] > 10


def test_a_profile_that_does_not_exist_is_refused_with_the_names_of_some(ready):
    result = ready("profiles", "show", "nothing")
    assert result.code != 0
    assert "There is no profile nothing." in result.err
    assert "Stored: frexalimab." in result.err
