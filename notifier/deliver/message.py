"""Messages: a digest and a recipient become the bytes that go over the wire.

Owns the headers (RFC 5322, 2369, 2919, 3834, 8058) and the frame around the shared body. Preview and sending both come
through here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from urllib.parse import quote

from notifier.addresses import domain_of, wire_address
from notifier.settings import Sender
from notifier.text import clean

# Headers whose values are addresses of ours: the library would rather encode a long one than let its line be long, and
# an encoded URI (RFC 2047) is none that a mail program finds (RFC 2369, 2: only folding between the brackets).
_NEVER_ENCODED = frozenset({"list-unsubscribe", "list-unsubscribe-post", "list-id", "message-id"})


class _Policy(EmailPolicy):
    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _NEVER_ENCODED:
            return f"{name}: {value}\r\n".replace(">, <", ">,\r\n <").encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")

Render = Callable[[str, Mapping[str, object]], str]


@dataclass(frozen=True)
class Letter:
    """One mail before it is framed.

    Attributes:
        template: ``mail`` or ``confirmation``, under ``templates/email/``.
        values: what the template needs.
        leave_url: the one-click address of a digest; empty for mails that belong to no list.
    """

    message_id: str
    to: str
    subject: str
    template: str
    values: Mapping[str, object]
    leave_url: str = ""


def build(letter: Letter, sender: Sender, render_html: Render, render_text: Render, now: datetime) -> bytes:
    """The message as RFC 5322 bytes with CRLF line ends, all ASCII, no line longer than 998 octets.

    Args:
        letter: what is said to whom.
        sender: who says it; its address must be set.
        render_html: renders a whole HTML mail from a template's name and values.
        render_text: renders a text template.
        now: the Date.
    """
    assert sender.address is not None
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_header_text(sender.name), addr_spec=wire_address(sender.address))
    message["To"] = Address(addr_spec=wire_address(letter.to))
    message["Reply-To"] = Address(addr_spec=wire_address(sender.reply_to or sender.address))
    message["Subject"] = _header_text(letter.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if letter.leave_url:
        for name, text in _list_headers(letter.leave_url, sender).items():
            message[name] = text
    values = {
        "language": "en",
        "subject": letter.subject,
        "sender_name": sender.name,
        "postal_address": sender.postal_address or "",
        **letter.values,
    }
    text = render_text(f"email/{letter.template}.txt.j2", values)
    html = render_html(f"email/{letter.template}.html.j2", values)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def _header_text(text: str) -> str:
    """Text that stays text in a header.

    The library decodes an encoded-word (RFC 2047) that stands in a value, and one may hide a line end and a header of
    a stranger's own behind it.
    """
    return clean(text).replace("=?", "= ?")


def _list_headers(leave_url: str, sender: Sender) -> dict[str, str]:
    assert sender.address is not None
    replies = wire_address(sender.reply_to or sender.address)
    label = sender.list_id or f"digest.{domain_of(sender.address)}"
    token = leave_url.rpartition("/")[2]
    return {
        "List-Id": f"<{label}>",
        "List-Unsubscribe": f"<{leave_url}>, <mailto:{replies}?subject={quote('unsubscribe ' + token)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Precedence": "bulk",
    }
