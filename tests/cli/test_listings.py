"""The JSON that the listings print."""

from tests.support import news_site as sites
from tests.support.command_line import NOW
from tests.support.news_site import Article, Site


def test_listings_have_the_promised_fields(ready, site: Site):
    site.put("/feed/", sites.rss([Article("Frexalimab slows lesions")]))
    ready("poll", *NOW)
    ready("subscribe", "anna@example.org", *NOW)
    (entry,) = ready("entries", "list", "--json").json
    assert set(entry) >= {
        "id",
        "source",
        "key",
        "url",
        "title",
        "published_at",
        "first_seen_at",
        "revisions",
    }
    (match,) = ready("matches", "list", "--json").json
    assert match["reasons"] == ["the headline names frexalimab"]
    assert (match["tier"], match["kind"], match["entry"]["title"]) == (
        "about",
        "new",
        "Frexalimab slows lesions",
    )
    assert ready("matches", "list", "--tier", "related", "--json").json == []
    (person,) = ready("subscribers", "list", "--json").json
    assert (person["email"], person["status"]) == ("anna@example.org", "pending")
    assert set(person["subscriptions"][0]) >= {
        "profile",
        "cadence",
        "edition",
        "status",
        "next_due_at",
    }
    assert "Frexalimab slows lesions" in ready("entries", "show", "1").out
