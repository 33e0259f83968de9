"""The journey of the news, in the order it is run.

    clock            mend what a wrong clock planned
    |
    sources that are due
    | poll             fetch and parse each, store entries and revisions, or the failure
    | match            judge new revisions for every profile, store the matches
    | signup_requests  answer the requests that came through the web forms
    | housekeeping     end pauses, delete what is no longer needed
    | compose          for every group of subscriptions that is due: a digest, and a delivery each
    | departures       append to the journal of departures what could not be appended before
    | deliver          claim, send, settle by the server's answer
    | monitoring       mail the operator once when mails do not go out
    | waiting          mail the operator once a day what waits for a person
    | retention        once a day, remove what is older than its period

`notifier run --once`, the scheduler and a cron line run the same steps. Each step asks the database
what is due and does it; run again at once, it finds nothing to do. A step that fails stops no
other. Transactions are opened and committed in these files, in `admin/`, `web/` and `cli/`. None is
open while the network is used or a text is judged, rendered or signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from notifier.deps import Deps
from notifier.match import canaries, judging, profiles
from notifier.pipeline import (
    clock,
    compose,
    deliver,
    departures,
    housekeeping,
    match,
    monitoring,
    poll,
    retention,
    signup_requests,
    unsent,
    waiting,
)
from notifier.pipeline.deliver import Sent
from notifier.pipeline.poll_result import PollResult
from notifier.pipeline.problems import Problems
from notifier.store import heartbeat
from notifier.store.db import in_chunks

# The steps that workers do job by job: for a host, for a profile, in turns.
_JOBS = frozenset(("poll", "match", "compose", "deliver"))


@dataclass(frozen=True)
class Report:
    """The result of one run.

    Attributes:
        polled: a result for each polled source.
        matched: how many matches were stored.
        composed: how many digests were stored.
        sent: the answers of the mail server.
        problems: the steps, profiles and subscriptions that failed, a sentence each.
        unreached: the digests that nobody got, a sentence each with what to do.
    """

    polled: list[PollResult]
    matched: int
    composed: int
    sent: Sent
    problems: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """True if a person must look at it.

        A source that fails, and a recipient whose server says no, are stored and shown: that is
        part of every day.
        """
        stopped = self.sent.problem or self.sent.for_our_fault
        return bool(self.problems or stopped or self.unreached)


def run_once(deps: Deps, stop: Callable[[], bool] = deliver.never) -> Report:
    """Run all steps once. A step that fails stops no other.

    Args:
        deps: settings, sessions, transports, clock.
        stop: asked before each step and each mail; after it returned true, none begins.

    Raises:
        SettingsError: the settings name no sender; no step was run.
    """
    deps.require_sender()
    problems = Problems()
    results: dict[str, Any] = {}
    for name, run in steps(deps, problems, stop).items():
        if stop():
            break
        with problems.contained(f"The step {name}"):
            results[name] = run()
    with problems.contained("The heartbeat"):
        _beat(deps)
    return Report(
        results.get("poll", []),
        results.get("match", 0),
        results.get("compose", 0),
        results.get("deliver", Sent()),
        tuple(problems.lines),
        tuple(results.get("monitoring", ())),
    )


def steps(
    deps: Deps, problems: Problems, stop: Callable[[], bool] = deliver.never
) -> dict[str, Callable[[], Any]]:
    """Return the steps of a run by their names, in their order.

    Args:
        deps: settings, sessions, transports, clock.
        problems: collects what fails inside a step.
        stop: asked before each mail.
    """
    return {
        "heartbeat": lambda: _beat(deps),
        "clock": lambda: clock.run(deps),
        "poll": lambda: poll.run(deps, only_due=True),
        "match": lambda: match.run(deps, problems),
        "signup_requests": lambda: signup_requests.answer_all(deps, problems),
        "housekeeping": lambda: housekeeping.run(deps, problems),
        "compose": lambda: compose.run(deps, problems),
        "departures": lambda: departures.run(deps),
        "deliver": lambda: deliver.run(deps, stop),
        "monitoring": lambda: monitoring.notify_operator(deps),
        "waiting": lambda: waiting.notify_operator(deps),
        "retention": lambda: retention.run(deps, problems),
    }


def _beat(deps: Deps) -> None:
    with deps.writing() as session:
        heartbeat.beat(session, deps.now())


def upkeep(deps: Deps, stop: Callable[[], bool] = deliver.never) -> None:
    """Run every step that is no job of its own for workers (`notifier work`)."""
    problems = Problems()
    with problems.contained("Making digests due that are owed again"):
        unsent.owe_again(deps, deps.now())
    for name, run in steps(deps, problems, stop).items():
        if name in _JOBS:
            continue
        if stop():
            break
        with problems.contained(f"The step {name}"):
            run()
    with problems.contained("The heartbeat"):
        _beat(deps)


def failing_canaries(deps: Deps) -> list[str]:
    """Return the canaries that no longer get their expected tier, a sentence each.

    Canaries are the texts with a known tier that a profile contains. Once all have passed they are
    not judged again by the same version of notifier until a profile is imported.
    """
    with deps.reading() as session:
        if canaries.have_passed(session):
            return []
        failing = [
            f"{profile.slug}: {failed}"
            for chunk in in_chunks(profiles.ids(session))
            for profile in profiles.with_terms(session, chunk)
            for failed in judging.check_canaries(
                profile.document, profiles.stored_specs(profile), profile.name
            )
        ]
    if not failing:
        with deps.writing() as session:
            canaries.note_passed(session)
    return failing


def to_json(results: Sequence[PollResult]) -> dict[str, object]:
    """Return the JSON document that `notifier poll --json` prints."""
    return {"sources": [asdict(result) for result in results]}
