"""The end of `notifier init`: the sources are read for the first time, and the next command named.

Owns these sentences. A source that cannot be read is a note: it is polled again by every run.
"""

from typing import TYPE_CHECKING

from notifier.cli import invocation, poll, shared

if TYPE_CHECKING:
    from notifier.deps import Deps
    from notifier.settings import Sender

# How many failing sources are named. Chosen by hand; not measured.
_MOST_NAMED = 3


def read_sources(deps: "Deps") -> None:
    """Poll all sources, and match what they list, unless one was polled before."""
    from notifier.enums import PollStatus
    from notifier.match import matches
    from notifier.watch import sources

    with deps.reading() as session:
        watched = sources.listed(session)
        if not watched or any(source.last_success_at or source.failures for source in watched):
            return
    shared.warn(f"Reading {shared.count(len(watched), 'source')} for the first time ...")
    with shared.progress(shown=True) as progress:
        results, problems = poll.poll_and_match(deps, progress=progress)
    with deps.reading() as session:
        matched = matches.number_stored(session)
    failed = [result for result in results if result.status is PollStatus.FAILED]
    shared.say(
        f"Read {len(results) - len(failed)} of {shared.count(len(results), 'source')}: "
        f"{shared.count(sum(result.new for result in results), 'item')}, {matched} of them match. "
        "Nobody is mailed what was published before."
    )
    for result in failed[:_MOST_NAMED]:
        shared.warn(f"Note: source {result.id} {result.url}: {result.error}.")
    if failed:
        again = invocation.command("poll", "--force")
        shared.warn(f"Every run polls again what failed, and so does: {again}")
    for problem in problems:
        shared.warn(f"Note: {problem}")


def say_next_steps(deps: "Deps") -> None:
    """Print the next command, and before it what is missing for it."""
    sender = deps.settings.sender
    if missing := _missing(sender):
        keys = " and ".join(missing)
        shared.say(
            f"\nNo mail can be sent yet, because {keys} {'is' if len(missing) == 1 else 'are'} not "
            f"set. Set {'it' if len(missing) == 1 else 'them'} in {shared.config_path()}, or run "
            "`notifier init` in a terminal."
        )
    me = deps.settings.operator.address or sender.reply_to or "you@example.org"
    preview = invocation.command("preview", "--send-to", me)
    shared.say(f"\nNext, a digest of what was found, in your own inbox:\n  {preview}")
    shared.say(
        f"Then the pages and the service, and readers: {invocation.command('docs', 'running')}"
    )


def _missing(sender: "Sender") -> list[str]:
    return [f"sender.{key}" for key in ("address", "postal_address") if not getattr(sender, key)]
