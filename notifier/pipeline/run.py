"""The journey of the news, in the order it is run.

    clock            mend what a wrong clock planned
    |
    sources that are due
    | poll             fetch and parse each, store entries and revisions, or the failure
    | match            judge new revisions for every profile, store the matches
    | signup_requests  answer the requests that came through the web forms
    | housekeeping     end pauses, delete what is no longer needed
    | compose          for every group of subscriptions that is due: a digest, and a delivery each
    | deliver          claim, send, settle by the server's answer
    | monitoring       mail the operator once when mails do not go out
    | waiting          mail the operator once a day what waits for a person

`notifier run --once`, the scheduler and a cron line run the same steps. Each step asks the database
what is due and does it; run again at once, it finds nothing to do. A step that fails stops no
other. Transactions are opened and committed in these files, in `admin/`, `web/` and `cli/`. None is
open while the network is used or a text is judged, rendered or signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from notifier.deliver.outbox import SendResult
from notifier.deps import Deps
from notifier.enums import PollStatus
from notifier.match import judging, profiles
from notifier.pipeline import (
    clock,
    compose,
    deliver,
    housekeeping,
    match,
    monitoring,
    poll,
    signup_requests,
    waiting,
)
from notifier.pipeline.deliver import Sent
from notifier.pipeline.poll_result import PollResult
from notifier.pipeline.problems import Problems


@dataclass(frozen=True)
class Report:
    """The result of one run.

    Attributes:
        polled: a result for each polled source.
        matched: how many matches were stored.
        composed: how many digests were stored.
        sent: the answers of the mail server.
        problems: the steps, profiles and subscriptions that failed, a sentence each.
    """

    polled: list[PollResult]
    matched: int
    composed: int
    sent: Sent
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """True if a person should look at a failure."""
        refused = self.sent.answers.get(SendResult.REFUSED, 0)
        unanswered = any(source.status is PollStatus.FAILED for source in self.polled)
        return bool(self.problems or self.sent.problem or refused or unanswered)


def run_once(deps: Deps, stop: Callable[[], bool] = deliver.never) -> Report:
    """Run all steps once. A step that fails stops no other.

    Args:
        deps: settings, sessions, transports, clock.
        stop: asked before each mail; after it returned true, no further mail is sent.

    Raises:
        SettingsError: the settings name no sender; no step was run.
    """
    deps.require_sender()
    problems = Problems()
    polled: list[PollResult] = []
    matched, composed, sent = 0, 0, Sent()
    with problems.contained("The step clock"):
        clock.run(deps)
    with problems.contained("The step poll"):
        polled = poll.run(deps)
    with problems.contained("The step match"):
        matched = match.run(deps, problems)
    with problems.contained("The step signup_requests"):
        signup_requests.answer_all(deps, problems)
    with problems.contained("The step housekeeping"):
        housekeeping.run(deps, problems)
    with problems.contained("The step compose"):
        composed = compose.run(deps, problems)
    with problems.contained("The step deliver"):
        sent = deliver.run(deps, stop)
    with problems.contained("The step monitoring"):
        monitoring.notify_operator(deps)
    with problems.contained("The step waiting"):
        waiting.notify_operator(deps)
    return Report(polled, matched, composed, sent, tuple(problems.lines))


def failing_canaries(deps: Deps) -> list[str]:
    """Return the canaries that no longer get their expected tier, a sentence each.

    Canaries are the texts with a known tier that a profile contains.
    """
    with deps.reading() as session:
        return [
            f"{profile.slug}: {failed}"
            for profile in profiles.listed(session)
            for failed in judging.check_canaries(
                profile.document, profiles.stored_specs(profile), profile.name
            )
        ]


def to_json(results: Sequence[PollResult]) -> dict[str, object]:
    """Return the JSON document that `notifier poll --json` prints."""
    return {"sources": [asdict(result) for result in results]}
