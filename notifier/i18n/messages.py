"""Said: a sentence of ours that can be said again in another language.

Owns the pairing of a message with its values. To everything that does not care it is the English
text; what stores it keeps message and values, and what prints it for a reader translates them. It
knows no catalogue.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self

_MESSAGE, _MANY = "say", "many"


def mark(message: str) -> str:
    """Mark a fixed text for the catalogues; it is translated where it is printed."""
    return message


def mark_number(one: str, many: str) -> tuple[str, str]:
    """The same for a text whose form depends on a number `n`."""
    return one, many


def english_day(value: date) -> str:
    """A date as English prose has it: ``2 October 2025``."""
    return f"{value.day} {value:%B %Y}"


class LazyMessage(str):
    """A message with its values (``%(name)s``); as a string it is the English sentence.

    Args:
        message: the message, in English, as it stands in the catalogues.
        many: its plural, if its value `n` decides the number.
        values: texts (which may be said themselves), whole numbers and dates.
    """

    __slots__ = ("many", "message", "values")

    message: str
    many: str
    values: dict[str, Any]

    def __new__(cls, message: str, many: str = "", /, **values: "str | int | date") -> Self:
        """Compose the English sentence."""
        chosen = many if many and values["n"] != 1 else message
        text = (
            chosen % {name: _in_english(value) for name, value in values.items()}
            if values
            else chosen
        )
        said = super().__new__(cls, text)
        said.message, said.many, said.values = message, many, values
        return said

    def translate_with(
        self,
        gettext: Callable[[str], str],
        ngettext: Callable[[str, str, int], str],
        day: Callable[[date], str],
    ) -> str:
        """The sentence in the language of these translators."""
        chosen = (
            ngettext(self.message, self.many, self.values["n"])
            if self.many
            else gettext(self.message)
        )
        if not self.values:
            return chosen
        shown: dict[str, Any] = {}
        for name, value in self.values.items():
            if isinstance(value, LazyMessage):
                shown[name] = value.translate_with(gettext, ngettext, day)
            else:
                shown[name] = day(value) if isinstance(value, date) else value
        return chosen % shown


def _in_english(value: Any) -> Any:
    return english_day(value) if isinstance(value, date) else value


def plural(one: str, many: str, n: int, /, **values: "str | int | date") -> LazyMessage:
    """A message whose form depends on the number `n`."""
    return LazyMessage(one, many, n=n, **values)


def to_json(value: Any) -> Any:
    """A JSON document in which everything said is stored as message and values."""
    if isinstance(value, LazyMessage):
        values = {name: to_json(one) for name, one in value.values.items()}
        return {
            _MESSAGE: value.message,
            **({_MANY: value.many} if value.many else {}),
            "values": values,
        }
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Mapping):
        return {name: to_json(one) for name, one in value.items()}
    return [to_json(one) for one in value] if isinstance(value, (list, tuple)) else value


def from_json(value: Any) -> Any:
    """What `record` stored; a text that was stored before sentences were kept apart stays the text it is."""
    if isinstance(value, dict):
        if isinstance(value.get(_MESSAGE), str):
            values = {name: from_json(one) for name, one in value.get("values", {}).items()}
            return LazyMessage(value[_MESSAGE], value.get(_MANY, ""), **values)
        if set(value) == {"day"}:
            return date.fromisoformat(value["day"])
        return {name: from_json(one) for name, one in value.items()}
    return [from_json(one) for one in value] if isinstance(value, list) else value
