"""Preview: a digest as it would be sent now, stored nowhere.

It goes the very way that sending goes: the same choice of items, the same words, the same
templates, the same message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from sqlalchemy.orm import Session

from notifier.deliver.outbox import Outcome, new_message_id
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.digest import digests
from notifier.digest.evidence import snapshot_key
from notifier.digest.selection import Candidate
from notifier.email_addresses import normalize, to_ascii_domain
from notifier.enums import Cadence, Edition, SubscriptionStatus
from notifier.errors import NotFoundError
from notifier.match import profiles
from notifier.messages import digest_body, digest_mail
from notifier.store.models import Profile, Subscription
from notifier.subscribers import subscriptions


@dataclass(frozen=True)
class PreviewOptions:
    """Which digest shall be shown.

    Attributes:
        profile: its slug; the only one there is if None.
        cadence: what the reader without a name subscribed to; `edition` and `language` likewise.
        since: everything that matched in this stretch before now, the first poll's baseline
            included.
        to: a subscriber: exactly what they would get now.
    """

    profile: str | None = None
    cadence: Cadence = Cadence.WEEKLY
    edition: Edition = Edition.PATIENT
    language: str = "en"
    since: timedelta | None = None
    to: str | None = None


@dataclass(frozen=True)
class Preview:
    """A digest as it would be sent, and what was chosen for it."""

    message: bytes
    items: int
    profile: str

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self._parsed["Subject"])

    @property
    def html(self) -> str:
        """The HTML part, decoded."""
        return self._part("html")

    @property
    def text(self) -> str:
        """The plain part, decoded."""
        return self._part("plain")

    @cached_property
    def _parsed(self) -> EmailMessage:
        mail = message_from_bytes(self.message, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail

    def _part(self, subtype: str) -> str:
        part = self._parsed.get_body((subtype,))
        assert part is not None
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


_ANY = PreviewOptions()


def preview(
    deps: Deps, wish: PreviewOptions = _ANY, recipient: str | None = None
) -> Preview | None:
    """Render a digest by the very path that sends, and store nothing.

    Args:
        deps: as for sending.
        wish: which one.
        recipient: who the mail is addressed to, if not who it is for; its links are then nobody's.

    Returns:
        None when there is nothing to send.

    Raises:
        NotFoundError: no such profile, or the subscriber has no running subscription to it.
    """
    now = deps.now()
    with deps.reading() as session:
        profile = profiles.find(session, wish.profile)
        one = _reader(deps, session, profile, wish, now)
        items = _owed_items(session, profile, one, now - wish.since if wish.since else None)
        if not items:
            return None
        variant = digests.variant_of(one, snapshot_key(profile.document))
        view = digests.build_view(session, profile, items, variant, now)
        rendered = digest_body.renderer(deps)(view)
        archive = f"{deps.settings.public_url}/archive"
        composed = digest_mail.RenderedDigest(
            rendered, profile.name, variant.cadence, variant.language, now, archive
        )
        due_at = min(now, one.next_due_at or now)
        if recipient is not None:
            one = subscriptions.dummy_subscription(
                profile, subscriptions.choice_of(one), now, recipient
            )
        letter = digest_mail.digest_spec(
            deps, composed, one, new_message_id(deps.mail_domain), now, due_at
        )
        return Preview(
            digest_mail.build_message(deps.for_preview(), letter, now), len(items), profile.slug
        )


def send(deps: Deps, wish: PreviewOptions, recipient: str) -> Outcome | None:
    """Send a preview to one address, as a trial of the looks and of the mail server.

    It is no delivery and is stored nowhere; what became of it is told at once.

    Returns:
        The server's answer; None when there is nothing to send.

    Raises:
        AddressError: the recipient is no address.
        SettingsError: it is not set who writes.
    """
    deps.require_sender()
    address = normalize(recipient)
    shown = preview(deps, wish, address)
    if shown is None:
        return None
    sender = deps.settings.sender.address
    assert sender is not None
    outcomes: list[Outcome] = []
    problem = deps.transport.send(
        [
            OutgoingMessage(
                0, to_ascii_domain(sender), to_ascii_domain(address), lambda: shown.message
            )
        ],
        outcomes.extend,
    )
    deps.transport.close()
    return outcomes[0]._replace(text=problem or outcomes[0].text)


def _reader(
    deps: Deps, session: Session, profile: Profile, wish: PreviewOptions, now: datetime
) -> Subscription:
    if wish.to is not None:
        return _running(session, wish.to, profile)
    choice = subscriptions.default_choice(
        wish.cadence, deps.settings.schedule.time_zone, wish.edition, wish.language
    )
    return subscriptions.dummy_subscription(profile, choice, now)


def _running(session: Session, email: str, profile: Profile) -> Subscription:
    subscriber = subscriptions.find_subscriber(session, email)
    for one in subscriber.subscriptions if subscriber else ():
        if one.profile_id == profile.id and one.status is SubscriptionStatus.CONFIRMED:
            return one
    raise NotFoundError(
        f"{email} has no confirmed subscription to {profile.slug}.",
        "See them with: notifier subscribers list",
    )


def _owed_items(
    session: Session, profile: Profile, one: Subscription, since: datetime | None
) -> Sequence[Candidate]:
    if since is not None:
        return digests.seen_since(session, profile, since)
    found = digests.groups(session, profile, [one])
    return found[0].items if found else ()
