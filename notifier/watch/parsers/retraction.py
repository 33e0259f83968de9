"""Marks by which publishers and indexes say that an article was retracted or withdrawn.

Pure. Forms: the labels that ICMJE and COPE ask for at the head of a title, as publishers write them
in many languages, and PubMed's publication types. A word inside a headline or a category is no
mark: drugs and applications are withdrawn, too. An expression of concern is no retraction; the new
headline is a correction.
"""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from notifier.i18n.messages import LazyMessage
from notifier.text.cleaning import fold

_RETRACTED = LazyMessage("The publisher retracted it.")
_WITHDRAWN = LazyMessage("The publisher withdrew it.")

# English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish and Norwegian,
# Finnish, Polish, Czech, Hungarian, Romanian, Turkish, Greek, Russian, Ukrainian, Japanese,
# Chinese, Korean; collected by hand. All are compared in lower case.
_RETRACTED_WORDS = (
    "retracted", "retracted and republished", "retracted and replaced", "retraction",
    "retraction note", "retraction note to", "retraction of", "retraction statement",
    "statement of retraction", "notice of retraction", "notice of retraction and replacement",
    "retraction and replacement", "retraction to", "dicabut", "撤回済み",
    "retraction notice", "widerrufen", "widerruf", "retraktiert", "retraktion", "retrahiert",
    "rétracté", "rétractée", "rétractation",
    "retractado", "retractada", "retractación", "ritrattato", "ritrattata", "ritrattazione",
    "retratado", "retratada", "retratação", "herroepen", "återkallad", "återkallat",
    "ретрагировано", "ретрагирована", "ретракция", "撤回", "論文撤回", "撤稿", "已撤稿", "已撤回",
    "철회", "논문 철회", "게재 철회",
)  # fmt: skip
_WITHDRAWN_WORDS = (
    "withdrawn", "withdrawn as duplicate", "withdrawal notice", "notice of withdrawal", "removed",
    "zurückgezogen", "zurückgezogener", "zurückgezogene",
    "zurückgenommen", "retiré", "retirée", "retirado", "retirada", "ritirato", "ritirata",
    "ingetrokken", "teruggetrokken", "tillbakadragen", "tillbakadraget", "indragen",
    "trukket tilbage", "trukket tilbake", "tilbagetrukket", "tilbaketrukket",
    "vedetty pois", "peruutettu", "wycofany", "wycofana", "wycofane", "wycofano", "stažen",
    "staženo", "stažený", "visszavonva", "visszavont", "retras", "retrasă", "geri çekildi",
    "geri çekilmiş", "ανακλήθηκε", "αποσύρθηκε", "отозвано", "отозвана", "отозван", "отозванная",
    "відкликано", "відкликана", "取り下げ", "取下げ",
)  # fmt: skip
# These name an event as often as they mark an article: only in capitals or in brackets.
_AMBIGUOUS_WORDS = ("withdrawal", "removal", "temporary removal", "rückzug", "retrait", "retiro")
_NOUNS = (
    "article", "articles", "paper", "study", "publication", "preprint", "post", "report",
    "chapter", "abstract", "story",
    "artikel", "beitrag", "studie", "étude", "artículo", "articulo", "estudio", "articolo",
    "studio", "artigo", "estudo", "artykuł", "článek", "cikk", "makale", "άρθρο", "статья",
    "стаття", "論文", "文章", "논문",
)  # fmt: skip


def _any_of(words: Iterable[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first)


_WORD = (
    f"(?:(?P<retracted>{_any_of(_RETRACTED_WORDS)})|(?P<withdrawn>{_any_of(_WITHDRAWN_WORDS)})"
    f"|(?P<ambiguous>{_any_of(_AMBIGUOUS_WORDS)}))"
)
_NOUN = f"(?:{_any_of(_NOUNS)})"
_LABEL = rf"(?:{_NOUN}\s+)?{_WORD}(?:\s+{_NOUN})?"
# At the head: in brackets, or before a colon, a bar or a dash that stands between spaces. A hyphen
# inside a word ("Withdrawal-associated") is no end of a label.
_BRACKETED = re.compile(
    rf"\s*[\[(【〔［（<{{*]+\s*{_LABEL}\s*[:：]?\s*[\])】〕］）>}}*]+[\s:：–—-]*"
)
_HEADED = re.compile(rf"[^\w\s\[(]{{0,6}}\s*{_LABEL}\s*(?:[:：|｜]|\s[-–—](?=\s)|[–—](?=\s))\s*")
# As some journals write it: "Sleep in MS - RETRACTED"; only in capitals.
_BEHIND_A_DASH = re.compile(rf"\s[-–—]\s*{_LABEL}\W*$")
_ALONE = re.compile(rf"{_LABEL}\s*[.!]?")
_AT_THE_END = re.compile(rf"[\[(【〔]\s*{_LABEL}\s*[\])】〕]\W*$")
# A title that says nothing else.
_SENTENCE = re.compile(
    r"(?:(?:this|the)\s+(?:article|paper|post|study|publication|preprint)\s+(?:has\s+been|was)"
    r"\s+(?:retracted|withdrawn)"
    r"|diese[rs]?\s+(?:artikel|beitrag|studie)\s+wurde\s+(?:zurückgezogen|zurückgenommen)"
    r"|cet(?:te)?\s+(?:article|étude)\s+a\s+été\s+(?:rétractée?|retirée?)"
    r"|este\s+(?:artículo|estudio)\s+(?:ha\s+sido|fue)\s+(?:retractado|retirado))"
    r"(?:\s+(?:by|von|par|por)\b.*)?[\s.!]*"
)
# Beginnings of words by which a headline tells of a withdrawal, of a drug for example. If it did
# before, the mark counts only on exactly the same headline.
_SPEAKS_OF_ONE = re.compile(
    r"\b(?:withdr|retract|remov|zurückge|zurückzieh|widerr|rückzug|retir|rétract|ritir)"
)
# Characters of a title that are looked at, and how alike the title before the mark and the rest of
# the marked one must be. Chosen by hand; not measured.
_MOST_READ, _ALIKE = 300, 0.6

# Publication types of PubMed and of publishers' feeds, in lower case. Single words are left out:
# regulators have categories such as "Withdrawn" for applications.
_TYPES = {
    "retracted publication": LazyMessage("The index marks it as retracted."),
    "retracted article": _RETRACTED,
    "retracted paper": _RETRACTED,
    "withdrawn publication": _WITHDRAWN,
    "withdrawn article": _WITHDRAWN,
    "withdrawn paper": _WITHDRAWN,
}


def retraction_reason(title: str, categories: Iterable[str] = ()) -> str:
    """Return the reason why an article is withdrawn, a sentence; empty if it is not marked.

    Args:
        title: its headline.
        categories: the publisher's categories and the index's publication types.
    """
    mark = _mark_of(title)
    if mark is not None:
        return _RETRACTED if mark.groupdict().get("retracted") else _WITHDRAWN
    types = (_TYPES.get(fold(category).replace("-", " ")) for category in categories)
    return next((reason for reason in types if reason), "")


def is_newly_marked(
    title: str, categories: Iterable[str], earlier_title: str, earlier_categories: Iterable[str]
) -> bool:
    """Return whether an article is marked now and was not before.

    A mark in the headline counts if the rest of the headline is the earlier one, or if there is no
    rest: another headline that begins with such a word speaks about something that was withdrawn.

    Args:
        title: the headline of today.
        categories: the categories of today.
        earlier_title: the headline of the last known state.
        earlier_categories: its categories.
    """
    if not retraction_reason(title, categories):
        return False
    if retraction_reason(earlier_title, earlier_categories):
        return False
    mark = _mark_of(title)
    if mark is None:
        return True
    shown = _folded(title)
    rest = (shown[: mark.start()] + shown[mark.end() :]).strip()
    earlier = _folded(earlier_title)
    if _SPEAKS_OF_ONE.search(earlier):
        return rest == earlier
    return not rest or _is_alike(rest, earlier)


def _mark_of(title: str) -> re.Match[str] | None:
    """Return the mark at the head or, in brackets, at the end of a headline."""
    shown = _folded(title)
    mark = (
        _SENTENCE.fullmatch(shown)
        or _BRACKETED.match(shown)
        or _ALONE.fullmatch(shown)
        or _AT_THE_END.search(shown)
    )
    if mark is not None:
        return mark
    headed = _HEADED.match(shown)
    if headed is not None and not headed["ambiguous"]:
        return headed
    in_capitals = headed or _BEHIND_A_DASH.search(shown)
    written = _normal(title)[in_capitals.start() : in_capitals.end()] if in_capitals else ""
    return in_capitals if written.isupper() else None


def _folded(title: str) -> str:
    return _normal(title).lower()


def _normal(title: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", title[:_MOST_READ]).split())


def _is_alike(rest: str, earlier: str) -> bool:
    return rest == earlier or SequenceMatcher(None, rest, earlier, False).ratio() >= _ALIKE
