"""The text that a reader sees of a snippet of markup, such as the content of a feed's item.

Owns which tags part words, which join them, and how often a text is unescaped. Whole pages are
parsed by `watch/parsers/html_page.py`.
"""

import html
import re
from collections.abc import Iterator

from notifier.text.raised import LONGEST_BASE, is_reference_mark, lowered, raised
from notifier.text.references import repaired
from notifier.text.tags import Tag, tags, words

# Elements that part the text before, inside and behind them.
BLOCKS = words(
    "address article aside blockquote body br button canvas caption center dd details dialog dir "
    "div dl dt fieldset figcaption figure footer form frame h1 h2 h3 h4 h5 h6 head header hgroup "
    "hr html iframe legend li listing main menu nav noframes noscript object ol optgroup option p "
    "plaintext pre rp rt search section select summary table tbody td template textarea tfoot th "
    "thead title tr ul video xmp"
)
# Elements whose text was struck out: what a publisher no longer says.
STRUCK = words("del s strike")
# In characters, and in parts; a longer passage is kept, whatever it is marked up for. Chosen by
# hand.
LONGEST_STRUCK, _MOST_STRUCK_PARTS = 200, 40
# So often a text is unescaped again that was escaped more than once. Chosen by hand.
_MOST_AGAIN = 3
# Parts of which a raised text consists; a longer one is text. Chosen by hand.
_MOST_PARTS = 12

_SPACE = re.compile(r"\s+")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Character references have at most seven digits; Python refuses to convert more than 4,300 digits.
_LONG_NUMBER = re.compile(r"&#(?:\d{8,}|[xX][0-9A-Fa-f]{8,});?")
_SOFT_HYPHEN = "\u00ad"
# Pictures that stand for a character, whose text is the character (WordPress writes ™ so in feeds).
_CHARACTER = re.compile(r"\bclass\s*=\s*[\"'][^\"']*\b(?:emoji|wp-smiley)\b", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\balt\s*=\s*(?:\"([^\"]{1,20})\"|'([^']{1,20})')", re.IGNORECASE)
# A link to a place on its own page, or an element that is raised by its class.
_INTO_PAGE = re.compile(r"\bhref\s*=\s*[\"']?[^\"'\s>]{0,2000}#", re.IGNORECASE)
_RAISED_CLASS = re.compile(
    r"\bclass\s*=\s*[\"'][^\"']*"
    r"\b(?:sup|super|superscript|footnote|footnote-ref|fnref|reference)\b",
    re.IGNORECASE,
)
# The style by which word processors raise a text, and lower it.
_RAISED_STYLE = re.compile(
    r"\bstyle\s*=\s*[\"'][^\"']*\bvertical-align\s*:\s*(su(?:per|b))\b", re.IGNORECASE
)


def visible(text: str) -> str:
    """Return the text of markup, with a line end where a block begins or ends.

    A text without any tag keeps its own lines. Text that is plainly escaped twice (it still shows
    ``&#8217;``, or tags that it opens and closes) is unescaped again.
    """
    return unescaped_again(_without_markup(text.replace("\x00", " "))).replace(_SOFT_HYPHEN, "")


def unescaped_again(text: str) -> str:
    """Return a text without the references and tags that it shows because of repeated escaping.

    Only tags that it opens and closes are removed, so that a text may still name one.
    """
    for _ in range(_MOST_AGAIN):
        again = _unescaped_once_more(text)
        if again == text:
            break
        text = again
    return text


def _unescaped_once_more(text: str) -> str:
    if "&" in text:
        text = _REFERENCE.sub(lambda reference: html.unescape(reference[0]), repaired(text))
    if "<" not in text or next(tags(text, paired=True), None) is None:
        return text
    return _Reader(tags(text, paired=True)).read(text)


def _without_markup(text: str) -> str:
    if "<" in text:
        its_tags = tags(text)
        first = next(its_tags, None)
        if first is not None:
            text = _Reader(_chain(first, its_tags)).read(text)
    return unescaped(text)


def _chain(first: Tag, rest: Iterator[Tag]) -> Iterator[Tag]:
    yield first
    yield from rest


def unescaped(text: str) -> str:
    """Return the text without character references (``&amp;``), once."""
    return html.unescape(_LONG_NUMBER.sub("\ufffd", repaired(text))) if "&" in text else text


class _Reader:
    """The parts of the visible text of one snippet, its characters still escaped."""

    def __init__(self, its_tags: Iterator[Tag]) -> None:
        self._tags = its_tags
        self._parts: list[str] = []
        # Open raised and lowered elements: their name, and the number of parts before them.
        self._open: list[tuple[str, int]] = []
        # The same of open elements that are struck out: the number of parts before them.
        self._struck: list[int] = []

    def read(self, text: str) -> str:
        """Return the visible text; line ends of the markup itself become spaces."""
        end, in_cdata = 0, False
        for tag in self._tags:
            self._add(text[end : tag.start], in_cdata=in_cdata)
            end = tag.end
            if tag.name:
                self._pass(tag, text[end : end + 1])
            else:
                in_cdata = in_cdata or text.startswith("<![CDATA[", tag.start)
        self._add(text[end:], in_cdata=in_cdata)
        return "".join(self._parts)

    def _add(self, segment: str, *, in_cdata: bool) -> None:
        if in_cdata:
            segment = segment.replace("]]>", "")
        if segment:
            self._parts.append(segment if segment.isprintable() else _SPACE.sub(" ", segment))

    def _pass(self, tag: Tag, following: str) -> None:
        if tag.name in BLOCKS:
            self._parts.append("\n")
        elif tag.name == "img" and _CHARACTER.search(tag.attributes):
            alternative = _ALTERNATIVE.search(tag.attributes)
            self._parts.append((alternative[1] or alternative[2]) if alternative else "")
        elif tag.name in STRUCK and not tag.closing:
            self._struck.append(len(self._parts))
        elif tag.name in STRUCK and self._struck:
            self._leave_out(self._struck.pop())
        elif tag.name in ("sup", "sub", "a", "span"):
            if tag.closing:
                self._close(following)
            else:
                self._open.append((_position(tag), len(self._parts)))

    def _leave_out(self, start: int) -> None:
        """Remove the parts behind a place, if they are few and short."""
        struck = self._parts[start : start + _MOST_STRUCK_PARTS + 1]
        if len(struck) <= _MOST_STRUCK_PARTS and sum(map(len, struck)) <= LONGEST_STRUCK:
            del self._parts[start:]

    def _close(self, following: str) -> None:
        """Replace the text of the element that ends here, if it is raised or lowered."""
        if not self._open:
            return
        position, start = self._open.pop()
        if not position or len(self._parts) - start > _MOST_PARTS:
            return
        content = unescaped("".join(self._parts[start:]))
        base = unescaped("".join(self._parts[max(start - 8, 0) : start])[-4 * LONGEST_BASE :])
        if position == "sup" or (position == "link" and is_reference_mark(content.strip())):
            is_attached = position == "sup" or (base[-1:] and not base[-1:].isspace())
            replacement = raised(base, content, following) if is_attached else content
        elif position == "sub":
            replacement = lowered(base, content, following)
        else:
            replacement = content
        if replacement != content:
            del self._parts[start:]
            self._parts.append(html.escape(replacement, quote=False))


def _position(tag: Tag) -> str:
    """Return `sup`, `sub`, `link` (into the own page: a footnote's), or nothing."""
    if tag.name in ("sup", "sub"):
        return tag.name
    if _RAISED_CLASS.search(tag.attributes):
        return "link" if tag.name == "a" else "sup"
    if style := _RAISED_STYLE.search(tag.attributes):
        return style[1][:3].lower()
    return "link" if tag.name == "a" and _INTO_PAGE.search(tag.attributes) else ""
