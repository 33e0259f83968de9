"""Preview: a digest as it would be sent now, stored nowhere.

It goes the very way that sending goes: the same choice of items, the same words, the same templates, the same message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifier import letters
from notifier.deliver.outbox import new_message_id
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.select import Candidate
from notifier.errors import NotFoundError
from notifier.match import profiles
from notifier.store.models import Profile, Subscription
from notifier.store.statuses import Cadence, SubscriptionStatus
from notifier.subscribers import subscriptions


@dataclass(frozen=True)
class Preview:
    """A digest as it would be sent, and what was chosen for it."""

    message: bytes
    items: int
    profile: str


def preview(
    deps: Deps,
    slug: str | None = None,
    *,
    cadence: Cadence = Cadence.WEEKLY,
    since: timedelta | None = None,
    to: str | None = None,
) -> Preview | None:
    """Render a digest by the very path that sends, and store nothing.

    Args:
        deps: as for sending.
        slug: the profile; the only one there is if None.
        cadence: what the reader without a name subscribed to.
        since: everything that matched in this stretch before now, the first poll's baseline included.
        to: a subscriber: exactly what they would get now.

    Returns:
        None when there is nothing to send.

    Raises:
        NotFoundError: no such profile, or `to` has no running subscription to it.
    """
    now = deps.now()
    with deps.reading() as session:
        profile = profiles.find(session, slug)
        if to is not None:
            one = _running(session, to, profile)
            cadence = one.cadence
        else:
            one = subscriptions.sample(profile, cadence, deps.settings.schedule.time_zone, now)
        items = _owed_items(session, profile, one, now - since if since else None)
        if not items:
            return None
        rendered, _ = digests.rendered_items(session, profile, items, cadence, letters.renderer(deps), now)
        edition = letters.Edition(rendered, profile.name, cadence, now)
        due_at = min(now, one.next_due_at or now)
        letter = letters.digest_letter(deps, edition, one, new_message_id(deps.mail_domain), now, due_at)
        return Preview(letters.message(deps.for_preview(), letter, now), len(items), profile.slug)


def _running(session: Session, email: str, profile: Profile) -> Subscription:
    subscriber = subscriptions.find_subscriber(session, email)
    for one in subscriber.subscriptions if subscriber else ():
        if one.profile_id == profile.id and one.status is SubscriptionStatus.CONFIRMED:
            return one
    raise NotFoundError(
        f"{email} has no confirmed subscription to {profile.slug}.", "See them with: notifier subscribers list"
    )


def _owed_items(session: Session, profile: Profile, one: Subscription, since: datetime | None) -> Sequence[Candidate]:
    if since is not None:
        return digests.seen_since(session, profile, since)
    found = digests.groups(session, profile, [one])
    return found[0].items if found else ()
