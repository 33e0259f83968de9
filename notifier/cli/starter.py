"""The text of a new `notifier.toml`: every setting with a comment, commented out where default.

Owns the comments and the new keys. What a setting means in full is in `docs/settings.md`; names and
defaults are those of `settings/`. A file that exists is completed by `settings_file.py`.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w
from pydantic import BaseModel

from notifier.settings import Settings

_HEAD = """\
# Settings of notifier. A setting that is commented out has the value that is shown, or none where
# that is only an example; to change it, remove the mark, and that of its [section]. `notifier
# settings` lists what counts now, and `notifier docs settings` explains every setting.
"""

# Written in any case: these are the first that somebody looks for.
_ALWAYS_WRITTEN = frozenset(
    (
        "database_url",
        "public_url",
        "sender.name",
        "smtp.host",
        "smtp.port",
        "smtp.security",
        "schedule.time_zone",
    )
)

# The names of other sections are commented out as long as nothing is set there: so a section that
# somebody adds at the end is no second one of the same name.
_NAMED_SECTIONS = frozenset(("sender", "smtp", "operator", "schedule"))

SECTION_COMMENTS = {
    "sender": "The sender of all mails; address and postal_address are needed before the first.",
    "smtp": "The mail server that accepts our mails.",
    "dkim": "The signature of every mail; `notifier dkim` makes the key and prints these lines.",
    "watch": "Polling of the sources.",
    "schedule": "Times of digests.",
    "operator": "The person who runs this installation.",
    "subscriptions": "Renewal of subscriptions.",
    "retention": "Days for which rows are kept that nothing waits for any more; 0: for ever.",
    "review": "Approval of digests by a person before they are sent.",
    "backup": "The journal of departures: who left or was erased, for a restore.",
    "web": "The web pages, `notifier serve`.",
    "privacy": "What the sign-up form and the privacy page say.",
    "templates": "Templates of your own.",
}

# One line for each setting.
COMMENTS = {
    "database_url": "SQLite, or postgresql://...; a relative path counts from this file.",
    "public_url": "Where readers reach `notifier serve`; links in mails start with it.",
    "secret_key": "Signs links: keep it secret, keep it in your backups.",
    "secret_key_previous": "Is still accepted, so that the links in old mails work after a change.",
    "suppression_key": "Recognises people who refused mail: never change it, back it up.",
    "sender.name": "Shown in inboxes and on lock screens: name no illness.",
    "sender.address": "The From address.",
    "sender.reply_to": "Where replies go; the address if not set.",
    "sender.postal_address": "In the footer of every mail, as many countries require.",
    "sender.list_id": "RFC 2919 List-Id; digest.<domain of the address> if not set.",
    "sender.bounce_tags": "false for a mail server that knows no addresses with a plus sign.",
    "sender.bounce_address": "Where mails return that cannot be delivered; bounce@<domain>.",
    "sender.discreet": "No therapy or disease word in subjects, headers and addresses of ours.",
    "smtp.host": "The name of the mail server.",
    "smtp.port": "587 or 465 at most providers, 25 on this machine.",
    "smtp.security": "none, starttls or tls (port 465).",
    "smtp.username": "Only if the server requires a log-in.",
    "smtp.password": "Or set NOTIFIER_SMTP__PASSWORD in the environment.",
    "smtp.allow_plaintext_password": "true allows a password without encryption.",
    "smtp.connections": "How many connections are used at once.",
    "smtp.rate_per_second": "Mails a second over all connections; 0: no limit.",
    "smtp.domain_rates": "Mails a second to single domains.",
    "smtp.when_uncertain": "A mail whose answer was lost: retry sends it again, hold asks you.",
    "smtp.timeout_seconds": "How long an answer may take.",
    "smtp.helo_name": "The name for the greeting; that of this machine if not set.",
    "smtp.warm_up": "true for a new sender: the volume at each provider grows day by day.",
    "dkim.domain": "The domain that signs.",
    "dkim.selector": "The name of the key in the DNS.",
    "dkim.private_key_file": "A relative path counts from this file.",
    "dkim.also": "Further keys, for a second algorithm.",
    "watch.interval_minutes": "The shortest time between two polls of a source.",
    "watch.timeout_seconds": "How long a complete answer may take.",
    "watch.max_bytes": "How large an answer may be, unpacked.",
    "watch.allow_private_addresses": "true allows every address: for intranets and tests.",
    "watch.user_agent": 'Our name at the sites; "" means notifier/<version> (+public_url).',
    "watch.proxy": "Poll through this proxy.",
    "operator.address": "Is mailed when a source or the delivery fails, and when it works again.",
    "schedule.time_zone": "For subscribers who chose none, such as Europe/Berlin.",
    "schedule.sign_of_life": "true: who got no mail for a month is told that all works.",
    "schedule.quiet_minutes": "How long `immediate` waits for further news, to send one mail.",
    "review.required": "true: nobody gets a digest before you approve it (operator.address).",
    "review.lead_hours": "How long before a digest is due its draft is composed.",
    "backup.journal_file": "Best on another disk; beside the database if not set.",
    "backup.journal_days": "At least the age of the oldest backup that may be restored; 0: ever.",
    "web.about": "A text about you for the page /about.",
    "subscriptions.renewal_months": "Ask after so many months who still wants mails; 0: never.",
    "retention.deliveries_days": "Mails with their answers.",
    "retention.examinations_days": "The record of when a state of an article was matched.",
    "retention.revisions_days": "The texts of earlier states of an article.",
    "web.host": "The address to listen on.",
    "web.port": "The port to listen on.",
    "web.trusted_proxies": "Whose X-Forwarded-* headers count: addresses or networks, by commas.",
    "web.form_origins": "Other sites that may embed the sign-up form.",
    "web.metrics_token": "Shows counts to who sends it; 16 characters or more.",
    "web.operator_password_hash": "Lets the owner `operator` log in to the operator pages.",
    "privacy.controller": "Who is responsible for people's data; sender and postal address.",
    "privacy.contact": "For questions about one's data; sender.reply_to if not set.",
    "privacy.url": "Your own privacy notice.",
    "templates.directory": "A folder of templates that replace ours; see `notifier docs settings`.",
}

# TOML values of settings that have no default.
_EXAMPLES = {
    "secret_key_previous": '""',
    "sender.address": '"digest@example.org"',
    "sender.reply_to": '"office@example.org"',
    "sender.postal_address": '"Example Society, 1 Example Street, Example Town"',
    "sender.list_id": '"digest.example.org"',
    "sender.bounce_address": '"bounce@example.org"',
    "smtp.username": '"digest"',
    "smtp.password": '""',
    "smtp.domain_rates": '{ "example.com" = 5 }',
    "smtp.helo_name": '"mail.example.org"',
    "dkim.domain": '"example.org"',
    "dkim.private_key_file": '"dkim-notifier-rsa.pem"',
    "dkim.also": '[{ selector = "notifier-ed25519", private_key_file = "dkim-ed25519.pem" }]',
    "watch.proxy": '"http://proxy.example.org:3128"',
    "operator.address": '"office@example.org"',
    "backup.journal_file": '"subscribers.db.departures"',
    "web.about": '"Example Society helps people with multiple sclerosis since 1952."',
    "web.form_origins": '["https://www.example.org"]',
    "web.metrics_token": '"16-characters-or-more"',
    "web.operator_password_hash": (
        '"$argon2id$v=19$m=65536,t=3,p=4$ZXhhbXBsZQ$ZXhhbXBsZSBvZiBhIGhhc2g"'
    ),
    "privacy.controller": '"Example Society, 1 Example Street, Example Town"',
    "privacy.contact": '"privacy@example.org"',
    "privacy.url": '"https://www.example.org/privacy"',
    "templates.directory": '"templates"',
}


def new_key() -> str:
    """Return a new `secret_key` or `suppression_key`: 256 random bits, base64url."""
    return secrets.token_urlsafe(32)


def starter_file(values: Mapping[str, Any] | None = None) -> str:
    """Return the text of a new `notifier.toml`, with keys of its own.

    Args:
        values: what is known, by key (``{"smtp.port": 587}``); the others have their defaults.
    """
    known = {"secret_key": new_key(), "suppression_key": new_key(), **(values or {})}
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        if not isinstance(field.default, BaseModel):
            lines += _setting(name, field.default, known)
    for section, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += _section(section, field.default, known)
    return "\n".join([*lines, ""])


def _section(section: str, default: BaseModel, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one section."""
    yield ""
    if section in SECTION_COMMENTS:
        yield f"# {SECTION_COMMENTS[section]}"
    is_named = section in _NAMED_SECTIONS or any(key.startswith(f"{section}.") for key in known)
    yield f"{'' if is_named else '# '}[{section}]"
    for name, field in type(default).model_fields.items():
        yield from _setting(f"{section}.{name}", field.default, known)


def _setting(key: str, default: object, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one setting."""
    if key in COMMENTS:
        yield f"# {COMMENTS[key]}"
    name = key.rpartition(".")[2]
    if key in known:
        yield toml_line(name, known[key])
    elif key in _ALWAYS_WRITTEN:
        yield toml_line(name, default)
    elif default is None or key in _EXAMPLES:
        yield f"# {name} = {_EXAMPLES.get(key, '')}"
    else:
        yield f"# {toml_line(name, default)}"


def toml_line(name: str, value: object) -> str:
    """Return a line of TOML that sets a key."""
    return tomli_w.dumps({name: value}).rstrip("\n")
