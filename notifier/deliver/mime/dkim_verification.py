"""Verification of DKIM signatures (RFC 6376, 6), as receivers do it, for `notifier doctor`.

Reads a whole message. Only `relaxed/relaxed` is known, in which ours are signed. How a public key
is looked up is the caller's.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from notifier.deliver.mime.dkim_keys import is_signature, read_public_key
from notifier.deliver.mime.dkim_signature import canonical_body, canonical_header

_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*)")
_END_OF_SIGNATURE = re.compile(r"(\bb\s*=)[^;]*")
_FIELD = re.compile(rb"\r\n(?![ \t])")
# Signatures of one mail that are read. Chosen by hand: lists and providers add a few.
_MOST_SIGNATURES = 10

# Returns the tags of the public key's record for a domain and a selector; empty for none.
KeyRecord = Callable[[str, str], dict[str, str]]


@dataclass(frozen=True)
class Verification:
    """The result for one signature.

    Attributes:
        domain: of the signer (`d=`).
        selector: of its key (`s=`).
        names: the headers that it covers (`h=`), in lower case.
        problem: why it is not valid; empty if it is.
    """

    domain: str
    selector: str
    names: tuple[str, ...]
    problem: str


def verify(message: bytes, key_record: KeyRecord) -> list[Verification]:
    """Return the result for each signature of a message, the outermost first.

    Args:
        message: with CRLF or LF line ends.
        key_record: looks a public key up.
    """
    octets = re.sub(rb"\r?\n", b"\r\n", message)
    head, _, body = octets.partition(b"\r\n\r\n")
    fields = [_field(text) for text in _FIELD.split(head)]
    signatures = [text for name, text in fields if name == "dkim-signature"]
    return [_verify(text, fields, body, key_record) for text in signatures[:_MOST_SIGNATURES]]


def _field(text: bytes) -> tuple[str, str]:
    name, _, value = text.decode("utf-8", "replace").partition(":")
    return name.strip().lower(), value


def _verify(
    signature: str, fields: list[tuple[str, str]], body: bytes, key_record: KeyRecord
) -> Verification:
    tags = {
        tag[1]: "".join(tag[2].split())
        for part in signature.split(";")
        if (tag := _TAG.fullmatch(part))
    }
    names = tuple(name.lower() for name in tags.get("h", "").split(":"))
    domain, selector = tags.get("d", ""), tags.get("s", "")
    problem = _problem(signature, tags, names, fields, body, key_record)
    return Verification(domain, selector, names, problem)


def _problem(
    signature: str,
    tags: dict[str, str],
    names: tuple[str, ...],
    fields: list[tuple[str, str]],
    body: bytes,
    key_record: KeyRecord,
) -> str:
    if (
        not tags.get("a", "").endswith("-sha256")
        or tags.get("c") != "relaxed/relaxed"
        or "l" in tags
    ):
        return "it is made in a way that is not known here"
    canonical = canonical_body(body).rstrip(b"\r\n")
    hashed = hashlib.sha256(canonical + b"\r\n" if canonical else b"").digest()
    if base64.b64encode(hashed).decode() != tags.get("bh"):
        return "the body was changed after it was signed"
    record = key_record(tags.get("d", ""), tags.get("s", ""))
    if not record.get("p"):
        return "its key is not published"
    unsigned = _END_OF_SIGNATURE.sub(r"\1", signature)
    signed = _headers(names, fields) + canonical_header("dkim-signature", unsigned)
    text_hash = hashlib.sha256(signed.removesuffix(b"\r\n")).digest()
    try:
        key = read_public_key(record.get("k", "rsa"), record["p"])
        is_valid = is_signature(key, base64.b64decode(tags.get("b", "")), text_hash)
    except (ValueError, binascii.Error):
        return "its key or its signature cannot be read"
    return "" if is_valid else "a signed header was changed, or another key signed it"


def _headers(names: tuple[str, ...], fields: list[tuple[str, str]]) -> bytes:
    """Return the signed headers; of several of one name the last comes first (RFC 6376, 5.4.2)."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return b"".join(
        canonical_header(name, values[name].pop()) for name in names if values.get(name)
    )
