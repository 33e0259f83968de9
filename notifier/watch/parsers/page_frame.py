"""The frame of a page: what surrounds an article, and is taken away before the article is read.

Pure. Owns the signs by which menus, related articles, advertisements, forms and hidden texts are
recognised, and those by which a text behind a click is told from a hidden one. Signs that a site
also uses for its layout count only for elements that do not hold the page's own text.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from notifier.text.tags import words
from notifier.text.visible import BLOCKS
from notifier.watch.parsers.page_text import text_of, write

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

_NEVER_SHOWN = (
    "//script|//style|//noscript|//iframe|//svg|//dialog|//object|//canvas|//video|//audio|//map"
    # The content of a template with this attribute is shown in the element that holds it (HTML
    # standard, 4.12.3).
    "|//template[not(@shadowrootmode)]|//select|//textarea|//datalist|//head"
    "|//amp-ad|//amp-embed|//amp-sticky-ad|//ins[contains(@class, 'adsbygoogle')]"
)
_FRAME = (
    "//nav|//footer|//aside|//form|//header[not(ancestor::article or ancestor::main)]"
    "|//*[@role='navigation' or @role='complementary' or @role='search' or @role='banner'"
    " or @role='contentinfo' or @role='dialog' or @role='alertdialog' or @role='menu'"
    " or @role='menubar']"
)

# Words in class names and ids by which sites mark what is around an article. All lists here were
# chosen by hand; not measured.
_AROUND = words(
    "ad ads adslot advert advertisement advertising advertorial anzeige werbung publicite "
    "publicidad pubblicita reklama banner breadcrumb breadcrumbs comment comments respond disqus "
    "cookie cookies consent gdpr footer menu megamenu offcanvas modal nav navbar navigation "
    "newsletter outbrain taboola pager pagination popup promo promoted promotion readmore recent "
    "recirculation recommend recommended recommendations related relatedposts yarpp share sharing "
    "sharedaddy addtoany sidebar signup social sponsor sponsored subscribe subscription teaser "
    "teasers toc toolbar trending authorbox byline taglist tagcloud"
)
# Those that hold a text of their own and no part of an article, however long they are.
_NEVER_OWN = words(
    "comments respond disqus cookie cookies consent gdpr modal popup newsletter outbrain taboola "
    "megamenu offcanvas related relatedposts yarpp"
)
# Those that also are topics of an article: in an id, which sites make of a heading, they do not
# count by themselves.
_TOPICS = words(
    "comment comments consent recommend recommendations recommended related social promotion "
    "subscription recent trending share sharing toc sponsor respond banner menu readmore"
)
# Pairs of words with the same meaning.
_AROUND_PAIRS = words(
    "widget-area author-box author-bio author-info about-author post-navigation post-tags "
    "entry-tags tag-links cat-links most-read most-popular read-more read-next up-next also-read "
    "jump-links skip-link skip-links of-contents screen-reader sr-only visually-hidden "
    "cookie-law crp-related jp-related"
)
# Kinds of widgets that list something else than the article.
_LISTING_WIDGETS = words(
    "recent categories archive archives search nav menu tag cloud meta calendar pages rss posts "
    "social follow share newsletter subscribe ad ads links breadcrumbs login form"
)
# Words in class names that say what a layout has, or how it is, and not what an element is.
_STATES = words("has have with without no not is hide js free open opened")
# Aside that belongs to the text beside it.
_CALLOUT = words(
    "callout infobox info note notes highlight highlights key keypoints factbox facts fact box "
    "summary tip warning important box"
)
_AD_LABELS = words(
    "ad advertisement advertisements advertorial anzeige anzeigen werbung publicité publicidad "
    "pubblicità publicidade reklama reklame advertentie annons sponsored promoted gesponsert "
    "sponsorisé patrocinado sponsorizzato 広告 реклама"
)
_PANEL = words(
    "accordion accordions panel tab tabs tabpanel pane collapse collapsed collapsible toggle "
    "expand expandable expander faq faqs answer answers details spoiler reveal tta"
)
_TITLES = words("accordion collapsible toggle faq question expander expand trigger spoiler")
_REST = words("more readmore moretext full rest")
_UNSEEN_CLASSES = words("sr-only visually-hidden screen-reader-text screen-reader-response")
_UNSEEN_STYLE = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden")
# A word of a name, without the number by which sites count (sidebar-2, ad1). A made-up id such as
# 1ad4f7e is one word.
_WORD = re.compile(r"[^\W_]+?(?=\d{0,2}(?:[\W_]|$))")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Characters of the title of a panel, and of a box with an advertisement. Chosen by hand.
_LONGEST_TITLE, _LONGEST_AD = 200, 600
# Entries of a list of links, links of a box, and words of an entry that is a title. Chosen by hand.
_FEWEST_ENTRIES, _FEWEST_LINKS, _WORDS_OF_A_TITLE = 3, 2, 4
# Boxes above an element in which it may be marked as a panel.
_MOST_ABOVE = 4


def strip(root: Any) -> None:
    """Remove all that surrounds the article, and open what is shown at a click."""
    _drop(root, root.xpath(_NEVER_SHOWN))
    own = _holders(root)
    _drop_unseen(root, own)
    lengths = prose_of(root)
    for element in root.xpath(_FRAME):
        if not _is_own(element, own, lengths, root):
            _drop(root, [element])
        elif element.tag == "form":
            element.drop_tag()
    _name_panels(root)
    lengths = prose_of(root)
    for element in root.xpath("//*[@class or @id]"):
        if _is_around(element) and not (
            element in own or (_is_mostly(element, lengths, root) and not _is_never_own(element))
        ):
            _drop(root, [element])
    lengths = prose_of(root)
    _drop_advertisements(root, own, lengths)
    _drop_lists_of_links(root, own, lengths)


def prose_of(root: Any) -> dict[Any, int]:
    """Return the number of letters and digits outside links in each element."""
    lengths: dict[Any, int] = {}
    linked: set[Any] = set()
    elements = list(root.iter())
    for element in elements:
        above = element.getparent()
        if element.tag == "a" or above in linked:
            linked.add(element)
        lengths[element] = 0 if element in linked else _letters(element.text)
        if above in lengths and above not in linked:
            lengths[above] += _letters(element.tail)
    for element in reversed(elements):
        above = element.getparent()
        if above in lengths and element is not root:
            lengths[above] += lengths[element]
    return lengths


def _letters(text: str | None) -> int:
    return sum(map(str.isalnum, text)) if text else 0


def _has(element: Any, *tags: str) -> bool:
    """Return whether an element is one of these, or holds one."""
    return next(element.iter(*tags), None) is not None


def _drop(root: Any, elements: Iterable[Any]) -> None:
    for element in elements:
        if element is not root and element.getparent() is not None:
            element.drop_tree()


def _holders(root: Any) -> set[Any]:
    """Return the elements that hold the headline or the main part of the page, and these."""
    holders: set[Any] = {root}
    for element in (*root.xpath("(//h1)[1]"), *root.iter("main", "body")):
        holders.update((element, *element.iterancestors()))
    return holders


def _is_mostly(element: Any, lengths: dict[Any, int], root: Any) -> bool:
    """Return whether an element holds half of the page's text or more."""
    return lengths.get(element, 0) * 2 >= max(lengths[root], 1)


def _is_own(element: Any, own: set[Any], lengths: dict[Any, int], root: Any) -> bool:
    if element.tag == "header":
        has_lead = any(_letters(text_of(part)) > 40 for part in element.iter("p"))
        return element in own and has_lead and not _has(element, "nav", "ul", "form")
    if element.tag == "aside" and _words_of(element) & _CALLOUT:
        return not _is_around(element)
    is_mostly = _is_mostly(element, lengths, root)
    return element in own or (is_mostly and element.tag not in ("nav", "footer"))


def _tokens(element: Any, attribute: str) -> list[list[str]]:
    """Return the words of each class or id of an element, in lower case."""
    names = _CAMEL.sub("-", element.get(attribute, "")[:2000]).lower().split()
    return [_WORD.findall(name) for name in names]


def _words_of(element: Any) -> set[str]:
    return {word for name in ("class", "id") for token in _tokens(element, name) for word in token}


def _is_around(element: Any) -> bool:
    """Return whether the classes or the id of an element say that it surrounds an article."""
    if element.tag in ("html", "body", "main", "article"):
        return False
    classes = [token for token in _tokens(element, "class") if not _STATES & set(token)]
    if any(_surrounds(token) for token in classes):
        return True
    if any("widget" in token for token in classes):
        return any(word in _LISTING_WIDGETS for token in classes for word in token)
    if element.tag in HEADINGS or element.tag in ("p", "li", "td", "th", "span", "strong"):
        return False
    names = [token for token in _tokens(element, "id") if not _STATES & set(token)]
    return any(_surrounds(token, beside=_TOPICS) for token in names) or any(
        len(token) == 1 and token[0] in ("comments", "respond", "menu", "toc") for token in names
    )


def _surrounds(token: list[str], beside: frozenset[str] = frozenset()) -> bool:
    pairs = {"-".join(pair) for pair in pairwise(token)}
    return bool((set(token) & _AROUND) - beside or pairs & _AROUND_PAIRS)


def _is_never_own(element: Any) -> bool:
    return bool(_words_of(element) & _NEVER_OWN)


def _drop_unseen(root: Any, own: set[Any]) -> None:
    """Remove hidden elements, except those that a visitor opens with a click."""
    controlled = {
        name.lstrip("#")
        for element in root.xpath(
            "//*[@aria-controls or @data-target or @data-bs-target]|//a[@href]"
        )
        for attribute in ("aria-controls", "data-target", "data-bs-target", "href")
        for name in element.get(attribute, "").split()[:4]
        if attribute == "aria-controls" or name.startswith("#")
    }
    lengths = prose_of(root)
    for element in root.xpath("//*[@hidden or @aria-hidden or @style or @class]"):
        if (
            _is_unseen(element)
            and element not in own
            and not _is_mostly(element, lengths, root)
            and not (_opens_rest(element) or _is_panel(element, controlled))
        ):
            _drop(root, [element])


def _is_unseen(element: Any) -> bool:
    return bool(
        element.get("hidden") not in (None, "until-found")
        or element.get("aria-hidden") == "true"
        or _UNSEEN_STYLE.search(element.get("style", ""))
        or _UNSEEN_CLASSES & set(element.get("class", "").lower().split())
    )


def _is_panel(element: Any, controlled: set[str]) -> bool:
    """Return whether a hidden element opens at a click on something else."""
    if element.tag not in BLOCKS or _is_around(element):
        return False
    if element.get("role") in ("tabpanel", "region") or element.get("id") in controlled:
        return True
    before = element.getprevious()
    if element.tag == "dd" or (before is not None and _is_title(before)):
        return True
    above = element
    for _ in range(_MOST_ABOVE):
        if above is None or above.tag in ("body", "main"):
            return False
        if _words_of(above) & _PANEL:
            return True
        above = above.getparent()
    return False


def _opens_rest(element: Any) -> bool:
    """Return whether an element is the rest of a text, beside a button that shows it."""
    names = _words_of(element)
    if element.tag not in BLOCKS or not names & _REST or names & (_AROUND - {"readmore"}):
        return False
    is_opened = any(
        beside is not None
        and (beside.tag == "button" or "button" in (beside.get("role"), *_words_of(beside)))
        for beside in (element.getprevious(), element.getnext())
    )
    if is_opened:  # "read-more" is no name of what surrounds the article here
        element.attrib.pop("class", None)
    return is_opened


def _is_title(element: Any) -> bool:
    """Return whether an element is what a visitor clicks to open the next one."""
    is_clicked = element.get("aria-expanded") is not None or element.get("role") == "button"
    return bool(
        element.tag in (*HEADINGS, "button", "summary", "dt")
        or is_clicked
        or element.xpath("boolean(.//*[@aria-expanded])")
        or _words_of(element) & _TITLES
    )


def _name_panels(root: Any) -> None:
    """Make headings of what a visitor clicks to open a panel; remove other buttons."""
    for summary in list(root.iter("summary")):
        if _has(summary, *HEADINGS):
            summary.drop_tag()
        else:
            summary.tag = "h4"
    toggles = root.xpath(
        "//button|//*[@aria-expanded or @role='button' or @data-toggle='collapse'"
        " or @data-bs-toggle='collapse']"
    )
    for element in toggles:
        if element.tag in HEADINGS:
            continue
        inside = any(above.tag in HEADINGS for above in element.iterancestors())
        opens = element.tag != "button" or any(
            element.get(name) is not None
            for name in ("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle")
        )
        opens = opens or bool(_words_of(element) & _TITLES)
        is_title = len(text_of(element)) <= _LONGEST_TITLE and element.get("role") != "tab"
        if inside:
            element.drop_tag()
        elif opens and is_title and not _has(element, *HEADINGS):
            element.tag = "h4"
        elif element.tag == "button":
            _drop(root, [element])
    _name_tabs(root)


def _name_tabs(root: Any) -> None:
    """Put the name of each tab above its text, and remove the row of tabs."""
    by_id = {element.get("id"): element for element in root.xpath("//*[@id]")}
    for tab in root.xpath("//*[@role='tab']"):
        name = tab.get("aria-controls") or tab.get("href", "").lstrip("#") or ""
        panel = by_id.get(name)
        title = text_of(tab)
        if panel is not None and title and len(title) <= _LONGEST_TITLE:
            heading = panel.makeelement("h4")
            heading.tail = panel.text
            write(heading, title)
            write(panel, "")
            panel.insert(0, heading)
        if len(title) <= _LONGEST_TITLE and not _has(tab, "p", *HEADINGS):
            _drop(root, [tab])


def _drop_advertisements(root: Any, own: set[Any], lengths: dict[Any, int]) -> None:
    """Remove the boxes that are labelled as advertisements, or the label alone."""
    for element in list(root.iter("p", "span", "div", "small", "strong", "em", *HEADINGS)):
        if len(element) or not _is_ad_label(element.text or ""):
            continue
        label = element
        while (box := label.getparent()) is not None and lengths.get(box, 0) == lengths[element]:
            label = box
        if box is None:
            continue
        is_small = lengths.get(box, 0) <= _LONGEST_AD and not _is_mostly(box, lengths, root)
        is_part = box in own or box.tag in ("article", "section") or not is_small
        _drop(root, [label if is_part else box])


def _is_ad_label(text: str) -> bool:
    parts = text.lower().strip(" \t\r\n:–—-|·").split()
    return 0 < len(parts) <= 2 and parts[0] in _AD_LABELS


def _drop_lists_of_links(root: Any, own: set[Any], lengths: dict[Any, int]) -> None:
    """Remove menus: lists and boxes that hold nothing but links."""
    for element in list(root.iter("ul", "ol", "menu", "div", "p", "section", "span", "table")):
        if lengths.get(element, 1) or element in own or element.getparent() is None:
            continue
        links = [link for link in element.iter("a") if link.get("href") and text_of(link)]
        if element.tag in ("ul", "ol", "menu"):
            is_menu = len(links) >= _FEWEST_ENTRIES and not _are_terms(element, links)
        else:
            is_menu = len(links) >= _FEWEST_LINKS and not any(
                _are_terms(items, links) for items in element.iter("ul", "ol")
            )
        if is_menu:
            _drop(root, [element])


def _are_terms(items: Any, links: list[Any]) -> bool:
    """Return whether a list of links enumerates terms of the text: the words before it say so."""
    before = items.getprevious()
    while before is None and items.getparent() is not None:
        items = items.getparent()
        before = items.getprevious()
    lead = text_of(before) if before is not None and len(before) < _MOST_ABOVE else ""
    is_short = sum(len(text_of(link).split()) for link in links) < _WORDS_OF_A_TITLE * len(links)
    leads_away = not all(link.get("href", "").startswith("#") for link in links)
    return is_short and leads_away and lead.endswith((":", "："))
