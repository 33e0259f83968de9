"""The end of `notifier init`: the sources are read for the first time, and the next command named.

Owns these sentences. A source that cannot be read is a note: it is polled again by every run.
"""

from typing import TYPE_CHECKING

from notifier.cli import invocation, poll, progress_bar, shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from notifier.deps import Deps
    from notifier.pipeline.poll_result import PollResult
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
    with progress_bar.progress(shown=True) as progress:
        results, problems = poll.poll_and_match(deps, progress=progress)
    with deps.reading() as session:
        matched = matches.number_stored(session)
    failed = [result for result in results if result.status is PollStatus.FAILED]
    shared.say(
        f"Read {len(results) - len(failed)} of {shared.count(len(results), 'source')}: "
        f"{shared.count(sum(result.new for result in results), 'item')}, {matched} of them match. "
        "Nobody is mailed what was published before."
    )
    _say_failures(failed, all_failed=len(failed) == len(results))
    for problem in problems:
        shared.warn(f"Note: {problem}")


def _say_failures(failed: "Sequence[PollResult]", *, all_failed: bool) -> None:
    if not failed:
        return
    for result in failed[: 1 if all_failed else _MOST_NAMED]:
        shared.warn(f"Note: source {result.id} {result.url}: {result.error}.")
    if all_failed and len(failed) > 1:
        shared.warn("None of the others can be read either: is this machine online?")
    again = invocation.command("poll", "--force")
    shared.warn(f"Every run polls again what failed; to do it at once: {again}")


def say_next_steps(deps: "Deps") -> None:
    """Print the next commands, and before them what is missing for them."""
    from notifier.match import matches

    settings = deps.settings
    if missing := _missing(settings.sender):
        shared.say(
            f"\nNo mail can be sent yet: {' and '.join(missing)} must be set, in "
            f"{shared.config_path()} or by `notifier init` in a terminal."
        )
    with deps.reading() as session:
        is_empty = not matches.number_stored(session)
    if is_empty:
        shared.say(f"\nNext, read the sources:\n  {invocation.command('poll', '--force')}")
    me = settings.operator.address or settings.sender.reply_to or "you@example.org"
    shared.say(
        f"\n{'Then' if is_empty else 'Next'}, a digest of what was found, in your own inbox:"
        f"\n  {invocation.command('preview', '--send-to', me)}"
        "\n\nAfter that: the pages and the service (`notifier docs running`), and a check of all "
        "that is\nset up, from the records in the DNS to the backups (`notifier doctor`)."
    )


def _missing(sender: "Sender") -> list[str]:
    return [f"sender.{key}" for key in ("address", "postal_address") if not getattr(sender, key)]
