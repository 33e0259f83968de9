"""What an operator may set, with its defaults, its checks and the words that refuse a wrong value.

Owns `notifier.toml` and the environment variables over it. It knows no other room; a setting that
nothing reads yet does not exist here, so a file that names it is refused rather than silently half
obeyed. What refuses a value names its key and its place and never repeats the value: it may be a
password, or have been put into the wrong line.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from notifier import __version__
from notifier.email_addresses import normalize
from notifier.errors import AddressError, SettingsError
from notifier.text import times

CONFIG_NAME = "notifier.toml"

_LARGEST_FILE = 1_000_000
# Refusals of a number that is out of its range: the only ones that repeat what was given.
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
# What is left of 64 octets (RFC 5321, 4.5.3.1.1) beside the plus sign and the word that each mail
# has of its own.
_LONGEST_BOUNCE_LOCAL = 25

# Variables of the same prefix that are not settings: where the file lies, and what the test suite
# looks for.
_NOT_SETTINGS = re.compile(r"CONFIG$|REQUIRE_|TEST_|CHROMIUM$|IMAP_PASSWORD$")


def _known_zone(name: str) -> str:
    try:
        return times.zone(name).key
    except ValueError as error:
        raise ValueError("there is no such time zone; names look like Europe/Berlin") from error


def _web_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and url.isprintable()
        )
    except ValueError:  # its words repeat the address, and a password may stand in that
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError(
            "must look like https://news.example.org, without a question mark or a hash"
        )
    return url.rstrip("/")


def _public_url(url: str) -> str:
    if "@" in urlsplit(_web_url(url)).netloc:
        raise ValueError("must hold no user name and no password: it stands in every mail")
    return _web_url(url)


def _sendable_login(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be one line of ASCII: the log-in can carry nothing else")
    return text


def _origin(text: str) -> str:
    origin = text.lower().removesuffix("/").removesuffix(":443")
    if not re.fullmatch(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", origin):
        raise ValueError(
            "must look like https://www.example.org, without a path; names beyond ASCII as xn--…"
        )
    return origin


def _token(text: str) -> str:
    if not re.fullmatch(r"[!-~]{16,200}", text):
        raise ValueError("must be 16 to 200 letters, digits and signs without a space")
    return text


def _mail_address(address: str) -> str:
    try:
        return normalize(address)
    except AddressError as error:
        raise ValueError(
            "is no e-mail address that mail can be sent to; write digest@example.org"
        ) from error


def _bounce_address(address: str) -> str:
    local = address.rpartition("@")[0]
    if len(local) > _LONGEST_BOUNCE_LOCAL:
        raise ValueError(
            f"may have {_LONGEST_BOUNCE_LOCAL} characters before the @, not {len(local)}: a plus sign and a word of 38"
            " are added there, by which mails that come back are known, and 64 are allowed"
        )
    return address


def _contact(text: str) -> str:
    if text.startswith("https://"):
        return _web_url(text)
    try:
        return normalize(text)
    except AddressError as error:
        raise ValueError(
            "must be an e-mail address or look like https://www.example.org/contact"
        ) from error


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def _list_id(label: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", label):
        raise ValueError("must look like digest.example.org")
    return label


def _selector(label: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label):
        raise ValueError("must be a DNS label, such as notifier or key-2026")
    return label


Zone = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, AfterValidator(_mail_address)]
Login = Annotated[str, AfterValidator(_sendable_login)]
Line = Annotated[str, AfterValidator(_one_line)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Sender(_Section):
    """Who writes: the From line, where replies go, and the postal address that stands in every mail."""

    name: Line = "News digest"
    address: Address | None = None
    reply_to: Address | None = None
    postal_address: str | None = None
    list_id: Annotated[str, AfterValidator(_list_id)] | None = None
    bounce_address: Annotated[Address, AfterValidator(_bounce_address)] | None = None
    discreet: bool = True


class Smtp(_Section):
    """The mail server that takes our messages; `rate_per_second` 0 means no limit.

    `domain_rates` limits single domains (mails a second); `when_uncertain` says what becomes of a
    mail that the server may or may not have taken: `retry` sends it again with the same Message-ID,
    `hold` leaves it to a person.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: Login | None = None
    password: Login | None = None
    allow_plaintext_password: bool = False
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    rate_per_second: Annotated[float, Field(ge=0)] = 0
    domain_rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    when_uncertain: Literal["retry", "hold"] = "retry"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30

    @model_validator(mode="after")
    def _with_a_password_that_nobody_reads(self) -> "Smtp":
        """Refuse a log-in that the whole way to the server could read (RFC 4954, 4)."""
        if (
            self.security == "none"
            and self.password
            and not self.allow_plaintext_password
            and not _loopback(self.host)
        ):
            raise PydanticCustomError(
                "refused_with_fix",
                'smtp.security is "none": the whole way to the mail server could read smtp.password.',
                {
                    "fix": 'Set smtp.security to "starttls" or "tls", or, where you trust every machine on the way, '
                    "smtp.allow_plaintext_password to true."
                },
            )
        return self


def _loopback(host: str) -> bool:
    """Whether a host is this machine by its very name or number; other names could lead anywhere."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class SigningKey(_Section):
    """One more key that signs, under a selector of its own."""

    selector: Annotated[str, AfterValidator(_selector)]
    private_key_file: Path


class Dkim(_Section):
    """How mails are signed; without a domain they are not. `also` adds keys of another algorithm."""

    domain: Annotated[str, AfterValidator(_list_id)] | None = None
    selector: Annotated[str, AfterValidator(_selector)] = "notifier"
    private_key_file: Path | None = None
    also: tuple[SigningKey, ...] = ()

    @model_validator(mode="after")
    def _with_a_key(self) -> "Dkim":
        if self.domain and not self.private_key_file:
            raise ValueError("private_key_file is missing: make a key with `notifier dkim`")
        return self


class Watch(_Section):
    """How sources are polled."""

    interval_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    max_bytes: Annotated[int, Field(ge=1024)] = 10_000_000
    allow_private_addresses: bool = False
    user_agent: Line = ""
    proxy: Annotated[str, AfterValidator(_web_url)] | None = None


class Operator(_Section):
    """Who runs this installation; unset, nobody is mailed when a source turns bad, and `sources list` shows it."""

    address: Address | None = None


class Schedule(_Section):
    """When digests are due for subscribers who named no time zone, and how long `immediate` waits and merges.

    With `sign_of_life` who has heard nothing for a month is told how often we looked.
    """

    time_zone: Zone = "UTC"
    sign_of_life: bool = False
    quiet_minutes: Annotated[int, Field(ge=0, le=1440)] = 15


class Subscriptions(_Section):
    """What time does to a subscription: after `renewal_months` its owner is asked whether they still want it."""

    renewal_months: Annotated[int, Field(ge=0, le=120)] = 0


class Web(_Section):
    """Where `notifier serve` listens, and which proxies may speak for a visitor.

    `form_origins` are other sites whose pages hold our sign-up form; with `metrics_token` counts
    are shown to who knows it, from wherever they ask.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    trusted_proxies: str = "127.0.0.1"
    form_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()
    metrics_token: Annotated[str, AfterValidator(_token)] | None = None


class Privacy(_Section):
    """Whom people write to about their data, or when a mail that they wait for does not come."""

    contact: Annotated[str, AfterValidator(_contact)] | None = None


class TemplateFiles(_Section):
    """The operator's own templates: each file in the directory stands in for ours of the same name."""

    directory: Path | None = None


class Settings(_Section):
    """All settings of one installation; every value is checked, none is read anywhere else."""

    database_url: str = "sqlite:///subscribers.db"
    public_url: Annotated[str, AfterValidator(_public_url)] = "http://127.0.0.1:8000"
    secret_key: str = ""
    secret_key_previous: str | None = None
    suppression_key: str = ""
    sender: Sender = Sender()
    smtp: Smtp = Smtp()
    dkim: Dkim = Dkim()
    watch: Watch = Watch()
    schedule: Schedule = Schedule()
    operator: Operator = Operator()
    subscriptions: Subscriptions = Subscriptions()
    web: Web = Web()
    privacy: Privacy = Privacy()
    templates: TemplateFiles = TemplateFiles()

    @property
    def contact(self) -> str:
        """Whom people write to: an e-mail address or an https address; empty where none is known."""
        return self.privacy.contact or self.sender.reply_to or self.sender.address or ""

    @property
    def user_agent(self) -> str:
        """How we name ourselves to the sites we read (RFC 9110, 10.1.5)."""
        return self.watch.user_agent or f"notifier/{__version__} (+{self.public_url})"


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file and the environment over it.

    Args:
        path: the file named on the command line; else `NOTIFIER_CONFIG`, else ``notifier.toml``
            here. Only a file that was named must exist.
        environ: the environment; ``NOTIFIER_<SECTION>__<KEY>`` or ``NOTIFIER_<KEY>`` wins over the
            file.

    Raises:
        SettingsError: a file that cannot be read, an unknown key or a wrong value, each with its
            fix.
    """
    named = path or (Path(environ["NOTIFIER_CONFIG"]) if environ.get("NOTIFIER_CONFIG") else None)
    file = named or Path(CONFIG_NAME)
    values = _read(file) if named or file.exists() else {}
    origin = _overlay(values, environ)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(
            error, str(file), origin
        ) from None  # a trace of it would repeat what was given
    own = settings.templates.directory
    anchored = {
        "database_url": _anchored(settings.database_url, file.parent),
        "templates": TemplateFiles(directory=(file.parent / own).resolve() if own else None),
        "dkim": _beside(settings.dkim, file.parent),
    }
    return settings.model_copy(update=anchored)


def _beside(dkim: Dkim, folder: Path) -> Dkim:
    """The same with key files that count from the settings file."""
    if dkim.private_key_file is None:
        return dkim
    also = [
        one.model_copy(update={"private_key_file": folder / one.private_key_file})
        for one in dkim.also
    ]
    return dkim.model_copy(
        update={"private_key_file": folder / dkim.private_key_file, "also": tuple(also)}
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {file}.", "Make one with: notifier init"
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"{file} cannot be read: {reason}.", "Give a readable file with --config."
        ) from error
    if len(content) > _LARGEST_FILE:
        raise SettingsError(
            f"{file} is larger than {_LARGEST_FILE:,} bytes.", "Give a settings file with --config."
        )
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is no UTF-8 text, from byte {error.start + 1} on.", "Save it as UTF-8."
        ) from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"{file} is not valid TOML: {error}", "Mend the line that is named."
        ) from None


def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Lay the environment over `values`; returns which variable set which key."""
    origin = {}
    for variable, text in environ.items():
        name = variable.removeprefix("NOTIFIER_")
        if name == variable or _NOT_SETTINGS.match(name):
            continue
        section, _, key = name.lower().partition("__")
        value = json.loads(text) if text[:1] in "[{" and _is_json(text) else text
        if key:
            inner = values.setdefault(section, {})
            if isinstance(inner, dict):
                inner[key] = value
        else:
            values[section] = value
        origin[f"{section}.{key}" if key else section] = variable
    return origin


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _refusal(error: ValidationError, file: str, origin: Mapping[str, str]) -> SettingsError:
    first = error.errors(include_url=False)[0]
    if first["type"] == "refused_with_fix":
        return SettingsError(first["msg"], first["ctx"]["fix"])
    where = [str(part) for part in first["loc"]]
    key = ".".join(where)
    place = f"the variable {origin[key]}" if key in origin else file
    if first["type"] == "extra_forbidden":
        known = _keys(where[:-1])
        close = get_close_matches(where[-1], known, n=1)
        fix = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        return SettingsError(f"Unknown setting {key} in {place}.", fix)
    problem = first["msg"].removeprefix("Value error, ")
    shown = f" = {first['input']!r}" if first["type"] in _OUT_OF_RANGE else ""
    return SettingsError(
        f"Wrong setting {key}{shown} in {place}: {problem}.", f"Correct {key} and try again."
    )


def _keys(section: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in section:
        model = type(model.model_fields[name].default)
    return list(model.model_fields)


def _anchored(url: str, folder: Path) -> str:
    """A relative SQLite path counts from the settings file, so that a cron line finds the same database."""
    path = url.removeprefix("sqlite:///")
    if (
        path == url
        or not path
        or path.startswith((":memory:", "file:"))
        or Path(path).is_absolute()
    ):
        return url
    return f"sqlite:///{folder / path}"
