"""Matching: what was not looked at yet is judged for every profile, and stored where it concerns one.

Owns the three steps of a batch: read it, judge it while no transaction is open, store it in a short
one. A batch is judged again when somebody else matched, or imported a profile, meanwhile.
"""

import logging

from notifier.deps import Deps
from notifier.match import batches, matches
from notifier.pipeline.problems import Problems

log = logging.getLogger("notifier")

# How often in a row a batch may turn out to be outdated before it is left to whoever else is
# matching.
_ATTEMPTS = 20


def run(deps: Deps, problems: Problems | None = None) -> int:
    """Judge everything that was not looked at yet; returns how many revisions that were."""
    problems = problems if problems is not None else Problems()
    total = outdated = 0
    while outdated < _ATTEMPTS:
        now = deps.now()
        with deps.reading() as session:
            batch = batches.read(session)
        if not batch.revisions:
            return total
        judged = batches.judge(batch)
        for what, error in judged.errors:
            problems.note(what, error)
        with deps.reading() as session:
            recent = batches.read_recent(session, judged.profiles_with_news, now)
        found = batches.with_stories(judged, recent)
        with deps.writing() as session:
            stored = matches.store(session, found, now)
        if stored is None:
            outdated += 1
            log.info("A batch was matched by another process meanwhile; it is read again.")
        else:
            total, outdated = total + stored, 0
    return total
