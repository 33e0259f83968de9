"""The words of a text as they are compared: what it says, apart from how it is written.

Pure. Case, accents, hyphens, spaces, quotes, links, reference marks, numerals and dates are made
alike here. Which words matter to a reader is decided by `facts.py`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from notifier.text.cleaning import fold
from notifier.watch.compare import abbreviations, numerals

# Digits above the line after a unit or a digit are a power; other ones are a reference mark.
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DIGITS = str.maketrans(_SUPERSCRIPT, "0123456789")
_POWER = re.compile(rf"(?<=\d)⁻?[{_SUPERSCRIPT}]+|(?<=\b[mckMCK]m)[²³]|(?<=\bm)[²³]")
_MARKS = re.compile(
    rf"(?<=[^\W\d_][^\W\d_][^\W\d_][.,;:!?)”\"'’])\d{{1,3}}(?:[,–-]\d{{1,3}}){{0,9}}(?=\s|$)"
    rf"|[{_SUPERSCRIPT}]+(?:[,⁻–-][{_SUPERSCRIPT}]+){{0,9}}"
    r"|\[\d{1,3}(?:\s?[,;–-]\s?\d{1,3}){0,9}\]|[*†‡§]+(?=\s|$)"
)
_MAY_HAVE_MARKS = re.compile(rf"[{_SUPERSCRIPT}\[*†‡§]|[.,;:!?)”\"'’]\d")
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)[^\s<>\"]{1,2000}")
# NFKC would make letters of the signs of trade and service marks.
_TRADE_MARK = re.compile(r"[™℠®©]|(?<=\w) ?\((?:TM|SM|R)\)")
_NOT = re.compile(r"(?i)n['’]t\b")
_CANNOT = re.compile(r"(?i)\bcan(?:['’]t|not)\b")
# Sums in short: $1.5m.
_SUM = re.compile(r"(?i)(?<=[$€£¥])( ?\d[\d.,]{0,20}) ?(k|m|mn|b|bn)\b")
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_DOLLAR = re.compile(r"\bUS ?(?=\$)")
# German forms for men and women: Patient:innen, Patientinnen und Patienten.
_GENDERED = re.compile(r"(?<=[a-zäöüß])(?:[:*_•·]|/-?)(?=innen\b)|(?<=[a-zäöüß])(?=Innen\b)")
_BOTH = re.compile(
    r"\b([^\W\d_]{3,30})innen (?:und|oder|bzw\.) (?=\1)"
    r"|\b(([^\W\d_]{3,30}?)(?:e|en|n|er|ern)?) (?:und|oder|bzw\.) \3innen\b"
)
# Half of a number, and how often something is done.
_HALVES = {"½": ".5", "¼": ".25", "¾": ".75", "1/2": ".5"}
_HALF = re.compile(r"(?<=\d)(?:([½¼¾])| (1/2)(?![\d/]))")
_OFTEN = re.compile(
    r"(?i)\b(?P<once>once[ -])?(?:(?:(?P<a>an? )|(?:per|each|every) |(?<=[a-z%]/))"
    r"(?P<unit>hour|day|week|month|year)|(?<!bi-)(?<!semi-)(?<!tri-)"
    r"(?P<stem>dai|week|month|year|annual)ly)\b"
    r"|\bevery other (?=(?:day|week|month|year)\b)"
)
# Words before "a week" that say how long something is, and words behind it.
_HOW_LONG = re.compile(
    r"(?i)(?:^|[.!?:;,(–—]) ?$|\b(?:for|after|in|within|over|of|than|about|around|nearly|almost|"
    r"only|just|until|before|during|half|by|at|is|was|lasts?|lasted|takes?|took|taking|and|or|to) $"
)
_MOMENT = re.compile(r"(?i) (?:ago|later|earlier|after|before|old|long|or)\b")
# Years that an age may leave out.
_AGE = re.compile(r"(?i)(?<=\d)[ -]years?(?=[ -](?:of age|old|(?:and|or) (?:older|over|above))\b)")
_TIMES = {"dai": "day", "annual": "year"}
_FOLD = re.compile(r"(?i)(?<=two|ten)fold\b|(?<=three|seven|eight)fold\b|(?<=four|five|nine)fold\b")
_OWNED = re.compile(r"(?i)(?<=\w)['’]s\b")
# Marks that belong to a letter, in the scripts whose marks Unicode does not join with it.
_MARK = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0970-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece\u102b-\u109d\u17b4-\u17d3\u3099\u309a"
)
# Scripts without spaces: each character is a word, but for negations and names in katakana.
_NO_SPACES = (
    r"なかっ|ません|ない|[\u30a1-\u30fa\u30fc]{2,}|[\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]"
)
_PIECE = re.compile(
    rf"(?i){numerals.DATE}|{numerals.NUMBER}|(?P<han>{_NO_SPACES})"
    rf"|(?P<word>[^\W\d_](?:[^\W_\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff]|[{_MARK}])*)"
    r"|(?P<sign>[±<>≤≥%‰&€$£¥])"
)
_CLOCK = re.compile(r"(?i)\b(\d{1,2})(?:[:.](\d\d))? ?([ap])\.?m\b\.?")
_AT_LEAST, _AT_MOST = re.compile(r"> ?="), re.compile(r"< ?=")
_ROMAN_NUMBERS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_ROMAN = {numeral: number for number, numeral in enumerate(_ROMAN_NUMBERS, start=1)}
_BEFORE_ROMAN = frozenset(
    ("phase", "phases", "fase", "fasen", "grade", "grad", "stage", "stadium", "type", "typ", "part")
)
_ROMAN |= {sign: number for number, sign in enumerate("一二三四", start=1)}
_ROMAN_LETTER = re.compile(r"(i{1,3}|iv|v)([ab])")
_ROMAN_SHOWN = re.compile(r"[IV]{1,4}[ab]?")
# Roman numbers in a list that are looked at, and characters before "a week". Chosen by hand, for
# time.
_MOST_ROMAN, _LOOK_BACK = 6, 30
_LISTING = frozenset(("and", "or", "oder", "ou", "o"))
# What follows the number of a phase in Japanese and Chinese.
_BEHIND_ROMAN = frozenset(("相", "期"))
# Words in one spelling. "per" is left out, and so are "to" and "x" between two numbers.
_SAME = {
    "&": "and", "und": "and", "et": "and", "≤": "<=", "≥": ">=", "versus": "vs",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "kappa": "κ",
    "percent": "%", "percentage": "%", "prozent": "%", "procent": "%",
    "licence": "license", "licences": "licenses", "licenced": "licensed",
    "dollar": "$", "dollars": "$", "usd": "$", "euro": "€", "euros": "€", "eur": "€",
}  # fmt: skip
_CURRENCIES = frozenset("$€£¥")
_LEFT_OUT = frozenset(("per", "pro"))
_BETWEEN_NUMBERS = frozenset(("to", "bis", "a", "x"))
# "Few" and "a few" say the opposite.
_TWO_WORDS = {("per", "cent"): "%", ("pour", "cent"): "%", ("por", "ciento"): "%",
              ("per", "cento"): "%", ("no", "one"): "nobody", ("a", "few"): "afew",
              ("a", "little"): "alittle", ("un", "peu"): "unpeu", ("un", "poco"): "unpoco",
              ("ein", "wenig"): "einwenig"}  # fmt: skip
_UNITS = {
    unit: name
    for name, units in {
        "%": "%",
        "‰": "‰",
        "mg": "mg milligram milligrams milligramm milligramme milligrammes miligramos",
        "g": "g gram grams gramm gramme grammes gramos",
        "kg": "kg kilogram kilograms kilogramm kilo kilos",
        "µg": "µg μg mcg ug microgram micrograms mikrogramm microgrammes microgramos",
        "ml": "ml millilitre millilitres milliliter milliliters",
        "l": "l litre litres liter liters",
        "mm": "mm", "cm": "cm", "km": "km",
        "day": "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen",
        "week": "week weeks wk wks woche wochen semaine semaines semana semanas settimana "
        "settimane weken",
        "month": "month months mo mos monat monate monaten mois mes meses mese mesi maand maanden",
        "year": "year years yr yrs jahr jahre jahren ans año años anno anni jaar ano anos",
        "hour": "hour hours hr hrs stunde stunden heure heures hora horas ora uur",
        "minute": "minute minutes min mins minuten minuto minutos minuti",
    }.items()
    for unit in units.split()
}  # fmt: skip
_SPANS_OF_TIME = frozenset(("day", "week", "month", "year", "hour"))
_EACH = frozenset(("every", "each", "jede", "jeden", "jedes", "chaque", "cada", "ogni", "elke"))
_ONE = frozenset(("a", "an"))
_ISE = re.compile(r"(?<=[a-z]{3})iz(?=e$|es$|ed$|ing$|ation$|ations$|er$|ers$)")


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        key: what is compared: ``1400``, ``5 mg``, ``2025-10-03``, ``frexalimab``.
        shown: the word as it is written.
        first: whether it is the first of its sentence, so that its first capital says nothing.
    """

    key: str
    shown: str
    first: bool = False


def without_marks(text: str) -> str:
    """Return the text without reference marks (``children.³``, ``[3]``), powers as ``10^6``."""
    if not _MAY_HAVE_MARKS.search(text):
        return text
    powers = _POWER.sub(lambda power: f"^{power[0].replace('⁻', '-').translate(_DIGITS)}", text)
    return _MARKS.sub("", powers)


def words(text: str, sign: str = ".") -> list[Word]:
    """Return the words of a sentence as they are compared.

    Args:
        text: a sentence.
        sign: the sign before decimals in the whole text, see `numerals.decimal_sign`.
    """
    text = _TRADE_MARK.sub("", _LINK.sub(" ", without_marks(text)))
    text = _HALF.sub(_with_decimals, _CANNOT.sub("can not", text))
    normal = unicodedata.normalize("NFKC", _OWNED.sub("", _NOT.sub(" not ", text)))
    normal = _FOLD.sub(" fold", _SUM.sub(_full_sum, _DOLLAR.sub("", normal)))
    if "nnen" in normal:
        normal = _BOTH.sub(r"\2", _GENDERED.sub("", normal))
    normal = _OFTEN.sub(_at_each, _AGE.sub("", normal))
    normal = _CLOCK.sub(_full_hour, abbreviations.without_repeated(normal))
    if "=" in normal:
        normal = _AT_MOST.sub("≤", _AT_LEAST.sub("≥", normal))
    return _joined([*_pieces(normal, sign)])


def bare(word: str) -> str:
    """Return a single word, or its beginning, in the form of `Word.key`."""
    return _word_key(word)


def key(text: str, sign: str = ".") -> str:
    """Return the words of a sentence as one text, equal for all ways of writing it."""
    return " ".join(word.key for word in words(text, sign))


def glued(its_words: Sequence[Word]) -> str:
    """Return the words without spaces, so that ``follow up`` is ``followup``.

    Two numbers stay apart, unless the second is a group of three digits.
    """
    parts: list[str] = []
    for word in its_words:
        is_next = word.key[:1].isdigit() and parts and parts[-1][-1:].isdigit()
        is_group = is_next and re.match(r"\d{3}(?![\d.])", word.key)
        parts.append(f"|{word.key}" if is_next and not is_group else word.key)
    return "".join(parts).replace(" ", "")


def _full_hour(time: re.Match[str]) -> str:
    """Return ``17:30`` for ``5:30 p.m.``; the text itself if it is no time of day."""
    hour = int(time[1])
    if not 1 <= hour <= 12:
        return time[0]
    return f"{hour % 12 + (12 if time[3] in 'pP' else 0)}:{time[2] or '00'} "


def _with_decimals(half: re.Match[str]) -> str:
    """Return ``.5`` for what follows the number in ``2½`` and ``2 1/2``."""
    return _HALVES[half[1] or half[2]]


def _at_each(often: re.Match[str]) -> str:
    """Return ``each week`` for ``once a week`` and ``weekly``, ``every 2 `` for ``every other``."""
    unit = often["unit"] or often["stem"]
    if unit is None:
        return "every 2 "
    if often["a"] and not often["once"] and _says_how_long(often):
        return often[0]
    return f" each {_TIMES.get(unit.casefold(), unit)}"


def _says_how_long(often: re.Match[str]) -> bool:
    """Return whether "a week" is a span of time, as in "for a week", and no frequency."""
    before = often.string[max(often.start() - _LOOK_BACK, 0) : often.start()]
    return bool(_HOW_LONG.search(before) or _MOMENT.match(often.string, often.end()))


def _full_sum(amount: re.Match[str]) -> str:
    """Return ``1.5 million`` for the number and the letter of ``$1.5m``."""
    return f"{amount[1]} {_SCALES[amount[2].casefold()]}"


def _pieces(text: str, sign: str) -> Iterator[Word]:
    first = True
    for piece in _PIECE.finditer(text):
        shown = piece[0]
        if piece["date"] and (date := numerals.date_of(piece)):
            yield Word(date, shown)
        elif piece["date"]:
            yield from (Word(digits, digits) for digits in re.findall(r"\d+", shown))
        elif piece["number"]:
            yield Word(numerals.plain_number(shown, sign), shown)
        else:
            yield Word(_word_key(shown), shown, first)
        first = False


def _word_key(shown: str) -> str:
    if shown.isascii():
        folded = shown.casefold()
    else:
        folded = shown.casefold() if len(shown) == 1 else fold(shown)
        folded = folded if "\u3000" < shown[0] < "\ua000" else _without_accents(folded)
    return _SAME.get(folded) or _ISE.sub("is", folded)


def _without_accents(folded: str) -> str:
    """Return Latin letters without accents; in other scripts a mark may make another letter."""
    parts = unicodedata.normalize("NFD", folded)
    bare = "".join(char for char in parts if not "\u0300" <= char <= "\u036f")
    return bare if bare.isascii() else folded


def _joined(pieces: list[Word]) -> list[Word]:
    """Return the words, with numbers of several words, units and pairs of words made one."""
    joined: list[Word] = []
    position = 0
    while position < len(pieces):
        word = pieces[position]
        following = pieces[position + 1].key if position + 1 < len(pieces) else ""
        if pair := _TWO_WORDS.get((word.key, following)):
            shown = f"{word.shown} {pieces[position + 1].shown}"
            word, position = Word(pair, shown, word.first), position + 1
        if numerals.is_number(word.key):
            word, position = _number(pieces, position)
        elif _is_counted(joined, following):
            word = Word(_roman(word.key), word.shown)
        else:
            other = numerals.ordinal(word.key) or _month(word)
            word = Word(other, word.shown) if other else word
        position += 1
        if joined and _is_number_key(joined[-1].key) and word.key in _UNITS:
            number = joined.pop()
            word = Word(f"{number.key} {_UNITS[word.key]}", f"{number.shown} {word.shown}")
        elif joined and word.key in _SPANS_OF_TIME and joined[-1].key in _ONE:
            word = Word(f"1 {word.key}", f"{joined.pop().shown} {word.shown}")
        elif joined and word.key in _UNITS and (often := _how_often(joined, word.key)):
            word = Word(often, word.shown)
        if joined and _is_sum(joined[-1].key, word.key):
            before = joined.pop()
            amount, currency = sorted((before.key, word.key), key=_CURRENCIES.__contains__)
            word = Word(f"{amount} {currency}", f"{before.shown} {word.shown}")
        if word.key not in _LEFT_OUT:
            joined.append(word)
    return [word for index, word in enumerate(joined) if not _is_between_numbers(joined, index)]


def _how_often(before: Sequence[Word], unit: str) -> str:
    """Return ``each week`` or ``each 2 week`` for the last word of ``once a week``; else empty."""
    name = _UNITS[unit]
    if name not in _SPANS_OF_TIME:
        return ""
    if before[-1].key == "other" and len(before) > 1 and before[-2].key in _EACH:
        return f"each 2 {name}"
    return f"each {name}" if before[-1].key in _EACH else ""


def _number(pieces: Sequence[Word], position: int) -> tuple[Word, int]:
    """Return the number that begins at a position, and the position of its last word."""
    parts = [pieces[position].key]
    while position + 1 < len(pieces) and numerals.continues(parts, pieces[position + 1].key):
        position += 1
        parts.append(pieces[position].key)
    if position + 1 < len(pieces) and re.fullmatch(r"st|nd|rd|th", pieces[position + 1].key):
        return Word(f"{parts[0]}th", f"{parts[0]}th"), position + 1
    first = pieces[position - len(parts) + 1]
    return Word(numerals.value(parts), first.shown), position


def _month(word: Word) -> str:
    return numerals.month_alone(word.shown.rstrip(".").casefold())


def _is_counted(before: Sequence[Word], following: str) -> bool:
    """Return whether a Roman number may stand between these words: ``phase II/…``, ``第…相``."""
    if following in _BEHIND_ROMAN or not before:
        return following in _BEHIND_ROMAN
    place = len(before) - 1
    last_looked_at = max(place - _MOST_ROMAN, 0)
    if place and before[place].key in _LISTING and _ROMAN_SHOWN.fullmatch(before[place - 1].shown):
        place -= 1
    while place > last_looked_at and _ROMAN_SHOWN.fullmatch(before[place].shown):
        place -= 1
    return before[place].key in _BEFORE_ROMAN


def _roman(folded: str) -> str:
    """Return ``3`` for ``iii`` and ``三``, ``2b`` for ``iib``; every other word as it is."""
    lettered = _ROMAN_LETTER.fullmatch(folded)
    if lettered:
        return f"{_ROMAN[lettered[1]]}{lettered[2]}"
    return str(_ROMAN.get(folded, folded))


def _is_sum(word: str, following: str) -> bool:
    """Return whether two words are a currency and a number, in any order."""
    return (word in _CURRENCIES and _is_number_key(following)) or (
        following in _CURRENCIES and _is_number_key(word)
    )


def _is_number_key(word: str) -> bool:
    return word.lstrip("-").replace(".", "").isdigit()


def _is_between_numbers(its_words: Sequence[Word], index: int) -> bool:
    return (
        its_words[index].key in _BETWEEN_NUMBERS
        and 0 < index < len(its_words) - 1
        and its_words[index - 1].key[:1].isdigit()
        and its_words[index + 1].key[:1].isdigit()
    )
