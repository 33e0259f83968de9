"""Messages: a digest and a recipient become the bytes that go over the wire.

Owns the headers (RFC 5322, 2369, 2919, 3834, 8058) and the frame around the shared body. A letter
is cast once for all who get the same, with slots for what is each person's own; filling the slots
is a join of bytes that are encoded already. Preview and sending both come through here.
"""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.quoprimime import body_encode
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from notifier.deliver.mime.dkim_signature import (
    SIGNED,
    DkimSigner,
    canonical_body,
    canonical_header,
)
from notifier.email_addresses import domain_of, to_ascii_domain
from notifier.settings import Sender
from notifier.text.cleaning import clean

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer

_SOFT_BREAK = b"=\r\n"
# A line holds 76 characters (RFC 2045, 6.7 (5)): one is the break that may follow a piece, and a
# dot at its beginning becomes three.
_LINE = 73
# Text that quoted-printable leaves as it is, and HTML, too.
_AS_IS = re.compile(r"[!#-%(-;?-~]+(?: [!#-%(-;?-~]+)*")


class _Policy(EmailPolicy):
    """An address of ours is never encoded: an encoded URI (RFC 2047) is none that a mail program finds."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in ("list-id", "list-archive", "list-help"):
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")

Render = Callable[[str, Mapping[str, object], str], str]


@dataclass(frozen=True)
class MessageSpec:
    """One mail before it is framed.

    Attributes:
        message_id: fixed by the delivery.
        to: the recipient's address.
        subject: one line, the same for all who get the same.
        template: ``mail``, ``confirmation`` or ``notice``, under ``templates/email/``.
        values: what the template needs, the same for all who get the same.
        personal: what it needs of this recipient's own: one line of plain text each.
        language: of our words.
        listing: what makes it a mail of a list that can be left; None for mails that belong to
            none.
    """

    message_id: str
    to: str
    subject: str
    template: str
    values: Mapping[str, object]
    personal: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    listing: "ListHeaders | None" = None

    @property
    def own(self) -> "Recipient":
        """What of it is this recipient's alone."""
        listing = self.listing
        leaving = (listing.leave_url, listing.unsubscribe_token) if listing else ("", "")
        return Recipient(to_ascii_domain(self.to), self.message_id, self.personal, *leaving)


class Recipient(NamedTuple):
    """What a recipient does not share with those who get the same.

    Attributes:
        to: the address as SMTP wants it.
        message_id: fixed by the delivery.
        personal: what stands in the slots of the body, by name.
        leave_url: the one-click address; empty for mails that belong to no list.
        unsubscribe_token: what the subject of a mail says that ends the subscription.
    """

    to: str
    message_id: str
    personal: Mapping[str, str]
    leave_url: str = ""
    unsubscribe_token: str = ""


@dataclass(frozen=True)
class ListHeaders:
    """What the headers of a list's mail say (RFC 2369, 8058).

    Attributes:
        leave_url: the recipient's one-click address.
        unsubscribe_token: what the subject of a mail says that ends the subscription.
        archive_url: where the digests can be read.
        feedback: the sort of mail, as the mail provider's complaint statistics call it: words that
            are the same for all digests of a cadence, and say nothing of the recipient or the
            therapy.
    """

    leave_url: str
    unsubscribe_token: str
    archive_url: str
    feedback: str


Part = bytes | tuple[str, bool]


@dataclass(frozen=True)
class MessageTemplate:
    """A letter cast once: its bytes with slots between them, each slot with the encoding of its place.

    Where messages are signed, what is shared stands here once more in the form that is signed.
    """

    _head: bytes
    _parts: tuple[Part, ...]
    _replies: str
    _seal: DkimSigner | None = None
    _canonical: tuple[Part, ...] = ()

    def render(self, own: Recipient, now: datetime) -> bytes:
        """The message of one recipient, dated `now`; no line of it begins with a dot (RFC 5321, 4.5.2)."""
        headers = self._own_headers(own, now)
        encoded: dict[Part, bytes] = {}
        for name, text in own.personal.items():
            encoded[name, False], encoded[name, True] = _encoded(text)
        shown = "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("ascii")
        pieces = [self._head, shown, b"\r\n"]
        pieces += [part if isinstance(part, bytes) else encoded[part] for part in self._parts]
        if self._seal is not None:
            body = hashlib.sha256()
            for part in self._canonical:
                body.update(part if isinstance(part, bytes) else encoded[part])
            signed = b"".join([canonical_header(name, value) for name, value in headers])
            pieces.insert(0, self._seal.headers(signed, body.digest(), now))
        return b"".join(pieces)

    def _own_headers(self, own: Recipient, now: datetime) -> list[tuple[str, str]]:
        found = [("To", own.to), ("Date", _date(now)), ("Message-ID", own.message_id)]
        if own.leave_url:
            word = (
                own.unsubscribe_token
                if own.unsubscribe_token.isalnum()
                else quote(own.unsubscribe_token)
            )
            leave = f"<mailto:{self._replies}?subject=unsubscribe%20{word}>"
            found.append(("List-Unsubscribe", f"<{own.leave_url}>,\r\n {leave}"))
        return found


@lru_cache(maxsize=64)
def _date(moment: datetime) -> str:
    return format_datetime(moment)


def compile_message(
    letter: MessageSpec,
    sender: Sender,
    render_html: Render,
    render_text: Render,
    signers: "Sequence[Signer]" = (),
) -> MessageTemplate:
    """Render and encode everything of a letter that is not its recipient's own.

    Args:
        letter: what is said to whom.
        sender: who says it; its address must be set.
        render_html: renders a whole HTML mail from a template's name, values and language.
        render_text: renders a text template.
        signers: the keys that sign it.
    """
    # Nobody can foresee the slots' names: a text from outside that looked like one would be filled,
    # too.
    mark = uuid.uuid4().hex
    slots = {f"{mark}x{number}x": name for number, name in enumerate(letter.personal)}
    values = {
        "language": letter.language,
        "subject": letter.subject,
        "sender_name": sender.name,
        "postal_address": sender.postal_address or "",
        **letter.values,
        **{name: slot for slot, name in slots.items()},
    }
    text = render_text(f"email/{letter.template}.txt.j2", values, letter.language)
    html = render_html(f"email/{letter.template}.html.j2", values, letter.language)
    boundary = f"=_{mark}"  # quoted-printable never writes an equals sign before an underline
    parts: list[Part] = []
    for subtype, content in (("plain", text), ("html", html)):
        parts.append(
            f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        )
        parts += _segments(content, slots, html=subtype == "html")
        parts.append(b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    head, joined = _shared_head(letter, sender, boundary), _joined(parts)
    if not signers:
        return MessageTemplate(head, joined, _replies(sender))
    canonical = tuple(canonical_body(part) if isinstance(part, bytes) else part for part in joined)
    own_names = ("To", "Date", "Message-ID", *(("List-Unsubscribe",) if letter.listing else ()))
    return MessageTemplate(
        head,
        joined,
        _replies(sender),
        DkimSigner(signers, _signed_headers(head), own_names),
        canonical,
    )


def _signed_headers(head: bytes) -> tuple[tuple[str, bytes], ...]:
    """Those of the shared headers that are signed, in the form that is."""
    found = []
    for line in re.split(r"\r\n(?![ \t])", head.decode("ascii").removesuffix("\r\n")):
        name, _, value = line.partition(":")
        if name in SIGNED:
            found.append((name, canonical_header(name, value)))
    return tuple(found)


def _segments(content: str, slots: Mapping[str, str], *, html: bool) -> list[Part]:
    """A body in quoted-printable, cut at its slots: a soft line break on either side keeps lines short (RFC 2045)."""
    pieces = re.split(f"({'|'.join(slots)})", content) if slots else [content]
    found: list[Part] = []
    for index, piece in enumerate(pieces):
        if piece in slots:
            found.append((slots[piece], html))
            continue
        if index and piece and not piece.startswith("\n"):
            found.append(_SOFT_BREAK)
        found.append(_quoted(piece))
        if index < len(pieces) - 1 and piece and not piece.endswith("\n"):
            found.append(_SOFT_BREAK)
    return found


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def _encoded(text: str) -> tuple[bytes, bytes]:
    """A personal text in quoted-printable, for the plain part and for HTML.

    An address of ours is the same in both, and only cut into lines.
    """
    if not _AS_IS.fullmatch(text):
        return _quoted(clean(text)), _quoted(escape(clean(text)))
    lines = [text[at : at + _LINE - 1] for at in range(0, len(text), _LINE - 1)]
    plain = _without_dots("=\r\n".join(lines))
    return plain, plain


def _quoted(text: str) -> bytes:
    octets = text.encode("utf-8").decode("latin-1")
    return _without_dots(body_encode(octets, maxlinelen=_LINE, eol="\r\n"))


def _without_dots(encoded: str) -> bytes:
    """The same with the dots encoded that begin a line: SMTP would double them, some servers lose them (RFC 2049)."""
    if "\n." in encoded or encoded.startswith("."):
        encoded = encoded.replace("\n.", "\n=2E")
        encoded = f"=2E{encoded[1:]}" if encoded.startswith(".") else encoded
    return encoded.encode("ascii")


def _shared_head(letter: MessageSpec, sender: Sender, boundary: str) -> bytes:
    assert sender.address is not None
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_header_text(sender.name), addr_spec=to_ascii_domain(sender.address))
    message["Reply-To"] = Address(addr_spec=_replies(sender))
    message["Subject"] = _header_text(letter.subject)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if letter.listing is not None:
        domain = domain_of(sender.address)
        message["List-Id"] = f"<{sender.list_id or f'digest.{domain}'}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["List-Archive"] = f"<{letter.listing.archive_url}>"
        message["List-Help"] = f"<mailto:{_replies(sender)}?subject=help>"
        message["Precedence"] = "bulk"
        message["Feedback-ID"] = f"{letter.listing.feedback}:{_sender_id(domain)}"
    head = b"".join(_POLICY.fold_binary(name, value) for name, value in message.items())
    kind = (
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    )
    return head + kind.encode()


def _sender_id(domain: str) -> str:
    """The last field of a Feedback-ID: 5 to 15 characters that are always the same for a sender (Gmail's guidelines).

    The longest label of the domain, which is nearly always its own name: ``example`` for
    ``mail.example.org``.
    """
    name = max(domain.split("."), key=len)
    return (name if len(name) >= 5 else domain.replace(".", "-"))[:15]


def _replies(sender: Sender) -> str:
    assert sender.address is not None
    return to_ascii_domain(sender.reply_to or sender.address)


def _header_text(text: str) -> str:
    """Text that stays text in a header.

    The library decodes an encoded-word (RFC 2047) that stands in a value, and one may hide a line
    end and a header of a stranger's own behind it.
    """
    return clean(text).replace("=?", "= ?")
