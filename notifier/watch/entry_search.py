"""Entry search: the stored entries that a person names by an address or an id.

Owns which forms of an address mean the same entry: with or without scheme, ``www.``, a last slash,
a fragment and tracking parameters; percent-encoded or not. The keys by which polls recognise an
entry come first: they also know its earlier addresses. It reads, and changes nothing.
"""

import re
from collections.abc import Collection, Sequence
from urllib.parse import quote, unquote

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from notifier.errors import InputError, NotFoundError
from notifier.store.models import Entry, EntryAlias, Revision, Source
from notifier.text.urls import canonical_url, web_address
from notifier.watch.keys import KeyKind

# Several sources may list the same page. Chosen by hand; not measured.
_MOST = 20
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,20}://")
_ID = re.compile(r"[0-9]{1,18}")
# Characters that stay as they are when an address is percent-encoded (RFC 3986, 2.2 and 2.4).
_RESERVED = ":/?#[]@!$&'()*+,;=%"
# The texts of the states, which are long and not needed.
_SHORT_COLUMNS = (
    Revision.entry_id, Revision.number, Revision.kind, Revision.material, Revision.baseline,
    Revision.observed_at, Revision.title, Revision.url, Revision.changes, Revision.held_because,
    Revision.judge_requests, Revision.emptied,
)  # fmt: skip


def named(session: Session, reference: str) -> Sequence[Entry]:
    """Return the entries that an id or an address names, oldest first, with source and revisions.

    Raises:
        InputError: the text is neither an id nor a web address.
        NotFoundError: no such entry was seen.
    """
    text = reference.strip()
    if _ID.fullmatch(text):
        entries = _loaded(session, [int(text)])
        problem = f"There is no entry {text}."
    else:
        forms = _forms(text)
        ids = _by_key(session, forms) or _by_address(session, forms)
        entries = _loaded(session, ids)
        problem = f"No entry with the address {text} was seen by a poll."
    if not entries:
        raise NotFoundError(
            problem,
            "What was seen: notifier entries list. Whether its source is watched and well: "
            "notifier sources list",
        )
    return entries


def _forms(text: str) -> frozenset[str]:
    """Return the canonical forms of an address.

    Raises:
        InputError: it is no web address.
    """
    url = web_address(text if _SCHEME.match(text) else f"https://{text}")
    if not url or " " in text:
        raise InputError(
            f"{text[:200]!r} is neither the address of an entry nor its id.",
            "Give the address as the digest links it, or an id of: notifier entries list",
        )
    spellings = (url, quote(url, safe=_RESERVED), unquote(url))
    return frozenset(_canonical(spelling) for spelling in spellings)


def _canonical(url: str) -> str:
    try:
        return canonical_url(url)
    except ValueError:  # a stored address may be anything
        return url


def _by_key(session: Session, forms: Collection[str]) -> Sequence[int]:
    """Return the entries that polls would recognise by such an address, now or earlier."""
    keys = [KeyKind.LINK.key(form) for form in forms]
    # Joined with the sources: the index of keys begins with the source.
    aliases = (
        select(EntryAlias.entry_id)
        .select_from(Source)
        .join(EntryAlias, and_(EntryAlias.source_id == Source.id, EntryAlias.key.in_(keys)))
    )
    return session.scalars(aliases.distinct().order_by(EntryAlias.entry_id).limit(_MOST)).all()


def _by_address(session: Session, forms: Collection[str]) -> Sequence[int]:
    """Return the entries with such an address: one that several items share is no key."""
    matching: set[int] = set()
    for form in forms:
        host, _, path = form.partition("?")[0].partition("/")
        listed = select(Entry.id, Entry.url).where(
            Entry.url.contains(path or host, autoescape=True)
        )
        for entry_id, url in session.execute(listed.execution_options(yield_per=1000)):
            if _canonical(url) in forms:
                matching.add(entry_id)
    return sorted(matching)[:_MOST]


def _loaded(session: Session, ids: Sequence[int]) -> Sequence[Entry]:
    query = select(Entry).where(Entry.id.in_(ids)).order_by(Entry.id)
    states = selectinload(Entry.revisions).load_only(*_SHORT_COLUMNS)
    return session.scalars(query.options(joinedload(Entry.source), states)).all()
