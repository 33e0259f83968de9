"""Prefetching: every message in any order, and only a few in memory."""

import threading

import pytest

from notifier.deliver.smtp.prefetch import BATCH_SIZE, BATCHES_AHEAD, Prefetcher
from notifier.deliver.smtp.protocol import OutgoingMessage

NUMBER = 200


class Builder:
    """A builder of messages that notes which thread built which."""

    def __init__(self) -> None:
        self.built: list[tuple[int, str]] = []

    def outgoing(self, number: int) -> OutgoingMessage:
        def message() -> bytes:
            self.built.append((number, threading.current_thread().name))
            return b"message %d" % number

        return OutgoingMessage(number, "digest@example.org", f"p{number}@example.org", message)


@pytest.mark.parametrize("order", ["as they come", "backwards"])
def test_every_message_is_built_once_in_another_thread(order: str):
    builder = Builder()
    with Prefetcher() as prefetcher:
        messages = prefetcher.prepared([builder.outgoing(number) for number in range(NUMBER)])
        for outgoing in messages if order == "as they come" else reversed(messages):
            assert outgoing.message() == b"message %d" % outgoing.delivery_id
            assert outgoing.envelope_to == f"p{outgoing.delivery_id}@example.org"
    assert sorted(number for number, _ in builder.built) == list(range(NUMBER))
    assert threading.current_thread().name not in {thread for _, thread in builder.built}


def test_a_message_that_is_used_again_is_built_again():
    builder = Builder()
    with Prefetcher() as prefetcher:
        (outgoing,) = prefetcher.prepared([builder.outgoing(7)])
        assert outgoing.message() == outgoing.message() == b"message 7"
    assert len(builder.built) == 2


def test_only_a_limited_number_is_built_in_advance():
    builder = Builder()
    with Prefetcher() as prefetcher:
        messages = prefetcher.prepared([builder.outgoing(number) for number in range(NUMBER)])
        assert builder.built == []
        messages[0].message()
        prefetcher._pool.shutdown(wait=True)  # after everything that was submitted
        assert len(builder.built) == BATCH_SIZE * BATCHES_AHEAD < NUMBER


def test_an_error_of_building_is_raised_when_the_message_is_used():
    def message() -> bytes:
        raise ValueError("no key")

    with Prefetcher() as prefetcher:
        (outgoing,) = prefetcher.prepared(
            [OutgoingMessage(1, "digest@example.org", "anna@example.org", message)]
        )
        with pytest.raises(ValueError, match="no key"):
            outgoing.message()
