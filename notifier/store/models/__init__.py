"""All tables, a file for each part of the journey.

Owns the shape of what is stored and the unique keys that make each step safe to repeat. It imports
no stage. The docstring of a table names the one file or folder that writes it; all may read.
"""

from notifier.store.models.base import UNREADABLE, Base, Installation, UTCDateTime
from notifier.store.models.counts import WeeklyCount
from notifier.store.models.deliveries import (
    Alarm,
    BounceReport,
    Delivery,
    HeldSuppression,
    Note,
    Notice,
    RateLimit,
    WarmUp,
    is_lost,
    is_stopped,
    is_unfinished,
)
from notifier.store.models.digests import Digest, DigestItem, Told, has_status
from notifier.store.models.matches import Examination, Match, NearMiss, StoryKeys
from notifier.store.models.operators import (
    LoginAttempt,
    OperatorAccount,
    OperatorAction,
    OperatorSession,
)
from notifier.store.models.profiles import Profile, ProfileRevision, Term
from notifier.store.models.sources import (
    Article,
    ArticleRequest,
    Doubt,
    Entry,
    EntryAlias,
    Host,
    ParsedItems,
    Revision,
    Source,
    SourceProfile,
)
from notifier.store.models.subscribers import (
    AddressChange,
    Consent,
    RetiredLink,
    SignupRequest,
    Subscriber,
    Subscription,
    Suppression,
    Wording,
)

__all__ = [
    "UNREADABLE",
    "AddressChange",
    "Alarm",
    "Article",
    "ArticleRequest",
    "Base",
    "BounceReport",
    "Consent",
    "Delivery",
    "Digest",
    "DigestItem",
    "Doubt",
    "Entry",
    "EntryAlias",
    "Examination",
    "HeldSuppression",
    "Host",
    "Installation",
    "LoginAttempt",
    "Match",
    "NearMiss",
    "Note",
    "Notice",
    "OperatorAccount",
    "OperatorAction",
    "OperatorSession",
    "ParsedItems",
    "Profile",
    "ProfileRevision",
    "RateLimit",
    "RetiredLink",
    "Revision",
    "SignupRequest",
    "Source",
    "SourceProfile",
    "StoryKeys",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Term",
    "Told",
    "UTCDateTime",
    "WarmUp",
    "WeeklyCount",
    "Wording",
    "has_status",
    "is_lost",
    "is_stopped",
    "is_unfinished",
]
