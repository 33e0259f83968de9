"""The journey of the news, in the order it is run.

    sources that are due
    | poll      fetch each, read it, store entries and revisions; a failure is stored beside its source (polling.py)
    | match     hold what is new against every profile
    | tidy      answer what was asked for on the web; end pauses, forget what is not needed any more
    | compose   for every subscription that is due: a digest for its group, and a delivery each, in one transaction
    | deliver   claim, send, settle by the server's answer (delivering.py)
    | watch     tell the operator once when mails do not go out

`notifier run --once`, the scheduler and a cron line call the same steps. Every step asks the database what is due,
does it, and finds nothing to do when it is run again. Transactions are opened and committed here and in the faces, and
none is open while the network is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from notifier import letters
from notifier.admission import admit
from notifier.deliver import outbox
from notifier.deliver.outbox import Answer
from notifier.delivering import Sent, deliver, never
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.evidence import snapshot_key
from notifier.digest.quiet import Watched, quiet
from notifier.digest.view import Variant
from notifier.match import matches, profiles
from notifier.store.models import Profile, Subscription
from notifier.store.statuses import Health
from notifier.subscribers import subscriptions
from notifier.subscribers.subscriptions import MONTH
from notifier.tidying import tidy
from notifier.watch import sources
from notifier.watch.health import health
from notifier.watchman import watch

if TYPE_CHECKING:
    from notifier.polling import PollResult, Progress


@dataclass(frozen=True)
class Report:
    """What one run did."""

    polled: "list[PollResult]"
    matched: int
    composed: int
    sent: Sent

    @property
    def failed(self) -> bool:
        """Whether a step failed that a person should look at."""
        refused = self.sent.answers.get(Answer.REFUSED, 0)
        return bool(self.sent.problem or refused or any(one.status == "failed" for one in self.polled))


def run_once(deps: Deps, stop: Callable[[], bool] = never) -> Report:
    """All steps, once; when it is to `stop`, no further mail is begun."""
    deps.require_sender()
    polled = poll(deps)
    matched = match(deps)
    admit(deps)
    tidy(deps)
    composed = compose(deps)
    sent = deliver(deps, stop)
    watch(deps)
    return Report(polled, matched, composed, sent)


def poll(
    deps: Deps, wanted: Sequence[str] = (), *, force: bool = False, progress: "Progress | None" = None
) -> "list[PollResult]":
    """Poll the sources that are due, or of those `wanted` the ones that are; `force` asks whatever their time."""
    from notifier.polling import Poll

    return Poll(deps, wanted, force=force).run(progress)


def failing_canaries(deps: Deps) -> list[str]:
    """The known texts of stored profiles that no longer get their tier, a sentence each; none where all is well."""
    with deps.reading() as session:
        return [
            f"{profile.slug}: {failed}"
            for profile in profiles.listed(session)
            for failed in matches.check_canaries(profile.document, profiles.stored_specs(profile), profile.name)
        ]


def match(deps: Deps) -> int:
    """Hold everything that was not looked at yet against the profiles; returns how many revisions that were."""
    total = 0
    while True:
        with deps.writing() as session:
            looked_at = matches.examine(session, deps.now())
        if not looked_at:
            return total
        total += looked_at


def compose(deps: Deps) -> int:
    """Compose a digest for every group of subscriptions that is due and owed something; returns how many."""
    now = deps.now()
    quiet = timedelta(minutes=deps.settings.schedule.quiet_minutes)
    composed = 0
    with deps.reading() as session:
        waiting = [profile.id for profile in profiles.listed(session)]
    for profile_id in waiting:
        with deps.writing() as session:
            # Locked: a match that is made meanwhile must not slip below the place that is noted as served.
            profile = session.get_one(Profile, profile_id, with_for_update=True)
            due = subscriptions.due(session, profile, now, quiet)
            for group in digests.groups(session, profile, due):
                owed = [(one, one.next_due_at or now) for one in group.subscriptions]
                first_due = min(due_at for _, due_at in owed)
                digest = digests.compose(session, profile, group, letters.renderer(deps), first_due, now)
                outbox.enqueue_digest(session, digest, owed, deps.mail_domain, now)
                subscriptions.served(group.subscriptions, profile.position, snapshot_key(profile.document), now)
                composed += 1
            for one in due:
                subscriptions.advance(one, now)
            if deps.settings.schedule.sign_of_life:
                composed += _reassure(deps, session, profile, now)
    return composed


def _reassure(deps: Deps, session: Session, profile: Profile, now: datetime) -> int:
    """Tell those who have heard nothing for a month that we looked; returns how many digests say so."""
    silent = dict(subscriptions.in_silence(session, profile, now))
    owed = {one for group in digests.groups(session, profile, list(silent)) for one in group.subscriptions}
    watched = sources.feeding(session, profile)
    served: dict[Variant, list[Subscription]] = {}
    for one in silent:
        if one not in owed and watched:
            # Nothing of a snapshot is shown: what was introduced before stays so.
            served.setdefault(digests.variant_of(one, one.introduced), []).append(one)
    since = (now - MONTH).date()
    failing = (source.name for source in watched if health(source, now) in (Health.FAILING, Health.GONE))
    seen = Watched(sum(sources.looks_since(one, since) for one in watched), len(watched), tuple(failing))
    for variant, members in served.items():
        due_at = min(silent[one] for one in members)
        rendered = letters.rendered_quiet(deps, quiet(profile, variant, seen, now.date()))
        digest = digests.compose_quiet(session, profile, variant, rendered, due_at, now)
        outbox.enqueue_digest(session, digest, [(one, silent[one]) for one in members], deps.mail_domain, now)
        for one in members:
            subscriptions.reassured(one, now)
    return len(served)


def as_document(results: "Sequence[PollResult]") -> dict[str, object]:
    """The JSON document of `poll`."""
    return {"sources": [asdict(result) for result in results]}
