"""The rules of a host's robots.txt (RFC 9309): which paths a program may request.

Pure. Linear in the length of the rules and of the address, because both come from strangers.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

# Characters of a robots.txt that are read: RFC 9309, 2.5 asks for 500 KiB at least.
LONGEST = 512_000
# Rules of one program that are kept. Chosen by hand; not measured.
_MOST_RULES = 5_000

_LINE = re.compile(r"\r\n|\r|\n")
_STARS = re.compile(r"\*+")
_PRODUCT = re.compile(r"[A-Za-z_-]*")


class Rule(NamedTuple):
    """A line of a group.

    Attributes:
        allows: whether it is an ``Allow``.
        parts: the pattern, divided at each ``*``.
        to_end: whether the pattern ends in ``$``: nothing may follow it.
        length: of the pattern; the longest that matches decides.
    """

    allows: bool
    parts: Sequence[str]
    to_end: bool
    length: int

    def matches(self, path: str) -> bool:
        """Return whether the pattern matches the beginning of a path."""
        first, *others = self.parts
        if not path.startswith(first):
            return False
        if not others:
            return not self.to_end or path == first
        place = len(first)
        for part in others[:-1]:
            place = path.find(part, place)
            if place < 0:
                return False
            place += len(part)
        if self.to_end:
            return len(path) - len(others[-1]) >= place and path.endswith(others[-1])
        return path.find(others[-1], place) >= 0


def robots_url(url: str) -> str:
    """Return the address of the robots.txt that applies to an address."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def rules_for(text: str, user_agent: str) -> list[Rule]:
    """Return the rules for a program: those of its own groups, else those for all.

    Args:
        text: a robots.txt.
        user_agent: our header; its first word names the program.
    """
    product = _product(user_agent)
    own: list[Rule] = []
    general: list[Rule] = []
    is_named = False
    agents: list[str] = []
    in_rules = False
    for name, value in _lines(text[:LONGEST]):
        if name == "user-agent":
            agents = [] if in_rules else agents
            in_rules = False
            agents.append(value if value == "*" else _product(value))
            is_named = is_named or (product != "" and agents[-1] == product)
        elif name in ("allow", "disallow"):
            in_rules = True
            if not (rule := _rule(name, value)):
                continue
            if product and product in agents and len(own) < _MOST_RULES:
                own.append(rule)
            if "*" in agents and len(general) < _MOST_RULES:
                general.append(rule)
    return own if is_named else general


def allows(rules: Sequence[Rule], url: str) -> bool:
    """Return whether these rules allow to request an address; the longest match decides."""
    parts = urlsplit(url)
    path = _normal(urlunsplit(("", "", parts.path or "/", parts.query, "")))
    matching = [rule for rule in rules if rule.matches(path)]
    return max(((rule.length, rule.allows) for rule in matching), default=(0, True))[1]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in _LINE.split(text.removeprefix("\ufeff")):
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _product(user_agent: str) -> str:
    product = _PRODUCT.match(user_agent.strip())
    return product[0].lower() if product else ""


def _rule(name: str, value: str) -> Rule | None:
    """Return the rule of a line; None for an empty one, which says nothing."""
    if not value.startswith(("/", "*")):
        return None
    to_end = value.endswith("$")
    pattern = _STARS.sub("*", value.removesuffix("$"))
    parts = [_normal(part) for part in pattern.split("*")]
    return Rule(name == "allow", parts, to_end, len(value))


def _normal(path: str) -> str:
    """Return a path in which each character is escaped in the same way (RFC 9309, 2.2.2)."""
    if path.isascii() and "%" not in path:
        return path
    kept = quote(path, safe="/%*$?&=:;,+!@()'~[]")
    return re.sub(r"(?:%[0-9A-Fa-f]{2})+", _escape, kept)


def _escape(escaped: re.Match[str]) -> str:
    return quote(unquote_to_bytes(escaped[0]), safe="")
