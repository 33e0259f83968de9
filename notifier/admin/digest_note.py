"""Notes after a digest: a text of the operator's to exactly those who got it."""

from notifier.deliver import outbox
from notifier.deps import Deps
from notifier.digest import digests, notes


def send_note(deps: Deps, digest_id: int, text: str) -> int:
    """Enqueue a note to everybody who got a digest and is still subscribed.

    Given again, the same text goes only to those who got the digest since.

    Returns:
        The number of mails that were enqueued.

    Raises:
        NotFoundError: the digest does not exist.
        InputError: the text is empty or too long.
    """
    now = deps.now()
    tidied = notes.tidy(text)
    with deps.writing() as session:
        note = notes.find_or_store(session, digests.find(session, digest_id), tidied, now)
        readers = notes.readers_without(session, note)
        outbox.enqueue_note(session, note, readers, deps.mail_domain, now)
        return len(readers)
