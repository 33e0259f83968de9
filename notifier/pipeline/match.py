"""The step match: judge revisions that were not judged yet, and store what concerns a profile.

Owns the three parts of a batch: read it, judge it while no transaction is open, store it in a short
transaction. A batch is judged again if another process matched, or imported a profile, meanwhile.
At the end, mails that would say what is not true any more are put off (`changed_news`).
"""

import logging

from notifier.deps import Deps
from notifier.match import batches, matches
from notifier.pipeline import changed_news
from notifier.pipeline.problems import Problems

log = logging.getLogger("notifier")

# How often in a row a batch may be outdated before it is left to the other process. Chosen by hand;
# not measured.
_ATTEMPTS = 20


def run(deps: Deps, problems: Problems | None = None) -> int:
    """Judge all revisions that were not judged yet.

    Args:
        deps: the database and the clock.
        problems: collects the errors of revisions that could not be judged.

    Returns:
        The number of revisions that were judged by this process.
    """
    problems = problems if problems is not None else Problems()
    total = outdated = 0
    while outdated < _ATTEMPTS:
        now = deps.now()
        with deps.reading() as session:
            batch = batches.read(session, deps.kept_terms)
        if batch is None:
            if total:
                with problems.contained("Making digests due whose news changed"):
                    changed_news.make_due(deps, now)
            return total
        judged = batches.judge(batch)
        for description, error in judged.errors:
            problems.note(description, error)
        with deps.reading() as session:
            draft = batches.with_stories(session, judged, now)
        with deps.writing() as session:
            count = matches.store(session, draft, now)
        if count is None:
            outdated += 1
            log.info("Another process matched these revisions meanwhile; they are read again.")
        else:
            total, outdated = total + count, 0
    return total
