"""Packed answers: each form that servers send is unpacked, within the limit of size."""

import gzip
import zlib

import brotli
import pytest
from backports import zstd

from notifier.watch.http.packing import unpacked

FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>Made up</title></channel></rss>"
LIMIT = 100_000


def raw_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(content) + stream.flush()


def gzip_with_a_name(content: bytes) -> bytes:
    """Return a gzip file as `gzip feed.xml` makes it: with the name in its header (RFC 1952)."""
    packed = gzip.compress(content)
    return packed[:3] + b"\x08" + packed[4:10] + b"feed.xml\x00" + packed[10:]


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        pytest.param("", FEED, id="not packed"),
        pytest.param("gzip", gzip.compress(FEED), id="gzip"),
        pytest.param("x-gzip", gzip.compress(FEED), id="the old name of gzip"),
        pytest.param(" GZip ", gzip.compress(FEED), id="other letters"),
        pytest.param("gzip", gzip_with_a_name(FEED), id="a file's name inside"),
        pytest.param("gzip", gzip.compress(FEED[:9]) + gzip.compress(FEED[9:]), id="two members"),
        pytest.param("gzip", gzip.compress(FEED) + b"\r\n", id="a line end after the packed part"),
        pytest.param("deflate", zlib.compress(FEED), id="deflate"),
        pytest.param("deflate", raw_deflate(FEED), id="deflate without its header"),
        pytest.param("x-deflate", zlib.compress(FEED), id="another name of deflate"),
        pytest.param("br", brotli.compress(FEED), id="Brotli"),
        pytest.param("zstd", zstd.compress(FEED), id="Zstandard"),
        pytest.param("zstd", zstd.compress(FEED[:9]) + zstd.compress(FEED[9:]), id="two frames"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(FEED)), id="packed twice"),
        pytest.param("gzip", gzip.compress(gzip.compress(FEED)), id="twice, and said once"),
        pytest.param("deflate, br", brotli.compress(zlib.compress(FEED)), id="two forms"),
        pytest.param("", gzip.compress(FEED), id="a packed file without a word"),
        pytest.param("", zstd.compress(FEED), id="a Zstandard file without a word"),
        pytest.param("zstd", gzip.compress(FEED), id="called Zstandard, and gzip"),
        pytest.param("gzip", FEED, id="called gzip, and not packed"),
        pytest.param("deflate", FEED, id="called deflate, and not packed"),
        pytest.param("br", FEED, id="called Brotli, and not packed"),
        pytest.param("br", b"\xef\xbb\xbf\n" + FEED, id="called Brotli, and a byte order mark"),
        pytest.param("zstd", FEED, id="called Zstandard, and not packed"),
        pytest.param("UTF-8", FEED, id="an encoding of characters instead"),
        pytest.param("identity", FEED, id="identity"),
        pytest.param("none", FEED, id="none"),
        pytest.param(",", FEED, id="empty names"),
    ],
)
def test_a_document_is_read_however_it_is_packed(codings: str, body: bytes):
    assert unpacked(body, codings, LIMIT).removeprefix(b"\xef\xbb\xbf").strip() == FEED


@pytest.mark.parametrize("codings", ["", "gzip", "deflate", "br", "zstd"])
def test_an_empty_body_stays_empty(codings: str):
    assert unpacked(b"", codings, LIMIT) == b""


BOMB = b" " * 3_000_000


@pytest.mark.parametrize(
    ("codings", "body"),
    [
        pytest.param("gzip", gzip.compress(BOMB), id="gzip"),
        pytest.param("", gzip.compress(BOMB), id="gzip without a word"),
        pytest.param("x-gzip", gzip.compress(gzip.compress(BOMB)), id="packed twice"),
        pytest.param("gzip", gzip.compress(BOMB[:60_000]) * 2, id="two members that fit alone"),
        pytest.param("deflate", zlib.compress(BOMB), id="deflate"),
        pytest.param("deflate", raw_deflate(BOMB), id="deflate without its header"),
        pytest.param("br", brotli.compress(BOMB), id="Brotli"),
        pytest.param("zstd", zstd.compress(BOMB), id="Zstandard"),
        pytest.param("zstd", zstd.compress(BOMB[:60_000]) * 2, id="two frames that fit alone"),
    ],
)
def test_what_is_too_large_when_unpacked_is_refused(codings: str, body: bytes):
    with pytest.raises(ValueError, match="larger than 100,000 bytes"):
        unpacked(body, codings, LIMIT)


def test_a_document_of_exactly_the_limit_is_read():
    assert len(unpacked(gzip.compress(BOMB[:LIMIT]), "gzip", LIMIT)) == LIMIT


@pytest.mark.parametrize(
    ("codings", "body", "said"),
    [
        ("gzip", gzip.compress(FEED)[:-12], "ends too early"),
        ("zstd", zstd.compress(FEED)[:-5], "ends too early"),
        ("gzip", gzip.compress(FEED)[:-8] + b"\x00" * 8, "damaged"),
        ("gzip", gzip.compress(b"<") * 101, "more than 100 parts"),
        ("zstd", zstd.compress(b"<") * 101, "more than 100 parts"),
        ("deflate", zlib.compress(FEED)[:-9], "deflate"),
        ("br", brotli.compress(FEED)[:-4], "Brotli"),
        ("gzip", b"x", "gzip"),
        ("zstd", b"x", "Zstandard"),
        ("br", b"\x8b\xff\x00", "Brotli"),
        ("gzip, gzip, gzip, gzip, gzip", FEED, "more than 4 times"),
    ],
    ids=range(11),
)
def test_a_damaged_packing_is_refused_with_a_reason(codings: str, body: bytes, said: str):
    with pytest.raises(ValueError, match=said):
        unpacked(body, codings, LIMIT)
