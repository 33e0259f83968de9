"""Facts of a text: the words that would mislead a reader if they were wrong.

Pure. An edit that changes a fact is material. Facts are numbers with their units, number words,
negations, months, words that state an outcome, and names. Words are known in English, German,
French and Spanish, some in Italian, Dutch, Russian, Japanese, Chinese and Korean; numbers and names
in every language. The lists were chosen by hand; not measured, because no set of labelled edits
exists.
"""

import re
from collections import Counter
from collections.abc import Iterable

from notifier.watch.compare.wording import Word, bare

_NUMBER = re.compile(r"(?<![\w])[-−]?\d[\d.,\u00a0\u202f]*(?:\s?(?:[%‰]|[^\W\d_]+))?")
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f](?=\d{3}(?!\d))")

_UNITS = {
    "%": "%",
    "‰": "‰",
    "percent": "%",
    "percentage": "%",
    "prozent": "%",
    **{unit: unit for unit in ("mg", "g", "kg", "µg", "μg", "mcg", "ml", "l", "mm", "cm")},
}
# The words for a unit in all languages.
_UNIT_WORDS = {
    "day": "day days tag tage tagen jour jours día días",
    "week": "week weeks woche wochen semaine semaines semana semanas",
    "month": "month months monat monate monaten mois mes meses",
    "year": "year years jahr jahre jahren an ans año años",
    "hour": "hour hours stunde stunden heure heures hora horas",
    "million": "million millions millionen millones m",
    "billion": "billion billions milliarde milliarden milliard milliards bn",
}
_UNITS |= {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTING = _words(
    "half twice once double triple quarter halb hälfte doppelt moitié mitad metà helft daily "
    "weekly monthly yearly annually täglich wöchentlich monatlich jährlich diario semanal mensual"
)
_NEGATIONS = _words(
    "no not never without neither nor none cannot hardly barely nicht kein keine keinen keinem "
    "keiner keines ohne nie niemals weder noch ne pas sans jamais aucun aucune ni sin nunca ningún "
    "ninguna ninguno tampoco jamás non senza nessun nessuna mai niet geen zonder nooit nobody не "
    "нет без ни inte ikke ej ingen inget inga utan uden uten aldrig não sem nem nenhum nunca "
    "ei eivät eikä ilman değil yok není nejsou nebyl nebyla nebylo δεν μη χωρίς غير لا لم ليس "
    "بدون אינו אינה לא ללא nije nisu không tidak नहीं"
)
_MONTHS = _words(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre enero "
    "febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_OUTCOME_WORDS = _words(
    "± < > <= >= $ € £ ¥ met more less risk risks died safe safely worse tod mort muerte open "
    "opens opened closed closes oral orally placebo men women children adults pregnant progressive "
    "relapsing probably possibly perhaps likely unlikely allegedly wahrscheinlich vermutlich "
    "möglicherweise probablement probablemente quizás all most both few alle meisten beide "
    "wenige plupart mayoría maggior α β γ δ κ"
)
# Verbs that state a doubt; each may stand in the place of another one.
_DOUBTS = frozenset(
    map(
        bare,
        _words(
            "may might could könnte könnten dürfte dürften pourrait pourraient podría podrían "
            "potrebbe potrebbero zou zouden"
        ),
    )
)
_FACT_WORDS = frozenset(map(bare, _NEGATIONS | _COUNTING | _MONTHS | _OUTCOME_WORDS))
# Negations inside words and texts that set no spaces.
_NEGATION_IN_WORD = re.compile("^(?:不|没|未|無|无|非|ない|なかっ|ません)$|않|못|아니|없|ไม่")
# Endings of substance names (INN), which texts write in small letters.
_SUBSTANCES = ("mab", "tinib", "brutinib", "imod", "fumarate", "ribine", "cept", "grast", "vir")
# Days of the week, by the beginnings of their names. Agencies write "today" in the first print, and
# "on Monday" in the next.
_WEEKDAYS = {
    day: name
    for name, days in {
        "monday": "monday mon montag",
        "tuesday": "tuesday tues tue dienstag",
        "wednesday": "wednesday wed mittwoch",
        "thursday": "thursday thurs thu donnerstag",
        "friday": "friday fri freitag",
        "saturday": "saturday sat samstag sonnabend",
        "sunday": "sunday sun sonntag",
    }.items()
    for day in days.split()
}
# Titles before names, and legal forms behind them, which style guides set or leave out.
_TITLES = _words(
    "dr prof professor doctor doktor mr mrs md phd msc st inc ltd plc llc corp ag gmbh kgaa"
)
# Characters of a name in katakana.
_SHORTEST_KATAKANA = 3
# Beginnings of words, so that "reduces" and "reduced" state the same.
_OUTCOME_STEMS = (
    "effective", "ineffective", "efficac", "unsafe", "harmless", "harm", "toxic", "approv",
    "reject", "authoris", "authoriz", "licens", "fail", "miss", "reduc", "decreas", "increas",
    "improv", "worsen", "slow", "prevent", "cure", "halt", "stop", "paus", "suspen", "terminat",
    "withdr",
    "retract", "superior", "inferior", "significan", "benefi", "deaths", "death", "fatal",
    "serious", "severe", "recommend", "warn", "correct", "erratum", "clarif", "better", "fewer",
    "higher", "lower", "confirm", "delay", "cancel", "complet", "wirksam", "unwirksam", "sicher",
    "zugelassen", "zulassung", "abgelehnt", "gescheitert", "gestoppt", "abgebrochen", "verringer",
    "verbesser", "verschlechter", "erhöh", "gesenk", "zurückgezogen", "berichtig", "gestorben",
    "efficace", "inefficace", "approuv", "rejet", "échou", "arrêt", "rédui", "augment",
    "amélior", "aggrav", "décès", "rétract", "eficaz", "ineficaz", "segur", "aprob", "aprueb",
    "tablet", "infus", "inject", "injekt", "capsul", "kapsel", "subcutan", "intraven", "comprim",
    "perfusion", "rechaz", "fracas", "deten", "detuv", "aument",
    "mejor", "empeor", "muert", "retir", "correc",
)  # fmt: skip
_OUTCOMES = tuple(map(bare, _OUTCOME_STEMS))
# Beginnings of German nouns, to which German joins other nouns; and letters of a longer ending of
# one noun, as of "Verbesserungen". Chosen by hand; not measured.
_GERMAN = frozenset(
    map(
        bare,
        ("zulassung", "sicher", "wirksam", "verringer", "verbesser", "verschlechter", "erhöh",
         "berichtig", "injekt", "infus", "kapsel", "tablet"),
    )
)  # fmt: skip
_LONGEST_ENDING = 6


def facts(its_words: Iterable[Word]) -> Counter[str]:
    """Return the facts among some words and how often each is stated, in no order."""
    return Counter(fact for word in its_words if (fact := fact_of(word)))


def fact_of(word: Word) -> str:
    """Return the fact that a word states, equal for all forms of the word; empty for none."""
    folded = word.key
    if folded in _DOUBTS and word.shown[0].islower():
        return "might"
    is_listed = folded.startswith("each ") or folded in _FACT_WORDS
    if is_listed or any(char.isdigit() for char in folded):
        return folded
    if folded.startswith(_OUTCOMES):
        stem = next(stem for stem in _OUTCOMES if folded.startswith(stem))
        return folded if _is_compound(stem, folded[len(stem) :]) else stem
    if _NEGATION_IN_WORD.search(folded) or folded.endswith(_SUBSTANCES):
        return folded
    if not _is_name(word.shown, first=word.first):
        return ""
    return _WEEKDAYS.get(folded, folded)


def _is_compound(stem: str, rest: str) -> bool:
    """Return whether the end of a German word is another noun: ``Zulassungsempfehlung``."""
    is_joined = len(rest) > _LONGEST_ENDING or (rest.startswith("s") and len(rest) > 2)
    return is_joined and stem in _GERMAN


def changed(gone: Counter[str], came: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """Return the facts that were lost and those that were gained.

    A day of the week is a fact only in the place of another one.
    """
    lost, gained = gone - came, came - gone
    days = frozenset(_WEEKDAYS.values())
    if days.isdisjoint(lost) or days.isdisjoint(gained):
        lost, gained = (
            Counter({fact: count for fact, count in side.items() if fact not in days})
            for side in (lost, gained)
        )
    return lost, gained


def numbers(text: str) -> list[str]:
    """Return ``["1800 mg", "89%"]``: the numbers of a text with their units, in order.

    Separators of thousands are removed; units have one spelling in all languages.
    """
    found_numbers = []
    for match in _NUMBER.finditer(_THOUSANDS.sub("", text)):
        number = re.match(r"[-−]?[\d.,]*\d", match.group())
        if number:
            unit = _UNITS.get(match.group()[number.end() :].strip().casefold(), "")
            space = "" if unit in "%‰" else " "
            found_numbers.append(f"{number.group().replace('−', '-')}{space}{unit}")
    return found_numbers


def _is_name(word: str, *, first: bool) -> bool:
    """Return whether a word has capitals inside, digits among letters, or is capitalised.

    Args:
        word: the word.
        first: whether it is the first of its sentence, so that its first capital says nothing.
    """
    letters = [char for char in word if char.isalpha()]
    if not letters or len(word) < 2 or word.casefold() in _TITLES:
        return False
    if "\u30a1" <= word[0] <= "\u30fa":
        return len(word) >= _SHORTEST_KATAKANA
    mixed = len(letters) < sum(char.isalnum() for char in word) or any(
        char.isupper() for char in word[1:]
    )
    return mixed or (word[0].isupper() and not first)
