"""Rows of what waits for a person: held news, addresses that came back, uncertain mails."""

from datetime import datetime, timedelta

from sqlalchemy import select

from notifier.enums import DeliveryStatus, HeldBecause, NewsKind, Tier
from notifier.store.models import (
    Delivery,
    HeldSuppression,
    NearMiss,
    Profile,
    Revision,
    Source,
    Subscriber,
)
from tests.support.installation import Installation


def hold_news(made: Installation, because: HeldBecause, now: datetime) -> None:
    """Let the newest revision that is not held yet wait for a person, for this reason."""
    with made.at(now).writing() as session:
        held = select(NearMiss.revision_id)
        newest = select(Revision).where(Revision.id.not_in(held)).order_by(Revision.id.desc())
        revision = session.scalars(newest.limit(1)).one()
        session.add(
            NearMiss(
                profile_id=session.scalars(select(Profile.id)).first(),
                entry_id=revision.entry_id,
                revision_id=revision.id,
                tier=Tier.MENTION,
                reasons=[],
                because=because,
                kind=NewsKind.CORRECTED,
                baseline=False,
                held_at=now,
            )
        )


def hold_addresses(made: Installation, provider: str, number: int, now: datetime) -> None:
    """Subscribe people at a provider, and let the suppression of their addresses wait."""
    for place in range(number):
        made.subscribe(f"returned{place}@{provider}")
    with made.at(now).writing() as session:
        ending = Subscriber.email.endswith(f"@{provider}")
        for person in session.scalars(select(Subscriber).where(ending)):
            session.add(
                HeldSuppression(
                    subscriber_id=person.id,
                    address_hash=person.address_hash,
                    provider=provider,
                    code="5.1.1",
                    at=now - timedelta(hours=1),
                    held_at=now,
                )
            )


def lose_answers(made: Installation, number: int, now: datetime) -> None:
    """Let the answer to so many sent digests have been lost twice."""
    with made.at(now).writing() as session:
        sent = select(Delivery).where(Delivery.digest_id.is_not(None)).order_by(Delivery.id)
        for delivery in session.scalars(sent.limit(number)):
            delivery.status, delivery.sent_at = DeliveryStatus.UNCERTAIN, None
            delivery.uncertain_times = 2


def break_source(made: Installation, failures: int, now: datetime) -> int:
    """Let the first source have failed so many times in a row; return its id."""
    with made.at(now).writing() as session:
        source = session.scalars(select(Source).order_by(Source.id)).first()
        assert source is not None
        source.failures, source.last_error = failures, "answered 503"
        source.last_success_at = now - timedelta(days=2)
        return source.id
