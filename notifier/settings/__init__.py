"""Settings of an installation: `notifier.toml` and environment variables, checked at the start."""

from notifier.settings.loading import CONFIG_NAME, load
from notifier.settings.sections import (
    Backup,
    Dkim,
    Operator,
    Privacy,
    Retention,
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
    "Operator",
    "Privacy",
    "Retention",
    "Schedule",
    "Sender",
    "Settings",
    "SigningKey",
    "Smtp",
    "Subscriptions",
    "TemplateFiles",
    "Watch",
    "Web",
    "load",
]
