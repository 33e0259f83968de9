"""The journey of the news, in the order it is run.

    sources that are due
    | poll             fetch each, read it, store entries and revisions; a failure is stored beside its source
    | match            judge what is new for every profile, and store what concerns one
    | signup_requests  answer what was asked for on the web
    | housekeeping     end pauses, delete what is not needed any more
    | compose          for every subscription that is due: a digest for its group, and a delivery each
    | deliver          claim, send, settle by the server's answer
    | monitoring       tell the operator once when mails do not go out

`notifier run --once`, the scheduler and a cron line call the same steps. Every step asks the
database what is due, does it, and finds nothing to do when it is run again. Each is run whatever
became of the one before. Transactions are opened and committed in these files, in `admin/`, `web/`
and `cli/`, and none is open while the network is used or a text is judged, rendered or signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from notifier.deliver.outbox import SendResult
from notifier.deps import Deps
from notifier.match import judging, profiles
from notifier.pipeline import (
    compose,
    deliver,
    housekeeping,
    match,
    monitoring,
    poll,
    signup_requests,
)
from notifier.pipeline.deliver import Sent
from notifier.pipeline.poll import PollResult
from notifier.pipeline.problems import Problems


@dataclass(frozen=True)
class Report:
    """What one run did; `problems` are the steps, profiles and people that could not be served, a sentence each."""

    polled: list[PollResult]
    matched: int
    composed: int
    sent: Sent
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a step failed that a person should look at."""
        refused = self.sent.answers.get(SendResult.REFUSED, 0)
        unanswered = any(source.status == "failed" for source in self.polled)
        return bool(self.problems or self.sent.problem or refused or unanswered)


def run_once(deps: Deps, stop: Callable[[], bool] = deliver.never) -> Report:
    """All steps, once, each of them whatever became of the others; when it is to `stop`, no further mail is begun.

    Raises:
        SettingsError: it is not set who writes; nothing was done.
    """
    deps.require_sender()
    problems = Problems()
    polled: list[PollResult] = []
    matched, composed, sent = 0, 0, Sent()
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
    return Report(polled, matched, composed, sent, tuple(problems.lines))


def failing_canaries(deps: Deps) -> list[str]:
    """The known texts of stored profiles that no longer get their tier, a sentence each; none where all is well."""
    with deps.reading() as session:
        return [
            f"{profile.slug}: {failed}"
            for profile in profiles.listed(session)
            for failed in judging.check_canaries(
                profile.document, profiles.stored_specs(profile), profile.name
            )
        ]


def to_json(results: Sequence[PollResult]) -> dict[str, object]:
    """The JSON document of `poll`."""
    return {"sources": [asdict(result) for result in results]}
