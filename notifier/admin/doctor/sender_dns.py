"""Checks of the records by which receivers decide whether a mail is ours: MX, SPF, DKIM, DMARC.

SPF counts for the domain of the envelope sender (`sender.bounce_address`), DKIM for the signing
domain, DMARC for that of the From address, with which one of the two must be aligned.
"""

from notifier.admin.doctor import dkim_records, dmarc, spf
from notifier.admin.doctor.check import Check
from notifier.admin.doctor.examined import Examined
from notifier.admin.doctor.findings import (
    Result,
    Status,
    failed,
    not_checked,
    ok,
    warning,
)
from notifier.admin.doctor.name_servers import all_public
from notifier.email_addresses import domain_of

# Hosts that one finding names. Chosen by hand.
_MOST_NAMED = 3
_DMARC_START = "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"


def _resolver(examined: Examined) -> Result:
    expected = "a name server that knows the whole DNS"
    names, address = examined.names, examined.settings.sender.address
    knows_root = names.knows_root()
    if knows_root or (address and names.exists(domain_of(address))):
        return ok(expected, examined.options.name_server or "it answers")
    # What such a server does not know may well exist.
    return failed(
        expected,
        "it knows neither the root of the DNS nor the domain of the sender",
        "Let this machine ask a name server of the internet, or name one: notifier doctor --dns "
        "9.9.9.9",
    )


def _domains(examined: Examined) -> list[str]:
    """Return the domains to which mails come back: of replies and of bounces."""
    return list(dict.fromkeys((examined.sender_domain, examined.bounce_domain)))


def _mx(examined: Examined) -> Result:
    expected = "mail to the From and the bounce address arrives somewhere"
    lines: list[str] = []
    broken: list[str] = []
    weak: list[str] = []
    for domain in _domains(examined):
        hosts = examined.names.mail_servers(domain)
        lost = [host for host in hosts if host and not examined.names.addresses(host)]
        if hosts == [""]:
            broken.append(f"{domain} says that it takes no mail (null MX, RFC 7505)")
        elif not hosts and not examined.names.addresses(domain):
            broken.append(f"{domain} has neither MX nor address")
        elif lost:
            (broken if lost == hosts else weak).append(
                f"{domain}: its MX {', '.join(lost[:_MOST_NAMED])} has no address"
            )
        else:
            used = ", ".join(hosts[:_MOST_NAMED]) or "no MX, its own address is used"
            lines.append(f"{domain}: {used}")
    if broken:
        return failed(
            expected,
            "; ".join(broken),
            "Publish an MX record that names the server for the mail of the domain. Many receivers "
            "refuse mail from a domain that cannot be answered.",
        )
    if weak:
        return warning(expected, "; ".join(weak), "Remove that MX record, or give it an address.")
    return ok(expected, "; ".join(lines))


def _spf(examined: Examined) -> Result:
    domain = examined.bounce_domain
    expected = (
        f"one SPF record of {domain}, at most {spf.MOST_LOOKUPS} look-ups, {spf.MOST_VOID} of "
        "them void"
    )
    record = spf.examine(examined.names, domain)
    if not record.records:
        return failed(
            expected,
            "no record",
            f"Publish a TXT record at {domain}:\n    {_suggested_spf(examined)}",
        )
    if len(record.records) > 1:
        return failed(
            expected,
            f"{len(record.records)} records, which counts as an error (RFC 7208, 4.5)",
            "Merge them into one TXT record: v=spf1, the terms of all, and one `~all` at the end.",
        )
    if record.problem:
        return failed(expected, record.problem, f"Correct the SPF record of {domain}.")
    if record.lookups > spf.MOST_LOOKUPS:
        return failed(
            expected,
            f"{record.lookups} look-ups, which counts as an error (RFC 7208, 4.6.4)",
            "Remove `include` terms of services that no longer send for you, or write their "
            "addresses as ip4 and ip6.",
        )
    if record.void > spf.MOST_VOID:
        return failed(
            expected,
            f"{record.void} look-ups lead to nothing, which counts as an error",
            "Remove the terms whose names no longer exist.",
        )
    return _spf_ending(record, expected)


def _spf_ending(record: spf.Spf, expected: str) -> Result:
    if record.ending == "+":
        return failed(
            expected,
            "+all: everybody may send in your name",
            "Replace +all by ~all.",
        )
    if record.ending in ("", "?"):
        return warning(
            expected,
            f"{record.ending + 'all' if record.ending else 'no `all`'} at its end: nobody is told "
            "who may not send",
            "End the record with ~all.",
        )
    return ok(expected, f"look-ups: {record.lookups}; {record.ending}all")


def _suggested_spf(examined: Examined) -> str:
    smtp = examined.settings.smtp
    return "v=spf1 mx ~all" if smtp.is_on_this_machine else f"v=spf1 a:{smtp.host} mx ~all"


def _sending_addresses(examined: Examined) -> list[str]:
    """Return the addresses from which other servers get our mails, as far as they are known."""
    host = examined.settings.smtp.host
    if examined.settings.smtp.is_on_this_machine:
        name = examined.settings.smtp.helo_name or examined.mail_server.own_name
        return examined.names.addresses(name) if "." in name and name[0] != "[" else []
    if host.replace(".", "").isdigit() or ":" in host:
        return [host]
    return examined.names.addresses(host)


def _spf_covers(examined: Examined) -> Result:
    expected = "the addresses that send for us are in the SPF record"
    addresses = _sending_addresses(examined)
    record = spf.examine(examined.names, examined.bounce_domain)
    host = examined.settings.smtp.host
    if not addresses or not all_public(addresses):
        return not_checked(
            expected,
            "the address of the sending machine is not known",
            "Set smtp.helo_name to its name; or see what a receiver says: notifier doctor "
            "--send-to EMAIL",
        )
    outside = [address for address in addresses if not record.allows(address)]
    if not outside:
        return ok(expected, ", ".join(addresses))
    if record.is_open or not examined.settings.smtp.is_on_this_machine:
        return not_checked(
            expected,
            f"{', '.join(outside)} is not in it, and {host} may send from others",
            "See what a receiver says: notifier doctor --send-to EMAIL. If SPF fails there, add "
            f"what the operator of {host} says to the record.",
        )
    terms = " ".join(f"ip{6 if ':' in address else 4}:{address}" for address in outside)
    return failed(
        expected, f"{', '.join(outside)} is not in it", f"Add to the record, before all: {terms}"
    )


def _dmarc(examined: Examined) -> Result:
    domain = examined.sender_domain
    expected = f"one DMARC record for {domain} (RFC 9989)"
    policy = dmarc.examine(examined.names, domain)
    publish = f"Publish a TXT record at _dmarc.{domain}:\n    {_DMARC_START.format(domain=domain)}"
    if policy.crowded:
        return failed(
            expected,
            f"several records at _dmarc.{policy.crowded}, which count as none",
            "Keep one of them.",
        )
    if not policy.place:
        return warning(
            expected, "none; Google, Yahoo, Microsoft and Apple want one of bulk senders", publish
        )
    return _dmarc_tags(examined, policy, expected)


def _dmarc_tags(examined: Examined, policy: dmarc.Dmarc, expected: str) -> Result:
    place = f"_dmarc.{policy.place}"
    if policy.policy not in dmarc.POLICIES:
        return failed(
            expected,
            f"p={policy.policy} is no policy",
            f"Write p=none, p=quarantine or p=reject at {place}.",
        )
    if gone := [tag for tag in dmarc.GONE if tag in policy.tags]:
        return warning(
            expected,
            f"{', '.join(gone)} no longer exists in DMARC (RFC 9989) and is ignored",
            f"Remove it from {place}; t=y means that a policy is only tested.",
        )
    if policy.tags.get("t", "n").lower() == "y":
        return warning(
            expected,
            f"p={policy.policy} is only tested (t=y)",
            f"Remove t=y at {place} when the reports are good.",
        )
    if strangers := _unwilling_reporters(examined, policy):
        return warning(
            expected,
            f"reports go to {', '.join(strangers)}, which has not agreed to get them",
            "\n".join(
                f"Publish a TXT record at {policy.place}._report._dmarc.{stranger}:\n    v=DMARC1"
                for stranger in strangers
            ),
        )
    advice = ""
    if "rua" not in policy.tags:
        advice = f"Add rua=mailto:ADDRESS at {place} to get reports about mail in your name."
    elif policy.policy == "none":
        advice = "When the reports are good for some weeks: p=quarantine, later p=reject."
    return ok(expected, f"p={policy.policy} at {place}", advice)


def _unwilling_reporters(examined: Examined, policy: dmarc.Dmarc) -> list[str]:
    """Return foreign domains that reports are to go to and that do not agree (RFC 9990, 4)."""
    strangers = []
    for uri in policy.tags.get("rua", "").split(",")[:10]:
        domain = uri.strip().partition("!")[0].rpartition("@")[2].lower()
        if not domain or dmarc.is_aligned(examined.names, policy, domain, "dkim"):
            continue
        texts = examined.names.texts(f"{policy.place}._report._dmarc.{domain}")
        if not any(dmarc.tags_of(text, "DMARC1") for text in texts):
            strangers.append(domain)
    return strangers


def _authentication(examined: Examined) -> Result:
    expected = "SPF or DKIM proves that mails are from the domain in From"
    policy = dmarc.examine(examined.names, examined.sender_domain)
    good = (Status.OK, Status.WARNING)
    dkim_domain = examined.settings.dkim.domain or ""
    proofs = []
    if (
        dkim_domain
        and examined.status_of("dns.dkim_signature") in good
        and dmarc.is_aligned(examined.names, policy, dkim_domain, "dkim")
    ):
        proofs.append(f"DKIM ({dkim_domain})")
    if (
        examined.status_of("dns.spf") in good
        and examined.status_of("dns.spf_covers") is not Status.FAILED
        and dmarc.is_aligned(examined.names, policy, examined.bounce_domain, "spf")
    ):
        unknown = examined.status_of("dns.spf_covers") is Status.NOT_CHECKED
        doubt = "; who sends was not checked" * unknown
        proofs.append(f"SPF ({examined.bounce_domain}{doubt})")
    if len(proofs) == 2:
        return ok(expected, " and ".join(proofs))
    if proofs:
        return warning(
            expected,
            f"only {proofs[0]}",
            "Large providers want both of bulk senders, and a forwarded mail keeps only DKIM: mend "
            f"{'dns.spf' if proofs[0].startswith('DKIM') else 'dns.dkim'}, and let its domain be "
            f"{policy.owner or examined.sender_domain} or one below it.",
        )
    return failed(
        expected,
        "neither",
        f"Mend dns.dkim or dns.spf, with a domain that belongs to {examined.sender_domain}: Google "
        "and others refuse mails without either, and DMARC asks for it.",
    )


def _mta_sts(examined: Examined) -> Result:
    return _advised(
        examined,
        "_mta-sts",
        "STSv1",
        "mail that comes back is delivered to you encrypted (MTA-STS, RFC 8461)",
    )


def _tls_rpt(examined: Examined) -> Result:
    return _advised(
        examined,
        "_smtp._tls",
        "TLSRPTv1",
        "other servers report when encryption to you fails (TLS-RPT, RFC 8460)",
    )


def _advised(examined: Examined, prefix: str, version: str, use: str) -> Result:
    name = f"{prefix}.{examined.bounce_domain}"
    records = [text for text in examined.names.texts(name) if dmarc.tags_of(text, version)]
    expected = f"optional: a record at {name}"
    if len(records) > 1:
        return warning(expected, "several records, which count as none", f"Keep one at {name}.")
    if records:
        return ok(expected, "published")
    return ok(expected, "none", f"Optional: with a TXT record v={version} at {name}, {use}.")


def _reverse(examined: Examined) -> Result:
    expected = "the name of the sending machine and its address lead to each other"
    host = examined.settings.smtp.host
    if not examined.settings.smtp.is_on_this_machine:
        return not_checked(expected, f"{host} delivers for us: its operator looks after that")
    name = examined.settings.smtp.helo_name or examined.mail_server.own_name
    if not name or name.startswith("["):
        return not_checked(
            expected, "the name of the sending machine is not known", "Set smtp.helo_name to it."
        )
    addresses = examined.names.addresses(name)
    if not addresses:
        return warning(
            expected,
            f"{name} has no address",
            "Set smtp.helo_name (and the name in your mail server) to one that has an address.",
        )
    for address in addresses:
        names = examined.names.names_of(address)
        if name.lower() not in names:
            return warning(
                expected,
                f"{address} is called {', '.join(names[:_MOST_NAMED]) or 'nothing'}, not {name}",
                f"Let the owner of {address} (the hosting provider) set its reverse DNS to {name}.",
            )
    return ok(expected, f"{name}, {', '.join(addresses)}")


_SENDER = ("installation.sender", "dns.resolver")

CHECKS = (
    Check("dns.resolver", _resolver, ("installation.settings",)),
    Check("dns.mx", _mx, _SENDER, stops_mail=True),
    Check("dns.spf", _spf, _SENDER),
    Check("dns.spf_covers", _spf_covers, ("dns.spf",)),
    Check("dns.dkim", dkim_records.check_records, _SENDER),
    Check(
        "dns.dkim_signature",
        dkim_records.check_signature,
        ("dns.dkim", "installation.secret_key", "installation.templates"),
    ),
    Check("dns.dmarc", _dmarc, _SENDER),
    Check(
        "dns.authentication",
        _authentication,
        _SENDER,
        reads=("dns.spf", "dns.spf_covers", "dns.dkim_signature"),
        stops_mail=True,
    ),
    Check("dns.mta_sts", _mta_sts, _SENDER),
    Check("dns.tls_rpt", _tls_rpt, _SENDER),
    Check("dns.reverse", _reverse, _SENDER),
)
