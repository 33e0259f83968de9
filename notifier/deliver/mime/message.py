"""Messages: a mail and its recipient become the bytes that are sent.

Owns the headers (RFC 5322, 2369, 2919, 3834, 8058, 9477) and the MIME structure around the body. A
message is compiled once for all recipients who get the same, with slots for each person's own
values. Rendering it for one of them joins bytes that are encoded already. Preview and sending both
use this file.
"""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.quoprimime import body_encode
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from notifier.deliver.mime.complaints import complaints_field
from notifier.deliver.mime.dkim_signature import (
    SIGNED,
    DkimSigner,
    UnsignedMessage,
    canonical_body,
    canonical_header,
)
from notifier.deliver.mime.header_fields import address_field, text_field
from notifier.email_addresses import domain_of, to_ascii_domain
from notifier.settings import Sender
from notifier.text.cleaning import clean

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer

_SOFT_BREAK = b"=\r\n"
# A line holds 76 characters (RFC 2045, 6.7 (5)): one is for the soft break that may follow a piece,
# and two are for a dot at the beginning, which becomes three characters.
_LINE = 73
# A text that neither quoted-printable nor HTML changes.
_UNCHANGED = re.compile(r"[!#-%(-;?-~]+(?: [!#-%(-;?-~]+)*")


Render = Callable[[str, Mapping[str, object], str], str]


@dataclass(frozen=True)
class MessageSpec:
    """The specification of one mail, before it is rendered and encoded.

    Attributes:
        message_id: the Message-ID of the delivery, with angle brackets.
        to: the recipient's address.
        subject: one line, shared by all recipients of the mail.
        template: ``digest``, ``confirmation``, ``account``, ``operator_alert`` or
            ``operator_draft``, under ``templates/email/``.
        values: the template's values that all recipients share, by name.
        personal: the template's values of this recipient alone, by name: one line of plain text
            each.
        language: the language of our words, as a code: ``en``.
        list_headers: the headers of a mailing list; None for a mail that belongs to no list.
    """

    message_id: str
    to: str
    subject: str
    template: str
    values: Mapping[str, object]
    personal: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    list_headers: "ListHeaders | None" = None

    @property
    def recipient(self) -> "Recipient":
        """The values that belong to this recipient alone."""
        headers = self.list_headers
        return Recipient(
            to_ascii_domain(self.to),
            self.message_id,
            self.personal,
            headers.leave_url if headers else "",
            headers.unsubscribe_token if headers else "",
        )


class Recipient(NamedTuple):
    """The values of a mail that belong to one recipient alone.

    Attributes:
        to: the address with an ASCII domain, as SMTP needs it.
        message_id: the Message-ID of the delivery, with angle brackets.
        personal: the texts for the slots of the body, by name.
        leave_url: the URL for unsubscribing by one click; empty for a mail that belongs to no list.
        unsubscribe_token: the token in the subject of a mail that ends the subscription.
    """

    to: str
    message_id: str
    personal: Mapping[str, str]
    leave_url: str = ""
    unsubscribe_token: str = ""


@dataclass(frozen=True)
class ListHeaders:
    """The values of the headers of a mailing list (RFC 2369, 8058).

    Attributes:
        leave_url: the recipient's URL for unsubscribing by one click.
        unsubscribe_token: the token in the subject of a mail that ends the subscription.
        archive_url: the page on which the digest can be read.
        feedback: the first three fields of Feedback-ID, by which mail providers count complaints:
            ``weekly:digest:news``. They name neither recipient nor therapy.
    """

    leave_url: str
    unsubscribe_token: str
    archive_url: str
    feedback: str


# A piece of a compiled message: encoded bytes, or a slot (the name of its value; True for HTML).
Piece = bytes | tuple[str, bool]


@dataclass(frozen=True)
class MessageTemplate:
    """A compiled message: encoded bytes with slots for the values of each recipient.

    With DKIM keys, the shared body is stored a second time in the form that is signed.
    """

    _head: bytes
    _body: tuple[Piece, ...]
    _reply_address: str
    _signer: DkimSigner | None = None
    _canonical_body: tuple[Piece, ...] = ()

    def render(self, recipient: Recipient, now: datetime) -> bytes:
        """Return the message for one recipient, dated `now`.

        All lines end with CRLF, and none begins with a dot (RFC 5321, 4.5.2).
        """
        message = self.unsigned(recipient, now)
        return message.signed([each.signer.sign(each.octets) for each in message.requests])

    def unsigned(self, recipient: Recipient, now: datetime) -> UnsignedMessage:
        """Return the message for one recipient without its signatures."""
        headers = self._recipient_headers(recipient, now)
        encoded: dict[Piece, bytes] = {}
        for name, text in recipient.personal.items():
            encoded[name, False], encoded[name, True] = _encode_personal(text)
        shown = "".join([f"{name}: {value}\r\n" for name, value in headers]).encode("ascii")
        octets = [self._head, shown, b"\r\n"]
        octets += [piece if isinstance(piece, bytes) else encoded[piece] for piece in self._body]
        if self._signer is None:
            return UnsignedMessage(octets, [])
        body_hash = hashlib.sha256()
        for piece in self._canonical_body:
            body_hash.update(piece if isinstance(piece, bytes) else encoded[piece])
        own = b"".join([canonical_header(name, value) for name, value in headers])
        return UnsignedMessage(octets, self._signer.requests(own, body_hash.digest(), now))

    def _recipient_headers(self, recipient: Recipient, now: datetime) -> list[tuple[str, str]]:
        headers = [
            ("To", recipient.to),
            ("Date", _date(now)),
            ("Message-ID", recipient.message_id),
        ]
        if recipient.leave_url:
            token = recipient.unsubscribe_token
            token = token if token.isalnum() else quote(token)
            by_mail = f"<mailto:{self._reply_address}?subject=unsubscribe%20{token}>"
            headers.append(("List-Unsubscribe", f"<{recipient.leave_url}>,\r\n {by_mail}"))
        return headers


@dataclass(slots=True, eq=False)
class PersonalMessage:
    """A message that is built when it is sent: at once, or without its signatures before.

    Attributes:
        template: the compiled message.
        recipient: returns the values of its recipient.
        now: its date.
    """

    template: MessageTemplate
    recipient: Callable[[], Recipient]
    now: datetime

    def __call__(self) -> bytes:
        """Return the whole message."""
        return self.template.render(self.recipient(), self.now)

    def unsigned(self) -> UnsignedMessage:
        """Return the message without its signatures."""
        return self.template.unsigned(self.recipient(), self.now)


@lru_cache(maxsize=64)
def _date(moment: datetime) -> str:
    return format_datetime(moment)


def compile_message(
    spec: MessageSpec,
    sender: Sender,
    render_html: Render,
    render_text: Render,
    signers: "Sequence[Signer]" = (),
) -> MessageTemplate:
    """Render and encode everything of a mail that its recipients share.

    Args:
        spec: the mail; its recipient's values only give the names of the slots.
        sender: the sender; its address must be set.
        render_html: renders a whole HTML mail from a template's name, values and language.
        render_text: renders a text template from the same.
        signers: the DKIM keys; empty for a mail without a signature.
    """
    # The names of slots are random: a text from outside that contained one would be replaced too.
    marker = uuid.uuid4().hex
    slots = {f"{marker}x{number}x": name for number, name in enumerate(spec.personal)}
    values = _template_values(spec, sender, slots)
    text = render_text(f"email/{spec.template}.txt.j2", values, spec.language)
    html = render_html(f"email/{spec.template}.html.j2", values, spec.language)
    boundary = f"=_{marker}"  # quoted-printable never writes an equals sign before an underscore
    body = _multipart(text, html, slots, boundary)
    head, reply_address = _shared_head(spec, sender, boundary), _reply_address(sender)
    if signers and spec.list_headers is not None:
        head = complaints_field(sender).encode("ascii") + head
    if not signers:
        return MessageTemplate(head, body, reply_address)
    canonical = tuple(
        canonical_body(piece) if isinstance(piece, bytes) else piece for piece in body
    )
    own_names = ["To", "Date", "Message-ID", *(["List-Unsubscribe"] if spec.list_headers else [])]
    signer = DkimSigner(signers, _signed_headers(head), own_names)
    return MessageTemplate(head, body, reply_address, signer, canonical)


def _template_values(
    spec: MessageSpec, sender: Sender, slots: Mapping[str, str]
) -> dict[str, object]:
    """Return the values for the templates, with a slot in place of each personal value."""
    return {
        "language": spec.language,
        "subject": spec.subject,
        "sender_name": sender.name,
        "postal_address": sender.postal_address or "",
        **spec.values,
        **{name: slot for slot, name in slots.items()},
    }


def _multipart(text: str, html: str, slots: Mapping[str, str], boundary: str) -> tuple[Piece, ...]:
    """Return a body of type multipart/alternative (RFC 2046, 5.1.4), in quoted-printable."""
    pieces: list[Piece] = []
    for subtype, content in (("plain", text), ("html", html)):
        pieces.append(
            f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        )
        pieces += _encode_with_slots(content, slots, html=subtype == "html")
        pieces.append(b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return _joined(pieces)


def _signed_headers(head: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the names and canonical forms of those shared headers that are signed."""
    signed = []
    for line in re.split(r"\r\n(?![ \t])", head.decode("ascii").removesuffix("\r\n")):
        name, _, value = line.partition(":")
        if name in SIGNED:
            signed.append((name, canonical_header(name, value)))
    return tuple(signed)


def _encode_with_slots(content: str, slots: Mapping[str, str], *, html: bool) -> list[Piece]:
    """Return a text in quoted-printable, split at its slots.

    A soft line break on either side of a slot keeps the lines short (RFC 2045, 6.7).
    """
    texts = re.split(f"({'|'.join(slots)})", content) if slots else [content]
    pieces: list[Piece] = []
    for index, text in enumerate(texts):
        if text in slots:
            pieces.append((slots[text], html))
            continue
        if index and text and not text.startswith("\n"):
            pieces.append(_SOFT_BREAK)
        pieces.append(_quoted_printable(text))
        if index < len(texts) - 1 and text and not text.endswith("\n"):
            pieces.append(_SOFT_BREAK)
    return pieces


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the same pieces with neighbouring bytes joined."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _encode_personal(text: str) -> tuple[bytes, bytes]:
    """Return a personal text in quoted-printable, for the plain part and for HTML.

    Our URLs need no encoding in either, and are only broken into lines.
    """
    if not _UNCHANGED.fullmatch(text):
        cleaned = clean(text)
        return _quoted_printable(cleaned), _quoted_printable(escape(cleaned))
    lines = [text[start : start + _LINE - 1] for start in range(0, len(text), _LINE - 1)]
    plain = _without_leading_dots("=\r\n".join(lines))
    return plain, plain


def _quoted_printable(text: str) -> bytes:
    latin_1 = text.encode("utf-8").decode("latin-1")  # one character per byte, for the library
    return _without_leading_dots(body_encode(latin_1, maxlinelen=_LINE, eol="\r\n"))


def _without_leading_dots(text: str) -> bytes:
    """Encode the dots at the beginning of lines.

    SMTP would double them, and some servers lose them (RFC 2049, 3).
    """
    if "\n." in text or text.startswith("."):
        text = text.replace("\n.", "\n=2E")
        text = f"=2E{text[1:]}" if text.startswith(".") else text
    return text.encode("ascii")


def _shared_head(spec: MessageSpec, sender: Sender, boundary: str) -> bytes:
    """Return the headers that all recipients share, with Content-Type last."""
    assert sender.address is not None
    head = [
        address_field("From", _header_text(sender.name), to_ascii_domain(sender.address)),
        address_field("Reply-To", "", _reply_address(sender)),
        text_field("Subject", _header_text(spec.subject)),
        "Auto-Submitted: auto-generated\r\n",
        "X-Auto-Response-Suppress: OOF, AutoReply\r\n",
    ]
    if spec.list_headers is not None:
        domain = domain_of(sender.address)
        # URIs are never folded: a mail program would not find one that is broken.
        head += [
            f"List-Id: <{sender.list_id or f'digest.{domain}'}>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            f"List-Archive: <{spec.list_headers.archive_url}>\r\n",
            f"List-Help: <mailto:{_reply_address(sender)}?subject=help>\r\n",
            "Precedence: bulk\r\n",
            f"Feedback-ID: {spec.list_headers.feedback}:{_sender_id(domain)}\r\n",
        ]
    mime = (
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'
    )
    return "".join([*head, mime]).encode("ascii")


def _sender_id(domain: str) -> str:
    """Return the last field of Feedback-ID: 5 to 15 characters that identify a sender for Gmail.

    The longest label of the domain, which is nearly always its own name: ``example`` for
    ``mail.example.org``.
    """
    name = max(domain.split("."), key=len)
    return (name if len(name) >= 5 else domain.replace(".", "-"))[:15]


def _reply_address(sender: Sender) -> str:
    assert sender.address is not None
    return to_ascii_domain(sender.reply_to or sender.address)


def _header_text(text: str) -> str:
    """Return one line whose encoded words (RFC 2047) no mail program decodes.

    One may hide a line end and a header of a stranger's own.
    """
    return clean(text).replace("=?", "= ?")
