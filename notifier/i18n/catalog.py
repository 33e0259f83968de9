"""Languages: the words of ours in the reader's language, dates and numbers as it writes them.

Owns the catalogues (gettext PO files in `locale/`, read as they are, so that a translator's change
needs no build) and Babel. It knows no mail and no page; what comes from outside passes through it
untouched.
"""

import io
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel import Locale, dates, lists, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from notifier.i18n.messages import LazyMessage

SOURCE = "en"
# The languages whose catalogues are complete, each with its own name.
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}

# British dates are day, month, year: nobody anywhere reads them wrong.
_LOCALES = {"en": "en_GB"}


class Language:
    """One language: its translations, and how it writes dates and lists."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.translations = _translations(code)
        self._locale = Locale.parse(_LOCALES.get(code, code))

    def gettext(self, message: str, /, **values: "str | int | date") -> str:
        """A message of ours, its values put in; a value that was said is translated too."""
        return self.translate(LazyMessage(message, **values))

    def ngettext(self, one: str, many: str, n: int, /, **values: "str | int | date") -> str:
        """A message whose form depends on the number `n`."""
        return self.translate(LazyMessage(one, many, n=n, **values))

    def translate(self, text: str) -> str:
        """What was said, in this language; any other text (a publisher's) stays as it is."""
        if not isinstance(text, LazyMessage):
            return text
        return text.translate_with(self.translations.gettext, self.translations.ngettext, self.day)

    def day(self, value: date | None) -> str:
        """``2 October 2025``; empty for none."""
        return dates.format_date(value, "long", locale=self._locale) if value else ""

    def month(self, value: date) -> str:
        """``October 2025``."""
        return dates.format_skeleton("yMMMM", value, locale=self._locale)

    def moment(self, value: datetime) -> str:
        """A weekday, day and wall time: ``Monday, 2 March 2026, 08:00``; the zone is the value's own."""
        return f"{dates.format_date(value, 'full', locale=self._locale)}, {value:%H:%M}"

    def weekday(self, number: int) -> str:
        """The name of a weekday, Monday being 0."""
        return str(dates.get_day_names("wide", "stand-alone", locale=self._locale)[number])

    def territory(self, code: str) -> str:
        """The name of a country (ISO 3166 code, or ``EU``); any other text stays as it is."""
        return str(self._locale.territories.get(code, code))

    def join(self, items: Iterable[str]) -> str:
        """``one, two and three``."""
        return lists.format_list(list(items), locale=self._locale)


@cache
def language_of(code: str) -> Language:
    """The language of this code; English for one that is not spoken here."""
    return Language(code if code in LANGUAGES else SOURCE)


def negotiate(accepted: str) -> Language:
    """The language that a browser's ``Accept-Language`` header (RFC 9110, 12.5.4) asks for, as far as it is spoken."""
    wanted = []
    for part in accepted[:500].split(","):
        name, _, quality = part.partition(";q=")
        try:
            wanted.append((-float(quality or 1), name.strip()))
        except ValueError:
            continue
    preferred = [
        name.partition("-")[0]
        for _, name in sorted(wanted, key=lambda one: one[0])
        if name.isascii()
    ]
    return language_of(negotiate_locale(preferred, list(LANGUAGES)) or SOURCE)


def _translations(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    with (files("notifier") / "i18n" / "locale" / f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


ENGLISH = Language(SOURCE)
