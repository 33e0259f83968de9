"""Statuses and kinds, with their stored values.

All packages share them. This file imports nothing of the project.
"""

from enum import IntEnum, StrEnum
from typing import ClassVar


class SourceKind(StrEnum):
    """The kind of a watched address."""

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
    """The health of a source.

    `silent`: it answers, but has published nothing for longer than ever before.
    """

    NEW = "new"
    HEALTHY = "healthy"
    FAILING = "failing"
    SILENT = "silent"
    GONE = "gone"


class PollStatus(StrEnum):
    """The result of a poll for one source."""

    OK = "ok"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    GONE = "gone"
    NOT_DUE = "not_due"


class TermKind(StrEnum):
    """The kind of a profile's term; each kind has its own rule in `match/score.py`."""

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
    """The relevance of a text to a therapy: its subject, named, only related, or none."""

    ABOUT = "about"
    MENTION = "mention"
    RELATED = "related"
    NONE = "none"


class NewsKind(StrEnum):
    """The kind of news that a revision is."""

    NEW = "new"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    TRIAL_CHANGE = "trial_change"
    PAGE_CHANGE = "page_change"


class HeldBecause(StrEnum):
    """The reason why a revision, or a match of it, waits for a person.

    `doubtful`: the text matches only almost. `old_news`: a feed's item with a date of long ago.
    `withdrawal`: the page is gone, but so are others. `mass_edit`: most items of the source changed
    in the same way. A revision that is not held has the empty text.
    """

    DOUBTFUL = "doubtful"
    OLD_NEWS = "old_news"
    WITHDRAWAL = "withdrawal"
    MASS_EDIT = "mass_edit"


class Cadence(StrEnum):
    """The frequency of a subscription's digests."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Edition(StrEnum):
    """The readers for whom a digest is worded."""

    PATIENT = "patient"
    CLINICIAN = "clinician"


class SubscriptionStatus(StrEnum):
    """The status of a subscription; only a `confirmed` one gets digests."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    ENDED = "ended"

    RUNNING: ClassVar[frozenset["SubscriptionStatus"]]
    """The subscriptions that were confirmed and have not ended."""


SubscriptionStatus.RUNNING = frozenset((SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED))


class DigestStatus(StrEnum):
    """The status of a digest; only the deliveries of an `approved` or `sent` one are sent.

    `composing`: its deliveries are being stored; the last of them releases it. `draft`: it waits
    for a person's approval. `void`: a draft whose items changed, or that nobody is owed any more;
    nobody is sent it. `dropped`: a draft that a person does not want to be sent. `failed`: nothing
    of it waits any more, and it reached nobody.
    """

    COMPOSING = "composing"
    DRAFT = "draft"
    HELD = "held"
    APPROVED = "approved"
    SENT = "sent"
    FAILED = "failed"
    VOID = "void"
    DROPPED = "dropped"


class DeliveryKind(StrEnum):
    """The kind of a message; `closed` tells a reader that a person ended the whole digest."""

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
    NOTE = "note"
    CLOSED = "closed"


class DeliveryStatus(StrEnum):
    """The status of a message.

    `sent`: the mail server accepted it. `uncertain`: the connection broke before its answer.
    """

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


class Lane(IntEnum):
    """The order of sending: what somebody just asked for, urgent digests, then the others."""

    ASKED = 0
    URGENT = 1
    OTHERS = 2


class WaitReason(StrEnum):
    """The reason why a delivery waits without losing patience.

    `ours`: servers refuse us (sender, name, policy, reputation). `load`: they are busy. `warm_up`:
    its provider got enough mails of a new sender today. `unreadable`: a stored row cannot be read.
    None says anything about the recipient.
    """

    OURS = "ours"
    LOAD = "load"
    WARM_UP = "warm_up"
    UNREADABLE = "unreadable"


class EndReason(StrEnum):
    """The reason why a delivery was suppressed.

    `suppressed`: its address is. `left`: the subscription ended. `merged`: a newer digest contains
    the same. `expired`: its link would be past its validity. `dropped`: a person dropped it.
    """

    SUPPRESSED = "suppressed"
    LEFT = "left"
    MERGED = "merged"
    EXPIRED = "expired"
    DROPPED = "dropped"


class SignupRequestKind(StrEnum):
    """The kind of a request from a public form."""

    SUBSCRIBE = "subscribe"
    LINK = "link"
    ADDRESS = "address"


class SuppressionCause(StrEnum):
    """The reason why an address is not mailed.

    The owner lifts `erased`, `left`, `complained` and an old `bounced` by confirming a new sign-up.
    The operator alone lifts `asked` (set by the operator) and `never` (set by the owner's "never
    write to this address again").
    """

    ASKED = "asked"
    NEVER = "never"
    ERASED = "erased"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class BounceKind(StrEnum):
    """The kind of a mail that arrived at the bounce address.

    `unproven`: a report that names no mail that was sent; it changes nothing. `unproven_complaint`:
    a complaint like that, or a wish to leave; the operator has to find out whose it is.
    `unreadable`: it cannot be parsed.
    """

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    AUTOREPLY = "autoreply"
    UNSUBSCRIBE = "unsubscribe"
    UNPROVEN = "unproven"
    UNPROVEN_COMPLAINT = "unproven_complaint"
    UNREADABLE = "unreadable"
    NONE = "not_a_bounce"


class ConsentEvent(StrEnum):
    """The event of an entry in the consent ledger."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """The rights of an operator on the operator pages.

    An editor decides about news and digests; an owner about people and settings as well.
    """

    EDITOR = "editor"
    OWNER = "owner"
