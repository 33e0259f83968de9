"""robots.txt: the rules of RFC 9309 decide which article pages may be requested."""

import random

import pytest

from notifier.watch import robots
from tests.support.effort import measured

AGENT = "notifier/1.0 (+https://news.example.org)"


def allowed(text: str, path: str, agent: str = AGENT) -> bool:
    return robots.Rules(text, agent).allow(f"https://example.org{path}")


FOR_ALL = "User-agent: *\n"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param("", "/a", True, id="an empty file allows"),
        pytest.param("<html><p>Not found</p></html>", "/a", True, id="a web page allows"),
        pytest.param(FOR_ALL + "Disallow: /", "/a", False, id="all is closed"),
        pytest.param(FOR_ALL + "Disallow:", "/a", True, id="an empty rule says nothing"),
        pytest.param(FOR_ALL + "Disallow: /news/", "/news/1", False, id="a folder"),
        pytest.param(FOR_ALL + "Disallow: /news/", "/newsletter", True, id="another folder"),
        pytest.param(
            FOR_ALL + "Disallow: /\nAllow: /news/", "/news/1", True, id="the longest rule decides"
        ),
        pytest.param(
            FOR_ALL + "Allow: /\nDisallow: /news/", "/news/1", False, id="whatever comes first"
        ),
        pytest.param(FOR_ALL + "Disallow: /a\nAllow: /a", "/a", True, id="equal rules allow"),
        pytest.param(FOR_ALL + "Disallow: /*/print/", "/x/y/print/1", False, id="a star"),
        pytest.param(FOR_ALL + "Disallow: /*.pdf$", "/a.pdf", False, id="an end"),
        pytest.param(FOR_ALL + "Disallow: /*.pdf$", "/a.pdf?x=1", True, id="not at the end"),
        pytest.param(FOR_ALL + "Disallow: /*?share=", "/a?share=mail", False, id="a query"),
        pytest.param(FOR_ALL + "Disallow: /a$", "/ab", True, id="an end without a star"),
        pytest.param("user-AGENT:*\ndisallow:/a", "/a", False, id="case and spaces"),
        pytest.param(FOR_ALL + "Disallow: /a # why", "/a", False, id="a comment"),
        pytest.param("\ufeff" + FOR_ALL + "Disallow: /a", "/a", False, id="a byte order mark"),
        pytest.param(FOR_ALL.replace("\n", "\r") + "Disallow: /a", "/a", False, id="old line ends"),
        pytest.param(
            "User-agent: *\nDisallow: /\nUser-agent: Notifier\nDisallow: /x",
            "/a",
            True,
            id="our own group decides alone",
        ),
        pytest.param(
            "User-agent: notifier\nUser-agent: other\nDisallow: /a",
            "/a",
            False,
            id="a shared group",
        ),
        pytest.param(
            "User-agent: notifier\nDisallow: /a\n\nUser-agent: other\nDisallow: /\n"
            "User-agent: notifier\nDisallow: /b",
            "/b",
            False,
            id="two groups of ours are one",
        ),
        pytest.param("User-agent: other\nDisallow: /", "/a", True, id="another program's group"),
        pytest.param(
            "User-agent: notifier\n\nUser-agent: *\nDisallow: /a", "/a", False, id="blank lines"
        ),
        pytest.param(FOR_ALL + "Disallow: /ä/", "/%C3%A4/1", False, id="written as letters"),
        pytest.param(FOR_ALL + "Disallow: /%c3%a4/", "/ä/1", False, id="written as bytes"),
        pytest.param(
            FOR_ALL + "Sitemap: https://example.org/s.xml\nCrawl-delay: 5\nDisallow: /a",
            "/a",
            False,
            id="lines that are no rules",
        ),
    ],
)
def test_the_rules_of_a_robots_txt(text: str, path: str, expected: bool):
    assert allowed(text, path) is expected


def test_a_program_without_a_name_follows_the_rules_for_all():
    assert not allowed("User-agent: *\nDisallow: /a\nUser-agent:\nDisallow: /b", "/a", agent="")


def test_the_robots_txt_of_an_address_has_its_scheme_and_port():
    assert (
        robots.robots_url("http://e.example.org:81/a?b#c") == "http://e.example.org:81/robots.txt"
    )


def test_rules_of_strangers_take_little_time():
    draw = random.Random(1)
    lines = ["Disallow: /" + "*a" * 200 + "b$" for _ in range(1_000)]
    lines += ["Disallow: /" + "".join(draw.choices("ab*", k=300)) for _ in range(1_000)]
    with measured() as effort:
        rules = robots.Rules("User-agent: *\n" + "\n".join(lines), AGENT)
        for _ in range(5):
            rules.allow("https://example.org/" + "a" * 1_900)
    assert effort.processor < 5
