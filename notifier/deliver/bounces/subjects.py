"""The subject of a refusal: whom or what the words of a mail system are about.

Pure. Owns the order in which the words (`subject_words.py`) count. A text is about the recipient
only if it says that this mailbox or domain does not exist; the same words about our sender address,
our host or a link in the message say nothing about the recipient. So the addresses in a text are
told apart first: ours, the recipient's, others. What follows from a subject is decided in
`policy.py`.

The texts are written by strangers: every expression takes linear time, or reads a text of limited
length.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from notifier.deliver.bounces import subject_words as words

# Characters that stand for names while a text is read; private use, so no text needs them.
_US, _THEM, _OTHER = "\ue000", "\ue001", "\ue002"
_MARKS = re.compile(f"[{_US}{_THEM}{_OTHER}]")
# A web address: only the name of its host says something, for instance that of a blocklist.
_URL = re.compile(r"(?i)\b(?:https?://|www\.)([\w.-]{1,255})[^\s<>\"]{0,500}")
# What Postfix and others append about the transaction: it names addresses and states nothing.
_TRANSACTION = re.compile(r"(?i)\b(?:from|to|helo|proto|client|orig_to|sender)=<?[^>\s;,]{0,320}>?")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,'\"]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}")
# The name of a server, as reports give it: with its IP address, or after what kind of server it is.
# Words in it ("relay", "antispam") state nothing.
_NAME = r"(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,23}"
_SERVER = re.compile(
    rf"(?i)(\b(?:host|server:?|talking to|program at|mta: dns;) ){_NAME}"
    rf"|(?<![\w.@/-]){_NAME}(?=\s?[\[(](?:ipv6:)?[\da-f.:]{{3,45}}[\])])"
)
# A final answer of a server, and a status about the network and the way (RFC 3463, 3.5).
_FINAL = re.compile(r"(?a)(?<![\d.:])(?<!port )5\d\d(?![\d.])")
_ABOUT_NETWORK = re.compile(r"(?a)(?<![\d.])[45]\.4\.\d")
# The end of a statement: a mark, a new line, or the code that begins the next line of an answer.
_CLAUSE_END = re.compile(r"[.;!?](?=\s)|\n|(?<!\S)[245]\d\d(?=[ -])")


# The beginnings of envelope senders that a relay rewrote (SRS, BATV, PRVS).
_REWRITTEN = ("srs0", "srs1", "prvs=", "btv1==", "msprvs1=")
# What Exchange Online writes into the middle of them.
_SRS = "+srs="
# The form of our own envelope sender (`links.py`), with the token of one mail.
_TAGGED = re.compile(r"[+=][a-z2-7]{38}@")
# The characters of a text that are read, and the matches of an expression that are looked at.
# Chosen by hand; not measured.
_READ = 6_000
_MOST_MATCHES = 20


class Subject(StrEnum):
    """Whom or what a refusal is about.

    `recipient`: this mailbox or domain does not exist. `mailbox`: it exists, and takes no mail at
    present (it is full, or disabled for a while). `sender`: our address or domain. `host`: our mail
    server, its name, address or reputation. `content`: our text. `policy`: what we may do here
    (log-in, relaying, authentication of mails, rules). `load`: too much, too fast, too busy.
    `network`: the recipient's server was not reached, as a report says after days of attempts.
    """

    RECIPIENT = "recipient"
    MAILBOX = "mailbox"
    SENDER = "sender"
    HOST = "host"
    CONTENT = "content"
    POLICY = "policy"
    LOAD = "load"
    NETWORK = "network"
    UNKNOWN = "unknown"


class Parties(NamedTuple):
    """The names by which a text may speak of us and of the recipient.

    Attributes:
        ours: our addresses (the envelope sender, the From address) and names of our mail server.
        recipient: the address that was written to; empty if it is not known.
    """

    ours: tuple[str, ...] = ()
    recipient: str = ""


NOBODY = Parties()


class Words(NamedTuple):
    """The subjects that a text names.

    Attributes:
        clear: the subject that the words leave no doubt about; `UNKNOWN` if there is none.
        likely: the subject of vaguer words, for a failure whose codes say nothing.
    """

    clear: Subject = Subject.UNKNOWN
    likely: Subject = Subject.UNKNOWN


def subjects_in(text: str, parties: Parties, *, reported: bool) -> Words:
    """Return the subjects that a text names.

    Args:
        text: the words about one failure; the first `_READ` characters count.
        parties: the names of both sides.
        reported: True for a report. Its words about a name that does not exist, without the name,
            are about the recipient's domain: the reporting server looked no other name up. About a
            host they are only likely so, because a rule may quote them of our host, or of a link.
    """
    text = _marked(text[:_READ], parties)
    if _about_us(text):
        return Words(Subject.SENDER)
    if words.HOST.search(text):
        return Words(Subject.HOST)
    text = _SERVER.sub(_without_name, text)
    if words.CLOSED.search(text) or (words.FULL.search(text) and not words.OUR_QUOTA.search(text)):
        return Words(Subject.MAILBOX)
    return _subject_of_rest(text, reported=reported)


def _subject_of_rest(text: str, *, reported: bool) -> Words:
    """Return the subject of a text that is not about our sender, our host or a mailbox's state."""
    gone = _about_recipient(words.GONE, text, unnamed=True)
    no_domain = _about_recipient(words.NO_SUCH_DOMAIN, text, unnamed=reported)
    clear = words.CLEAR.search(text)
    if gone is not None and (clear is None or gone <= clear.start()):
        return Words(Subject.RECIPIENT)
    if clear is not None and not (no_domain is not None and clear[0].lower() == "relay"):
        return Words(Subject(clear.lastgroup or ""))
    if no_domain is not None:
        named = _about_recipient(words.NO_SUCH_DOMAIN, text, unnamed=False) is not None
        is_host = words.NO_SUCH_HOST.match(text, no_domain) is not None
        return (
            Words(likely=Subject.RECIPIENT) if is_host and not named else Words(Subject.RECIPIENT)
        )
    return Words(likely=_likely(text, reported=reported))


def _likely(text: str, *, reported: bool) -> Subject:
    if _about_recipient(words.GONE_MAYBE, text, unnamed=True) is not None:
        return Subject.RECIPIENT
    if _is_switched_off(text, reported=reported):
        return Subject.MAILBOX
    vague = words.VAGUE.search(text)
    subject = Subject(vague.lastgroup or "") if vague is not None else Subject.UNKNOWN
    if reported and subject is Subject.LOAD and _was_not_reached(text):
        return Subject.NETWORK
    return subject


def _was_not_reached(text: str) -> bool:
    """Return whether a report says that a server gave no final answer at all."""
    answered = _FINAL.search(text) and not _ABOUT_NETWORK.search(text)
    return bool(words.NETWORK.search(text)) and not answered


def _is_switched_off(text: str, *, reported: bool) -> bool:
    """Return whether a text says that the recipient's mailbox is disabled or suspended."""
    if words.OUR_ACCOUNT.search(text):
        return False
    return (
        _about_recipient(words.MAILBOX_OFF, text, unnamed=True) is not None
        or _about_recipient(words.ACCOUNT_OFF, text, unnamed=reported) is not None
    )


def _marked(text: str, parties: Parties) -> str:
    """Return a text in which a mark stands for each address: ours, the recipient's, another one."""
    text = _TRANSACTION.sub("", _URL.sub(r"\1", _MARKS.sub("", text)))
    ours, own_hosts, theirs = _forms(parties)
    recipient = parties.recipient.lower()

    def mark(match: re.Match[str]) -> str:
        address = match[0].lower().strip(".")
        if recipient and address == recipient:
            return _THEM
        if address.startswith(_REWRITTEN) or _SRS in address or _TAGGED.search(address):
            return _US
        domain = address.rpartition("@")[2]
        return _US if address in ours or domain in own_hosts else _OTHER

    text = _ADDRESS.sub(mark, text)
    for names, sign in ((own_hosts, _US), (theirs, _THEM)):
        for name in names:
            text = re.sub(
                rf"(?i)(?<![\w.-])(?:[\w-]+\.){{0,4}}{re.escape(name)}(?![\w-])", sign, text
            )
    return text


def _without_name(server: re.Match[str]) -> str:
    """Return what stands before the name of a server, and a word of the same length."""
    before = server[1] or ""
    return before + "x" * (len(server[0]) - len(before))


@lru_cache(maxsize=64)
def _forms(parties: Parties) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """Return our addresses, the names of our domain and hosts, and those of the recipient.

    A domain that both sides share names neither, nor does one where the recipient is not known.
    """
    names = [name.lower() for name in parties.ours if name]
    addresses = [name for name in names if "@" in name]
    plain = [f"{local.partition('+')[0]}@{domain}" for local, _, domain in _split(addresses)]
    their_domain = parties.recipient.lower().rpartition("@")[2]
    domains = [domain for _, _, domain in _split(addresses)] if their_domain else []
    hosts = {name for name in (*domains, *names) if "@" not in name and "." in name}
    shared = {
        host
        for host in hosts
        if their_domain and (host == their_domain or their_domain.endswith(f".{host}"))
    }
    theirs = (their_domain,) if their_domain and their_domain not in hosts else ()
    return frozenset((*addresses, *plain)), tuple(sorted(hosts - shared)), theirs


def _split(addresses: Iterable[str]) -> list[tuple[str, str, str]]:
    return [address.rpartition("@") for address in addresses]


def _about_us(text: str) -> bool:
    """Return whether a text says something of our sender: by its words, or by naming it."""
    if words.SENDER.search(text):
        return True
    expressions = (words.GONE, words.NO_SUCH_DOMAIN, words.GONE_MAYBE)
    return any(
        _nearest(text, match) == _US
        for expression in expressions
        for match in islice(expression.finditer(text), _MOST_MATCHES)
    )


def _about_recipient(expression: re.Pattern[str], text: str, *, unnamed: bool) -> int | None:
    """Return where a text says by an expression that the recipient does not exist; None if not.

    Args:
        expression: the words.
        text: the text with its marks.
        unnamed: True to count words beside which nobody is named.
    """
    for match in islice(expression.finditer(text), _MOST_MATCHES):
        nearest = _nearest(text, match)
        if nearest in (_THEM, _OTHER) or (unnamed and not nearest):
            return match.start()
    return None


def _nearest(text: str, match: re.Match[str]) -> str:
    """Return the mark that words belong to: the nearest one in their clause, else the only kind.

    Returns:
        `_US`, `_THEM` or `_OTHER`; empty if nobody is named.
    """
    ends = [
        end.end() for end in _CLAUSE_END.finditer(text, max(0, match.start() - 300), match.start())
    ]
    begin = ends[-1] if ends else max(0, match.start() - 300)
    after = _CLAUSE_END.search(text, match.end(), min(len(text), match.end() + 300))
    stop = after.start() if after else min(len(text), match.end() + 300)
    distances = [
        (min(abs(mark.start() - match.start()), abs(mark.start() - match.end())), mark[0])
        if not match.start() <= mark.start() < match.end()
        else (0, mark[0])
        for mark in _MARKS.finditer(text, begin, stop)
    ]
    if distances:
        return min(distances)[1]
    kinds = set(_MARKS.findall(text))
    return kinds.pop() if len(kinds) == 1 else ""
