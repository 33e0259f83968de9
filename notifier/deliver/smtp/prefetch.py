"""Prefetching: messages are built and signed in advance, the signatures on all cores.

A signature takes as long as everything else about a mail or longer, so other processes make it
(`deliver/mime/signing_pool.py`) while earlier mails are sent. What a message says is not known
here.
"""

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from notifier.deliver.mime.dkim_signature import UnsignedMessage
from notifier.deliver.mime.message import PersonalMessage
from notifier.deliver.smtp.protocol import OutgoingMessage

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer
    from notifier.deliver.mime.signing_pool import Signatures, SigningPool

# Messages are built in batches, and this many batches are ahead of the message that is sent, so
# that at most 64 messages are kept in memory. Chosen by hand; not measured.
BATCH_SIZE = 8
BATCHES_AHEAD = 8
# Fewer messages are signed at once: to start a process takes as long as a few hundred signatures.
# Chosen by hand; not measured.
FEWEST = 64


class Prefetcher:
    """Builds messages in their order, some of them in advance.

    Args:
        signers: the keys that sign them; without any, nothing is built in advance.
    """

    def __init__(self, signers: "Sequence[Signer]") -> None:
        self._pool = _pool_of(signers) if signers else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.close()

    def prepared(self, messages: Sequence[OutgoingMessage]) -> Sequence[OutgoingMessage]:
        """Return the same messages, each of which uses what was built of it in advance.

        A message that is used again, or whose building failed in advance, is built at that moment,
        so that its error is raised there.
        """
        if self._pool is None or (len(messages) < FEWEST and not self._pool.is_started):
            return messages
        self._pool.start()
        window = _Window(messages, self._pool)
        return [
            outgoing._replace(message=partial(window.use, number))
            for number, outgoing in enumerate(messages)
        ]


def _pool_of(signers: "Sequence[Signer]") -> "SigningPool":
    # Without a key, the library that signs is not loaded.
    from notifier.deliver.mime.signing_pool import SigningPool

    return SigningPool(signers)


class _Built(NamedTuple):
    """A message that waits for its signatures, which are those of a batch from `first` on."""

    unsigned: UnsignedMessage
    signatures: "Signatures"
    first: int

    def finished(self) -> bytes:
        """Return the whole message."""
        last = self.first + len(self.unsigned.requests)
        return self.unsigned.signed(self.signatures.get()[self.first : last])


class _Window:
    """The messages of one claim, of which some are built ahead of the one that is sent."""

    def __init__(self, messages: Sequence[OutgoingMessage], pool: "SigningPool") -> None:
        self._messages, self._pool = messages, pool
        self._built: list[_Built | None] = []

    def use(self, number: int) -> bytes:
        """Return the bytes of the message with this number."""
        ahead = (number // BATCH_SIZE + BATCHES_AHEAD) * BATCH_SIZE
        while len(self._built) < min(ahead, len(self._messages)):
            self._build_batch()
        built, self._built[number] = self._built[number], None
        return self._messages[number].message() if built is None else built.finished()

    def _build_batch(self) -> None:
        """Build the next messages, and ask for their signatures."""
        start = len(self._built)
        unsigned = [_unsigned(each) for each in self._messages[start : start + BATCH_SIZE]]
        requests = [request for each in unsigned if each for request in each.requests]
        signatures = self._pool.sign(requests)
        first = 0
        for each in unsigned:
            self._built.append(None if each is None else _Built(each, signatures, first))
            first += 0 if each is None else len(each.requests)


def _unsigned(outgoing: OutgoingMessage) -> UnsignedMessage | None:
    """Return a message without its signatures; None for one that is built when it is sent."""
    if not isinstance(outgoing.message, PersonalMessage):
        return None
    try:
        return outgoing.message.unsigned()
    except Exception:  # noqa: BLE001 - it is built again when it is sent, and fails there
        return None
