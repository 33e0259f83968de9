"""Messages that take long to make: the same ones, in whatever order they are asked for, and only a few kept."""

import threading
import time

import pytest

from notifier.deliver.smtp.prefetch import BATCH_SIZE, BATCHES_AHEAD, Prefetcher
from notifier.deliver.smtp.protocol import OutgoingMessage

NUMBER = 200


class Press:
    """Makes messages and says who made which."""

    def __init__(self) -> None:
        self.made: list[tuple[int, str]] = []

    def outgoing(self, number: int) -> OutgoingMessage:
        def message() -> bytes:
            self.made.append((number, threading.current_thread().name))
            return b"message %d" % number

        return OutgoingMessage(number, "digest@example.org", f"p{number}@example.org", message)


@pytest.mark.parametrize("order", ["as they come", "backwards"])
def test_every_parcel_gets_its_own_message_made_once_and_elsewhere(order: str):
    press = Press()
    with Prefetcher() as ahead:
        parcels = ahead.prepared([press.outgoing(number) for number in range(NUMBER)])
        for parcel in parcels if order == "as they come" else reversed(parcels):
            assert parcel.message() == b"message %d" % parcel.delivery_id
            assert parcel.envelope_to == f"p{parcel.delivery_id}@example.org"
    assert sorted(number for number, _ in press.made) == list(range(NUMBER))
    assert threading.current_thread().name not in {thread for _, thread in press.made}


def test_a_message_that_is_asked_for_again_is_made_again():
    press = Press()
    with Prefetcher() as ahead:
        (parcel,) = ahead.prepared([press.outgoing(7)])
        assert parcel.message() == parcel.message() == b"message 7"
    assert len(press.made) == 2


def test_only_so_many_are_made_before_their_turn():
    press = Press()
    with Prefetcher() as ahead:
        parcels = ahead.prepared([press.outgoing(number) for number in range(NUMBER)])
        assert press.made == []
        parcels[0].message()
        time.sleep(0.2)
        assert len(press.made) == BATCH_SIZE * BATCHES_AHEAD < NUMBER


def test_what_cannot_be_made_is_told_to_who_asks():
    def message() -> bytes:
        raise ValueError("no key")

    with Prefetcher() as ahead:
        (parcel,) = ahead.prepared(
            [OutgoingMessage(1, "digest@example.org", "anna@example.org", message)]
        )
        with pytest.raises(ValueError, match="no key"):
            parcel.message()
