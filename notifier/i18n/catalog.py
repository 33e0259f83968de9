"""Languages: their translations, and how they write dates, lists and names.

Owns the catalogues and Babel. The catalogues are gettext PO files in `locale/`, read as they are,
so that a translator's change needs no build. Texts of publishers stay as they are.
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
# The languages with a complete catalogue: code (ISO 639-1) and own name.
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
# Their names for an operator.
ENGLISH_NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}

# British dates (day, month, year) cannot be misread, American ones (month, day, year) can.
_LOCALES = {"en": "en_GB"}
# In characters; browsers send about 50. Chosen by hand; not measured.
_LONGEST_HEADER = 500


class Language:
    """A language: its translations, and how it writes dates and lists.

    Args:
        code: a code of `LANGUAGES`.

    Attributes:
        translations: gettext's own object, for Jinja.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self.translations = _translations(code)
        self._locale = Locale.parse(_LOCALES.get(code, code))

    def gettext(self, message: str, /, **values: "str | int | date") -> str:
        """Return a message of the catalogues in this language, with its values.

        Args:
            message: the English text, with its values as ``%(name)s``.
            values: texts, whole numbers and dates; a `LazyMessage` among them is translated, too.
        """
        return self.translate(LazyMessage(message, **values))

    def ngettext(
        self, singular: str, plural_form: str, n: int, /, **values: "str | int | date"
    ) -> str:
        """Return a message whose form depends on the number `n`, in this language.

        Args:
            singular: the English text for one.
            plural_form: the English text for all other numbers.
            n: the number; it is also the value ``%(n)s``.
            values: as for `gettext`.
        """
        return self.translate(LazyMessage(singular, plural_form, n=n, **values))

    def translate(self, text: str) -> str:
        """Return a `LazyMessage` in this language, and any other text (a publisher's) as it is."""
        if not isinstance(text, LazyMessage):
            return text
        return text.translate_with(self.translations.gettext, self.translations.ngettext, self.day)

    def day(self, value: date | None) -> str:
        """Return a date as ``2 October 2025``; empty for None."""
        return dates.format_date(value, "long", locale=self._locale) if value else ""

    def month(self, value: date) -> str:
        """Return a month as ``October 2025``."""
        return dates.format_skeleton("yMMMM", value, locale=self._locale)

    def moment(self, value: datetime) -> str:
        """Return ``Monday, 2 March 2026, 08:00``, in the time zone of the value."""
        return f"{dates.format_date(value, 'full', locale=self._locale)}, {value:%H:%M}"

    def weekday(self, number: int) -> str:
        """Return the name of a weekday; 0 is Monday."""
        return str(dates.get_day_names("wide", "stand-alone", locale=self._locale)[number])

    def territory(self, code: str) -> str:
        """Return the name of a country.

        Args:
            code: an ISO 3166 code, or ``EU``; any other text is returned as it is.
        """
        return str(self._locale.territories.get(code, code))

    def join(self, items: Iterable[str]) -> str:
        """Return a list as text: ``one, two and three``."""
        return lists.format_list(list(items), locale=self._locale)


@cache
def language_of(code: str) -> Language:
    """Return the language of a code; English if there is no catalogue for it."""
    return Language(code if code in LANGUAGES else SOURCE)


def negotiate(accepted: str) -> Language:
    """Return the language that a browser prefers, of those that have a catalogue; else English.

    Args:
        accepted: the ``Accept-Language`` header (RFC 9110, 12.5.4); parts that cannot be read are
            skipped.
    """
    ranges: list[tuple[float, str]] = []
    for part in accepted[:_LONGEST_HEADER].split(","):
        name, _, quality = part.partition(";q=")
        try:
            ranges.append((float(quality or 1), name.strip()))
        except ValueError:
            continue
    # Sorting is stable: of ranges with the same quality, the first one wins.
    ranges.sort(key=lambda item: -item[0])
    preferred = [name.partition("-")[0] for _, name in ranges if name.isascii()]
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
