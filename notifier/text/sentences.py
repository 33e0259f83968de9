"""Sentences: where one ends, in the languages of the sources.

Owns which full stops end a sentence, and which belong to an abbreviation, an initial, a number or
an ordinal. It knows no matching. The lists were collected by hand; not measured. One pass over the
text, which looks at a few words around each stop.
"""

import re

# Full stops with what closes a quotation behind them; those of Chinese, Japanese, Arabic, Hindi and
# others need no space behind them.
_STOPS = re.compile(
    r"(?P<wide>[。！？｡؟۔।॥։።]+[”’»」』）)]*)|(?<![.!?…])[.!?…]++[\"'”’»“)\]]*+(?=\s|$)"
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘„«/]*$")
_WORD_AFTER = re.compile(r"\s{1,10}[\"'“‘„«(\[]*([^\s\"'”’»)\],;:!?]{1,30})")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}|ph\.d", re.IGNORECASE)
# In characters, before a stop: longer than any abbreviation.
_LOOK_BACK = 30

# Abbreviations before a name or a word, after which a sentence never ends.
_TITLES = frozenset(
    ("mr", "mrs", "dr", "drs", "prof", "st", "sra", "srta", "dra", "dott", "sig", "mme",
     "mlle", "dhr", "mevr", "doç", "yrd", "med", "rer", "phil", "habil", "dipl", "ing",
     "gov", "sen", "rep", "gen", "capt", "lt", "hon", "rev", "messrs", "mt", "ft", "bzw",
     "ca", "z.b", "d.h", "u.a", "sog", "vgl", "bspw", "ggf", "evtl", "inkl", "zzgl", "mind",
     "p.ex", "ej", "aprox", "ad", "bijv", "resp", "np", "tzn", "tzv", "např", "örn", "pl",
     "bl.a", "t.ex", "approx", "cf", "e.g", "i.e", "viz", "incl", "excl")
)  # fmt: skip
# Abbreviations before a number; before anything else the sentence ends.
_BEFORE_NUMBERS = frozenset(
    ("no", "nos", "nr", "nrs", "núm", "num", "vol", "vols", "pp", "fig", "figs",
     "tab", "art", "sec", "ch", "chap", "eq", "ref", "refs", "abs", "kap", "jan", "feb",
     "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "okt", "nov", "dec", "dez",
     "déc", "janv", "févr", "avr", "juil")
)  # fmt: skip
# Abbreviations after which a sentence may end: it does before a word that begins sentences.
_AMBIGUOUS = frozenset(
    ("inc", "ltd", "co", "corp", "llc", "bros", "plc", "vs", "al", "etc", "jr", "sr", "dept",
     "univ", "assn", "est", "max", "min", "avg", "mio", "mrd", "usw", "ecc", "stb", "atd",
     "vb", "ee", "uu", "ex", "ed", "eds", "et", "gmbh")
)  # fmt: skip
# Words that begin sentences, and seldom names.
_OPENERS = frozenset(
    ("the", "a", "an", "it", "its", "in", "this", "that", "these", "those", "there", "we",
     "he", "she", "they", "i", "you", "his", "her", "their", "our", "but", "and", "or", "so",
     "if", "as", "at", "on", "for", "from", "to", "of", "by", "with", "when", "while",
     "after", "before", "since", "now", "however", "also", "both", "all", "some", "most",
     "many", "more", "no", "not", "what", "who", "how", "why", "where", "new", "last",
     "next", "der", "die", "das", "ein", "eine", "er", "sie", "es", "wir", "im", "am", "auf",
     "bei", "mit", "nach", "seit", "vor", "für", "von", "zu", "und", "aber", "auch", "dies",
     "diese", "dieser", "le", "la", "les", "l’", "un", "une", "il", "elle", "ils", "elles",
     "nous", "en", "dans", "ce", "cette", "ces", "et", "mais", "el", "los", "las", "una",
     "este", "esta", "se", "lo", "gli", "nel", "nella", "di", "da", "e", "ma", "o", "os",
     "um", "uma")
)  # fmt: skip
# What follows the number of a day or of an order: "3. März", "1. Quartal".
_AFTER_ORDINALS = frozenset(
    ("januar", "jänner", "februar", "märz", "april", "mai", "juni", "juli", "august",
     "september", "oktober", "november", "dezember", "quartal", "halbjahr", "jahrhundert",
     "jahrestag", "kongress", "jahrestagung", "phase", "platz")
)  # fmt: skip


def first_sentence_end(text: str, begin: int = 0) -> int:
    """Return the index behind the first sentence of a text, or its length if none ends.

    Args:
        text: plain text.
        begin: the index at which the sentence begins.
    """
    for stops in _STOPS.finditer(text, begin):
        if stops["wide"] or not _belongs_to_word(text, stops):
            return stops.end()
    return len(text)


def _belongs_to_word(text: str, stops: re.Match[str]) -> bool:
    """Return True if a full stop is part of the word before it, and ends no sentence."""
    if stops[0] != ".":
        return False
    following = _WORD_AFTER.match(text, stops.end())
    if following is None:
        return False
    after = following[1]
    look_back = text[max(0, stops.start() - _LOOK_BACK) : stops.start()]
    word_before = _WORD_BEFORE.search(look_back)
    before = word_before[0].casefold() if word_before else ""
    opens = after.rstrip(".’'").casefold() in _OPENERS and after[:1].isupper()
    if before.isdecimal():
        is_ordinal = len(before) <= 2 and after.rstrip(".").casefold() in _AFTER_ORDINALS
        return is_ordinal or after[:1].islower()
    if before in _BEFORE_NUMBERS:
        return after[:1].isdecimal()
    if before in _TITLES:
        return True
    is_initial = len(before) == 1 and before.isalpha()
    return (is_initial or before in _AMBIGUOUS or bool(_DOTTED.fullmatch(before))) and not opens
