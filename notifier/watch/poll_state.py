"""The result of a response, and what one poll showed so far: values that are not stored."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifier.enums import PollStatus
from notifier.watch.doubts import Judgement
from notifier.watch.http.types import Request
from notifier.watch.page_checks import PageCheck, SiteAnswers
from notifier.watch.stored import Stored


@dataclass(frozen=True)
class Outcome:
    """The result of one response for its source.

    Attributes:
        status: the source's status; None if the response says nothing about it.
        error: the reason of a failure, a clause; None if there is none.
        stored: what was stored of its observations.
        requests: what is requested next.
    """

    status: PollStatus | None = None
    error: str | None = None
    stored: Stored = field(default_factory=Stored)
    requests: tuple[Request, ...] = ()


@dataclass
class PollState:
    """Findings of one poll that its later responses need; they are not stored.

    Attributes:
        now: the time of the poll, aware UTC.
        interval: the operator's shortest wait (`watch.interval_minutes`).
        waiting: requests that follow the source's own document, by source id.
        listed: the ids of the entries in the source's documents, by source id.
        judgements: the states of a source's last document that are not believed, by source id.
        pages: the further pages that were requested, by source id.
        failures: how many polls of a search had failed in a row before this one, by source id.
        dated_by: the ids of the sources that get the date of a registry's data, by its address.
        page_checks: the results of checks, by source id and entry id.
        site_answers: the answers of the sites of pages that stay away.
    """

    now: datetime
    interval: timedelta
    waiting: dict[int, list[Request]] = field(default_factory=lambda: defaultdict(list))
    listed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    judgements: dict[int, Judgement] = field(default_factory=dict)
    pages: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    failures: dict[int, int] = field(default_factory=dict)
    dated_by: dict[str, list[int]] = field(default_factory=dict)
    page_checks: dict[int, dict[int, PageCheck]] = field(default_factory=lambda: defaultdict(dict))
    site_answers: SiteAnswers = field(default_factory=SiteAnswers)
