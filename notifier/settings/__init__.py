"""Settings of an installation: `notifier.toml` and environment variables, checked at the start."""

from notifier.settings.listing import Listed, listed
from notifier.settings.loading import CONFIG_NAME, check_value, environment, from_values, load
from notifier.settings.sections import (
    Backup,
    Dkim,
    Operator,
    Privacy,
    Retention,
    Review,
    Schedule,
    Sender,
    Settings,
    SigningKey,
    Smtp,
    Subscriptions,
    TemplateFiles,
    Watch,
    Web,
)

__all__ = [
    "CONFIG_NAME",
    "Backup",
    "Dkim",
    "Listed",
    "Operator",
    "Privacy",
    "Retention",
    "Review",
    "Schedule",
    "Sender",
    "Settings",
    "SigningKey",
    "Smtp",
    "Subscriptions",
    "TemplateFiles",
    "Watch",
    "Web",
    "check_value",
    "environment",
    "from_values",
    "listed",
    "load",
]
