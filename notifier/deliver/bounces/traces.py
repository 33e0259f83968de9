"""Traces of ours in a mail that came back: tokens, Message-IDs, links, and wishes to leave.

Pure. It finds texts in the form of ours, in whatever dress mail programs and gateways put them; it
verifies none of them. `reports.py` owns the proof.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import unquote

from notifier.deliver.bounces import other_mails
from notifier.deliver.bounces.failures import ADDRESS, MOST_NAMED
from notifier.deliver.bounces.incoming_mail import (
    Part,
    header_text,
    is_encoded,
    outer_parts_of,
    parts_of,
    seen_text,
    text_of,
)

_TOKEN = re.compile(r"(?i)[+=]([a-z2-7]{38})@")
# Our Message-IDs have this form: 128 random bits as hexadecimal digits. Services quote them without
# their angle brackets.
_MESSAGE_ID = re.compile(
    r"(?i)(?<![0-9a-z.+_-])([0-9a-f]{32}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8})"
)
# The signed token of the link in List-Unsubscribe, and the one in the subject of its mailto.
_LEAVE_LINK = re.compile(r"/unsubscribe/([\w-]{10,100}\.[\w-]{10,60})")
_LEAVE_MAIL = re.compile(r"(?i)[?&;]subject(?:=|=3D)unsubscribe(?:%20|\+|_| )([\w-]{22})(?![\w-])")
# The word and the token by which a mail asks to end a subscription: what is between them, programs
# change. Tokens have 22 characters; the shortest text between is tried first.
_WISH = re.compile(r"(?i)unsubscribe[^\w\n-]{0,10}?[\s+_:=-]{1,10}?([\w-]{22})(?![\w-])")
_LOOSE_WISH = re.compile(r"(?i)unsubscribe[^\w\n-]{0,10}?[\s+_:=-]{1,10}?([\w-]{16,64})(?![\w-])")
_NO_WORD = re.compile(r"[\W_]+")
# A line of a text that holds nothing but a wish, perhaps as a mailto address.
_WISH_LINE = re.compile(
    r"(?im)^[^\w>|\n]{0,6}(?:(?:subject|betreff|objet|asunto|assunto|oggetto"
    r"|onderwerp)[^\w\n]{1,6}|mailto:[^\s?]{1,320}\?subject=)?(unsubscribe[^\n]{1,120})$"
)
_TOKEN_LENGTH = 22
# Characters without width, which programs put into long words.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# Where a mail that is repeated without quotation marks begins, or its header with our own wish.
_REPEATED = re.compile(
    r"(?im)^[^\w\n]{0,8}(?:list-unsubscribe|message-id|received|return-path)[ \t]{0,3}:"
)
# The word on a line of its own, with its token on the next one.
_WRAPPED = re.compile(r"(?im)^[ \t]{0,8}(unsubscribe)[ \t]{0,8}\r?\n[ \t]{0,8}(?=[\w-]{22}[ \t]*$)")
# A wish without a token, in the languages of our mails, and what programs write before a subject.
_LEAVING = frozenset(
    (
        *("unsubscribe", "unsubscribe me", "unsubscribe please", "please unsubscribe"),
        *("please unsubscribe me", "abmelden", "bitte abmelden", "abmeldung", "abbestellen"),
        *("désabonner", "se désabonner", "me désabonner", "désabonnement", "désinscription"),
        *("darse de baja", "darme de baja", "cancelar suscripción"),
    )
)
_BEFORE_SUBJECT = re.compile(r"^(?:\s{0,4}(?:\[[^\]\n]{1,40}\]|\w{1,6}\s?:)){1,5}")
# The most lines of a text in which a wish is looked for: it stands before what is quoted. Chosen by
# hand; not measured.
_MOST_LINES = 30
_MOST_WISHES = 5
# The breaks that quoted-printable and folded header fields put into a long word.
_BROKEN = re.compile(r"=\r?\n|\r?\n[ \t]+")
# The header fields that hold the address at which a mail arrived.
_ARRIVED_AT = (
    "To",
    "Delivered-To",
    "X-Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-RCPT-To",
)


def texts_of(message: Part, text: str) -> str:
    """Return all texts of a mail: as it is, and decoded where parts are encoded.

    Args:
        message: the mail.
        text: the mail as it is.
    """
    decoded = [text_of(part) for part in parts_of(message) if _differs(part)]
    return "\n".join([text, *decoded])


def _differs(part: Part) -> bool:
    return is_encoded(part) and part.get_content_maintype() != "multipart"


def envelope_tokens(message: Part) -> tuple[str, ...]:
    """Return texts in the form of our tokens, in the addresses at which the mail arrived."""
    return _distinct(_TOKEN.findall(_arrived_at(message)))


def arrival_addresses(message: Part) -> tuple[str, ...]:
    """Return the addresses at which the mail arrived: those of our envelope."""
    return _distinct(ADDRESS.findall(_arrived_at(message)))


def _arrived_at(message: Part) -> str:
    values = (value for name in _ARRIVED_AT for value in message.get_all(name, []))
    return " ".join(header_text(value) for value in values)


def tokens(texts: str) -> tuple[str, ...]:
    """Return such texts anywhere in a mail."""
    return _distinct(_TOKEN.findall(texts))


def message_ids(message: Part, texts: str) -> tuple[str, ...]:
    """Return identifiers in the form of ours, without the one of the mail itself."""
    own = _distinct(_MESSAGE_ID.findall(header_text(message.get("Message-ID", ""))))
    named = _distinct(_MESSAGE_ID.findall(texts))
    return tuple(f"<{name}>" for name in named if name not in own)


def leave_links(texts: str) -> tuple[str, ...]:
    """Return the signed tokens of links to leave, as they stand in a mail that was returned."""
    whole = _BROKEN.sub("", texts)
    plain = unquote(whole) if "%2F" in whole or "%2f" in whole else ""
    return _once(_LEAVE_LINK.findall(f"{texts}\n{whole}\n{plain}"))


def leave_mails(texts: str) -> tuple[str, ...]:
    """Return the tokens of the mails by which one can leave, as List-Unsubscribe names them."""
    whole = _BROKEN.sub("", texts)
    return _once(_LEAVE_MAIL.findall(f"{texts}\n{whole}"))


def wishes_to_leave(message: Part, *, in_text: bool) -> tuple[str, ...]:
    """Return what may be the token of a mail that asks to end a subscription.

    It stands in the subject, whatever gateways and mail programs wrote around it, or alone on a
    line of the text, where a program lost the subject.

    Args:
        message: the mail.
        in_text: whether the text counts, too: not the one of a report, which may quote anything.
    """
    wishes = [*_wishes(other_mails.subject_of(message))]
    if in_text and not wishes:
        wishes = [wish for line in _wish_lines(message) for wish in _wishes(line)]
    return _once(wishes)[:_MOST_WISHES]


def who_asks_to_leave(message: Part) -> str:
    """Return the address of somebody who asks to leave in words alone; empty for another mail.

    The words stand in the subject, or in the first line of the text.
    """
    if other_mails.is_from_mail_system(message) or other_mails.is_automatic(message):
        return ""
    first_line = next(_own_lines(message), "").lstrip()
    if first_line.startswith((">", "|")):
        first_line = ""
    lines = (_BEFORE_SUBJECT.sub("", other_mails.subject_of(message)), first_line)
    plain = [" ".join(_NO_WORD.sub(" ", line).lower().split()) for line in lines]
    if _LEAVING.isdisjoint(plain):
        return ""
    return other_mails.sender_of(message) or "unknown"


def _wishes(line: str) -> Iterator[str]:
    line = _UNSEEN.sub("", line).replace("=20", " ")
    for plain in dict.fromkeys((line, unquote(line), unquote(unquote(line)))):
        if exact := _WISH.search(plain):
            yield exact[1]
        if loose := _LOOSE_WISH.search(plain):
            yield loose[1]
            yield loose[1][:_TOKEN_LENGTH]


def _wish_lines(message: Part) -> Iterator[str]:
    """Yield the lines of a mail that may hold a wish to leave; what it repeats does not count."""
    yield from (wish[1] for line in _own_lines(message) if (wish := _WISH_LINE.match(line)))


def _own_lines(message: Part) -> Iterator[str]:
    """Yield the first lines of the texts of a mail, without the mail that they repeat."""
    for part in outer_parts_of(message):
        if part.get_content_type() == "text/plain":
            text = text_of(part)
        elif part.get_content_type() == "text/html":
            text = seen_text(text_of(part))
        else:
            continue
        text = _WRAPPED.sub(r"\1 ", _REPEATED.split(text, maxsplit=1)[0])
        yield from [line for line in text.splitlines() if line.strip()][:_MOST_LINES]


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Return each word once, in lower case: servers change the case of addresses."""
    return _once(word.lower() for word in words)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(words), MOST_NAMED))
