"""Checks of the content: sources, canaries, facts that age, what waits for a person, discretion."""

import re
from datetime import date

from sqlalchemy import func, select

from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import Result, ok, warning
from notifier.enums import DigestStatus, Health, TermKind
from notifier.match import held, judging, profiles
from notifier.store.db import in_chunks
from notifier.store.models import Digest, Source, Term
from notifier.subscribers import held_suppressions
from notifier.text.cleaning import shorten
from notifier.watch.health import health

# Things that one finding names. Chosen by hand.
_MOST_NAMED = 3
_STAGE_DAYS = 365
_LONGEST_NAME, _LONGEST_REASON = 40, 100
# The terms that tell what somebody reads about; shorter ones occur in any name.
_TELLING = (TermKind.NAME, TermKind.CODE, TermKind.INDICATION)
_SHORTEST_WORD = 4
# Digests that wait for a person's approval.
_WAITING = (DigestStatus.DRAFT, DigestStatus.HELD)
_ILL = (Health.FAILING, Health.SILENT, Health.GONE)


def _sources(examined: Examined) -> Result:
    expected = "every source was polled and answers"
    with examined.deps.reading() as session:
        sources = session.scalars(
            select(Source).where(Source.removed_at.is_(None)).order_by(Source.id)
        ).all()
        states = [(source, health(source, examined.now)) for source in sources]
    if not states:
        return warning(expected, "no source is watched", "notifier sources add URL")
    paused = sum(source.paused_at is not None for source in sources)
    states = [(source, state) for source, state in states if source.paused_at is None]
    if ill := [(source, state) for source, state in states if state in _ILL]:
        return warning(
            expected,
            _listed([_describe(source, state) for source, state in ill]),
            f"notifier sources check {' '.join(str(source.id) for source, _ in ill[:_MOST_NAMED])}",
        )
    if new := sum(state is Health.NEW for _, state in states):
        return warning(
            expected, f"{new} of {len(states)} were never polled", "notifier run; or: notifier poll"
        )
    return ok(expected, f"{len(states)} answer" + (f", {paused} are paused" if paused else ""))


def _describe(source: Source, state: Health) -> str:
    name = f"source {source.id} ({shorten(source.name, _LONGEST_NAME)}) is {state}"
    reason = shorten(source.last_error or "", _LONGEST_REASON)
    return f"{name}: {reason}" if reason and state is Health.FAILING else name


def _canaries(examined: Examined) -> Result:
    expected = "every canary of a profile gets its tier"
    failing, number = [], 0
    with examined.deps.reading() as session:
        for chunk in in_chunks(profiles.ids(session)):
            for profile in profiles.with_terms(session, chunk):
                number += len(profile.document.get("canaries", ()))
                specs = profiles.stored_specs(profile)
                failing += [
                    f"{profile.slug}: {sentence}"
                    for sentence in judging.check_canaries(profile.document, specs, profile.name)
                ]
    if failing:
        return warning(
            expected,
            _listed(failing),
            "Correct the terms, and import the profile again:\n"
            "    notifier profiles export SLUG > FILE.toml\n"
            "    notifier profiles import FILE.toml",
        )
    return ok(expected, f"{number} do")


def _stages(examined: Examined) -> Result:
    expected = "the stage of each therapy was looked at within a year"
    today = examined.now.date()
    with examined.deps.reading() as session:
        old = [
            f"{profile.slug}: as of {profile.stage_as_of or 'no date'}"
            for profile in profiles.listed(session)
            if profile.stage and _is_old(profile.stage_as_of, today)
        ]
    if old:
        return warning(
            expected,
            _listed(old),
            "Compare stage with the registry and the regulators, set stage_as_of to today, and "
            "import the profile again:\n    notifier profiles export SLUG > FILE.toml",
        )
    return ok(expected, "all were")


def _is_old(as_of: date | None, today: date) -> bool:
    return as_of is None or (today - as_of).days > _STAGE_DAYS


def _held(examined: Examined) -> Result:
    expected = "nothing waits for a person"
    with examined.deps.reading() as session:
        matches, addresses = held.count_waiting(session), held_suppressions.count(session)
        waiting = select(func.count()).where(Digest.status.in_(_WAITING))
        digests = session.scalar(waiting) or 0
    parts = [
        (digests, f"{digests} digests", "notifier digests list"),
        (matches, f"{matches} matches", "notifier matches list --held"),
        (addresses, f"{addresses} suppressions", "notifier bounces held"),
    ]
    if undecided := [part for part in parts if part[0]]:
        return warning(
            expected,
            ", ".join(words for _, words, _ in undecided),
            "\n".join(f"    {command}" for _, _, command in undecided),
        )
    return ok(expected, "nothing")


def _discreet(examined: Examined) -> Result:
    expected = "no therapy or illness is named where others see it"
    settings = examined.settings
    if not settings.sender.discreet:
        return ok(expected, "sender.discreet is off")
    with examined.deps.reading() as session:
        rows = session.execute(select(Term.text, Term.also).where(Term.kind.in_(_TELLING))).all()
    words = {word.lower() for text, also in rows for word in (text, *also)}
    telling = sorted(word for word in words if len(word) >= _SHORTEST_WORD)
    shown = {
        "sender.name": settings.sender.name,
        "sender.address": settings.sender.address or "",
        "sender.list_id": settings.sender.list_id or "",
        "sender.bounce_address": settings.sender.bounce_address or "",
        "public_url": settings.public_url,
    }
    named = [
        f"{key} names {word}"
        for key, text in shown.items()
        if (word := next((word for word in telling if _names(text, word)), ""))
    ]
    if named:
        keys = ", ".join(name.partition(" ")[0] for name in named)
        return warning(
            expected,
            _listed(named),
            f"Give {keys} a neutral name: lock screens, shared mailboxes and employers see it.",
        )
    return ok(expected, "none")


def _names(text: str, word: str) -> bool:
    """Return whether a name or an address holds a word, however its parts are joined."""
    joined = re.sub(r"[^a-z0-9]", "", word)
    return word in text.lower() or (
        len(joined) >= _SHORTEST_WORD and joined in re.sub(r"[^a-z0-9]", "", text.lower())
    )


def _listed(sentences: list[str]) -> str:
    """Return some sentences, a line each, and how many more there are."""
    more = len(sentences) - _MOST_NAMED
    return "\n".join([*sentences[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


_STORED = ("installation.schema",)

CHECKS = (
    Check("content.sources", _sources, _STORED),
    Check("content.canaries", _canaries, _STORED),
    Check("content.stages", _stages, _STORED),
    Check("content.held", _held, _STORED),
    Check("content.discreet", _discreet, _STORED),
)
