"""Texts that show only a part of a known text: excerpts, and posts that were closed to the public.

Pure. A part of a text corrects nothing of it. It knows nothing of feeds and of what is stored.
"""

import re
from collections.abc import Sequence

from notifier.text.cleaning import fold
from notifier.watch.compare.statements import Statement, Text
from notifier.watch.compare.text_changes import edits

# The words by which an excerpt points to the whole text, at its end. In small letters they are a
# part of a sentence, unless a mark stands before them.
_PHRASES = (
    "read more", "read the full", "read on", "read the rest", "continue reading", "full story",
    "full article", "weiterlesen", "mehr lesen", "zum artikel", "lire la suite", "lire plus",
    "leer más", "seguir leyendo", "leggi tutto", "continua a leggere", "lees meer", "lees verder",
    "leia mais", "czytaj więcej", "läs mer", "続きを読む", "阅读更多", "阅读全文", "더 보기",
)  # fmt: skip
_ANY_CASE = "|".join(("more", *_PHRASES))
_CASES = (str.capitalize, str.title, str.upper)
_CAPITALS = "|".join(case(words) for words in _PHRASES for case in _CASES)
_ARROWS = r"\s{0,4}[\[(<«»→]{0,3}\s?"
_POINTER = re.compile(
    rf"(?:\s*\[?(?:…|\.\.\.)\]?"
    rf"|(?:[.!?…)\]:→»\n]{_ARROWS}(?i:{_ANY_CASE})|\s{_ARROWS}(?:{_CAPITALS}))"
    r"[^.!?]{0,120}\W{0,5})$"
)
_LONGEST_POINTER = 200
# The words of a note that only some may read the rest.
_CLOSED = re.compile(
    r"(?i)passwor[dt]|passwört|mot de passe|contraseña|wachtwoord|\bsenha\b|パスワード|密码|"
    r"\b(?:for|only|our|paying|registered) members\b|\bmembers[- ]only\b|membership|"
    r"비밀번호|become a member|mitglieder|mitgliedschaft|adhérents|\bsoci\b|\bsocios\b|会員|회원|"
    r"\bsubscribe|\bsubscri(?:bers?|ption)|abonnent|abonnement|\babonn|suscri(?:pt|b|pc)|abbonat|"
    r"abbonament|assinante|\blog ?in\b|\bsign ?(?:in|up)\b|anmelde|einlogg|registrier|"
    r"\bregister (?:to|or|for|now|free)|connectez|s.identifier|se connecter|iniciar sesión|"
    r"inicia sesión|regístr|accedi\b|inloggen|premium|paywall|\bpaid (?:access|content|sub)|"
    r"(?:free|your) account|unlock (?:this|the|full)|free trial period|"
    r"(?:protected|private|locked) (?:post|page|article)|\bjoin (?:now|today|us|free) to |"
    r"(?:content|post|page|article) is (?:protected|private|locked)|inhalt ist geschützt|"
    r"contenu est protégé|contenido está protegido|contenuto è protetto|有料"
)
# Characters of such a note, and its share of the known text. Chosen by hand; not measured.
_LONGEST_NOTE = 700
# A beginning that shows no sign of being cut is an excerpt if it has at most this share of the
# text; else the publisher removed the end. Chosen by hand; not measured.
_LARGEST_BEGINNING = 0.5
_WHOLE_END = re.compile(r"[.!?。！？][\"'”»)\]]*$")


def is_part(text: str, whole: str) -> bool:
    """Return whether a text shows only a part of another one: its beginning, or what is open."""
    return is_beginning(text, whole) or is_closed(text, whole)


def is_beginning(text: str, whole: str) -> bool:
    """Return whether a text is an excerpt of another: its beginning, cut, or nothing at all."""
    text = text.strip()
    head, tail = text[:-_LONGEST_POINTER], text[-_LONGEST_POINTER:]
    cut = f"{head}{_without_pointer(tail)}".rstrip()
    folded, folded_whole = fold(cut), fold(whole)
    if len(folded) >= len(folded_whole) or not folded_whole.startswith(folded):
        return False
    is_cut = cut != text or not _WHOLE_END.search(text)
    return is_cut or len(folded) <= len(folded_whole) * _LARGEST_BEGINNING


def _without_pointer(tail: str) -> str:
    """Return the end of a text without a pointer to the whole, and without the ellipsis before."""
    pointer = _POINTER.search(tail)
    if pointer is None:
        return tail
    # The mark before the pointer belongs to the text, unless it is an ellipsis.
    rest = tail[: pointer.start()] + (pointer[0][0] if pointer[0][0] in ".!?)" else "")
    return re.sub(r"\s*\[?(?:…|\.{3})\]?$", "", rest)


def is_marked(text: str) -> bool:
    """Return whether a text ends like an excerpt: with an ellipsis or a pointer to the whole."""
    return bool(_POINTER.search(text.strip()[-_LONGEST_POINTER:]))


def is_closed(text: str, whole: str) -> bool:
    """Return whether a text ends in a note for members where another one has the rest."""
    if len(text) > len(whole) + _LONGEST_NOTE or not _CLOSED.search(text):
        return False
    its_edits = edits(Text.of(whole), Text.of(text))
    gone = [statement for edit in its_edits for statement in edit.before]
    come = [statement for edit in its_edits for statement in edit.after]
    note = " ".join(statement.text for statement in come)
    return bool(
        gone
        and not any(edit.is_paired for edit in its_edits)
        and len(note) <= _LONGEST_NOTE
        and _CLOSED.search(note)
        and not _CLOSED.search(" ".join(statement.text for statement in gone))
        and _are_at_the_end(gone, whole)
        and _are_at_the_end(come, text)
    )


def _are_at_the_end(statements: Sequence[Statement], text: str) -> bool:
    """Return whether nothing else stands behind the first of some statements of a text."""
    keys = [statement.key for statement in Text.of(text).statements if not statement.is_around]
    return sorted(keys[-len(statements) :]) == sorted(statement.key for statement in statements)
