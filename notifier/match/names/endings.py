"""Endings: what may be joined to a name without making another word of it.

Owns the endings of cases and the beginnings of compounds, in the languages that write them in one
word with a foreign name. It knows no names. The lists were collected by hand; not measured.
"""

import re
import unicodedata

# In letters. A shorter name is the beginning of too many other words. Chosen by hand; not measured.
SHORTEST_STEM = 6
# In characters. Longer words are not looked at. Chosen by hand; not measured.
_LONGEST_REST = 40
# In digits: a reference mark that markup has joined to the word ("12"), or the year of a hashtag.
_MOST_DIGITS = 4

# By the languages that join them, without accents; an ending of two languages is listed once.
_ENDINGS_OF = {
    "German, English, Dutch, Nordic languages": "s e es en et ets ens ene er ar inu ins",
    "Latin": "um i o is am a ae orum",
    "Romance languages": "ul ului uri urile lui",
    "Slavic languages": (
        "u em om owi ovi ie y ow ami ach ech ich im ima ih mi ou ov ova ovo ove ju jem jom"
    ),
    "Baltic languages": "as us ams ais ai ui uose iem os",
    "Finnish": (
        "in ia iin issa ista illa ilta ille iksi ina itta it ien eja eilla eille ineen ikin inkin"
    ),
    "Estonian": "iga ile ilt ist isse ita ini iks id ide",
    "Hungarian": (
        "ot t ok ek nak nek ban ben bol ba be ra re rol hoz hez tol on ig bal bel ert kent ja val "
        "vel"
    ),
    "Turkish and its relatives": (
        "un ya ye da de ta te dan den tan ten la le yla li lar ler nin ni na ga ning"
    ),
    "Albanian, Basque": "ut ak aren arekin ekin ari ean",
    "Indonesian": "nya",
    "Cyrillic": "а у ом ем е ы и о я ов ам ами ах ові ът та те ите",
    "Greek (folded: the last s is σ)": "η ησ ου ο α",
    "trade and service marks in letters": "tm sm",
}
# Beginnings of the words with which a name makes a compound, by language, without accents.
_COMPOUNDS_OF = {
    "German": (
        "studie studium therap behandl gruppe arm daten dosis dosier gabe infusion injektion "
        "spritze patient praparat praeparat wirk antikorper antikoerper zulassung einnahme kohorte "
        "prufung pruefung versuch forschung programm nebenwirkung ergebnis basiert spiegel "
        "konzentration phase anwendung verabreichung medikament vergleich entwicklung hersteller "
        "monotherap kombination langzeit dauertherap erhaltung induziert assoziiert behandelt "
        "vorbehandelt naiv absetz abbruch umstell start stopp verum biosimilar anwender"
    ),
    "Dutch": "onderzoek behandel groep gebruik infuus dosering",
    "Nordic languages": "studi grupp infusjon forsok forsog provning",
    "Finnish, Estonian": "tutkimu hoito hoido ryhma annos annok laake laakke ravi uuring",
    "Hungarian": "kezel vizsgalat csoport",
    "English, where a hyphen or space was lost": "trial study treat group placebo dose ms",
}

_ENDINGS = frozenset(" ".join(_ENDINGS_OF.values()).split())
_LONGEST_ENDING = max(map(len, _ENDINGS))
# German joins some compounds with an s.
_COMPOUND = re.compile(rf"s?(?:{'|'.join(' '.join(_COMPOUNDS_OF.values()).split())})")


def without_accents(word: str) -> str:
    """Return the word with plain Latin letters: é becomes e, ı becomes i."""
    if word.isascii():
        return word
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char)
    )
    return plain.replace("ı", "i").replace("ø", "o").replace("ł", "l").replace("ß", "ss")


def may_follow(rest: str) -> bool:
    """Return True if a word that begins with a name is a form or a compound of it.

    Args:
        rest: what is joined to the name, folded: ``"in"``, ``"studie"``, ``"12"``.
    """
    if len(rest) > _LONGEST_REST:
        return False
    if rest.isdecimal():
        return len(rest) <= _MOST_DIGITS
    plain = without_accents(rest)
    return plain in _ENDINGS or bool(_COMPOUND.match(plain))


def stems(word: str) -> list[str]:
    """Return the word without each ending that it may have, the longest ending first."""
    lengths = range(min(_LONGEST_ENDING, len(word) - SHORTEST_STEM), 0, -1)
    return [word[:-length] for length in lengths if word[-length:] in _ENDINGS]
