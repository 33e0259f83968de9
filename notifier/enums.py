"""Every status and kind there is, each with its word.

Owns the vocabulary that tables, rooms and faces share; it knows nothing else.
"""

from enum import StrEnum
from typing import ClassVar


class SourceKind(StrEnum):
    """What kind of address is watched."""

    FEED = "feed"
    PAGE = "page"
    REGISTRY = "registry"


class Authority(StrEnum):
    """The source's tier, from the most to the least authoritative."""

    REGISTRY = "registry"
    REGULATOR = "regulator"
    PEER_REVIEWED = "peer-reviewed"
    SPONSOR = "sponsor"
    NEWS = "news"
    OPINION = "opinion"


class Health(StrEnum):
    """How a source fares; `silent` is one that answers, but published nothing for longer than it ever used to."""

    NEW = "new"
    HEALTHY = "healthy"
    FAILING = "failing"
    SILENT = "silent"
    GONE = "gone"


class TermKind(StrEnum):
    """What a term of a profile names; each kind has a rule of its own in `match/score.py`."""

    NAME = "name"
    CODE = "code"
    TRIAL = "trial"
    TARGET = "target"
    CLASS = "class"
    SPONSOR = "sponsor"
    INDICATION = "indication"
    COMPARATOR = "comparator"
    EXCLUDE = "exclude"


class Tier(StrEnum):
    """How much a text concerns a therapy: its subject, named in it, a relative of it, or not at all."""

    ABOUT = "about"
    MENTION = "mention"
    RELATED = "related"
    NONE = "none"


class NewsKind(StrEnum):
    """Why a revision is news."""

    NEW = "new"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    TRIAL_CHANGE = "trial_change"
    PAGE_CHANGE = "page_change"


class Cadence(StrEnum):
    """How often a subscription is served."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Edition(StrEnum):
    """For whom a digest is worded."""

    PATIENT = "patient"
    CLINICIAN = "clinician"


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; only `confirmed` is ever mailed a digest."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    ENDED = "ended"

    RUNNING: ClassVar[frozenset["SubscriptionStatus"]]
    """The subscriptions that were confirmed and have not ended."""


SubscriptionStatus.RUNNING = frozenset((SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED))


class DigestStatus(StrEnum):
    """Where a digest stands; only `approved` and `sent` let deliveries go out."""

    DRAFT = "draft"
    HELD = "held"
    APPROVED = "approved"
    SENT = "sent"


class DeliveryKind(StrEnum):
    """What a message is."""

    DIGEST = "digest"
    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    ALREADY = "already"
    LINK = "link"
    CHANGE_OLD = "change_old"
    CHANGE_NEW = "change_new"
    RENEWAL = "renewal"
    REMINDER = "reminder"
    NOTICE = "notice"


class DeliveryStatus(StrEnum):
    """Where a message stands: `sent` means accepted by the mail server, `uncertain` that nobody knows."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"

    WAITING: ClassVar[frozenset["DeliveryStatus"]]
    """The messages that will be sent, or are being sent."""
    OPEN: ClassVar[frozenset["DeliveryStatus"]]
    """The messages whose fate is not settled: those that wait, and the uncertain ones."""
    LOST: ClassVar[frozenset["DeliveryStatus"]]
    """The messages that were given up and did not reach anybody."""


DeliveryStatus.WAITING = frozenset((DeliveryStatus.PENDING, DeliveryStatus.SENDING))
DeliveryStatus.OPEN = DeliveryStatus.WAITING | {DeliveryStatus.UNCERTAIN}
DeliveryStatus.LOST = frozenset((DeliveryStatus.FAILED, DeliveryStatus.SUPPRESSED))


class SignupRequestKind(StrEnum):
    """What somebody asks for through a form that anybody can fill in."""

    SUBSCRIBE = "subscribe"
    LINK = "link"
    ADDRESS = "address"


class SuppressionCause(StrEnum):
    """Why an address is not mailed.

    `erased`, `left`, `complained` and an old `bounced` give way to the owner's own double opt-in;
    `asked` (the operator's) and `never` (the owner's own "never write to this address again") are
    lifted by the operator alone.
    """

    ASKED = "asked"
    NEVER = "never"
    ERASED = "erased"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class BounceKind(StrEnum):
    """What a mail says that came back to us.

    `unproven` is a report that names none of our mails, and changes nothing; `unreadable` one that
    could not be parsed.
    """

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    AUTOREPLY = "autoreply"
    UNSUBSCRIBE = "unsubscribe"
    UNPROVEN = "unproven"
    UNREADABLE = "unreadable"
    NONE = "not_a_bounce"


class ConsentEvent(StrEnum):
    """What the dated record says happened."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
