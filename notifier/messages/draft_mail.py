"""The mail that shows the operator a draft: the digest as readers would get it, and how to decide.

The page that approves it is named where somebody may log in to it, and always the commands.

It is worded when it is sent, from the draft as it is then: what it shows is what the command in it
approves. It is in English; the draft is in the language of its readers.
"""

from sqlalchemy.orm import object_session

from notifier.deliver.mime.message import MessageSpec
from notifier.deps import Deps
from notifier.digest import drafts
from notifier.enums import DigestStatus
from notifier.operators import accounts
from notifier.store.models import Digest, Notice


def draft_spec(deps: Deps, notice: Notice, digest: Digest, message_id: str) -> MessageSpec:
    """Return the mail of a notice that shows a draft."""
    page_url = _page(deps, digest)
    text = f"{notice.text}\n\n{_commands(digest, page_url)}"
    values = {
        "paragraphs": [paragraph.splitlines() for paragraph in text.split("\n\n")],
        "draft_subject": digest.subject,
        "headline": digest.headline,
        "body_html": digest.body_html,
        "body_text": digest.body_text,
        "draft_language": digest.language,
        "left_out": digest.left_out,
        "page_url": page_url,
        "archive_url": deps.links.archive_url(digest.key),
    }
    return MessageSpec(message_id, notice.to, notice.subject, "operator_draft", values)


def _page(deps: Deps, digest: Digest) -> str:
    """Return the address of the page of a draft; empty while nobody may log in."""
    session = object_session(digest)
    assert session is not None, "a mail is worded while its session is open"
    may_log_in = accounts.exist(session, deps.settings.web.operator_password_hash)
    return f"{deps.settings.public_url}/operator/digests/{digest.id}" if may_log_in else ""


def _commands(digest: Digest, page: str) -> str:
    number = digest.id
    if digest.status not in (DigestStatus.DRAFT, DigestStatus.HELD):
        return f"Nothing is to be done any more: it is {digest.status} now."
    approve = f"notifier digests approve {number} --content {drafts.content_of(digest)}"
    in_browser = {"To see, change and approve it in a browser:": page} if page else {}
    commands = in_browser | {
        "To approve what is shown here:": approve,
        "To change it, with the numbers of its items:": f"notifier digests show {number}",
        "To keep it back:": f"notifier digests hold {number}",
        "To send nothing this time; its items go into the next digest:": (
            f"notifier digests drop {number} --because TEXT"
        ),
    }
    return "\n\n".join(f"{purpose}\n    {command}" for purpose, command in commands.items())
