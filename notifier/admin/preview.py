"""Preview: a digest as it would be sent now, or a stored one as it is sent; nothing is stored.

It is made by the functions that make the digests that are sent: the same selection of items, the
same texts, the same templates, the same message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from sqlalchemy.orm import Session

from notifier.deliver.outbox import WITHOUT_ROW, Outcome, new_message_id
from notifier.deliver.smtp.protocol import OutgoingMessage
from notifier.deps import Deps
from notifier.digest import digests, groups
from notifier.digest.evidence import snapshot_key
from notifier.digest.selection import Candidate
from notifier.email_addresses import normalize, to_ascii_domain
from notifier.enums import Cadence, DigestStatus, Edition, SubscriptionStatus
from notifier.errors import NotFoundError
from notifier.match import profiles
from notifier.messages import digest_body, digest_mail
from notifier.store.models import Profile, Subscription
from notifier.subscribers import choices, subscriptions

# Whom a mail is addressed to that is shown and not sent.
_NOBODY = "reader@example.org"
_UNSENT = (DigestStatus.DRAFT, DigestStatus.HELD, DigestStatus.APPROVED)


@dataclass(frozen=True)
class PreviewOptions:
    """The digest to show.

    Attributes:
        profile: its slug; None for the only stored one.
        cadence: of the sample reader; `edition` and `language` likewise.
        since: show all matches of this period before now, the baselines of sources included; None
            for what the reader has not been sent.
        or_latest: show the latest items where nothing else is to be shown.
        to: the address of a subscriber: show exactly what they would get now.
        reader_id: the same for the subscription with this id; the links are nobody's. 0 for none.
    """

    profile: str | None = None
    cadence: Cadence = Cadence.WEEKLY
    edition: Edition = Edition.PATIENT
    language: str = "en"
    since: timedelta | None = None
    or_latest: bool = False
    to: str | None = None
    reader_id: int = 0


@dataclass(frozen=True)
class Preview:
    """A digest as it would be sent.

    Attributes:
        message: the whole mail, RFC 5322, with CRLF line ends.
        items: the number of items that were selected.
        profile: the slug of the profile.
        is_latest: true if nothing was to be shown, and these are the latest items instead.
    """

    message: bytes
    items: int
    profile: str
    is_latest: bool = False

    @property
    def subject(self) -> str:
        """The decoded subject."""
        return str(self._parsed["Subject"])

    @property
    def html(self) -> str:
        """The decoded HTML part, with LF line ends."""
        return self._part("html")

    @property
    def text(self) -> str:
        """The decoded plain text part, with LF line ends."""
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


_DEFAULT = PreviewOptions()


def preview(
    deps: Deps, options: PreviewOptions = _DEFAULT, recipient: str | None = None
) -> Preview | None:
    """Render a digest as it would be sent now.

    Args:
        deps: as for sending.
        options: which digest.
        recipient: the address that the mail is sent to, if it is not the reader's; the links of the
            mail then belong to no subscription.

    Returns:
        None if there is nothing to send.

    Raises:
        NotFoundError: there is no such profile, or the subscriber has no running subscription to
            it.
    """
    now = deps.now()
    with deps.reading() as session:
        profile = profiles.find(session, options.profile)
        subscription = _subscription(deps, session, profile, options, now)
        since = now - options.since if options.since else None
        items = _items(session, profile, subscription, since)
        is_latest = not items and options.or_latest
        if is_latest:
            items = groups.latest(session, profile)
        if not items:
            return None
        variant = groups.variant_of(subscription, snapshot_key(profile.document))
        view = digests.build_view(session, profile, items, variant, now)
        rendered = digest_body.renderer(deps)(view)
        archive = f"{deps.settings.public_url}/archive"
        digest = digest_mail.RenderedDigest(
            rendered, profile.name, variant.cadence, variant.language, now, archive
        )
        due_at = min(now, subscription.next_due_at or now)
        if recipient is not None or options.reader_id:
            subscription = choices.dummy_subscription(
                profile, choices.choice_of(subscription), now, recipient or _NOBODY
            )
        message = _message(deps, digest, subscription, now, due_at)
        return Preview(message, len(items), profile.slug, is_latest)


def of_stored(deps: Deps, digest_id: int, recipient: str = _NOBODY) -> Preview:
    """Render a stored digest as it is sent, with links that belong to no subscription.

    Args:
        deps: as for sending.
        digest_id: its id.
        recipient: the address that the mail is sent to.

    Raises:
        NotFoundError: there is no such digest.
    """
    now = deps.now()
    with deps.reading() as session:
        stored = digests.find(session, digest_id)
        digest = digest_mail.RenderedDigest.from_stored(deps, stored)
        zone = deps.settings.schedule.time_zone
        choice = choices.default_choice(stored.cadence, zone, stored.edition, stored.language)
        subscription = choices.dummy_subscription(stored.profile, choice, now, recipient)
        # One that was sent is shown as it was on time.
        is_late = stored.status in _UNSENT and stored.due_at is not None
        due_at = min(now, stored.due_at) if is_late and stored.due_at else now
        message = _message(deps, digest, subscription, now, due_at)
        return Preview(message, len(stored.items), stored.profile.slug)


@dataclass(frozen=True)
class SentPreview:
    """A preview that was handed to the mail server.

    Attributes:
        digest: the digest.
        outcome: the server's answer.
    """

    digest: Preview
    outcome: Outcome


def send(deps: Deps, options: PreviewOptions, recipient: str) -> SentPreview | None:
    """Send a preview to one address, to test its appearance and the mail server.

    It is not a delivery, and nothing is stored. Subject, text, signature and envelope domain are
    those of a digest, so that filters judge it as they would judge one; only the token that makes
    an envelope address recognise its mail is missing, because there is no row that it could name.

    Returns:
        The mail and the server's answer; None if no item is stored that could be shown.

    Raises:
        AddressError: the recipient is not an e-mail address.
        SettingsError: the sender's address is not set.
    """
    deps.require_sender()
    address = normalize(recipient)
    digest = preview(deps, options, address)
    if digest is None:
        return None
    return _send(deps, digest, address)


def send_stored(deps: Deps, digest_id: int, recipient: str) -> SentPreview:
    """Send a stored digest to one address, as `send` does it.

    Raises:
        AddressError: the recipient is not an e-mail address.
        NotFoundError: there is no such digest.
        SettingsError: the sender's address is not set.
    """
    deps.require_sender()
    address = normalize(recipient)
    return _send(deps, of_stored(deps, digest_id, address), address)


def _send(deps: Deps, digest: Preview, address: str) -> SentPreview:
    outcomes: list[Outcome] = []
    outgoing = OutgoingMessage(
        WITHOUT_ROW, deps.bounce_address, to_ascii_domain(address), lambda: digest.message
    )
    problem = deps.transport.send([outgoing], outcomes.extend)
    deps.transport.close()
    return SentPreview(digest, outcomes[0]._replace(text=problem or outcomes[0].text))


def _message(
    deps: Deps,
    digest: digest_mail.RenderedDigest,
    subscription: Subscription,
    now: datetime,
    due_at: datetime,
) -> bytes:
    """Return the mail of a digest to a subscription, RFC 5322."""
    message_id = new_message_id(deps.mail_domain)
    spec = digest_mail.digest_spec(deps, digest, subscription, message_id, now, due_at)
    return digest_mail.build_message(deps.for_preview(), spec, now)


def _subscription(
    deps: Deps, session: Session, profile: Profile, options: PreviewOptions, now: datetime
) -> Subscription:
    """Return the subscription of the subscriber, or a sample of nobody's."""
    if options.reader_id:
        return session.get_one(Subscription, options.reader_id)
    if options.to is not None:
        return _running(session, options.to, profile)
    choice = choices.default_choice(
        options.cadence, deps.settings.schedule.time_zone, options.edition, options.language
    )
    return choices.dummy_subscription(profile, choice, now)


def _running(session: Session, email: str, profile: Profile) -> Subscription:
    for subscription in subscriptions.running_subscriptions(session, email, profile):
        if subscription.status is SubscriptionStatus.CONFIRMED:
            return subscription
    raise NotFoundError(
        f"{email} has no confirmed subscription to {profile.slug}.",
        "See them with: notifier subscribers list",
    )


def _items(
    session: Session, profile: Profile, subscription: Subscription, since: datetime | None
) -> Sequence[Candidate]:
    if since is not None:
        return groups.seen_since(session, profile, since)
    return groups.items_for(session, profile, subscription)
