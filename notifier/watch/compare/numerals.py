"""Numbers and dates in one form, however a text writes them.

Pure. Owns the ways of writing a number (``1,400``, ``1 400``, ``fourteen hundred``) and a date
(``Oct. 3, 2025``, ``3 October 2025``, ``2025-10-03``) in English, German, French, Spanish, Italian,
Dutch and Portuguese. It knows nothing of what a number means to a reader. The lists were chosen by
hand; not measured.
"""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from unicodedata import combining, normalize

# Digits of a number that is computed with; longer ones are compared as they are written.
_MOST_DIGITS = 24

_MONTH_NAMES = (
    "january jan januar jänner janvier enero ene gennaio januari janeiro",
    "february feb februar février févr fév febrero febbraio februari fevereiro fev",
    "march mar märz mär mars marzo maart mrt março",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio julho",
    "august aug août agosto augustus",
    "september sept sep septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
)
_MONTH_OF = {
    name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()
}
# Months that are no other word of one of the languages, so that one alone is a month as well.
_CLEAR_MONTHS = frozenset(_MONTH_OF) - frozenset(
    ("may", "mai", "mar", "mars", "marzo", "march", "sept", "nov", "dic", "mei", "jan")
)
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag "
    "freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes "
    "miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato "
    "domenica maandag dinsdag woensdag donderdag vrijdag zaterdag zondag mon tue tues wed thu "
    "thurs fri sat sun"
)
# In small letters, these two are English verbs.
_CAPITAL_MONTHS = ("may", "march")
_OTHER_MONTHS = sorted(set(_MONTH_OF) - set(_CAPITAL_MONTHS), key=len, reverse=True)
MONTH = rf"(?:(?-i:May|March|MAY|MARCH)|{'|'.join(_OTHER_MONTHS)})(?![^\W\d_])\.?"
_WEEKDAY = rf"(?:(?:{_WEEKDAYS.replace(' ', '|')})\.?,? (?:(?:den|dem|the|le|el|il) )?)?"
_YEAR = r"(?:19|20)\d\d(?!\d)"

# The alternatives of a date, each with the names of its parts and a letter for the alternative.
DATE = (
    rf"(?P<date>(?<!\w){_WEEKDAY}(?:"
    rf"(?P<da>\d{{1,2}})(?:st|nd|rd|th|er|ro|\.?[oº°]|\.)?(?: (?:of|de|di))?[ -]?(?P<ma>{MONTH})"
    rf"(?:,?(?: (?:de|del))?[ -]?(?P<ya>{_YEAR}))?"
    rf"|(?P<mb>{MONTH}) ?(?P<db>\d{{1,2}})(?:st|nd|rd|th)?(?![\d%])(?:,? ?(?P<yb>{_YEAR}))?"
    rf"|(?P<mc>{MONTH}),?(?: (?:de|del|of))? ?(?P<yc>{_YEAR})"
    r"|(?P<yd>(?:19|20)\d\d)(?:[-/.]|[年년] ?)(?P<md>\d{1,2})(?:[-/.]|[月월] ?)(?P<dd>\d{1,2})"
    r"(?!\d)[日일]?"
    rf"|(?P<de>\d{{1,2}})\. ?(?P<me>\d{{1,2}})\. ?(?P<ye>{_YEAR}|\d\d(?!\d|\.\d))"
    rf"|(?P<df>\d{{1,2}})[/-](?P<mf>\d{{1,2}})[/-](?P<yf>{_YEAR}|\d\d(?![\d/-]))"
    r"|(?P<yg>(?:19|20)\d\d)-(?P<mg>0[1-9]|1[0-2])(?![\d-])"
    r"))"
)
# A number with its sign; separators are read by `plain_number`.
NUMBER = (
    r"(?P<number>(?:(?<![\w.,)%])[-−–+])?"
    r"(?:\d{1,3}(?:[ ,.'’]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,·]\d+)*"
    # Without the zero before it, as American journals write a probability: P = .03.
    r"|(?<![\w.,·])[.·]\d{1,6}(?![\d·]|[.,]\d)))"
)
_GROUPED = re.compile(r"(\d{1,3})((?:[ ,.'’]\d{3})+)((?:[.,]\d+)?)")
_DATE_KEY = re.compile(r"(?:\d{4}|-)-\d\d(?:[-/]\d\d)?")
_ONLY_POINT, _ONLY_COMMA = re.compile(r"\d[.·]\d{1,2}(?!\d)"), re.compile(r"\d,\d{1,2}(?!\d)")
_ENGLISH = re.compile(r"(?i)\b(?:the|of|and|was|were|with)\b")

_ONES = (
    ("zero cero", 0),
    ("one eins uno", 1),
    ("two zwei deux dos twee dois duas", 2),
    ("three drei trois tres tre drie três", 3),
    ("four vier quatre cuatro quattro quatro", 4),
    ("five fünf cinq cinco cinque vijf", 5),
    ("six sechs seis sei zes", 6),
    ("seven sieben sept siete sette zeven sete", 7),
    ("eight acht huit ocho otto oito", 8),
    ("nine neun neuf nueve nove negen", 9),
    ("ten zehn dix diez dieci tien dez", 10),
    ("eleven elf onze undici", 11),
    ("twelve zwölf douze doce dodici twaalf doze dozen", 12),
    ("thirteen dreizehn treize trece tredici dertien treze", 13),
    ("fourteen vierzehn quatorze catorce quattordici veertien catorze", 14),
    ("fifteen fünfzehn quinze quince quindici vijftien", 15),
    ("sixteen sechzehn dieciséis sedici zestien", 16),
    ("seventeen siebzehn diecisiete diciassette zeventien", 17),
    ("eighteen achtzehn dieciocho diciotto achttien", 18),
    ("nineteen neunzehn diecinueve diciannove negentien", 19),
    ("twenty zwanzig vingt veinte venti twintig vinte", 20),
    ("thirty dreißig dreissig trente treinta trenta dertig trinta", 30),
    ("forty vierzig quarante cuarenta quaranta veertig quarenta", 40),
    ("fifty fünfzig cinquante cincuenta cinquanta vijftig cinquenta", 50),
    ("sixty sechzig soixante sesenta sessanta zestig sessenta", 60),
    ("seventy siebzig setenta settanta zeventig", 70),
    ("eighty achtzig ochenta ottanta tachtig oitenta", 80),
    ("ninety neunzig noventa novanta negentig", 90),
)
_GERMAN_ONES = "ein zwei drei vier fünf sechs sieben acht neun"
_GERMAN_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
_SPANISH_ONES = "uno dos tres cuatro cinco seis siete ocho nueve"
_VALUES = {word.casefold(): value for words, value in _ONES for word in words.split()} | {
    f"{ones}und{tens}".casefold(): (place + 2) * 10 + number
    for place, tens in enumerate(_GERMAN_TENS.split())
    for number, ones in enumerate(_GERMAN_ONES.split(), start=1)
}
_VALUES |= {f"veinti{ones}": 20 + n for n, ones in enumerate(_SPANISH_ONES.split(), start=1)}
# Words are compared without accents, so they are known in both spellings.
_VALUES |= {
    "".join(char for char in normalize("NFD", word) if not combining(char)): value
    for word, value in _VALUES.items()
}
_SCALES = {
    word: scale
    for words, scale in (
        ("hundred hundert cent cento ciento cien cem honderd", 100),
        ("thousand tausend mille mil duizend", 1_000),
        ("million millions millionen millones milioni miljoen milhões mio mln", 10**6),
        ("billion billions bn milliarde milliarden milliard milliards miljard mrd", 10**9),
    )
    for word in words.split()
}
_ORDINALS = {
    word: f"{number}th"
    for number, words in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
         "tenth"),
        start=1,
    )
    for word in words.split()
}  # fmt: skip


def decimal_sign(text: str) -> str:
    """Return the sign before the decimals in a text: a point, a comma, or nothing if both may be.

    Numbers with one or two decimals show it; else a text in English has a point.
    """
    point, comma = bool(_ONLY_POINT.search(text)), bool(_ONLY_COMMA.search(text))
    if point != comma:
        return "." if point else ","
    return "." if _ENGLISH.search(text) else ""


def plain_number(written: str, sign: str) -> str:
    """Return ``1400``, ``5.3`` or ``-0.5`` for a number as a text writes it.

    Args:
        written: what `NUMBER` finds.
        sign: the sign before decimals in this text, see `decimal_sign`. It decides what ``1.400``
            is; without it that is 1400.
    """
    minus = "-" if written[0] in "-−–" else ""
    digits = written.lstrip("-−–+").replace("·", ".")
    grouped = _GROUPED.fullmatch(digits)
    if grouped and not digits.startswith("0") and not _has_decimals(grouped, sign):
        whole = re.sub(r"\D", "", grouped[1] + grouped[2])
        return minus + _stripped(f"{whole}.{grouped[3][1:]}" if grouped[3] else whole)
    parts = re.split(r"[.,]", digits)
    if len(parts) != 2:
        return minus + ".".join(parts)  # a version or a chapter: 2.0.1
    return minus + _stripped(".".join(parts))


def _has_decimals(grouped: re.Match[str], sign: str) -> bool:
    """Return whether the only group of three digits after a sign is decimals: ``1.234``."""
    return bool(sign) and not grouped[3] and len(grouped[2]) == 4 and grouped[2][0] == sign == "."


def _stripped(number: str) -> str:
    whole, _, decimals = number.partition(".")
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole


def date_of(match: re.Match[str]) -> str:
    """Return ``2025-10-03``, ``--10-03`` without a year, ``2025-10`` without a day.

    A date like ``03/10/2025`` may be of March or of October: it is ``2025-10/03``, the larger of
    the two numbers first. Empty if the numbers are no date.

    Args:
        match: of a pattern that holds `DATE`.
    """
    part = {name[0]: text for name, text in match.groupdict().items() if text and len(name) == 2}
    year = part.get("y", "")
    year = f"20{year}" if len(year) == 2 else year
    month, day = _month_number(part["m"]), int(part.get("d", 0))
    is_open = match["df"] is not None
    if is_open and month > 12 >= day:
        month, day, is_open = day, month, False
    if not 1 <= month <= 12 or day > 31:
        return ""
    if is_open and day <= 12 and day != month:
        return f"{year}-{max(month, day):02}/{min(month, day):02}"
    return f"{year or '-'}-{month:02}" + (f"-{day:02}" if day else "")


def _month_number(text: str) -> int:
    return int(text) if text.isdecimal() else _MONTH_OF[text.rstrip(".").casefold()]


def same_date(date: str, other: str) -> bool:
    """Return whether two results of `date_of` may be one day, the year of one being left out."""
    if date == other:
        return True
    (year, days), (other_year, other_days) = _days_of(date), _days_of(other)
    return bool(days & other_days) and (year == other_year or "-" in (year, other_year))


def is_date(word: str) -> bool:
    """Return whether a word is a result of `date_of`."""
    return bool(_DATE_KEY.fullmatch(word))


def _days_of(date: str) -> tuple[str, set[str]]:
    """Return the year of a date, and the days that it may be: ``{"03-10", "10-03"}``."""
    year, day = date[:1] if date[0] == "-" else date[:4], date[2:] if date[0] == "-" else date[5:]
    larger, slash, smaller = day.partition("/")
    return year, {f"{larger}-{smaller}", f"{smaller}-{larger}"} if slash else {day}


def month_alone(word: str) -> str:
    """Return ``--10`` for the name of a month in lower case; empty for every other word."""
    return f"--{_MONTH_OF[word]:02}" if word in _CLEAR_MONTHS else ""


def ordinal(word: str) -> str:
    """Return ``3th`` for ``third``; empty for every other word in lower case."""
    return _ORDINALS.get(word, "")


def is_number(word: str) -> bool:
    """Return whether a word in lower case is a number, in digits or as a word, or a scale."""
    return word in _VALUES or word in _SCALES or bool(re.fullmatch(r"-?\d+(?:\.\d+)?", word))


def value(words: Iterable[str]) -> str:
    """Return the number that some words make together, ``1400000`` for ``1.4`` and ``million``.

    Args:
        words: each one for which `is_number` is true.
    """
    total = Decimal(0)
    part: Decimal | None = None
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            part = (Decimal(1) if part is None else part) * scale
            if scale > 100:
                total, part = total + part, None
            continue
        number = Decimal(_VALUES[word]) if word in _VALUES else _decimal(word)
        if number is None:
            return word
        part = number if part is None else part + number
    return _stripped(f"{total + (part or 0):f}") if total + (part or 0) >= 0 else f"{part}"


def continues(words: list[str], word: str) -> bool:
    """Return whether a number goes on with a word: ``twenty`` with ``one``, ``1.4`` with ``mio``.

    Args:
        words: the words of the number so far.
        word: the next word.
    """
    last = words[-1]
    if len(words) > 8 or last.startswith("-"):
        return False
    if word in _SCALES:
        return last not in _SCALES or _SCALES[word] > _SCALES[last]
    if word not in _VALUES:
        return False
    if last in _SCALES:
        return _VALUES[word] < _SCALES[last]
    return last in _VALUES and 20 <= _VALUES[last] <= 90 and 0 < _VALUES[word] < 10


def _decimal(word: str) -> Decimal | None:
    if len(word) > _MOST_DIGITS:
        return None
    try:
        return Decimal(word)
    except InvalidOperation:
        return None
