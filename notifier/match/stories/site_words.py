"""Site words: the sentences that a site or a company puts below every text.

Owns how such sentences are known: by their phrases, by words to the reader, and by the heading of a
company's description. Two texts that share only these are not the same report. Pure functions;
linear in the text, with literal searches only, because every text that matches is read.
"""

import re
from collections.abc import Iterator

from ahocorasick_rs import AhoCorasick

# In small letters; English, German, French and Spanish. Collected by hand; not measured.
_PHRASES = (
    "medical advice", "for information only", "informational purposes", "information purposes",
    "substitute for professional", "substitute for medical", "takes the place of",
    "take the place of", "site is for", "article is for", "site is intended", "site is meant",
    "forward-looking", "forward looking", "risks and uncertainties", "no obligation",
    "safe harbor", "safe harbour", "newsletter", "subscribe", "subscription", "sign up",
    "cookies", "privacy policy", "terms of use", "rights reserved", "copyright", "©",
    "follow us", "share this", "click here", "read more", "press contact", "media contact",
    "media relations", "investor relations", "listed on the", "healthcare company",
    "health care company", "biopharmaceutical company", "pharmaceutical company that",
    "biotechnology company", "biotech company focused", "first appeared on", "appeared first on",
    "medizinische beratung", "ärztlichen rat", "ärztlicher rat", "ersetzt keine", "ersetzt nicht",
    "dient nur der", "dient ausschließlich", "dient allein", "dient lediglich",
    "zukunftsgerichtet", "haftung", "datenschutz", "alle rechte vorbehalten", "impressum",
    "pressekontakt", "abonnieren", "gesundheitsunternehmen", "avis médical", "conseil médical",
    "à titre informatif", "à titre d’information", "à titre d'information", "ne remplace",
    "ne se substitue", "déclarations prospectives", "déclaration prospective",
    "droits réservés", "abonnez", "inscrivez", "contact presse", "entreprise mondiale",
    "consejo médico", "asesoramiento médico", "fines informativos", "no sustituye", "no reemplaza",
    "declaraciones prospectivas", "declaraciones a futuro", "derechos reservados", "suscríb",
    "suscrib", "boletín", "contacto de prensa", "empresa mundial", "免責", "医学的助言",
)  # fmt: skip
# "Ask your doctor": a report speaks of people, not to them.
_TO_READER = (" you ", " your ", " yours ", " yourself ", " vous ", " votre ", " vos ", " usted ")
# The same in German, where only the capital tells it from other words.
_IN_CAPITALS = (" ihr ", " ihre ", " ihren ", " ihrem ", " ihrer ", " ihnen ", " sie ")
# Headings of what ends a press release; the first words of the line, in small letters.
_HEADINGS = (
    "about ", "über ", "à propos d", "a propos d", "acerca de ", "sobre ", "informazioni su ",
    "forward-looking statement", "forward looking statement", "cautionary ", "disclaimer",
    "haftungsausschluss", "rechtlicher hinweis", "avertissement", "aviso legal",
    "descargo de responsabilidad",
)  # fmt: skip
_OPENINGS = _HEADINGS[:7]
_ALL = (*_PHRASES, *_TO_READER, *_IN_CAPITALS, *_HEADINGS)
_FIRST_CAPITAL, _FIRST_HEADING = len(_PHRASES) + len(_TO_READER), len(_ALL) - len(_HEADINGS)
_SEARCH = AhoCorasick(_ALL)
# Behind "About": a name, and the end of the line or the first word of the next sentence.
_NAME = re.compile(
    r"(?:[e’'] ?)?(?:the |la |el |l[’'])?[A-Z][\w.&-]{0,30}(?: [A-Z(][\w.&)-]{0,30}){0,4}"
    r"(?=\n|:| [A-Z])"
)
_SENTENCE = re.compile(r"[.!?…][\"'”»)\]]{0,3}\s+|\n+|[。！？]")
# In characters. A text that begins with such a heading is about that. Chosen by hand.
_SHORTEST_REPORT, _LONGEST_HEADING = 200, 80


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence of a text begins and ends, without the spaces behind it."""
    begin = 0
    for end in _SENTENCE.finditer(text):
        yield begin, end.end()
        begin = end.end()
    if begin < len(text):
        yield begin, len(text)


def without_site_words(text: str) -> str:
    """Return the sentences of a text that may be its report, in one line.

    What follows a heading such as "About Example Pharma" is left out, unless the text begins with
    it.
    """
    lower = text.lower().replace("\n", " ")
    if len(lower) != len(text):  # a letter that is longer in small
        lower = text
    foreign: list[int] = []
    for number, place, _ in _SEARCH.find_matches_as_indexes(f" {lower} ", overlapping=True):
        # The text is searched with a space before it: a phrase without one is one place earlier.
        begin = place - (_ALL[number][0] != " ")
        if number >= _FIRST_HEADING:
            if begin >= _SHORTEST_REPORT and _is_heading(text, begin, _ALL[number]):
                text = text[:begin]
                break
        elif number < _FIRST_CAPITAL or text[begin].isupper():
            foreign.append(begin)
    foreign.sort()
    if not foreign:
        return " ".join(text.split())
    kept, left = [], iter(foreign)
    place = next(left, len(text))
    for begin, end in sentences(text):
        is_foreign = begin <= place < end
        while place < end:
            place = next(left, len(text))
        if not is_foreign:
            kept.append(text[begin:end].strip())
    return " ".join(kept)


def _is_heading(text: str, place: int, heading: str) -> bool:
    """Return True for a heading on its own line, or behind a sentence and before a name."""
    before = text[max(place - 3, 0) : place].rstrip(" ")[-1:]
    if before == "\n":
        line_end = text.find("\n", place)
        return 0 < line_end - place <= _LONGEST_HEADING
    if before not in '.!?”"»):' or text[place].islower():
        return False
    return heading not in _OPENINGS or bool(_NAME.match(text, place + len(heading)))
