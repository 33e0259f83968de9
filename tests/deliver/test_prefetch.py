"""Prefetching: every message once and as it was, signed by other processes where they can."""

import io
import time
from functools import partial

import pytest

from notifier.deliver.mime import dkim_keys, signing_child, signing_pool
from notifier.deliver.mime.dkim_keys import Signer
from notifier.deliver.mime.message import (
    ListHeaders,
    MessageSpec,
    PersonalMessage,
    Recipient,
    compile_message,
)
from notifier.deliver.outbox import Attempt
from notifier.deliver.smtp.prefetch import BATCH_SIZE, BATCHES_AHEAD, FEWEST, Prefetcher
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.settings import Sender
from tests.support.installation import MONDAY

NUMBER = 100
SIGNERS = tuple(
    Signer("example.org", kind, dkim_keys.load_key(dkim_keys.new_key(kind)))
    for kind in ("ed25519", "rsa")
)


@pytest.fixture(scope="module")
def template():
    sender = Sender(
        name="Example Society", address="digest@example.org", postal_address="1 Example Street"
    )
    spec = MessageSpec(
        "<0@example.org>",
        "person0@example.org",
        "Two items",
        "digest",
        {},
        {"schedule": "weekly"},
        list_headers=ListHeaders("https://news.example.org/u/0", "t0", "https://a.example", "d"),
    )

    def render(_name: str, values, _language: str) -> str:
        return f"Made up. {values['schedule']}\n"

    return compile_message(spec, sender, render, render, SIGNERS)


class Builder:
    """Messages of a template, with a note of those that were built."""

    def __init__(self, template) -> None:
        self.template = template
        self.built: list[int] = []

    def recipient(self, number: int) -> Recipient:
        self.built.append(number)
        to = f"person{number}@example.org"
        return Recipient(
            to, f"<{number}@example.org>", {"schedule": f"n{number}"}, "https://u", "t"
        )

    def outgoing(self, number: int) -> OutgoingMessage:
        message = PersonalMessage(self.template, partial(self.recipient, number), MONDAY)
        return OutgoingMessage(
            Attempt(number, "claim"), "digest@example.org", f"p{number}@example.org", message
        )


def messages(builder: Builder, number: int = NUMBER) -> list[OutgoingMessage]:
    return [builder.outgoing(each) for each in range(number)]


def wait_for_processes(prefetcher: Prefetcher) -> None:
    for process in prefetcher._pool._processes:
        while not process.is_ready():
            time.sleep(0.01)


@pytest.mark.parametrize("order", ["as they come", "backwards"])
@pytest.mark.parametrize("processes", ["ready", "not ready", "ended"])
def test_every_message_is_the_one_that_is_built_at_once(template, order: str, processes: str):
    builder, expected = Builder(template), [each.message() for each in messages(Builder(template))]
    with Prefetcher(SIGNERS) as prefetcher:
        prepared = prefetcher.prepared(messages(builder))
        if processes != "not ready":
            wait_for_processes(prefetcher)
        if processes == "ended":
            for process in prefetcher._pool._processes:
                process._process.kill()
        for outgoing in prepared if order == "as they come" else reversed(prepared):
            assert outgoing.message() == expected[outgoing.attempt.delivery_id]
            assert outgoing.envelope_to == f"p{outgoing.attempt.delivery_id}@example.org"
    assert sorted(builder.built) == list(range(NUMBER))


def test_signatures_are_made_by_the_processes_that_are_ready(template, monkeypatch):
    with Prefetcher(SIGNERS) as prefetcher:
        prepared = prefetcher.prepared(messages(Builder(template)))
        wait_for_processes(prefetcher)
        monkeypatch.setattr(Signer, "sign", None)
        assert all(b"DKIM-Signature" in outgoing.message() for outgoing in prepared)


def test_processes_are_asked_again_although_much_was_never_collected(template):
    """As when a stop, or mails of an earlier lane, leave a claim behind."""
    with Prefetcher(SIGNERS) as prefetcher:
        prefetcher._pool.start()
        wait_for_processes(prefetcher)
        for _ in range(20):
            prefetcher.prepared(messages(Builder(template)))[0].message()
        outstanding = [process.outstanding for process in prefetcher._pool._processes]
        most = signing_pool._MOST_OUTSTANDING + BATCH_SIZE * len(SIGNERS)
        assert 0 < max(outstanding) <= most


def test_a_message_that_is_used_again_is_built_again(template):
    builder = Builder(template)
    with Prefetcher(SIGNERS) as prefetcher:
        outgoing = prefetcher.prepared(messages(builder))[7]
        assert outgoing.message() == outgoing.message()
    assert builder.built.count(7) == 2


def test_only_a_limited_number_is_built_in_advance(template):
    builder = Builder(template)
    with Prefetcher(SIGNERS) as prefetcher:
        prepared = prefetcher.prepared(messages(builder))
        assert builder.built == []
        prepared[0].message()
        assert len(builder.built) == BATCH_SIZE * BATCHES_AHEAD < NUMBER


def test_a_few_messages_and_those_without_a_key_need_no_process(template):
    for signers, number in ((SIGNERS, FEWEST - 1), ((), NUMBER)):
        with Prefetcher(signers) as prefetcher:
            sent = messages(Builder(template), number)
            assert prefetcher.prepared(sent) is sent
            assert prefetcher._pool is None or not prefetcher._pool.is_started


def test_an_error_of_building_is_raised_when_the_message_is_used(template):
    def recipient() -> Recipient:
        raise ValueError("no address")

    message = PersonalMessage(template, recipient, MONDAY)
    broken = OutgoingMessage(Attempt(1, "claim"), "digest@example.org", "a@example.org", message)
    with Prefetcher(SIGNERS) as prefetcher:
        first, *others = prefetcher.prepared([broken, *messages(Builder(template))])
        with pytest.raises(ValueError, match="no address"):
            first.message()
        assert all(outgoing.message() for outgoing in others)


def test_the_process_answers_in_order_and_ends_with_its_input():
    pem = SIGNERS[0].pem
    hashes = [bytes([number]) * signing_child.HASH_LENGTH for number in range(3)]
    asked = b"\x01" + len(pem).to_bytes(4, "big") + pem
    asked += b"".join(b"\0" + each for each in hashes) + b"\0cut off"
    answers = io.BytesIO()
    signing_child.sign_all(io.BytesIO(asked), answers)
    signed = [len(s).to_bytes(2, "big") + s for s in map(SIGNERS[0].key.sign, hashes)]
    assert answers.getvalue() == signing_child.READY + b"".join(signed)
