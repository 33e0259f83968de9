"""OPML: lists of sources are written, and the lists of other feed readers are read."""

import pytest

from notifier.enums import Authority, SourceKind
from notifier.errors import InputError
from notifier.store.models import Source
from notifier.watch import opml


def test_a_list_of_sources_can_be_written_and_read_back():
    sources = [
        Source(
            kind=SourceKind.FEED,
            url="https://x.example.org/feed?a=1&b=2",
            name="A & B <c>",
            authority=Authority.NEWS,
        ),
        Source(
            kind=SourceKind.PAGE,
            url="https://x.example.org/page",
            name="Page",
            authority=Authority.SPONSOR,
        ),
    ]
    outlines = opml.read(opml.write(sources), "a test")
    assert [
        (outline.url, outline.name, outline.kind, outline.authority) for outline in outlines
    ] == [(source.url, source.name, str(source.kind), str(source.authority)) for source in sources]


def test_the_lists_of_other_readers_are_read_with_their_folders():
    body = b"""<?xml version="1.0"?><opml version="1.0"><body><outline text="Folder">
      <outline text="One" type="rss" xmlUrl="https://one.example.org/feed"/>
      <outline title="Two" xmlURL="https://two.example.org/feed"/>
      <outline text="Twice" xmlUrl="https://one.example.org/feed"/>
      <outline text="Odd" xmlUrl="javascript:alert(1)"/></outline></body></opml>"""
    assert [(outline.url, outline.name) for outline in opml.read(body, "a test")] == [
        ("https://one.example.org/feed", "One"),
        ("https://two.example.org/feed", "Two"),
    ]


@pytest.mark.parametrize("body", [b"", b"not xml", b"<rss/>", b"<html></html>", b"\x00\x01"])
def test_a_file_that_is_not_opml_is_refused(body: bytes):
    with pytest.raises(InputError):
        opml.read(body, "wrong.opml")
