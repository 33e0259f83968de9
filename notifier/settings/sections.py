"""All settings of an installation, a class for each section of `notifier.toml`.

Owns their names, defaults and bounds. A setting that nothing reads does not exist here: a file that
names it is refused instead of being obeyed in part.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from notifier import __version__
from notifier.settings.values import (
    Contact,
    Credential,
    DnsLabel,
    DottedName,
    EmailAddress,
    HeloName,
    Line,
    Origin,
    PasswordHash,
    Proxies,
    PublicUrl,
    TimeZone,
    Token,
    WebUrl,
    check_bounce_local_part,
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Sender(_Section):
    """The sender of all mails: From line, address for replies, postal address in the footer.

    Bounces return to `bounce_address`, to which each mail adds a token of its own, unless
    `bounce_tags` is false: then only the Message-ID in a report says which mail came back. With
    `discreet`, no subject, header or first line names a therapy or a disease.
    """

    name: Line = "News digest"
    address: EmailAddress | None = None
    reply_to: EmailAddress | None = None
    postal_address: str | None = None
    list_id: DottedName | None = None
    bounce_tags: bool = True
    bounce_address: EmailAddress | None = None
    discreet: bool = True

    @field_validator("bounce_address")
    @classmethod
    def _leave_room_for_token(cls, address: str | None, others: ValidationInfo) -> str | None:
        if address is not None and others.data.get("bounce_tags", True):
            check_bounce_local_part(address)
        return address


class Smtp(_Section):
    """The mail server that accepts our messages.

    `rate_per_second` limits all mails (0 means no limit), `domain_rates` those to single domains,
    both in mails a second. `when_uncertain` decides about a mail that the server may or may not
    have accepted: `retry` sends it again with the same Message-ID, `hold` leaves it to a person.
    `helo_name` is the name that the server is told; without one, the name of this machine.
    `warm_up` lets the volume of a new sender grow day by day at each provider.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: Credential | None = None
    password: Credential | None = None
    allow_plaintext_password: bool = False
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    rate_per_second: Annotated[float, Field(ge=0)] = 0
    domain_rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    when_uncertain: Literal["retry", "hold"] = "retry"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    helo_name: HeloName | None = None
    warm_up: bool = False

    @property
    def is_on_this_machine(self) -> bool:
        """True if the mail server is on this machine, so that nobody reads what it is sent."""
        return _is_loopback(self.host)

    @model_validator(mode="after")
    def _keep_password_secret(self) -> "Smtp":
        """Refuse a log-in that every machine on the way to the server could read (RFC 4954, 4)."""
        if (
            self.security == "none"
            and self.password
            and not self.allow_plaintext_password
            and not self.is_on_this_machine
        ):
            raise PydanticCustomError(
                "refused_with_fix",
                'smtp.security is "none": every machine on the way to the mail server could read'
                " smtp.password.",
                {
                    "fix": 'Set smtp.security to "starttls" or "tls"; if you trust every machine on'
                    " the way, set smtp.allow_plaintext_password to true instead."
                },
            )
        return self


def _is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by the name or number alone; other names need DNS."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class SigningKey(_Section):
    """A further DKIM key, under a selector of its own."""

    selector: DnsLabel
    private_key_file: Path


class Dkim(_Section):
    """DKIM signatures (RFC 6376); without a domain, mails are not signed.

    `also` adds keys, for instance of another algorithm (RFC 8463). A relative `private_key_file`
    is looked up from the folder of the settings file.
    """

    domain: DottedName | None = None
    selector: DnsLabel = "notifier"
    private_key_file: Path | None = None
    also: tuple[SigningKey, ...] = ()

    @model_validator(mode="after")
    def _require_key(self) -> "Dkim":
        if self.domain and not self.private_key_file:
            raise ValueError("private_key_file is missing: make a key with `notifier dkim`")
        return self


class Watch(_Section):
    """Polling of sources: how often, how long, how much of an answer is read, by which way.

    An empty `user_agent` means notifier's own name with `public_url`.
    """

    interval_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    max_bytes: Annotated[int, Field(ge=1024)] = 10_000_000
    allow_private_addresses: bool = False
    user_agent: Line = ""
    proxy: WebUrl | None = None


class Operator(_Section):
    """The person who runs this installation.

    Without an address nobody gets mail when a source fails; `notifier sources list` shows it.
    """

    address: EmailAddress | None = None


class Schedule(_Section):
    """Times of digests.

    `time_zone` is for subscribers who gave none. The first item of an immediate digest waits for
    `quiet_minutes`, so that later ones go into the same mail. With `sign_of_life`, a subscriber who
    got no mail for a month gets one that says how often the sources were polled.
    """

    time_zone: TimeZone = "UTC"
    sign_of_life: bool = False
    quiet_minutes: Annotated[int, Field(ge=0, le=1440)] = 15


class Review(_Section):
    """Approval of digests by a person before they are sent.

    With `required`, a digest is composed `lead_hours` before it is due, mailed to the operator, and
    sent to nobody before it is approved (`notifier digests approve`).
    """

    required: bool = False
    lead_hours: Annotated[int, Field(ge=0, le=336)] = 12


class Subscriptions(_Section):
    """Renewal: subscribers are asked after `renewal_months` whether to go on; 0 means never."""

    renewal_months: Annotated[int, Field(ge=0, le=120)] = 0


# Reports of bounces count for 35 days, corrections are compared with the states of a month.
_SHORTEST_RETENTION = 90


def _checked_retention(days: int) -> int:
    if days and days < _SHORTEST_RETENTION:
        raise ValueError(f"must be 0 (for ever), or at least {_SHORTEST_RETENTION} days")
    return days


Days = Annotated[int, Field(ge=0, le=36_500), AfterValidator(_checked_retention)]


class Retention(_Section):
    """The days for which rows are kept that nothing waits for any more; 0 means for ever.

    `deliveries_days`: mails with their answers. `examinations_days`: the record of which states
    were matched when. `revisions_days`: the texts of earlier states of an entry, but for the first
    and the latest that readers were told.
    """

    deliveries_days: Days = 400
    examinations_days: Days = 90
    revisions_days: Days = 400


class Backup(_Section):
    """The journal of departures, which a restore reads, and how long its lines are kept.

    Without `journal_file` it lies beside the SQLite database, or beside the settings file. A
    relative path counts from the settings file. `journal_days` is at least the age of the oldest
    backup that may be restored; 0 keeps all lines.
    """

    journal_file: Path | None = None
    journal_days: Days = 400


# Characters of the text on the about page. Chosen by hand; not measured.
LONGEST_ABOUT = 4_000


class Web(_Section):
    """The address where `notifier serve` listens, and the parties that it trusts.

    `about` is what the about page says of those who send the digests; an empty line begins a new
    paragraph. `trusted_proxies` may state a visitor's address (comma-separated IP addresses or
    networks); `form_origins` are other sites whose pages contain our sign-up form; a request with
    `metrics_token` gets the counts from wherever it comes; `operator_password_hash` lets an owner
    with the name "operator" log in to the operator pages.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    trusted_proxies: Proxies = "127.0.0.1"
    form_origins: tuple[Origin, ...] = ()
    metrics_token: Token | None = None
    operator_password_hash: PasswordHash | None = None
    about: Annotated[str, Field(max_length=LONGEST_ABOUT)] = ""


class Privacy(_Section):
    """The person or body responsible for people's data, and the contact for questions."""

    controller: Line | None = None
    contact: Contact | None = None
    url: WebUrl | None = None


class TemplateFiles(_Section):
    """The operator's own templates: each file replaces the built-in one of the same name."""

    directory: Path | None = None


class Settings(_Section):
    """All settings of one installation; every value is checked, and read nowhere else."""

    database_url: str = "sqlite:///subscribers.db"
    public_url: PublicUrl = "http://127.0.0.1:8000"
    secret_key: str = ""
    secret_key_previous: str | None = None
    suppression_key: str = ""
    sender: Sender = Sender()
    smtp: Smtp = Smtp()
    dkim: Dkim = Dkim()
    watch: Watch = Watch()
    schedule: Schedule = Schedule()
    review: Review = Review()
    operator: Operator = Operator()
    subscriptions: Subscriptions = Subscriptions()
    retention: Retention = Retention()
    backup: Backup = Backup()
    web: Web = Web()
    privacy: Privacy = Privacy()
    templates: TemplateFiles = TemplateFiles()

    @model_validator(mode="after")
    def _require_reviewer(self) -> "Settings":
        """Refuse a review of which nobody would be told: no digest would ever be sent."""
        if self.review.required and self.operator.address is None:
            raise PydanticCustomError(
                "refused_with_fix",
                "review.required is true, but operator.address is not set: nobody would be told"
                " which digests wait for approval.",
                {
                    "fix": "Set address under [operator] to the person who approves digests, or"
                    " set review.required to false."
                },
            )
        return self

    @property
    def controller(self) -> str:
        """The name and postal address of the person or body responsible (GDPR Art. 13)."""
        sender = self.sender
        return self.privacy.controller or ", ".join(
            part for part in (sender.name, sender.postal_address) if part
        )

    @property
    def contact(self) -> str:
        """The e-mail address or https URL to write to; empty if none is set."""
        return self.privacy.contact or self.sender.reply_to or self.sender.address or ""

    @property
    def user_agent(self) -> str:
        """The name that is sent to the sites that are polled (RFC 9110, 10.1.5)."""
        return self.watch.user_agent or f"notifier/{__version__} (+{self.public_url})"
