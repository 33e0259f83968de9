"""Name servers: questions to the DNS, each asked once.

The only file that imports dnspython. What does not exist is an empty answer; a name server that
does not answer, or answers that it cannot, is an error. It must not know what a record means.
"""

import ipaddress
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

from notifier.errors import InputError, NotifierError
from notifier.text.cleaning import clean

# Seconds for one question. Chosen by hand; not measured.
_LIFETIME = 5.0
_PORT = 53


class NoAnswerError(NotifierError):
    """A question that no name server answered."""


class NameServers:
    """The name servers of this machine, or one that was named.

    Args:
        server: ``ADDRESS`` or ``ADDRESS:PORT``; an IPv6 address with a port in brackets. Empty for
            those of this machine.

    Raises:
        InputError: it is no such address.
        NoAnswerError: this machine names no name server.
    """

    def __init__(self, server: str = "") -> None:
        self._answers: dict[tuple[str, str], list[str]] = {}
        self._failures: dict[tuple[str, str], NoAnswerError] = {}
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration:
            raise NoAnswerError(
                "This machine names no name server (/etc/resolv.conf).",
                "Write `nameserver ADDRESS` into /etc/resolv.conf, or give one with --dns.",
            ) from None
        if server:
            address, self._resolver.port = parse_server(server)
            self._resolver.nameservers = [address]

    def knows_root(self) -> bool:
        """Return whether the servers of the root are known, as to every name server with a network.

        Raises:
            NoAnswerError: no name server answers.
        """
        return bool(self._ask(".", "NS"))

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, the strings of each joined (RFC 7208, 3.3)."""
        return self._ask(name, "TXT")

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name."""
        return [*self._ask(name, "A"), *self._ask(name, "AAAA")]

    def mail_servers(self, name: str) -> list[str]:
        """Return the hosts of the MX records, the preferred first; a null MX is an empty name."""
        return self._ask(name, "MX")

    def names_of(self, address: str) -> list[str]:
        """Return the names of an IP address (PTR)."""
        return self._ask(dns.reversename.from_address(address).to_text(), "PTR")

    def exists(self, name: str) -> bool:
        """Return whether a name has any of the records that mail needs."""
        return bool(self.mail_servers(name) or self.addresses(name) or self.texts(name))

    def _ask(self, name: str, kind: str) -> list[str]:
        """Return an answer, the empty one where a name or a record does not exist.

        Raises:
            NoAnswerError: there is no answer; the question is not asked again.
        """
        key = name.lower(), kind
        if key in self._failures:
            raise self._failures[key]
        if key not in self._answers:
            try:
                self._answers[key] = self._resolved(name, kind)
            except (dns.exception.DNSException, OSError, ValueError) as error:
                self._failures[key] = _no_answer(name, kind, error)
                raise self._failures[key] from None
        return self._answers[key]

    def _resolved(self, name: str, kind: str) -> list[str]:
        try:
            answer = self._resolver.resolve(
                name, kind, raise_on_no_answer=False, lifetime=_LIFETIME, search=False
            )
        except dns.resolver.NXDOMAIN:
            return []
        records = list(answer.rrset or ())
        if kind == "MX":
            records.sort(key=lambda record: record.preference)
            return [_name(record.exchange) for record in records]
        if kind in ("PTR", "NS"):
            return [_name(record.target) for record in records]
        if kind == "TXT":
            return [b"".join(record.strings).decode("utf-8", "replace") for record in records]
        return [record.address for record in records]


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removeprefix(".")


def _no_answer(name: str, kind: str, error: Exception) -> NoAnswerError:
    reasons: dict[type[Exception], str] = {
        dns.resolver.LifetimeTimeout: f"no answer within {_LIFETIME:g} seconds",
        dns.resolver.NoNameservers: "the name server cannot answer (SERVFAIL or REFUSED)",
    }
    reason = reasons.get(type(error)) or clean(str(error)) or type(error).__name__
    return NoAnswerError(
        f"The DNS does not tell the {kind} records of {clean(name)}: {reason}.",
        "Check that this machine reaches a name server, and that the name servers of the domain "
        "answer (its DNSSEC, too). To ask another one: notifier doctor --dns 9.9.9.9",
    )


def parse_server(server: str) -> tuple[str, int]:
    """Return address and port of ``192.0.2.1``, ``192.0.2.1:53``, ``2001:db8::1`` or ``[…]:53``.

    Raises:
        InputError: it is no such address.
    """
    address, port = server, str(_PORT)
    if server.startswith("["):
        address, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif server.count(":") == 1:
        address, _, port = server.partition(":")
    try:
        number = int(port)
        if not (port.isascii() and port.isdigit() and 0 < number < 65_536):
            raise ValueError(port)  # noqa: TRY301 - reported below
        return str(ipaddress.ip_address(address)), number
    except ValueError as error:
        raise InputError(
            f"--dns {server!r} is not the address of a name server.",
            "Write it like 9.9.9.9 or 127.0.0.1:5353.",
        ) from error


def all_public(addresses: Sequence[str]) -> bool:
    """Return whether each of these IP addresses is reached from everywhere."""
    return all(ipaddress.ip_address(address).is_global for address in addresses)
