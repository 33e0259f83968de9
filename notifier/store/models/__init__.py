"""All tables, a file for each part of the journey.

Owns the shape of what is stored and the unique keys that make each step safe to repeat. It knows no room: who may
write a table is named beside it, and anyone may read.
"""

from notifier.store.models.digests import Digest, DigestItem
from notifier.store.models.ground import Base, Installation, UTCDateTime
from notifier.store.models.mail import Alarm, BounceReport, Delivery, Notice, Pace
from notifier.store.models.matching import Examination, Match, NearMiss, Profile, ProfileRevision, Term
from notifier.store.models.people import (
    AddressChange,
    Consent,
    Enquiry,
    RetiredLink,
    Subscriber,
    Subscription,
    Suppression,
    Wording,
)
from notifier.store.models.watching import Article, Entry, EntryAlias, Revision, Source, SourceProfile

__all__ = [
    "AddressChange",
    "Alarm",
    "Article",
    "Base",
    "BounceReport",
    "Consent",
    "Delivery",
    "Digest",
    "DigestItem",
    "Enquiry",
    "Entry",
    "EntryAlias",
    "Examination",
    "Installation",
    "Match",
    "NearMiss",
    "Notice",
    "Pace",
    "Profile",
    "ProfileRevision",
    "RetiredLink",
    "Revision",
    "Source",
    "SourceProfile",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Term",
    "UTCDateTime",
    "Wording",
]
