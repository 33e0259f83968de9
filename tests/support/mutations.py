"""Hostile input by hypothesis: correct documents that were cut, doubled or given hostile parts."""

from hypothesis import strategies as st

# Each of these once broke a program of this kind: dates that no calendar library agrees on, digits
# that are none in ASCII, bytes that are no text, text that no database takes, and what makes
# expressions and parsers slow.
FRAGMENTS = (
    b"0001-01-01T00:00:00Z",
    b"Mon, 01 Jan 0001 00:00:00 +0000",
    b"9999-12-31T23:59:59+14:00",
    b"-62135596800",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"&#0;&#xd800;&#x110000;",
    "0\u0663:00".encode(),
    "\u202egnp.exe\u2066".encode(),
    b"\x1b]0;title\x07\x1b[2J\x9b31m",
    b"subscribers.db",
    b"/dev/zero",
    b"/etc/passwd",
    b"file:///etc/passwd",
    b"http://169.254.169.254/latest/meta-data/",
    b"javascript:alert(1)",
    b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><a>&y;</a>",
    b"]]><![CDATA[",
    b"</item></channel>",
    b"{" * 200,
    b"[" * 5000,
    b"<div>" * 3000,
    b"<a href='https://herald.example.org/x'>more</a>" * 500,
    b" x='1'" * 5000,
    b"word " * 4000,
    b"a" * 20_000,
    b" " * 20_000,
    b"=" * 20_000,
    b"1.2.3." * 3000,
    b"\r\n" * 2000,
    b"\r\nX-Injected: yes\r\n",
    b"@" * 500,
    b"someone@example.org",
    b"%00%0d%0a%ff",
    b"1e999",
    b"NaN",
    b"-1",
    b"99999999999999999999999999",
    b"frexalimab",
    b"Final-Recipient: rfc822; someone@example.org\r\n" * 300,
)
LARGEST = 400_000


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Draw a correct document with up to six changes, at most 400 kB long."""
    octets = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 6))):
        octets = _changed(draw, octets)[:LARGEST]
    return octets


def _changed(draw: st.DrawFn, octets: bytes) -> bytes:
    start = draw(st.integers(0, len(octets)))
    end = min(len(octets), start + draw(st.integers(0, 200)))
    act = draw(st.sampled_from(("cut", "double", "insert", "replace", "noise", "end")))
    if act == "cut":
        return octets[:start] + octets[end:]
    if act == "double":
        return octets[:end] + octets[start:end] * draw(st.integers(1, 50)) + octets[end:]
    if act == "insert":
        return octets[:start] + draw(st.sampled_from(FRAGMENTS)) + octets[start:]
    if act == "replace":
        return octets[:start] + draw(st.sampled_from(FRAGMENTS)) + octets[end:]
    if act == "noise":
        return octets[:start] + draw(st.binary(max_size=40)) + octets[end:]
    return octets[:start]


def _header_text(octets: bytes) -> str:
    """Return the value of a header as a server may send it: any bytes but line ends."""
    return octets.replace(b"\r", b" ").replace(b"\n", b" ").decode("latin-1")[:9000]


header_values = st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=200)).map(_header_text)
field_values = st.one_of(
    st.text(max_size=60),
    st.sampled_from(FRAGMENTS).map(lambda fragment: fragment.decode("latin-1")),
    st.sampled_from(FRAGMENTS).map(lambda fragment: fragment.decode("utf-8", "replace")),
)
