"""Facts of a text: the words that would mislead a reader if they were wrong.

Pure. An edit that changes a fact is material. Facts are numbers with their units, number words,
negations, months, words that state an outcome, and names. Words are known in English, German,
French and Spanish; numbers and names in every language. The lists were chosen by hand; not
measured, because no set of labelled edits exists.
"""

import re
from collections import Counter

from notifier.text.cleaning import fold

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”»)\]]*\s+|(?<=[。！？])")
_NUMBER = re.compile(r"(?<![\w])[-−]?\d[\d.,\u00a0\u202f]*(?:\s?(?:[%‰]|[^\W\d_]+))?")
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f](?=\d{3}(?!\d))")
_NOT = re.compile(r"(?i)n['’]t\b")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")

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
    "one two three four five six seven eight nine ten eleven twelve half twice once double triple "
    "third quarter zwei drei vier fünf sechs sieben acht neun zehn elf zwölf halb doppelt deux "
    "trois quatre cinq sept huit neuf dix onze douze moitié dos tres cuatro cinco seis siete ocho "
    "nueve diez once doce mitad"
)
_NEGATIONS = _words(
    "no not never without neither nor none cannot hardly barely nicht kein keine keinen keinem "
    "keiner keines ohne nie niemals weder noch ne pas sans jamais aucun aucune ni sin nunca ningún "
    "ninguna ninguno tampoco jamás"
)
_MONTHS = _words(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre enero "
    "febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_OUTCOME_WORDS = _words("met more less risk risks died safe safely worse tod mort muerte")
_FACT_WORDS = _NEGATIONS | _COUNTING | _MONTHS | _OUTCOME_WORDS
# Beginnings of words, so that "reduces" and "reduced" state the same.
_OUTCOMES = (
    "effective", "ineffective", "efficac", "unsafe", "harm", "toxic", "approv", "reject",
    "authoris", "authoriz", "licens", "fail", "miss", "reduc", "decreas", "increas", "improv",
    "worsen", "slow", "prevent", "cure", "halt", "stop", "paus", "suspen", "terminat", "withdr",
    "retract", "superior", "inferior", "significan", "benefi", "death", "fatal", "serious",
    "severe", "recommend", "warn", "correct", "erratum", "clarif", "better", "fewer", "higher",
    "lower", "confirm", "delay", "cancel", "complet", "wirksam", "unwirksam", "sicher",
    "zugelassen", "zulassung", "abgelehnt", "gescheitert", "gestoppt", "abgebrochen", "verringer",
    "verbesser", "verschlechter", "erhöh", "gesenk", "zurückgezogen", "berichtig", "gestorben",
    "efficace", "inefficace", "sûr", "approuv", "rejet", "échou", "arrêt", "rédui", "augment",
    "amélior", "aggrav", "décès", "rétract", "eficaz", "ineficaz", "segur", "aprob", "aprueb",
    "rechaz", "fracas", "deten", "detuv", "aument", "mejor", "empeor", "muert", "retir", "correc",
)  # fmt: skip


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


def facts(text: str) -> Counter[str]:
    """Return the facts of a text and how often each is stated; their order does not count."""
    counts: Counter[str] = Counter(numbers(text))
    for sentence in sentences(_NOT.sub(" not", text)):
        for index, match in enumerate(_WORD.finditer(sentence)):
            word = match.group()
            folded = word.casefold()
            if folded in _FACT_WORDS:
                counts[folded] += 1
            elif folded.startswith(_OUTCOMES):
                counts[next(stem for stem in _OUTCOMES if folded.startswith(stem))] += 1
            elif _is_name(word, first=index == 0):
                counts[fold(word)] += 1
    return counts


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
    if not letters or len(word) < 2:
        return False
    mixed = len(letters) < sum(char.isalnum() for char in word) or any(
        char.isupper() for char in word[1:]
    )
    return mixed or (word[0].isupper() and not first)
