"""Requests and responses: values that the HTTP client and its users share."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

# The path of a front page, also in one of several languages; "ms" is no language here.
_FRONT_PAGE = re.compile(
    r"/?(?:(?:de|en|fr|es|it|nl|pt|pl|sv|da|no|nb|fi|cs|sk|hu|ro|bg|el|tr|ru|uk|ja|ko|zh|ar|he)"
    r"(?:[-_][a-zA-Z]{2})?/?)?(?:index\.\w{3,5})?"
)


class Purpose(StrEnum):
    """The purpose of a request; a source's document is first, the others follow from it."""

    DOCUMENT = "document"
    NEXT_PAGE = "next page"
    RECORD = "record"
    AS_OF = "as of"
    POSTS = "posts"
    ARTICLE = "article"
    ROBOTS = "robots"
    CHECK = "check"
    SITE = "site"

    @property
    def wants_body(self) -> bool:
        """True if the document is needed, and not only the fact that it is there."""
        return self not in (Purpose.CHECK, Purpose.SITE)


@dataclass(frozen=True)
class Request:
    """A GET, conditional if it has validators (RFC 9110, 13).

    Attributes:
        source_id: the source that it is for.
        url: an http or https address.
        etag: the `ETag` of the known document; None if there is none, or to get it in any case.
        last_modified: its `Last-Modified`, as the server wrote it.
        purpose: the purpose of the request.
        body_hash: the hash of the known document, for servers that give no validators.
        encoding: the character encoding of the known document.
        entry_id: the entry that an `ARTICLE`, a `CHECK` or a `SITE` is about, else 0.
    """

    source_id: int
    url: str
    etag: str | None = None
    last_modified: str | None = None
    purpose: Purpose = Purpose.DOCUMENT
    body_hash: str | None = None
    encoding: str | None = None
    entry_id: int = 0

    @property
    def is_whole(self) -> bool:
        """Return whether it asks for the document as it is, without validators."""
        return not (self.etag or self.last_modified)

    def without_validators(self) -> "Request":
        """Return the same request for the document as it is."""
        return replace(self, etag=None, last_modified=None)


@dataclass(frozen=True)
class Response:
    """The result of a request: a status with its body, or an error.

    Attributes:
        request: the request.
        url: the address that answered, after redirects.
        status: of the answer (RFC 9110, 15); 0 if there is none. One that comes with the whole
            document is 200: 203, and 206 without a part (``Content-Range``) or with all of it.
        headers: by their names in lower case.
        body: of an answer with status 200, unpacked; empty if the purpose wants none.
        error: the reason why there is no answer, a clause for the person who looks after the
            source; empty if there is one.
        moved_to: the address to which permanent redirects alone (301, 308) led; empty without any.
        refused: whether no connection was made, because the address is not public.
    """

    request: Request
    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""
    moved_to: str = ""
    refused: bool = False

    @property
    def known(self) -> bool:
        """Return whether the document is the known one.

        A 304 means so only if the request showed validators: else the server knows no document of
        ours, and says the same whatever is there.
        """
        if self.status == 304:
            return not self.request.is_whole
        return self.status == 200 and body_hash(self.body) == self.request.body_hash


def body_hash(body: bytes) -> str:
    """Return the SHA-256 of a document, in hexadecimal, to recognise it without parsing it."""
    return hashlib.sha256(body).hexdigest()


def leads_to_front_page(response: Response) -> bool:
    """Return whether redirects led from another page to a site's front page."""
    return _is_front_page(response.url) and not _is_front_page(response.request.url)


def _is_front_page(url: str) -> bool:
    """Return whether an address is that of a front page, also of one of several languages."""
    return bool(_FRONT_PAGE.fullmatch(urlsplit(url).path))
