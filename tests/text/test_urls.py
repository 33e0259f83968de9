"""URLs: links are repaired as their authors meant them, and only web pages can be opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.text.urls import linked_address, web_address

FEED = "https://herald.example.org/news/feed.xml"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("www.herald.example.org/a", "https://www.herald.example.org/a"),
        ("www.clinic.example.net/a?b=c", "https://www.clinic.example.net/a?b=c"),
        ("herald.example.org/a", "https://herald.example.org/a"),
        ("herald.example.org", "https://herald.example.org"),
        ("clinic.example.net/a/1", "https://clinic.example.net/a/1"),
        ("clinic.example.net:8443/a", "https://clinic.example.net:8443/a"),
        ("//clinic.example.net/a", "https://clinic.example.net/a"),
        ("///clinic.example.net/a", "https://clinic.example.net/a"),
        ("http:/clinic.example.net/a", "http://clinic.example.net/a"),
        ("http:clinic.example.net/a", "http://clinic.example.net/a"),
        ("https//clinic.example.net/a", "https://clinic.example.net/a"),
        ("http:///clinic.example.net/a", "http://clinic.example.net/a"),
        ("http://http://clinic.example.net/a", "http://clinic.example.net/a"),
        ("https://https//clinic.example.net/a", "https://clinic.example.net/a"),
        ("ttps://clinic.example.net/a", "https://clinic.example.net/a"),
        ("feed://clinic.example.net/a", "http://clinic.example.net/a"),
        ("HTTPS://Clinic.example.net/a", "HTTPS://Clinic.example.net/a"),
        (r"https:\\clinic.example.net\a?q=\b", r"https://clinic.example.net/a?q=\b"),
        ("https://clinic.example.net/a\n\t b", "https://clinic.example.net/a%20b"),
        (" https://clinic.example.net/a b ", "https://clinic.example.net/a%20b"),
        ("https://münchen.example.org/a", "https://münchen.example.org/a"),
        ("münchen.example.org/a", "https://münchen.example.org/a"),
        ("/a/1", "https://herald.example.org/a/1"),
        ("http:/blog/a", "https://herald.example.org/blog/a"),
        ("a/1", "https://herald.example.org/news/a/1"),
        ("article.html", "https://herald.example.org/news/article.html"),
        ("index.php/news/1", "https://herald.example.org/news/index.php/news/1"),
        ("v1.2/notes", "https://herald.example.org/news/v1.2/notes"),
        ("?p=12", "https://herald.example.org/news/feed.xml?p=12"),
        ("../a", "https://herald.example.org/a"),
        ("redirect?to=www.clinic.example.net/a",
         "https://herald.example.org/news/redirect?to=www.clinic.example.net/a"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
    ],
)  # fmt: skip
def test_a_link_leads_where_its_author_meant(link: str, address: str):
    assert linked_address(FEED, link) == address


@pytest.mark.parametrize(
    "link",
    ["", "  ", "mailto:office@example.org", "javascript:void(0)", "tel:+49301234",
     "ftp://a.example.org/b",
     "https://", "https://user@example.org/", "https://herald. example.org/a",
     "https://herald.example.org:port/a", "https://[::1/a", "https://" + 5000 * "a", "data:,x"],
)  # fmt: skip
def test_what_is_no_web_page_is_no_link(link: str):
    assert linked_address(FEED, link) == ""


def test_the_scheme_of_the_feed_is_used_where_the_link_has_none():
    assert linked_address("http://a.example.org/f", "www.b.example.org/c") == (
        "http://www.b.example.org/c"
    )


@given(st.text(max_size=200), st.sampled_from(("", "http:", "www.", "//", "https://")))
def test_no_link_stops_the_reading_and_a_repaired_one_needs_no_other_repair(text: str, start: str):
    address = linked_address(FEED, start + text)
    assert address == "" or web_address(address) == address
    assert linked_address(FEED, address) == address
