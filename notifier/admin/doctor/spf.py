"""SPF records (RFC 7208): whether one is valid, what it costs, and which addresses it allows.

It follows a record as receivers do, and counts what they count. Nothing is known of settings.
"""

import ipaddress
import re
from dataclasses import dataclass, field

from notifier.admin.doctor.name_servers import NameServers
from notifier.text.cleaning import shorten

# RFC 7208, 4.6.4: a receiver looks up no more, and takes more for an error; MX hosts likewise.
MOST_LOOKUPS, MOST_VOID, _MOST_HOSTS = 10, 2, 10
# Characters of a term that are shown. Chosen by hand.
_LONGEST_TERM = 60
# Look-ups at which this examination ends: the record is wrong long before. Chosen by hand.
_ENOUGH = 30
_VERSION = re.compile(r"(?i)v=spf1(?: |$)")
_TERM = re.compile(
    r"(?i)(?P<qualifier>[+?~-]?)(?P<mechanism>all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::(?P<value>[^/\s]+))?(?P<prefix>(?:/\d{1,3})?(?://\d{1,3})?)"
)
_MODIFIER = re.compile(r"(?i)(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>\S*)")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass
class Spf:
    """The SPF record of a domain, with all that it includes.

    Attributes:
        records: the records of the domain itself; a valid domain has one.
        problem: why receivers take it for an error; empty if they do not.
        lookups: the look-ups that a receiver has to make.
        void: those of them whose answer is empty.
        networks: the addresses that may send.
        ending: the qualifier of ``all``, by which everybody else is judged: ``-``, ``~``, ``?``,
            ``+``; empty without one.
        is_open: whether its result depends on more than addresses (macros, ``exists``, ``ptr``).
    """

    records: list[str]
    problem: str = ""
    lookups: int = 0
    void: int = 0
    networks: list[Network] = field(default_factory=list)
    ending: str = ""
    is_open: bool = False

    def allows(self, address: str) -> bool:
        """Return whether an IP address may send."""
        ip = ipaddress.ip_address(address)
        return self.ending == "+" or any(
            ip in network for network in self.networks if network.version == ip.version
        )


class _WrongRecordError(Exception):
    """A record that receivers take for an error (permerror)."""


def examine(names: NameServers, domain: str) -> Spf:
    """Look the record of a domain up, and all that it includes.

    Raises:
        NoAnswerError: a name server does not answer.
    """
    spf = Spf(records_of(names, domain))
    if len(spf.records) == 1:
        try:
            spf.ending = _follow(names, spf, domain, spf.records[0], (domain.lower(),))
        except _WrongRecordError as error:
            spf.problem = str(error)
    return spf


def records_of(names: NameServers, domain: str) -> list[str]:
    """Return the SPF records of a domain."""
    return [text for text in names.texts(domain) if _VERSION.match(text)]


def _follow(names: NameServers, spf: Spf, domain: str, record: str, path: tuple[str, ...]) -> str:
    """Follow the terms of a record; return the qualifier of its ``all``, or of its redirect."""
    terms, redirect = _parsed(record, domain)
    for term in terms:
        if term["mechanism"].lower() == "all":
            return term["qualifier"] or "+"
        _follow_term(names, spf, domain, term, path)
    if not redirect:
        return ""
    _count(spf)
    if "%" in redirect:
        spf.is_open = True
        return ""
    return _into(names, spf, redirect, path)


def _parsed(record: str, domain: str) -> tuple[list[re.Match[str]], str]:
    """Return the terms of a record and its redirect; empty for none.

    A mistake anywhere in a record counts, also behind `all` (RFC 7208, 4.6).
    """
    terms: list[re.Match[str]] = []
    redirects: list[str] = []
    for text in record.split()[1:]:
        if modifier := _MODIFIER.fullmatch(text):
            redirects += [modifier["value"]] if modifier["name"].lower() == "redirect" else []
            continue
        term = _TERM.fullmatch(text)
        if term is None:
            raise _WrongRecordError(f"{domain}: {shorten(text, _LONGEST_TERM)} is no term of SPF")
        _check(term, f"{domain}: {shorten(text, _LONGEST_TERM)}")
        terms.append(term)
    if len(redirects) > 1:
        raise _WrongRecordError(f"{domain}: there are two redirects")
    return terms, redirects[0] if redirects else ""


def _check(term: re.Match[str], place: str) -> None:
    mechanism, value = term["mechanism"].lower(), term["value"] or ""
    if mechanism == "all" and (value or term["prefix"]):
        raise _WrongRecordError(f"{place} is no term of SPF")
    if mechanism in ("include", "exists") and (not value or term["prefix"]):
        raise _WrongRecordError(f"{place} names no domain")
    if mechanism in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(f"{value}{term['prefix']}", strict=False)
        except ValueError as error:
            raise _WrongRecordError(f"{place} holds no IP address") from error
        if network.version != (4 if mechanism == "ip4" else 6):
            raise _WrongRecordError(f"{place} holds an address of the other kind")


def _follow_term(
    names: NameServers, spf: Spf, domain: str, term: re.Match[str], path: tuple[str, ...]
) -> None:
    mechanism, value = term["mechanism"].lower(), term["value"] or ""
    passes = (term["qualifier"] or "+") == "+"
    if mechanism in ("ip4", "ip6"):
        network = ipaddress.ip_network(f"{value}{term['prefix']}", strict=False)
        spf.networks += [network] if passes else []
        return
    _count(spf)
    if mechanism in ("exists", "ptr") or "%" in value:
        spf.is_open = True
        return
    if mechanism == "include":
        known = list(spf.networks)
        _into(names, spf, value, path)
        if not passes:
            spf.networks = known
        return
    hosts = [value or domain]
    if mechanism == "mx":
        hosts = [host for host in names.mail_servers(value or domain) if host]
        spf.void += not hosts
        if len(hosts) > _MOST_HOSTS:
            problem = f"{domain}: an mx term leads to more than {_MOST_HOSTS} hosts"
            raise _WrongRecordError(problem)
    addresses = [address for host in hosts for address in names.addresses(host)]
    spf.void += mechanism == "a" and not addresses
    if passes:
        spf.networks += [_around(address, term["prefix"]) for address in addresses]


def _into(names: NameServers, spf: Spf, domain: str, path: tuple[str, ...]) -> str:
    """Follow the record of another domain, which an include or a redirect names."""
    if domain.lower() in path:
        raise _WrongRecordError(f"{path[-1]} includes {domain} in a circle")
    records = records_of(names, domain)
    spf.void += not names.texts(domain)
    if len(records) != 1:
        number = "no" if not records else "more than one"
        raise _WrongRecordError(f"{path[-1]} includes {domain}, which has {number} SPF record")
    return _follow(names, spf, domain, records[0], (*path, domain.lower()))


def _count(spf: Spf) -> None:
    spf.lookups += 1
    if spf.lookups > _ENOUGH:
        raise _WrongRecordError(f"it needs more than {_ENOUGH} look-ups")


def _around(address: str, prefix: str) -> Network:
    """Return the network of a host's address: ``/24`` is for IPv4, ``//64`` for IPv6."""
    ip = ipaddress.ip_address(address)
    four, _, six = prefix.removeprefix("/").partition("//")
    if prefix.startswith("//"):
        four, six = "", prefix.removeprefix("//")
    length = four if ip.version == 4 else six
    bits = min(int(length), ip.max_prefixlen) if length else ip.max_prefixlen
    return ipaddress.ip_network(f"{address}/{bits}", strict=False)
