"""The rules of a host's robots.txt (RFC 9309): which addresses a program may request.

Pure. The rules are read by the library Protego, which follows the RFC with its longest match and
wildcards.
"""

from urllib.parse import urlsplit, urlunsplit

from protego import Protego

# Characters of a robots.txt that are read: RFC 9309, 2.5 asks for 500 KiB at least.
LONGEST = 512_000


class Rules:
    """The rules of one host for one program."""

    def __init__(self, text: str, user_agent: str) -> None:
        """Read the rules.

        Args:
            text: the host's robots.txt; a text without rules allows everything.
            user_agent: the ``User-Agent`` that the program sends; its first word names it.
        """
        self._rules = Protego.parse(text[:LONGEST].removeprefix("\ufeff"))
        self._name = user_agent.partition("/")[0].strip() or "*"

    def allow(self, url: str) -> bool:
        """Return whether the program may request an address."""
        return bool(self._rules.can_fetch(url, self._name))


def robots_url(url: str) -> str:
    """Return the address of the robots.txt that speaks of an address."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
