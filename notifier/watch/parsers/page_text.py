"""The text of a page's elements: which of them part words, which join them.

Pure. `prepare` changes the tree once, so that the joined texts of any element read as a visitor
sees them. It knows nothing of articles and of what surrounds them.
"""

import re
from typing import Any

from lxml.html import HtmlElement

from notifier.text.cleaning import clean, xml_text
from notifier.text.raised import LONGEST_BASE, is_reference_mark, lowered, raised
from notifier.text.tags import words
from notifier.text.visible import BLOCKS, LONGEST_STRUCK, STRUCK, unescaped_again

_RAISED_CLASSES = words("sup super superscript footnote footnote-ref fnref reference")
_RAISED_STYLE = re.compile(r"(?i)\bvertical-align\s*:\s*(su(?:per|b))\b")
# Neighbours that are read to find what stands before a raised text. Chosen by hand.
_MOST_NEIGHBOURS = 8


def prepare(root: Any) -> None:
    """Part the texts of blocks by spaces, and write raised and lowered texts as plain text.

    What is struck out is left out.
    """
    for element in list(root.iter(*STRUCK)):
        if element is not root and len("".join(element.itertext())) <= LONGEST_STRUCK:
            for child in list(element):
                element.remove(child)
            write(element, "")
    for element in root.iter():
        if element.tag in BLOCKS:
            write(element, f" {element.text or ''}")
            if element is not root:
                element.tail = xml_text(f" {element.tail or ''}")
        elif element.tag == "img" and (character := _character_of(element)):
            element.tail = xml_text(f"{character}{element.tail or ''}")
    for element in list(root.iter("sup", "sub", "a", "span")):
        position = _position(element)
        if position:
            _write_plainly(element, position)


def write(element: HtmlElement, text: str) -> None:
    """Set the text before the first child of an element, without what XML does not allow."""
    element.text = xml_text(text)


def text_of(element: Any) -> str:
    """Return the text of an element on one line."""
    return as_text("".join(element.itertext()))


def as_text(text: str) -> str:
    """Return joined texts of prepared elements on one line."""
    return clean(unescaped_again(text).replace("\u00ad", ""))


def _character_of(image: Any) -> str:
    """Return the character that an image stands for; empty for a picture."""
    classes = image.get("class", "").lower().split()
    return image.get("alt", "")[:20] if {"emoji", "wp-smiley"} & set(classes) else ""


def _position(element: Any) -> str:
    if element.tag in ("sup", "sub"):
        return str(element.tag)
    classes = set(element.get("class", "").lower().split())
    if element.tag == "span":
        style = _RAISED_STYLE.search(element.get("style", ""))
        looks = style[1][:3].lower() if style else ""
        return "sup" if classes & _RAISED_CLASSES else looks
    return "link" if "#" in element.get("href", "") or classes & _RAISED_CLASSES else ""


def _write_plainly(element: Any, position: str) -> None:
    content = "".join(element.itertext())
    if position == "link" and not is_reference_mark(content.strip()):
        return
    base, following = _text_before(element), (element.tail or "")[:1]
    if position == "sub":
        replacement = lowered(base, content, following)
    elif position == "link" and (not base or base[-1].isspace()):
        return
    else:
        replacement = raised(base, content, following)
    if replacement != content:
        for child in list(element):
            element.remove(child)
        write(element, replacement)


def _text_before(element: Any) -> str:
    """Return the last characters before an element in its line."""
    before = ""
    for _ in range(_MOST_NEIGHBOURS):
        neighbour = element.getprevious()
        if neighbour is not None:
            before = f"{neighbour.tail or ''}{before}"
            if neighbour.tag not in BLOCKS and not neighbour.tail:
                before = "".join(neighbour.itertext())[-LONGEST_BASE:] + before
            is_line_begun = neighbour.tag in BLOCKS
        else:
            neighbour = element.getparent()
            if neighbour is None:
                break
            before = f"{neighbour.text or ''}{before}"
            is_line_begun = neighbour.tag in BLOCKS
        if is_line_begun or len(before) >= LONGEST_BASE:
            break
        element = neighbour
    return before[-LONGEST_BASE:]
