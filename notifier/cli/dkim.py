"""`notifier dkim`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import shared

if TYPE_CHECKING:
    from notifier.deliver.mime.dkim_keys import Signer
    from notifier.settings import Settings

_ALGORITHMS = ("rsa", "ed25519")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
# Monitoring only (RFC 9989): the owner of the domain tightens the policy when the reports are good.
_DMARC = "v=DMARC1; p=none"
# A string of a TXT record has at most 255 octets (RFC 1035, 3.3.14).
_STRING_LENGTH = 250


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dkim")(dkim)


def dkim(
    algorithm: Annotated[
        str,
        typer.Option(
            metavar="ALGORITHM",
            help="rsa (every receiver verifies it) or ed25519 (as a second key).",
        ),
    ] = "rsa",
    domain: Annotated[
        str,
        typer.Option(metavar="DOMAIN", help="The signing domain. Default: that of sender.address."),
    ] = "",
    selector: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The key's name in the DNS. Default: notifier-ALGORITHM."
        ),
    ] = "",
) -> None:
    """Make a key that signs mails.

    Prints the settings that use the key, and the DNS records to publish. The settings file is not
    changed.
    """
    from notifier.settings import load

    shared.known_word(algorithm, _ALGORITHMS, "--algorithm")
    settings = load()
    signing_domain = domain or _domain_of_sender(settings)
    name = selector or f"notifier-{algorithm}"
    _check_names(signing_domain, name)
    file = shared.config_path().parent / f"dkim-{name}.pem"
    signer = _make_key(file, algorithm, signing_domain, name)
    shared.say(f"Wrote {file} (keep it secret).\n\nAdd to {shared.config_path()}:\n")
    shared.say(_settings_to_add(signer, file, is_second=settings.dkim.domain is not None))
    shared.say("\nPublish these TXT records in the DNS:\n")
    _print_records(signer, settings.smtp.host)


def _check_names(domain: str, selector: str) -> None:
    """Refuse names under which no key can be published.

    Raises:
        InputError: one of them is no name of the DNS.
    """
    from notifier.errors import InputError
    from notifier.settings.values import dns_label, dotted_name

    for option, name, check, fix in (
        ("--domain", domain, dotted_name, "Give the domain of sender.address."),
        ("--selector", selector, dns_label, "Leave it out: the default is good."),
    ):
        try:
            check(name)
        except ValueError as error:
            raise InputError(f"{option} {name!r}: it {error}.", fix) from error


def _domain_of_sender(settings: "Settings") -> str:
    from notifier.email_addresses import domain_of
    from notifier.errors import InputError

    if not settings.sender.address:
        raise InputError(
            "The domain to sign for is not known.",
            "Set sender.address, or give --domain example.org.",
        )
    return domain_of(settings.sender.address)


def _make_key(file: Path, algorithm: str, domain: str, selector: str) -> "Signer":
    """Write a new key to a new file.

    Raises:
        InputError: the file exists already, or cannot be written.
    """
    from notifier.deliver.mime import dkim_keys
    from notifier.errors import InputError
    from notifier.store.files import create_private

    try:
        create_private(file, dkim_keys.new_key(algorithm))
    except FileExistsError as error:
        raise InputError(
            f"{file} exists already.",
            "Give another --selector, and keep the old key: mails on their way need it.",
        ) from error
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}.",
            "Run the command as a user who may write to that folder.",
        ) from error
    return dkim_keys.Signer(domain, selector, dkim_keys.read_key(file))


def _settings_to_add(signer: "Signer", file: Path, *, is_second: bool) -> str:
    lines = [f'selector = "{signer.selector}"', f'private_key_file = "{file.name}"']
    if is_second:
        lines.insert(0, "[[dkim.also]]")
    else:
        lines[:0] = ["[dkim]", f'domain = "{signer.domain}"']
    return "\n".join(f"  {line}" for line in lines)


def _print_records(signer: "Signer", smtp_host: str) -> None:
    """Print the TXT records for DKIM, SPF (RFC 7208) and DMARC (RFC 9989)."""
    name, key = signer.record()
    spf = "v=spf1 mx ~all" if smtp_host in _THIS_MACHINE else f"v=spf1 a:{smtp_host} mx ~all"
    records = ((name, key), (signer.domain, spf), (f"_dmarc.{signer.domain}", _DMARC))
    for place, value in records:
        shared.say(f"  {place}\n      {_txt_strings(value)}")
    shared.say(
        "\nPublish the second and the third only if the domain has none yet: "
        "a domain may have only one of each."
    )


def _txt_strings(value: str) -> str:
    """Return the text of a TXT record as quoted strings, none longer than the DNS allows."""
    starts = range(0, len(value), _STRING_LENGTH)
    return " ".join(f'"{value[start : start + _STRING_LENGTH]}"' for start in starts)
