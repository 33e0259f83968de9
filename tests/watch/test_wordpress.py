"""WordPress: edits that a feed of ten items does not show are in the site's list of posts."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from notifier.pipeline import match
from notifier.pipeline import poll as poll_step
from notifier.store.models import Entry, Source
from notifier.watch.parsers import wordpress
from notifier.watch.parsers.observation import ParseError
from tests.support.installation import MONDAY, Installation
from tests.support.news_site import Answer, Asked

# The reading is tried, which is the same on both kinds of databases.
pytestmark = pytest.mark.postgresql_long

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class WordPress:
    """A WordPress site: a feed of the newest posts, and its list of posts by their last edit."""

    def __init__(
        self, made: Installation, *, teaser: bool = False, shown: int = 2, path: str = "/feed/"
    ) -> None:
        self.made, self.site, self.shown, self.teaser, self.path = (
            made,
            made.site,
            shown,
            teaser,
            path,
        )
        self.posts: list[dict] = []
        self.site.dynamic["/wp-json/wp/v2/posts"] = self._list

    def write(self, title: str, body: str, moment=MONDAY) -> dict:
        number = len(self.posts) + 1
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}"
        post = {
            "id": number,
            "title": {"rendered": title},
            "content": {"rendered": f"<p>{body}</p>"},
        }
        post |= {
            "guid": {"rendered": f"{self.site.address}/?p={number}"},
            "link": f"{self.site.address}/{number}/",
        }
        post |= {
            "excerpt": {"rendered": f"<p>{body[:30]} […]</p>"},
            "date_gmt": stamp,
            "modified_gmt": stamp,
        }
        self.posts.insert(0, post)
        self.site.put(f"/{number}/", "<p>there", "text/html")
        return post

    def edit(self, post: dict, before: str, after: str, moment) -> None:
        post["content"]["rendered"] = post["content"]["rendered"].replace(before, after)
        post["modified_gmt"] = f"{moment:%Y-%m-%dT%H:%M:%S}"

    def poll(self, after: timedelta = timedelta(0), *, feed_is_stale: bool = False):
        if not feed_is_stale:
            self.site.put(self.path, self._feed())
        deps = self.made.at(MONDAY + after)
        (result,) = poll_step.run(deps, force=True)
        match.run(deps)
        return result

    def _feed(self) -> str:
        def item(post: dict) -> str:
            body = post["content"]["rendered"]
            text = f"<description><![CDATA[{post['excerpt']['rendered']}]]></description>"
            text += "" if self.teaser else f"<content:encoded><![CDATA[{body}]]></content:encoded>"
            return (
                f"<item><title>{post['title']['rendered']}</title><link>{post['link']}</link>"
                f"<guid isPermaLink='false'>{post['guid']['rendered']}</guid>{text}</item>"
            )

        return (
            "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>"
            "<title>Made up</title>"
            f"<link>{self.site.address}</link><generator>https://wordpress.org/?v=6.7</generator>"
            f"{''.join(item(post) for post in self.posts[: self.shown])}</channel></rss>"
        )

    def _list(self, asked: Asked) -> Answer:
        query = {name: texts[0] for name, texts in parse_qs(urlsplit(asked.path).query).items()}
        since, page, size = (
            query["modified_after"].rstrip("Z"),
            int(query["page"]),
            int(query["per_page"]),
        )
        found = sorted(
            (one for one in self.posts if one["modified_gmt"] > since),
            key=lambda one: one["modified_gmt"],
        )
        pages = max(1, -(-len(found) // size))
        body = json.dumps(found[(page - 1) * size : page * size]).encode()
        return Answer(
            200, body, {"Content-Type": "application/json", "X-WP-TotalPages": str(pages)}
        )

    def entries(self) -> dict[str, list]:
        """Return each revision's number, and whether it is baseline and news, by title."""
        with self.made.at(MONDAY).reading() as session:
            return {
                entry.revisions[0].title: [
                    (one.number, one.baseline, one.material) for one in entry.revisions
                ]
                for entry in session.query(Entry).order_by(Entry.id)
            }


@pytest.fixture
def press(any_installation: Installation) -> WordPress:
    return WordPress(any_installation)


def test_what_was_published_before_the_first_poll_is_filled_in_and_mailed_to_nobody(
    press: WordPress,
):
    for number in range(5):
        press.write(
            f"Frexalimab {number}", f"It enrolled {number} people.", MONDAY - (5 - number) * DAY
        )
    press.write("Long ago", "Nothing to see.", MONDAY - 90 * DAY)
    assert press.poll().status == "ok"
    found = press.entries()
    assert len(found) == 6  # the feed shows the post of long ago, because it was written last
    assert all(revisions == [(1, True, True)] for revisions in found.values())


def test_a_correction_of_a_post_that_left_the_feed_is_seen(press: WordPress):
    old = press.write("Frexalimab in old news", "It enrolled 129 people.", MONDAY - 5 * DAY)
    for number in range(3):
        press.write(f"Frexalimab {number}", "Nothing more.", MONDAY - DAY)
    press.poll()
    press.edit(old, "129", "192", MONDAY + HOUR)
    result = press.poll(2 * HOUR)
    assert result.changed == 1
    assert press.entries()["Frexalimab in old news"] == [(1, True, True), (2, False, True)]
    with press.made.at(MONDAY).reading() as session:
        change = session.query(Entry).order_by(Entry.id).all()
        (revision,) = [one.revisions[1] for one in change if len(one.revisions) > 1]
        assert revision.changes[0]["note"] == "129 → 192"
    assert press.poll(4 * HOUR).changed == 0


def test_an_edit_that_feed_and_list_both_show_is_reported_once(press: WordPress):
    post = press.write("Frexalimab", "It enrolled 129 people.")
    press.poll()
    press.edit(post, "129", "192", MONDAY + HOUR)
    press.poll(2 * HOUR)
    press.poll(4 * HOUR)
    assert [material for _, _, material in press.entries()["Frexalimab"]].count(True) == 2


def test_an_edit_that_the_list_shows_before_the_feed_is_reported_once(
    any_installation: Installation,
):
    press = WordPress(any_installation, teaser=True)
    body = (
        "It begins like this and goes on for a while. "
        "Then it says more of frexalimab and of all that is made up. "
    ) * 3
    post = press.write("Frexalimab", body, MONDAY - DAY)
    press.poll()
    post["title"]["rendered"] = "Frexalimab, corrected"
    post["modified_gmt"] = f"{MONDAY + HOUR:%Y-%m-%dT%H:%M:%S}"
    press.poll(2 * HOUR, feed_is_stale=True)
    press.poll(4 * HOUR)
    assert [material for _, _, material in press.entries()["Frexalimab"]] == [
        True,
        False,
        True,
        False,
    ]


def test_a_teaser_is_never_compared_with_the_whole_article(any_installation: Installation):
    press = WordPress(any_installation, teaser=True)
    body = (
        "It begins like this and goes on, with 129 people in 4 countries. "
        "Then it says more of frexalimab. "
    ) * 3
    press.write("A headline", body, MONDAY - DAY)
    press.poll()
    press.poll(HOUR * 2)
    assert press.entries()["A headline"] == [(1, True, True), (2, True, False)]
    with any_installation.at(MONDAY).reading() as session:
        assert "frexalimab" in session.query(Entry).one().revisions[1].body


def test_a_touched_old_post_is_not_news_but_a_post_between_two_polls_is(press: WordPress):
    press.write("Frexalimab zero", "Nothing.")
    press.poll()
    ancient = press.write("Frexalimab of last year", "Nothing.", MONDAY - 300 * DAY)
    ancient["modified_gmt"] = f"{MONDAY + HOUR:%Y-%m-%dT%H:%M:%S}"
    for number in range(4):
        press.write(f"Frexalimab burst {number}", "Nothing.", MONDAY + HOUR)
    press.poll(2 * HOUR)
    found = press.entries()
    assert found["Frexalimab of last year"] == [(1, True, True)]
    assert [found[f"Frexalimab burst {number}"] for number in range(4)] == [[(1, False, True)]] * 4


def test_a_category_feed_brings_no_posts_of_other_categories(any_installation: Installation):
    any_installation.adopt(sources=(f"{any_installation.site.address}/category/trials/feed/",))
    with any_installation.at(MONDAY).writing() as session:
        session.delete(session.query(Source).filter(Source.url == any_installation.feed).one())
    press = WordPress(any_installation, path="/category/trials/feed/", shown=1)
    press.write("Of another category", "Nothing.")
    press.write("Of this category", "Nothing.")
    press.poll()
    assert list(press.entries()) == ["Of this category"]


@pytest.mark.parametrize(
    ("address", "is_whole"),
    [
        ("/feed/", True),
        ("/?feed=rss2", True),
        ("/feed/atom/?utm_source=reader&cache=77", True),
        ("/category/trials/feed/", False),
        ("/?feed=rss2&cat=7", False),
        ("/?category_name=trials&feed=rss2", False),
        ("/feed/?post_type=event", False),
        ("/feed/?author=3", False),
        ("/feed/?tag_id=12", False),
        ("/?feed=comments-rss2", False),
    ],
)
def test_the_feed_of_a_part_of_a_site_is_told_by_its_address(address: str, is_whole: bool):
    assert wordpress.is_whole_site(f"https://x.example.org{address}") is is_whole


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_site_without_a_list_is_polled_by_its_feed_alone(press: WordPress, status: int):
    press.site.dynamic["/wp-json/wp/v2/posts"] = lambda _: Answer(status, b"{}")
    press.write("Frexalimab", "Nothing.")
    assert press.poll().status == "ok"
    press.write("Frexalimab again", "Nothing.")
    assert press.poll(2 * HOUR).new == 1
    assert len([one for one in press.site.asked if "wp-json" in one.path]) == 1


def test_the_list_is_not_requested_at_every_poll(press: WordPress):
    press.write("Frexalimab", "Nothing.")
    press.poll()
    for minutes in (10, 20, 30):
        press.posts[0]["title"]["rendered"] += "!"
        press.poll(timedelta(minutes=minutes))
    assert len([one for one in press.site.asked if "wp-json" in one.path]) == 1


SITE = "https://x.example.org"


@pytest.mark.parametrize(
    ("headers", "generator", "feed", "found"),
    [
        ({}, "https://wordpress.org/?v=6.7", f"{SITE}/feed/", f"{SITE}/wp-json/wp/v2/posts"),
        (
            {"link": f'<{SITE}/api/>; rel="https://api.w.org/"'},
            "",
            f"{SITE}/feed/",
            f"{SITE}/api/wp/v2/posts",
        ),
        (
            {"link": '<https://other.example.org/>; rel="https://api.w.org/"'},
            "",
            f"{SITE}/feed/",
            "",
        ),
        ({"link": '<javascript:alert(1)>; rel="https://api.w.org/"'}, "", f"{SITE}/feed/", ""),
        ({}, "Ghost 5", f"{SITE}/feed/", ""),
        ({}, "https://wordpress.org.example.com/", f"{SITE}/feed/", ""),
    ],
)
def test_the_address_of_a_sites_list_of_posts(headers: dict, generator: str, feed: str, found: str):
    assert wordpress.posts_url(headers, generator, "https://x.example.org", feed) == found


@pytest.mark.parametrize(
    ("root", "interface"),
    [
        (f"{SITE}/wp-json/", f"{SITE}/wp-json/wp/v2/posts?"),
        (f"{SITE}/?rest_route=/", f"{SITE}/?rest_route=/wp/v2/posts&"),
        (f"{SITE}/index.php?rest_route=/", f"{SITE}/index.php?rest_route=/wp/v2/posts&"),
    ],
    ids=["permalinks", "none", "none, behind index.php"],
)
def test_a_sites_list_of_posts_is_requested_where_its_interface_is(root: str, interface: str):
    named = {"link": f'<{root}>; rel="https://api.w.org/"'}
    address = wordpress.posts_url(named, "", SITE, f"{SITE}/?feed=rss2")
    request = wordpress.request_url(address, MONDAY)
    assert request.startswith(f"{interface}modified_after=2026-")
    query = parse_qs(urlsplit(request).query)
    assert query["page"] == ["1"]
    assert query.get("rest_route", ["/wp/v2/posts"]) == ["/wp/v2/posts"]
    pages = {"x-wp-totalpages": "2"}
    following = wordpress.parse(b'[{"id": 1}]', pages, request).next_url
    assert parse_qs(urlsplit(following).query) == query | {"page": ["2"]}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code": "rest_disabled"}', b"[" * 100_000])
def test_an_answer_that_is_not_a_list_is_refused(body: bytes):
    with pytest.raises(ParseError):
        wordpress.parse(body, {}, "https://x.example.org/wp-json/wp/v2/posts?page=1")


@pytest.mark.parametrize(
    "post", [{}, {"title": None}, {"title": {"rendered": 7}, "guid": "x", "date_gmt": "never"}]
)
def test_an_odd_post_is_parsed(post: dict):
    (found,) = wordpress.parse(
        json.dumps([post, 3, None]).encode(), {}, "https://x.example.org/"
    ).observations
    assert found.origin == "posts"
