"""Links in feeds: an item leads where its author meant, in RSS and in Atom."""

import pytest

from notifier.watch.parsers import rss
from notifier.watch.parsers.feed_links import with_repaired_links
from tests.support.effort import measured

FEED = "https://herald.example.org/news/feed.xml"
RSS = "<rss version='2.0'><channel><title>x</title><item><title>t</title>{}</item></channel></rss>"
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title>"
    "<entry><title>t</title>{}</entry></feed>"
)


@pytest.mark.parametrize(
    ("document", "address"),
    [
        (RSS.format("<link>www.clinic.example.net/a</link>"), "https://www.clinic.example.net/a"),
        (RSS.format("<link> clinic.example.net/a </link>"), "https://clinic.example.net/a"),
        (
            RSS.format("<link><![CDATA[www.clinic.example.net/a?b=1&c=2]]></link>"),
            "https://www.clinic.example.net/a?b=1&c=2",
        ),
        (
            RSS.format("<link>www.clinic.example.net/a?b=1&amp;c=2</link>"),
            "https://www.clinic.example.net/a?b=1&c=2",
        ),
        (RSS.format("<link>//clinic.example.net/a</link>"), "https://clinic.example.net/a"),
        (RSS.format("<link>http:/clinic.example.net/a</link>"), "http://clinic.example.net/a"),
        (
            RSS.format("<link>http://http://clinic.example.net/a</link>"),
            "http://clinic.example.net/a",
        ),
        (RSS.format("<link>/a/1</link>"), "https://herald.example.org/a/1"),
        (RSS.format("<link>index.php/a</link>"), "https://herald.example.org/news/index.php/a"),
        (RSS.format("<link>https://a.example.org/b?c&amp;d</link>"), "https://a.example.org/b?c&d"),
        (RSS.format("<link>mailto:office@example.org</link>"), ""),
        (
            ATOM.format("<link href='www.clinic.example.net/a'/>"),
            "https://www.clinic.example.net/a",
        ),
        (
            ATOM.format('<link rel="alternate" href="clinic.example.net/a"/>'),
            "https://clinic.example.net/a",
        ),
        (ATOM.format('<link href="../a"/>'), "https://herald.example.org/a"),
    ],
)
def test_an_item_leads_where_its_author_meant(document: str, address: str):
    (item,) = rss.parse(document.encode(), {}, FEED).observations
    assert item.url == address


def test_a_feed_without_slips_stays_as_it_is():
    document = RSS.format("<link>https://a.example.org/b</link><guid>c</guid>")
    assert with_repaired_links(document, FEED) == document


def test_a_hostile_feed_costs_little_time():
    for part in ("<link", "<link ", "<link>www.", "<link href='", "<link>" + 3000 * "a"):
        with measured() as effort:
            with_repaired_links(part * (400_000 // len(part)), FEED)
        assert effort.processor < 5
