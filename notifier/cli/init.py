"""`notifier init`: settings, database, the bundled profile, and a first look at its sources.

Owns the options and the order: everything is asked and checked before a file is written, and what
exists is completed and otherwise kept.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from notifier.cli import first_look, first_settings, questions, shared

if TYPE_CHECKING:
    from notifier.admin.profile_import import ImportResult
    from notifier.deps import Deps


SenderAddress = Annotated[
    str | None,
    typer.Option("--sender-address", metavar="EMAIL", help="The From address of all mails."),
]
SenderName = Annotated[
    str | None,
    typer.Option(
        "--sender-name", metavar="NAME", help="The name beside it; it should name no illness."
    ),
]
PostalAddress = Annotated[
    str | None,
    typer.Option("--postal-address", metavar="TEXT", help="In the footer of every mail."),
]
SmtpHost = Annotated[
    str | None, typer.Option("--smtp-host", metavar="HOST", help="The mail server.")
]
SmtpPort = Annotated[str | None, typer.Option("--smtp-port", metavar="PORT", help="Its port.")]
SmtpSecurity = Annotated[
    str | None,
    typer.Option(
        "--smtp-security",
        metavar="WORD",
        help="none, starttls or tls. Default: the best that the server offers.",
    ),
]
SmtpUsername = Annotated[
    str | None,
    typer.Option(
        "--smtp-username",
        metavar="NAME",
        help="For the log-in; the password is in $NOTIFIER_SMTP__PASSWORD.",
    ),
]
PublicUrl = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="Where readers reach the web pages."),
]
OperatorAddress = Annotated[
    str | None,
    typer.Option(
        "--operator-address", metavar="EMAIL", help="Your own: it is mailed when something fails."
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        metavar="ZONE",
        help="Of readers who chose none: Europe/Berlin. Default: UTC.",
    ),
]
Poll = Annotated[
    bool, typer.Option("--poll/--no-poll", help="Whether to read the sources for the first time.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing: take the options and defaults.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    sender_address: SenderAddress = None,
    sender_name: SenderName = None,
    postal_address: PostalAddress = None,
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    smtp_username: SmtpUsername = None,
    public_url: PublicUrl = None,
    operator_address: OperatorAddress = None,
    time_zone: TimeZone = None,
    poll: Poll = True,
    yes: Yes = False,
    now: shared.Now = "",
) -> None:
    """Write notifier.toml, make the database, read the sources.

    In a terminal it asks for the sender, the mail server, your address and the time zone. It loads
    the bundled profile, and reads its sources once, which mails nothing. Run again, it completes
    what is missing, and changes nothing else.
    """
    given = {
        "sender.address": sender_address,
        "sender.name": sender_name,
        "sender.postal_address": postal_address,
        "smtp.host": smtp_host,
        "smtp.port": smtp_port,
        "smtp.security": smtp_security,
        "smtp.username": smtp_username,
        "public_url": public_url,
        "operator.address": operator_address,
        "schedule.time_zone": time_zone,
    }
    shared.moment(now)  # refused before a file is written
    values = first_settings.checked(given)
    first_settings.write(shared.config_path(), values, asks=questions.can_ask() and not yes)
    with shared.open_deps(now, create=True) as deps:
        loaded = _load_bundled(deps)
        shared.say(f"{'Made ' if loaded else 'Kept '} {deps.engine.url.database}")
        if loaded:
            number = shared.count(loaded.new_sources, "source")
            shared.say(f"Loaded the profile {loaded.name} with {number} to watch.")
        if poll:
            first_look.read_sources(deps)
        first_look.say_next_steps(deps)


def _load_bundled(deps: "Deps") -> "ImportResult | None":
    from notifier.admin.profile_import import import_profile
    from notifier.match import profiles, removed_profiles

    with deps.writing() as session:
        if removed_profiles.was_stored(session, profiles.BUNDLED):
            return None
        bundled = profiles.parse(profiles.bundled_file(), "the bundled profile")
        return import_profile(session, bundled, deps.now())
