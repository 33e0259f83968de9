"""The words of the mails to the operator about drafts.

The commands that approve a draft are not here: they name its content, so `messages/draft_mail.py`
adds them when the mail is sent.
"""

from collections.abc import Sequence

from notifier.digest.drafts import Ended
from notifier.enums import Edition
from notifier.i18n.catalog import ENGLISH, ENGLISH_NAMES
from notifier.store.models import Digest

_READERS = {Edition.PATIENT: "patients", Edition.CLINICIAN: "clinicians"}


def waits(digest: Digest, readers: int) -> tuple[str, str]:
    """Return the subject and text of the mail that shows a new draft.

    Args:
        digest: the draft.
        readers: how many wait for it at present.
    """
    number = "one reader waits" if readers == 1 else f"{readers:,} readers wait"
    rules = (
        "What comes in now waits for the next digest. If an item of this draft is corrected or"
        " withdrawn, the draft is void and composed anew, and you get another mail."
    )
    state = f"At present {number} for it."
    order = "Nobody is sent it before you approve it."
    return (
        f"notifier: draft {digest.id} waits for your approval",
        f"{_name(digest)} {state}\n{order} {_when(digest)}\n\n{rules}",
    )


def reminder(digest: Digest) -> tuple[str, str]:
    """Return the subject and text of the one reminder of a draft."""
    state = "Nobody has approved it yet, and nobody is sent it before."
    return (
        f"notifier: draft {digest.id} still waits for your approval",
        f"{_name(digest)}\n{state} {_when(digest)} There is no further reminder.",
    )


def ended(drafts: Sequence[Ended]) -> tuple[str, str]:
    """Return the subject and text of the mail about drafts whose items changed."""
    opening = (
        "These drafts show what is not true any more, or what somebody dropped. What is left of"
        " each is composed anew with the next run; you get a mail that shows it."
    )
    number = len(drafts)
    subject = (
        f"notifier: draft {drafts[0].digest_id} is void"
        if number == 1
        else f"notifier: {number} drafts are void"
    )
    return subject, "\n\n".join([opening, *map(_about, drafts)])


def _about(draft: Ended) -> str:
    consequence = ""
    if draft.was_sent:
        consequence = " Some of its readers were sent it; the others get the new one."
    elif draft.was_approved:
        consequence = " Your approval of it does not count any more."
    return f"Draft {draft.digest_id}: {draft.because}.{consequence}"


def _name(digest: Digest) -> str:
    language = ENGLISH_NAMES.get(digest.language, digest.language)
    return (
        f"Draft {digest.id}: {digest.cadence} digest for {digest.profile.slug},"
        f" for {_READERS[digest.edition]}, in {language}."
    )


def _when(digest: Digest) -> str:
    if digest.due_at is None or digest.due_at <= digest.composed_at:
        return "It is sent as soon as you do."
    moment = ENGLISH.moment(digest.due_at)
    return f"Its first readers are due on {moment} (UTC); approved later, it is sent at once."
