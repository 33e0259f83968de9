"""What an operator may set, with its defaults, its checks and the words that refuse a wrong value.

Owns `notifier.toml` and the environment variables over it. It knows no other room; a setting that nothing reads yet
does not exist here, so a file that names it is refused rather than silently half obeyed.
"""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from notifier import __version__
from notifier.addresses import normal_address
from notifier.errors import AddressError, SettingsError

CONFIG_NAME = "notifier.toml"

# Variables of the same prefix that are not settings: where the file lies, and what the test suite looks for.
_NOT_SETTINGS = re.compile(r"CONFIG$|REQUIRE_|TEST_|CHROMIUM$|IMAP_PASSWORD$")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; names look like Europe/Berlin") from error
    return name


def _web_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must look like https://news.example.org, without a question mark or a hash")
    return url.rstrip("/")


def _mail_address(address: str) -> str:
    try:
        return normal_address(address)
    except AddressError as error:
        raise ValueError(error.problem) from error


def _contact(text: str) -> str:
    if text.startswith("https://"):
        return _web_url(text)
    try:
        return normal_address(text)
    except AddressError as error:
        raise ValueError("must be an e-mail address or look like https://www.example.org/contact") from error


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
Line = Annotated[str, AfterValidator(_one_line)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sender(_Section):
    """Who writes: the From line, where replies go, and the postal address that stands in every mail."""

    name: Line = "News digest"
    address: Address | None = None
    reply_to: Address | None = None
    postal_address: str | None = None
    list_id: Annotated[str, AfterValidator(_list_id)] | None = None
    bounce_address: Address | None = None
    discreet: bool = True


class Smtp(_Section):
    """The mail server that takes our messages; `rate_per_second` 0 means no limit.

    `domain_rates` limits single domains (mails a second); `when_uncertain` says what becomes of a mail that the server
    may or may not have taken: `retry` sends it again with the same Message-ID, `hold` leaves it to a person.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str | None = None
    password: str | None = None
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    rate_per_second: Annotated[float, Field(ge=0)] = 0
    domain_rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    when_uncertain: Literal["retry", "hold"] = "retry"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30


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
    """Where `notifier serve` listens, and which proxies may speak for a visitor."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    trusted_proxies: str = "127.0.0.1"


class Privacy(_Section):
    """Whom people write to about their data, or when a mail that they wait for does not come."""

    contact: Annotated[str, AfterValidator(_contact)] | None = None


class TemplateFiles(_Section):
    """The operator's own templates: each file in the directory stands in for ours of the same name."""

    directory: Path | None = None


class Settings(_Section):
    """All settings of one installation; every value is checked, none is read anywhere else."""

    database_url: str = "sqlite:///subscribers.db"
    public_url: Annotated[str, AfterValidator(_web_url)] = "http://127.0.0.1:8000"
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
        path: the file named on the command line; else `NOTIFIER_CONFIG`, else ``notifier.toml`` here. Only a file that
            was named must exist.
        environ: the environment; ``NOTIFIER_<SECTION>__<KEY>`` or ``NOTIFIER_<KEY>`` wins over the file.

    Raises:
        SettingsError: a file that cannot be read, an unknown key or a wrong value, each with its fix.
    """
    named = path or (Path(environ["NOTIFIER_CONFIG"]) if environ.get("NOTIFIER_CONFIG") else None)
    file = named or Path(CONFIG_NAME)
    values = _read(file) if named or file.exists() else {}
    origin = _overlay(values, environ)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _refusal(error, str(file), origin) from error
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
    also = [one.model_copy(update={"private_key_file": folder / one.private_key_file}) for one in dkim.also]
    return dkim.model_copy(update={"private_key_file": folder / dkim.private_key_file, "also": tuple(also)})


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"There is no settings file {file}.", "Make one with: notifier init") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}", "Give a readable UTF-8 file with --config.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}", "Mend the line that is named.") from error


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
    except ValueError:
        return False
    return True


def _refusal(error: ValidationError, file: str, origin: Mapping[str, str]) -> SettingsError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    key = ".".join(where)
    place = f"the variable {origin[key]}" if key in origin else file
    if first["type"] == "extra_forbidden":
        known = _keys(where[:-1])
        close = get_close_matches(where[-1], known, n=1)
        fix = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        return SettingsError(f"Unknown setting {key} in {place}.", fix)
    problem = first["msg"].removeprefix("Value error, ")
    shown = "" if "password" in key or "secret" in key else f" = {first['input']!r}"
    return SettingsError(f"Wrong setting {key}{shown} in {place}: {problem}.", f"Correct {key} and try again.")


def _keys(section: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for name in section:
        model = type(model.model_fields[name].default)
    return list(model.model_fields)


def _anchored(url: str, folder: Path) -> str:
    """A relative SQLite path counts from the settings file, so that a cron line finds the same database."""
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.startswith((":memory:", "file:")) or Path(path).is_absolute():
        return url
    return f"sqlite:///{folder / path}"


def suppression_key_line() -> str:
    """The line of `notifier.toml` that holds a fresh `suppression_key`."""
    key = secrets.token_urlsafe(32)
    return f'suppression_key = "{key}"   # keys what is known of addresses: never change it, keep it in your backups'


def with_suppression_key(text: str) -> str:
    """The text of a settings file that has no `suppression_key`, with one: a top-level key stands before all tables."""
    lines = text.splitlines(keepends=True)
    at = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    while at and not lines[at - 1].strip():
        at -= 1
    before = "".join(lines[:at])
    if before and not before.endswith("\n"):
        before += "\n"
    return f"{before}{suppression_key_line()}\n{''.join(lines[at:])}"


def starter_file() -> str:
    """The text of a fresh `notifier.toml`, with a secret of its own."""
    return f"""\
# Settings of notifier. What is left out has its default; `notifier --help` and docs/settings.md list them all.

database_url = "sqlite:///subscribers.db"
public_url = "http://127.0.0.1:8000"     # where readers reach `notifier serve`; links in mails start with it
secret_key = "{secrets.token_urlsafe(32)}"   # signs those links: keep it secret, keep it in your backups
{suppression_key_line()}

[sender]                                 # needed before the first mail
name = "News digest"                     # seen in inboxes and on lock screens: name no illness here
# address = "digest@example.org"
# reply_to = "office@example.org"
# postal_address = "Example Society, 1 Example Street, Example Town"

[smtp]
host = "127.0.0.1"
port = 25
security = "starttls"                    # none, starttls or tls
# username = ""
# password = ""                          # or set NOTIFIER_SMTP__PASSWORD in the environment

[operator]                               # is mailed when a source turns bad, and when it works again
# address = "office@example.org"

[schedule]
time_zone = "UTC"                        # for subscribers who named none
"""
