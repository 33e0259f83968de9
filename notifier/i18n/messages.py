"""Sentences of the program that can be translated after they were composed, or stored.

A `LazyMessage` is the English sentence for everything that only needs a string. It keeps its
message and its values, so that it can be stored as JSON and be translated for each reader. This
module knows no catalogue: `catalog.py` translates.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self

# The keys of a stored message; public, because the database contains them.
_MESSAGE, _PLURAL, _VALUES, _DAY = "say", "many", "values", "day"


def mark(message: str) -> str:
    """Return the text unchanged; the call marks it for the catalogues.

    The text is translated where it is shown.
    """
    return message


def mark_number(singular: str, plural_form: str) -> tuple[str, str]:
    """Return both forms unchanged; the call marks a text whose form depends on a number."""
    return singular, plural_form


def english_day(value: date) -> str:
    """Return a date as English text: ``2 October 2025``."""
    return f"{value.day} {value:%B %Y}"


class LazyMessage(str):
    """A message of the catalogues with its values; as a string, the English sentence.

    Args:
        message: the English text as it is in the catalogues, with its values as ``%(name)s``.
        plural_form: the English plural, if the form depends on a number: the value `n`.
        values: texts (which may be a `LazyMessage`), whole numbers and dates.
    """

    __slots__ = ("message", "plural_form", "values")

    message: str
    plural_form: str
    values: dict[str, Any]

    def __new__(cls, message: str, plural_form: str = "", /, **values: "str | int | date") -> Self:
        """Compose the English sentence."""
        form = plural_form if plural_form and values["n"] != 1 else message
        if values:
            form = form % {name: _in_english(value) for name, value in values.items()}
        sentence = super().__new__(cls, form)
        sentence.message, sentence.plural_form, sentence.values = message, plural_form, values
        return sentence

    def translate_with(
        self,
        gettext: Callable[[str], str],
        ngettext: Callable[[str, str, int], str],
        day: Callable[[date], str],
    ) -> str:
        """Return the sentence in another language.

        Args:
            gettext: translates a message.
            ngettext: translates a message with a plural; it is given both forms and the number.
            day: writes a date.
        """
        form = (
            ngettext(self.message, self.plural_form, self.values["n"])
            if self.plural_form
            else gettext(self.message)
        )
        if not self.values:
            return form
        translated: dict[str, Any] = {}
        for name, value in self.values.items():
            if isinstance(value, LazyMessage):
                translated[name] = value.translate_with(gettext, ngettext, day)
            else:
                translated[name] = day(value) if isinstance(value, date) else value
        return form % translated


def _in_english(value: Any) -> Any:
    return english_day(value) if isinstance(value, date) else value


def plural(singular: str, plural_form: str, n: int, /, **values: "str | int | date") -> LazyMessage:
    """Return a message whose form depends on the number `n`."""
    return LazyMessage(singular, plural_form, n=n, **values)


def to_json(value: Any) -> Any:
    """Return a JSON document in which every `LazyMessage` and every date is an object.

    A message is ``{"say": message, "many": plural form, "values": {...}}`` (``many`` only if it has
    one), a date is ``{"day": "2026-03-02"}``.
    """
    if isinstance(value, LazyMessage):
        return {
            _MESSAGE: value.message,
            **({_PLURAL: value.plural_form} if value.plural_form else {}),
            _VALUES: {name: to_json(inner) for name, inner in value.values.items()},
        }
    if isinstance(value, date):
        return {_DAY: value.isoformat()}
    if isinstance(value, Mapping):
        return {name: to_json(inner) for name, inner in value.items()}
    return [to_json(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def from_json(value: Any) -> Any:
    """Return what `to_json` was given.

    Older rows contain sentences as plain texts: these stay plain texts and are not translated.
    """
    if isinstance(value, dict):
        if isinstance(value.get(_MESSAGE), str):
            values = {name: from_json(inner) for name, inner in value.get(_VALUES, {}).items()}
            return LazyMessage(value[_MESSAGE], value.get(_PLURAL, ""), **values)
        if set(value) == {_DAY}:
            return date.fromisoformat(value[_DAY])
        return {name: from_json(inner) for name, inner in value.items()}
    return [from_json(inner) for inner in value] if isinstance(value, list) else value
