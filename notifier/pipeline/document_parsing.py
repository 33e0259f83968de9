"""The parsing of the documents of a poll, ahead of their turn to be stored.

Drives the parser process for them, so that one document is parsed while the one before it is
stored. Opens the transaction that reads what is known of a large document. What a document means
is decided when it is stored (`pipeline/poll.py`).
"""

from collections.abc import Mapping
from datetime import datetime

from notifier.deps import Deps
from notifier.enums import SourceKind
from notifier.watch import parsed_items
from notifier.watch.http.types import Purpose, Request, Response
from notifier.watch.parser_process import Parser, parse_document, require_document
from notifier.watch.parsers.observation import ParsedDocument

# Responses that hold no document, and article pages, which are rare and are parsed when they are
# stored.
_NOT_AHEAD = (Purpose.CHECK, Purpose.SITE, Purpose.AS_OF, Purpose.ARTICLE, Purpose.ROBOTS)


class DocumentParsing:
    """The documents of one poll, parsed each once.

    Args:
        deps: settings and database.
        parser: the parser process.
        kinds: the kind of each source, by its id.
        now: the time of the poll.
    """

    def __init__(
        self, deps: Deps, parser: Parser, kinds: Mapping[int, SourceKind], now: datetime
    ) -> None:
        self._deps = deps
        self._parser = parser
        self._kinds = kinds
        self._now = now
        self._ahead: dict[Request, ParsedDocument | Exception] = {}

    def parse_ahead(self, response: Response) -> None:
        """Parse the document in a response, if it holds one, and keep it until `parse`.

        An error is kept as well: it is raised where the document would have been stored. Called in
        another thread than `parse`.
        """
        request = response.request
        if request.purpose in _NOT_AHEAD or response.known:
            return
        try:
            self._ahead[request] = self._parse(response)
        except Exception as error:  # noqa: BLE001 - raised by `parse`
            self._ahead[request] = error

    def parse(self, response: Response) -> ParsedDocument:
        """Return the document in a response.

        Raises:
            ParseError: there is none, or it is not of its source's kind.
            StoreError: the database could not be read.
        """
        ahead = self._ahead.pop(response.request, None)
        if isinstance(ahead, Exception):
            raise ahead
        return ahead or self._parse(response)

    def _parse(self, response: Response) -> ParsedDocument:
        request = response.request
        if request.purpose is Purpose.DOCUMENT:
            with self._deps.reading() as session:
                known = parsed_items.known_for(session, response)
            return parse_document(self._kinds[request.source_id], response, self._parser, known)
        if request.purpose is Purpose.POSTS:
            require_document(response)
            headers, url = response.headers, request.url
            return self._parser.parse_posts(response.body, headers, url, self._now)
        return parse_document(SourceKind.REGISTRY, response, self._parser)
