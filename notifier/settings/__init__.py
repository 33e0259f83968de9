"""Settings of an installation: `notifier.toml` and environment variables, checked at the start."""

from notifier.settings.loading import CONFIG_NAME, load
from notifier.settings.sections import (
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
    "Dkim",
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
    "load",
]
