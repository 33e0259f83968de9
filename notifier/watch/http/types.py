"""Exchange: what is asked of a server, and what came of it.

Owns the values alone; who asks, and how, is `fetch.py`'s.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Purpose(StrEnum):
    """What a request is for; a source's document comes first, the others follow from it."""

    DOCUMENT = "document"
    NEXT_PAGE = "next page"
    RECORD = "record"
    AS_OF = "as of"
    POSTS = "posts"
    ARTICLE = "article"
    CHECK = "check"


@dataclass(frozen=True)
class Request:
    """One conditional GET (RFC 9110, 13): the validators are those the server gave with the bytes we know.

    `body_hash` is of the bytes we know, for servers that give no validators; `entry_id` is the
    entry that an `ARTICLE` or a `CHECK` is about.
    """

    source_id: int
    url: str
    etag: str | None = None
    last_modified: str | None = None
    purpose: Purpose = Purpose.DOCUMENT
    body_hash: str | None = None
    entry_id: int = 0


@dataclass(frozen=True)
class Response:
    """What came of it: a status with its body, or the error in words for the person who watches the source.

    `url` is where the answer came from, after redirects; `moved_to` the address that permanent
    redirects alone (301, 308) led to; `refused` means that we would not ask, because the address is
    not a public one.
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
        """Whether the bytes are those we have read before."""
        return self.status == 304 or (
            self.status == 200 and body_hash(self.body) == self.request.body_hash
        )


def body_hash(body: bytes) -> str:
    """The hash by which an unchanged document is known without being read again."""
    return hashlib.sha256(body).hexdigest()
