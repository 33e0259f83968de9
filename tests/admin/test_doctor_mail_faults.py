"""Seeded faults of mail server, DNS and returns: each is named by its check, with the right fix."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.admin.doctor import name_servers
from notifier.admin.doctor.findings import Status
from notifier.deliver.mime import dkim_keys
from notifier.deliver.smtp import examination as smtp_examination
from tests.support import certificates
from tests.support.examined_world import (
    BACKWARDS,
    DKIM,
    Fault,
    Servers,
    World,
    around,
    expect,
    record_of,
    settings,
)
from tests.support.mail_sink import free_port

OK, WARNING, FAILED, NOT_CHECKED = Status
SPF, DMARC = "example.org", "_dmarc.example.org"
OTHER_KEY = record_of(dkim_keys.new_key("ed25519"))


@pytest.fixture
def world(
    running: Servers,
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setattr(name_servers, "_LIFETIME", 0.3)
    monkeypatch.setattr(smtp_examination, "_GREETING", 0.3)
    return around(running, None, tmp_path, certificate, monkeypatch)


def without(*keys: str) -> Callable[[World], object]:
    return lambda world: [world.unset(key) for key in keys]


def texts(name: str, *records: str) -> Callable[[World], object]:
    return lambda world: world.texts(name, *records)


def record(name: str, kind: str, *records: str) -> Callable[[World], object]:
    return lambda world: world.zone.records.update({(name, kind): list(records)})


def mail(**changes: object) -> Callable[[World], object]:
    return lambda world: vars(world.mail).update(changes)


def both(*plants: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [plant(world) for plant in plants]


def another_certificate(world: World) -> None:
    world.mail.certificate = certificates.write(world.folder / "another.pem")


def a_silent_name_server(world: World) -> None:
    world.zone.silent = True


def refusing(**answers: str) -> Callable[[World], object]:
    return lambda world: world.mx.answers.update(
        {f"bounce{part}": answer for part, answer in answers.items()}
    )


def many_includes(world: World) -> None:
    names = [f"spf{number}.example.org" for number in range(11)]
    for name in names:
        world.texts(name, "v=spf1 ip4:192.0.2.1 -all")
    world.texts(SPF, f"v=spf1 {' '.join(f'include:{name}' for name in names)} -all")


def a_broken_template(world: World) -> None:
    file = world.folder / "own" / "email" / "digest.html.j2"
    file.parent.mkdir(parents=True)
    file.write_text("{% if %}")
    world.set("templates.directory", str(world.folder / "own"))


def a_circle_of_includes(world: World) -> None:
    world.texts("spf.example.org", "v=spf1 include:example.org -all")
    world.texts(SPF, "v=spf1 include:spf.example.org -all")


def a_machine_without_a_full_name(world: World) -> None:
    without("smtp.helo_name", "smtp.username", "smtp.password")(world)
    world.patch.setattr(socket, "getfqdn", lambda *_: "box")


FAULTS = {
    "nothing listens": Fault(
        lambda world: world.set("smtp.port", str(free_port())),
        "mail_server.connect",
        FAILED,
        "Check smtp.host and smtp.port",
    ),
    "the server takes no connection": Fault(
        mail(greeting="554 go away"), "mail_server.connect", FAILED, "smtp.host"
    ),
    "the server is busy": Fault(
        mail(greeting="421 too many connections"), "mail_server.connect", FAILED, "smtp.host"
    ),
    "the server says nothing": Fault(mail(greeting=""), "mail_server.connect", FAILED, "smtp.host"),
    "the server offers no STARTTLS": Fault(
        mail(certificate=None), "mail_server.tls", FAILED, "set smtp.security to tls"
    ),
    "the certificate is not trusted": Fault(
        another_certificate, "mail_server.tls", FAILED, "SSL_CERT_FILE"
    ),
    "the certificate ends in a week": Fault(
        lambda world: setattr(world, "moment", datetime(2119, 12, 1, tzinfo=UTC)),
        "mail_server.certificate",
        WARNING,
        "Renew the certificate",
    ),
    "the password is wrong": Fault(
        mail(log_in="535 5.7.8 no"), "mail_server.auth", FAILED, "smtp.username and smtp.password"
    ),
    "the server offers no log-in": Fault(
        mail(offers=["PIPELINING"]), "mail_server.auth", FAILED, "remove smtp.username"
    ),
    "the server takes small mails only": Fault(
        mail(offers=["SIZE 20000", "AUTH PLAIN"]),
        "mail_server.size",
        FAILED,
        "message_size_limit",
    ),
    "the server offers no PIPELINING": Fault(
        mail(offers=["AUTH PLAIN"]), "mail_server.pipelining", WARNING, "PIPELINING"
    ),
    "this machine has no full name": Fault(
        a_machine_without_a_full_name, "mail_server.helo_name", WARNING, "smtp.helo_name"
    ),
    "no name server answers": Fault(a_silent_name_server, "dns.resolver", FAILED, "--dns"),
    "the name server knows its own names alone": Fault(
        lambda world: world.zone.records.clear(), "dns.resolver", FAILED, "--dns 9.9.9.9"
    ),
    "the domain of From cannot be answered": Fault(
        record(SPF, "MX"), "dns.mx", FAILED, "Publish an MX record"
    ),
    "the domain of From takes no mail": Fault(
        record(SPF, "MX", "0 ."), "dns.mx", FAILED, "Publish an MX record"
    ),
    "the MX has no address": Fault(
        record(SPF, "MX", "10 gone.example.org."), "dns.mx", FAILED, "Publish an MX record"
    ),
    "one of two MX has no address": Fault(
        record(SPF, "MX", "10 mx.example.org.", "20 gone.example.org."),
        "dns.mx",
        WARNING,
        "Remove that MX record",
    ),
    "the name servers of the domain fail": Fault(
        lambda world: world.zone.broken.add(SPF), "dns.mx", FAILED, "DNSSEC"
    ),
    "no SPF record": Fault(texts(SPF, "other"), "dns.spf", FAILED, "v=spf1 mx ~all"),
    "two SPF records": Fault(
        texts(SPF, "v=spf1 mx ~all", "v=spf1 a ~all"), "dns.spf", FAILED, "Merge them"
    ),
    "an SPF term is misspelt": Fault(
        texts(SPF, "v=spf1 ipv4:192.0.2.1 ~all"), "dns.spf", FAILED, "Correct the SPF record"
    ),
    "an SPF address is none": Fault(
        texts(SPF, "v=spf1 ip4:192.0.2.999 ~all"), "dns.spf", FAILED, "Correct the SPF record"
    ),
    "SPF needs eleven look-ups": Fault(many_includes, "dns.spf", FAILED, "Remove `include`"),
    "three SPF look-ups lead to nothing": Fault(
        texts(SPF, "v=spf1 a:x1.example.org a:x2.example.org a:x3.example.org ~all"),
        "dns.spf",
        FAILED,
        "names no longer exist",
    ),
    "SPF includes itself": Fault(a_circle_of_includes, "dns.spf", FAILED, "Correct the SPF record"),
    "SPF includes a domain without a record": Fault(
        texts(SPF, "v=spf1 include:gone.example.org ~all"), "dns.spf", FAILED, "Correct the SPF"
    ),
    "everybody may send": Fault(texts(SPF, "v=spf1 +all"), "dns.spf", FAILED, "~all"),
    "SPF ends without a verdict": Fault(
        texts(SPF, "v=spf1 ip4:9.8.7.6 ?all"), "dns.spf", WARNING, "End the record with ~all"
    ),
    "this machine is not in the SPF record": Fault(
        texts(SPF, "v=spf1 ip4:192.0.2.1 -all"), "dns.spf_covers", FAILED, "ip4:9.8.7.6"
    ),
    "no DKIM key is published": Fault(texts(DKIM), "dns.dkim", FAILED, "Publish this TXT record"),
    "another DKIM key is published": Fault(
        texts(DKIM, OTHER_KEY), "dns.dkim", FAILED, "Publish this TXT record"
    ),
    "the DKIM key is revoked": Fault(
        texts(DKIM, "v=DKIM1; p="), "dns.dkim", FAILED, "Publish this TXT record"
    ),
    "two DKIM keys under one name": Fault(
        lambda world: world.texts(DKIM, *world.zone.records[DKIM, "TXT"], OTHER_KEY),
        "dns.dkim",
        FAILED,
        "and no other",
    ),
    "the DKIM key is marked as a test": Fault(
        lambda world: world.texts(
            DKIM, world.zone.records[DKIM, "TXT"][0].replace("p=", "t=y; p=")
        ),
        "dns.dkim",
        WARNING,
        "Remove t=y",
    ),
    "the DKIM key file is gone": Fault(
        settings(dkim__private_key_file="gone.pem"), "dns.dkim", FAILED, "notifier dkim"
    ),
    "mails are not signed": Fault(
        without("dkim.domain", "dkim.private_key_file"), "dns.dkim", WARNING, "notifier dkim"
    ),
    "no DMARC record": Fault(texts(DMARC), "dns.dmarc", WARNING, "v=DMARC1; p=none"),
    "two DMARC records": Fault(
        texts(DMARC, "v=DMARC1; p=none", "v=DMARC1; p=reject"), "dns.dmarc", FAILED, "Keep one"
    ),
    "the DMARC policy is none": Fault(
        texts(DMARC, "v=DMARC1; p=block"), "dns.dmarc", FAILED, "p=quarantine or p=reject"
    ),
    "DMARC uses what no longer exists": Fault(
        texts(DMARC, "v=DMARC1; p=reject; pct=50"), "dns.dmarc", WARNING, "Remove it"
    ),
    "DMARC is only tested": Fault(
        texts(DMARC, "v=DMARC1; p=reject; t=y"), "dns.dmarc", WARNING, "Remove t=y"
    ),
    "DMARC reports go to a stranger": Fault(
        texts(DMARC, "v=DMARC1; p=none; rua=mailto:x@reports.example"),
        "dns.dmarc",
        WARNING,
        "example.org._report._dmarc.reports.example",
    ),
    "neither SPF nor DKIM speaks for From": Fault(
        both(texts(DKIM), texts(SPF, "no record")),
        "dns.authentication",
        FAILED,
        "Mend dns.dkim or dns.spf",
    ),
    "DKIM alone speaks for From": Fault(
        texts(SPF, "no record"), "dns.authentication", WARNING, "mend dns.spf"
    ),
    "SPF alone speaks for From": Fault(texts(DKIM), "dns.authentication", WARNING, "mend dns.dkim"),
    "SPF and DKIM speak for another domain": Fault(
        both(
            settings(
                sender__address="digest@other.example", sender__bounce_address="bounce@example.org"
            ),
            record("other.example", "MX", "10 mx.example.org."),
        ),
        "dns.authentication",
        FAILED,
        "a domain that belongs to other.example",
    ),
    "two TLS-RPT records": Fault(
        texts("_smtp._tls.example.org", "v=TLSRPTv1; rua=mailto:a", "v=TLSRPTv1; rua=mailto:b"),
        "dns.tls_rpt",
        WARNING,
        "Keep one",
    ),
    "the address has another name": Fault(
        record(BACKWARDS, "PTR", "host-6.provider.example."),
        "dns.reverse",
        WARNING,
        "set its reverse DNS to mail.example.org",
    ),
    "the sending machine has no address": Fault(
        record("mail.example.org", "A"), "dns.reverse", WARNING, "smtp.helo_name"
    ),
    "the bounce mailbox does not exist": Fault(
        refusing(**{"": "550 5.1.1 no such user"}), "returns.mailbox", WARNING, "an alias for"
    ),
    "the server knows no plus sign": Fault(
        refusing(**{"+": "550 5.1.1 no such user"}), "returns.tags", WARNING, "recipient_delimiter"
    ),
    "the server of the bounce address puts us off": Fault(
        refusing(**{"": "451 4.7.1 greylisted"}), "returns.mailbox", NOT_CHECKED, "some minutes"
    ),
    "the server of the bounce address blocks this machine": Fault(
        refusing(**{"": "554 5.7.1 Client host [192.0.2.7] blocked using zen.example.net"}),
        "returns.mailbox",
        NOT_CHECKED,
        "from elsewhere",
    ),
    "the server of the bounce address refuses the null sender": Fault(
        lambda world: world.mx.answers.update({"FROM:<>": "550 5.1.8 not welcome"}),
        "returns.mailbox",
        NOT_CHECKED,
        "from elsewhere",
    ),
    "port 25 is closed": Fault(
        lambda world: setattr(world.mx, "port", free_port()),
        "returns.mailbox",
        NOT_CHECKED,
        "close port 25",
    ),
    "a setting is misspelt": Fault(
        settings(smtp__prot="25"), "installation.settings", FAILED, "port"
    ),
    "there is no address in From": Fault(
        without("sender.address"), "installation.sender", FAILED, "sender.address"
    ),
    "From is an address at a mail provider": Fault(
        settings(sender__address="society@gmail.com"),
        "installation.sender",
        WARNING,
        "a domain of your own",
    ),
    "there is no postal address": Fault(
        without("sender.postal_address"), "installation.postal_address", FAILED, "postal_address"
    ),
    "nobody is mailed when something breaks": Fault(
        without("operator.address"), "installation.operator", WARNING, "Set operator.address"
    ),
    "the secret key is short": Fault(
        settings(secret_key="secret"), "installation.secret_key", FAILED, "32 random characters"
    ),
    "the secret key repeats": Fault(
        settings(secret_key="a" * 40), "installation.secret_key", WARNING, "secret_key_previous"
    ),
    "a template is broken": Fault(
        a_broken_template, "installation.templates", FAILED, "Correct the template"
    ),
    "everybody may open the settings": Fault(
        lambda world: (world.folder / "notifier.toml").touch(0o644),
        "installation.file_modes",
        WARNING,
        "chmod o=",
    ),
    "the pages are reached from here alone": Fault(
        settings(public_url="https://127.0.0.1:8000"), "web.address", FAILED, "Set public_url"
    ),
    "the pages are not encrypted": Fault(
        settings(public_url="http://news.example.org"), "web.address", FAILED, "https://"
    ),
    "the links lead to another domain": Fault(
        settings(public_url="https://digest.links.example"),
        "web.unsubscribe_host",
        WARNING,
        "news.example.org",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_the_fault_is_named_with_its_fix(world: World, fault: Fault):
    expect(world, fault)
