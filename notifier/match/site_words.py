"""Site words: the sentences that a site or a company puts below every text.

Owns how such sentences are known: by their phrases, by words to the reader, and by the heading of a
company's description. Two texts that share only these are not the same report. Pure functions;
linear in the text, with literal searches only, because every text that matches is read.
"""

import re
from collections.abc import Iterator

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
_TO_READER_IN_CAPITALS = (" Ihr ", " Ihre ", " Ihren ", " Ihrem ", " Ihrer ", " Ihnen ", " Sie ")
# Headings of what ends a press release; the first words of the line, in small letters.
_HEADINGS = (
    "about ", "über ", "à propos d", "a propos d", "acerca de ", "sobre ", "informazioni su ",
    "forward-looking statement", "forward looking statement", "cautionary ", "disclaimer",
    "haftungsausschluss", "rechtlicher hinweis", "avertissement", "aviso legal",
    "descargo de responsabilidad",
)  # fmt: skip
_OPENINGS = tuple(heading for heading in _HEADINGS if heading[-1] in " d")
# Behind "About": a name, and the end of the line or the first word of the next sentence.
_NAME = re.compile(
    r"(?:[e’'] ?)?(?:the |la |el |l[’'])?[A-Z][\w.&-]{0,30}(?: [A-Z(][\w.&)-]{0,30}){0,4}"
    r"(?=\n|:| [A-Z])"
)
_SENTENCE = re.compile(r"[.!?…][\"'”»)\]]{0,3}\s+|\n+|[。！？]")
# In characters: a text that begins with such a heading is about that.
_SHORTEST_REPORT = 200


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
    lower = text.lower()
    if len(lower) != len(text):  # a letter that is longer in small
        lower = text
    text = text[: _description(text, lower)]
    lower = lower[: len(text)].replace("\n", " ")
    foreign = sorted(
        [
            *_places(lower, _PHRASES),
            *_places(lower, _TO_READER),
            *_places(text, _TO_READER_IN_CAPITALS),
        ]
    )
    if lower.startswith(("your ", "you ", "vous ", "votre ", "vos ")):
        foreign.insert(0, 0)
    kept, left = [], iter(foreign)
    place = next(left, len(text))
    for begin, end in sentences(text):
        found = begin <= place < end
        while place < end:
            place = next(left, len(text))
        if not found:
            kept.append(text[begin:end].strip())
    return " ".join(kept)


def _places(text: str, phrases: tuple[str, ...]) -> Iterator[int]:
    """Yield where the phrases occur; of one with spaces around it, where its word begins."""
    for phrase in phrases:
        place = text.find(phrase)
        while place >= 0:
            yield place + (phrase[0] == " ")
            place = text.find(phrase, place + len(phrase))


def _description(text: str, lower: str) -> int:
    """Return where the description of a company, or another such part, begins."""
    first = len(text)
    for heading in _HEADINGS:
        place = lower.find(heading, _SHORTEST_REPORT, first)
        while place >= 0 and not _is_heading(text, place, heading):
            place = lower.find(heading, place + len(heading), first)
        if place >= 0:
            first = place
    return first


def _is_heading(text: str, place: int, heading: str) -> bool:
    before = text[max(place - 3, 0) : place].rstrip(" ")[-1:]
    if before not in '.!?”"»)\n:' or text[place].islower():
        return False
    if heading in _OPENINGS and heading != "cautionary ":
        return bool(_NAME.match(text, place + len(heading)))
    return True
