"""The mail that shows the operator a draft: the digest as readers would get it, and the commands.

It is worded when it is sent, from the draft as it is then: what it shows is what the command in it
approves. It is in English; the draft is in the language of its readers.
"""

from notifier.deliver.mime.message import MessageSpec
from notifier.deps import Deps
from notifier.digest import drafts
from notifier.enums import DigestStatus
from notifier.store.models import Digest, Notice


def draft_spec(deps: Deps, notice: Notice, digest: Digest, message_id: str) -> MessageSpec:
    """Return the mail of a notice that shows a draft."""
    text = f"{notice.text}\n\n{_commands(digest)}"
    values = {
        "paragraphs": [paragraph.splitlines() for paragraph in text.split("\n\n")],
        "draft_subject": digest.subject,
        "headline": digest.headline,
        "body_html": digest.body_html,
        "body_text": digest.body_text,
        "draft_language": digest.language,
        "left_out": digest.left_out,
        "archive_url": deps.links.archive_url(digest.key),
    }
    return MessageSpec(message_id, notice.to, notice.subject, "operator_draft", values)


def _commands(digest: Digest) -> str:
    number = digest.id
    if digest.status not in (DigestStatus.DRAFT, DigestStatus.HELD):
        return f"Nothing is to be done any more: it is {digest.status} now."
    approve = f"notifier digests approve {number} --content {drafts.content_of(digest)}"
    commands = {
        "To approve what is shown here:": approve,
        "To change it, with the numbers of its items:": f"notifier digests show {number}",
        "To keep it back:": f"notifier digests hold {number}",
        "To send nothing this time; its items go into the next digest:": (
            f"notifier digests drop {number} --because TEXT"
        ),
    }
    return "\n\n".join(f"{purpose}\n    {command}" for purpose, command in commands.items())
