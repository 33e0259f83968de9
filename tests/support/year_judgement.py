"""The judgement on a simulated year: what went wrong for whom, a sentence each.

Owns what is allowed. It looks at the mails that arrived, at the suppressions, and at the mails to
the operator, by which alone a mail that did not arrive may be excused.
"""

import re
from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import select

from notifier.enums import DeliveryStatus, SuppressionCause
from notifier.store.models import (
    Delivery,
    DigestItem,
    Entry,
    Match,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.year import Reader, Year

# A provider that wrongly calls up to so many addresses unknown within a day cannot be told from one
# that is right.
_BELOW_BRAKE = 5
# A closed mailbox is tried once or, while a person decides about many, a little more.
_MOST_VAIN_TRIES = 3


def faults(year: Year) -> dict[str, list[str]]:
    """Return all faults of a year, by what they are."""
    found = {
        "somebody who left got mails": year.after_leaving,
        "existing addresses are suppressed": wrongly_suppressed(year),
        "mails were repeated without a reason": repeated(year),
        "owed, not got, and not named to the operator": not_reached(year),
        "closed mailboxes were tried again and again": written_to_in_vain(year),
        "a crash left more mails in doubt than connections": year.lost_by_crash,
    }
    return {what: names for what, names in found.items() if names}


def repeated(year: Year) -> list[str]:
    """Return the mails and stories of which more copies arrived than reasons allow.

    A lost answer, a crash, and a report that says that a mail came back allow one more copy each,
    of that mail: as it was, or of its stories in a newer digest.
    """
    wrong = []
    for name, mails in year.got.items():
        mails_of: defaultdict[int, set[str]] = defaultdict(set)
        for mail in mails:
            for story in mail.stories:
                mails_of[story].add(mail.message_id)
        copies = Counter(mail.message_id for mail in mails)
        stories = Counter(story for mail in mails for story in mail.stories)
        wrong += [
            f"{name}: {number} times {key}"
            for key, number in copies.items()
            if number - 1 > year.may_repeat[key]
        ]
        wrong += [
            f"{name}: story {story} {number} times in {sorted(mails_of[story])}"
            for story, number in stories.items()
            if number - 1 > sum(year.may_repeat[key] for key in mails_of[story])
        ]
    return wrong


def not_reached(year: Year) -> list[str]:
    """Return what somebody was owed, did not get, and no mail to the operator names."""
    excused = {name for name, _ in _suppressed_and_there(year)} - {*wrongly_suppressed(year)}
    named = _named_to_operator(year)
    missing = []
    for reader in year.readers:
        if not reader.reads or reader.name in excused:
            continue
        got = {story for mail in year.got[reader.name] for story in mail.stories}
        lost = sorted(reader.stories.keys() - got - named.get(reader.address, set()))
        if lost:
            missing.append(f"{reader.name}: {lost}")
    return missing


def _named_to_operator(year: Year) -> dict[str, set[int]]:
    """Return by address the stories in mails that were given up and that the operator can name."""
    ids, everything_until = _named_ids(year)
    unsent = (
        select(Delivery, Subscriber.email, Entry.url)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .join(DigestItem, DigestItem.digest_id == Delivery.digest_id)
        .join(Match, Match.id == DigestItem.match_id)
        .join(Entry, Entry.id == Match.entry_id)
        .where(Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN)))
    )
    named: defaultdict[str, set[int]] = defaultdict(set)
    with year.installation.at(year.now).reading() as session:
        for delivery, email, url in session.execute(unsent):
            failed_before = (
                delivery.status is DeliveryStatus.FAILED
                and everything_until is not None
                and delivery.next_attempt_at <= everything_until
            )
            if delivery.id in ids or failed_before:
                named[email].add(int(re.search(r"story(\d+)x", url)[1]))
    return named


def _named_ids(year: Year) -> tuple[set[int], datetime | None]:
    """Return the deliveries that mails to the operator name as given up or in doubt.

    Returns:
        Their ids, and the last time at which so many were given up that a mail named all of them.
    """
    ids: set[int] = set()
    everything_until = None
    for at, text in year.operator_mails:
        if "given up" not in text and "reached nobody" not in text and "in doubt" not in text:
            continue
        for listed in re.findall(r"notifier deliveries retry((?: \d+)*)", text):
            ids |= {int(number) for number in listed.split()}
            everything_until = everything_until if listed else at
    return ids, everything_until


def wrongly_suppressed(year: Year) -> list[str]:
    """Return the readers whose address exists, who did not leave, and who are suppressed.

    Up to five that a provider wrongly called unknown cannot be told from real ones.
    """
    wrong = [
        name
        for name, cause in _suppressed_and_there(year)
        if cause is SuppressionCause.BOUNCED or _named_reader(year, name).left_at is None
    ]
    for names in year.lied_to.values():
        of_this_lie = [name for name in wrong if name in names]
        if len(of_this_lie) <= _BELOW_BRAKE:
            wrong = [name for name in wrong if name not in names]
    return wrong


def _named_reader(year: Year, name: str) -> Reader:
    return next(reader for reader in year.readers if reader.name == name)


def _suppressed_and_there(year: Year) -> list[tuple[str, SuppressionCause]]:
    """Return the readers whose present address exists and is suppressed, and why it is."""
    with year.installation.at(year.now).reading() as session:
        causes = {row.address_hash: row.cause for row in session.query(Suppression)}
        return [
            (reader.name, causes[person.address_hash])
            for person in session.query(Subscriber)
            if person.address_hash in causes
            and (reader := year.by_address.get(person.email)) is not None
            and reader.gone_at is None
            and reader.address == person.email
        ]


def written_to_in_vain(year: Year) -> list[str]:
    """Return the closed mailboxes that were tried again and again."""
    return [
        f"{address}: {number}" for address, number in year.vain.items() if number > _MOST_VAIN_TRIES
    ]
