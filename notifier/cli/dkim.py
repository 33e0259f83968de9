"""`notifier dkim`."""

from typing import Annotated

import typer

from notifier.cli import shared


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dkim")(dkim)


def dkim(
    algorithm: Annotated[
        str, typer.Option(help="rsa (everybody verifies it) or ed25519 (as a second key).")
    ] = "rsa",
    domain: Annotated[str, typer.Option(help="Else that of sender.address.")] = "",
    selector: Annotated[str, typer.Option(help="A name for this key; a new key, a new name.")] = "",
) -> None:
    """Make a key that signs our mails, and say what to set and what to publish."""
    from notifier.deliver.mime import dkim_keys as keys
    from notifier.email_addresses import domain_of
    from notifier.errors import InputError
    from notifier.settings import load
    from notifier.store.files import create_private

    if algorithm not in ("rsa", "ed25519"):
        raise InputError(f"--algorithm {algorithm!r} is not known.", "Choose one of: rsa, ed25519.")
    settings = load()
    sender = settings.sender.address
    signing = domain or (domain_of(sender) if sender else "")
    if not signing:
        raise InputError("For which domain?", "Set sender.address, or give --domain example.org.")
    name = selector or f"notifier-{algorithm}"
    file = shared.config_path().parent / f"dkim-{name}.pem"
    try:
        create_private(file, keys.new_key(algorithm))
    except FileExistsError as error:
        raise InputError(
            f"{file} is there already.", "Give another --selector; old mails need the old key."
        ) from error
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}.", "Choose a folder of your own."
        ) from error
    record, text = keys.Signer(signing, name, keys.read_key(file)).record()
    shared.say(f"Wrote {file} (keep it secret).\n\nSet, in {shared.config_path()}:\n")
    if settings.dkim.domain:
        shared.say(f'  [[dkim.also]]\n  selector = "{name}"\n  private_key_file = "{file.name}"')
    else:
        shared.say(
            f'  [dkim]\n  domain = "{signing}"\n  selector = "{name}"\n  private_key_file = "{file.name}"'
        )
    shared.say("\nPublish these TXT records in the DNS:\n")
    for place, value in (
        (record, text),
        (signing, _spf(settings.smtp.host)),
        (f"_dmarc.{signing}", _DMARC),
    ):
        shared.say(f"  {place}\n      {_in_strings(value)}")
    shared.say(
        "\nThe second and the third only if the domain has none yet; a domain has one SPF record."
    )


# RFC 9989: the policy is for the domain's owner to tighten, once the reports show that all is well.
_DMARC = "v=DMARC1; p=none"


def _spf(host: str) -> str:
    return (
        "v=spf1 mx ~all"
        if host in ("127.0.0.1", "localhost", "::1")
        else f"v=spf1 a:{host} mx ~all"
    )


def _in_strings(value: str) -> str:
    """A TXT record's text, cut into strings of 255 octets (RFC 1035, 3.3.14)."""
    return " ".join(f'"{value[at : at + 250]}"' for at in range(0, len(value), 250))
