"""Corrections, withdrawals and other changes before readers are told of them."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from notifier.digest import reach
from notifier.digest.changes import ChangeView, describe_changes
from notifier.digest.reach import WaitingChange
from notifier.enums import Edition, SourceKind
from notifier.i18n.catalog import ENGLISH
from notifier.match import shown_state
from notifier.store.models import Revision
from notifier.web.operator import rendering, words
from notifier.web.operator.news import news_tabs, news_words
from notifier.web.operator.visit import Visit, number_of

_ROWS = 10


class Row(NamedTuple):
    """A change as the page shows it.

    Attributes:
        change: the match, and who is owed it.
        state: what the match is now (`shown_state.of_matches`).
        changes: what readers will see.
    """

    change: WaitingChange
    state: str
    changes: Sequence[ChangeView]


def show(visit: Visit) -> Response:
    """Show what goes out with the next digests, the newest first."""
    before = number_of(visit.query.get("before", ""))
    with visit.deps.reading() as session:
        waiting, older = reach.waiting_changes(session, visit.now, before, _ROWS)
        states = shown_state.of_matches(session, [each.match for each in waiting])
        values = {
            "rows": [
                Row(
                    change,
                    states[change.match.id],
                    described(change.match.revision, change.match.entry.source.kind),
                )
                for change in waiting
            ],
            "older": older,
            "before": before,
            "tabs": news_tabs.tabs(session, "changes"),
            "words": news_words,
            "count": words.count,
            "up_to": words.up_to,
        }
    return rendering.show(visit, "news_changes", values, section="news")


def described(revision: Revision, kind: SourceKind) -> tuple[ChangeView, ...]:
    """Word the changes of a state of an entry as a digest for patients does, in English."""
    return describe_changes(revision.changes, kind, Edition.PATIENT, ENGLISH)
