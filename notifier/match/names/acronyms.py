"""Acronyms: names of trials, and words of few capitals, that in small letters are other words.

Owns where an acronym counts. In capitals it always does. A trial's acronym with one capital, as
"Dawnlight" for DAWNLIGHT, counts only beside a word for a trial in a text about medicine, because
it may be the name of a band or a spa. It knows no profile.
"""

import re

from notifier.enums import TermKind

# In letters. Chosen by hand: same result from 2 to 8 on the labelled and the made-up set.
_LONGEST_ACRONYM = 5
# In letters. A shorter trial name with one capital is mostly another word. Chosen by hand; not
# measured.
_SHORTEST_TITLE = 5
# Occurrences that are looked at in one text. Chosen by hand, against texts made to cost time.
_MOST_OCCURRENCES = 50
# In words, from the acronym to the word for a trial. Chosen by hand; not measured.
_NEAR = 3
# In characters: longer than any such words.
_WINDOW = 80

# Words for a trial, folded. Collected by hand; not measured.
_TRIAL_WORD = re.compile(
    r"(?:trials?|stud(?:y|ies|i[eouj]\w*)|phase|faza|fase|fas|faasi\w*|"
    r"enrol\w*|recruit\w*|"
    r"essais?|étude\w*|ensayos?|estudios?|estudo\w*|ensaio\w*|sperimentazion\w+|tutkimu\w+|"
    r"badani\w+|vizsgál\w+|çalışma\w*|forsøk\w*|forsøg\w*|prövning\w*|onderzoek\w*|rekrut\w+|"
    r"исследовани\w+|дослідженн\w+|التجربة|دراسة)"
)
# The same in scripts without spaces between words: anywhere in a run of letters.
_UNSPACED_TRIAL_WORD = re.compile("试验|試驗|研究|試験|治験|임상|시험|연구|การศึกษา")
_WORD = re.compile(r"[^\W_]+")
# A second sign that a text is about medicine: "trial" and "study" alone also occur in other news.
_MEDICINE = re.compile(
    r"(?i)\b(?:patient\w*|patiënt\w*|placebo|disease|clinical|drugs?|therap\w+|treat\w+|"
    r"dos(?:e|es|ing)|"
    r"phase (?:[1-4]|i{1,3}|iv)\b|enrol\w*|recruit\w*|randomi\w+|efficacy|endpoints?|relaps\w+|"
    r"lesions?|sclero\w+|skleros\w+|diabet\w+|"
    r"krank\w+|arznei\w+|malad\w+|médica\w+|pacient\w*|fármac\w*|enferm\w+|farmac\w+|sclerosi)\b"
    r"|患者|硬化|환자|пациент|препарат"
)
# Trial acronyms that are ordinary words or names of old: with one capital they may be that word,
# wherever they stand. Collected by hand; not measured.
_ORDINARY_WORDS = frozenset(
    ("achieve", "acclaim", "advance", "affirm", "alliance", "alpine", "ambition", "answer",
     "apex", "aspire", "assess", "assure", "attain", "balance", "beacon", "believe",
     "benefit", "beyond", "bravo", "bridge", "bright", "brilliance", "calm", "capture",
     "care", "carmen", "challenge", "champion", "charisma", "chords", "clarity", "combine",
     "commit", "compare", "compass", "complete", "concert", "concerto", "confirm", "connect",
     "consonance", "courage", "create", "credit", "crown", "decide", "define", "deliver",
     "destiny", "determine", "develop", "discover", "discovery", "dream", "driver",
     "elevate", "embark", "embrace", "emerge", "empower", "enable", "encore", "encourage",
     "endeavor", "endeavour", "endure", "engage", "enhance", "enlighten", "enlist",
     "ensemble", "ensure", "envision", "epic", "equal", "escape", "esteem", "evolution",
     "evolve", "excel", "expand", "expedition", "explore", "explorer", "express", "extend",
     "extension", "factor", "fidelity", "focus", "fortune", "forward", "freedom", "freedoms",
     "frontier", "future", "galaxy", "gemini", "genesis", "glory", "granite", "gravity",
     "guard", "guide", "harmony", "heritage", "hercules", "horizon", "ideal", "imagine",
     "impact", "improve", "improved", "infinity", "insight", "inspire", "integrate",
     "interest", "invest", "journey", "jupiter", "keynote", "kinetic", "landmark", "launch",
     "leader", "legacy", "liberate", "liberty", "lighthouse", "lotus", "magnify", "master",
     "matrix", "measure", "mercury", "meridian", "mission", "momentum", "mirror", "monarch",
     "motion", "navigate", "neptune", "observe", "odyssey", "olympia", "optimum", "opera",
     "optimise", "optimize", "option", "oratorio", "origin", "orion", "outcome", "outlook",
     "paradigm", "passion", "pathway", "pegasus", "perseus", "phoenix", "pioneer", "pilot",
     "pivot", "polaris", "positive", "power", "precise", "premier", "prevail", "prevent",
     "pride", "prime", "prism", "progress", "promise", "protect", "prove", "pulse",
     "purpose", "quest", "radiance", "reach", "rebuild", "reflect", "reform", "refresh",
     "regain", "relief", "renew", "rescue", "resolve", "respond", "restore", "result",
     "reveal", "safari", "sapphire", "saturn", "scope", "select", "sentinel", "sierra",
     "signal", "solar", "solution", "source", "spectrum", "spirit", "spring", "stable",
     "standard", "stellar", "strength", "strive", "success", "summit", "sunbeam", "sunrise",
     "superior", "support", "supreme", "surpass", "sustain", "symphony", "target", "titan",
     "together", "topic", "tower", "trace", "transform", "travel", "trident", "triumph",
     "trust", "ultimate", "unite", "unity", "valor", "vanguard", "velocity", "venture",
     "verify", "victory", "vision", "vista", "vital", "vivid", "voyage", "wave", "wisdom",
     "zenith", "zephyr")
)  # fmt: skip


def is_acronym(spelling: str, kind: TermKind) -> bool:
    """Return True for a spelling that counts only where the text writes it as an acronym.

    That is an acronym of a trial, or a word of few capitals: in small letters it is another word.
    """
    capitals = spelling.isalpha() and spelling.isupper() and spelling.isascii()
    return capitals and (kind is TermKind.TRIAL or len(spelling) <= _LONGEST_ACRONYM)


def occurs_in_capitals(acronym: str, cased: str) -> bool:
    """Return True if a text has the acronym in capitals, also with hyphens between them.

    Args:
        acronym: in capitals.
        cased: the text, as `match/names/spelling.py` gives it.
    """
    parts = "[-\u2010\u2011]?".join(acronym)
    # A long acronym may run into a word of small letters.
    end = r"(?![^\W_])" if len(acronym) <= _LONGEST_ACRONYM else "(?![A-Z])"
    return bool(re.search(rf"(?<![^\W_]){parts}{end}", cased))


def occurs_as_a_trial(acronym: str, cased: str, *, in_context: bool) -> bool:
    """Return True if a text has a trial's acronym with one capital, and clearly means the trial.

    Args:
        acronym: of a trial, in capitals.
        cased: the text, as `match/names/spelling.py` gives it.
        in_context: True if the text also names the therapy, its sponsor or its illness.
    """
    if len(acronym) < _SHORTEST_TITLE or acronym.lower() in _ORDINARY_WORDS:
        return False
    pattern = re.compile(rf"(?<![^\W_]){acronym[0]}(?i:{acronym[1:]})(?![^\W_])")
    for number, acronym_at in enumerate(pattern.finditer(cased)):
        if number >= _MOST_OCCURRENCES:
            return False
        before = _words_in(cased[max(0, acronym_at.start() - _WINDOW) : acronym_at.start()])[
            -_NEAR:
        ]
        after = _words_in(cased[acronym_at.end() : acronym_at.end() + _WINDOW])[:_NEAR]
        if _names_a_trial(before[-1:] + after[:1]) and (in_context or _MEDICINE.search(cased)):
            return True
        if in_context and _names_a_trial(before + after):
            return True
    return False


def _words_in(text: str) -> list[str]:
    """Return the words of a text, without the s of a genitive."""
    return [word for word in _WORD.findall(text) if word != "s"]


def _names_a_trial(words: list[str]) -> bool:
    return any(
        _TRIAL_WORD.fullmatch(word.casefold()) or _UNSPACED_TRIAL_WORD.search(word)
        for word in words
    )
