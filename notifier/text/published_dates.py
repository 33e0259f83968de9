"""Dates of publication, as sites write them: RFC 822, ISO 8601, seconds since 1970, and freely.

Pure. Owns the one way in which a date from outside is read: as that moment, or not at all. A form
that may mean two moments (``03/04/2026``, ``IST``) is not read, nor is an impossible date (30
February, hour 25). A date without a time zone is in UTC. It knows nothing of feeds.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from notifier.text import times

# Characters of a date; longer texts are none. Chosen by hand; not measured.
_LONGEST = 100
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
# Seconds since 1970 that are believed: from 1990 to 2100. More digits are milliseconds.
_FIRST_SECOND, _LAST_SECOND = 631_152_000, 4_102_444_800
# The offsets of time zones in use reach from -12:00 to +14:00.
_LEAST_OFFSET, _MOST_OFFSET = timedelta(hours=-12), timedelta(hours=14)

_UNSET = datetime(1970, 1, 1, tzinfo=UTC)

_SECONDS = re.compile(r"([0-9]{9,13})(\.[0-9]{1,9})?")
_WORD = re.compile(r"[^\W\d_]+")
_COMMENT = re.compile(r"\([^()]*\)")
# The name of the zone behind an offset, and further tags (RFC 9557, 3.1).
_TAGS = re.compile(
    r"(?:(?<=[+-]\d\d:\d\d)|(?<=[:.\d]\d[Zz]))(?:\[!?[\w+/=.-]{1,64}\]){1,5}$", re.ASCII
)
_WEEKDAY = re.compile(r"\s*([^\W\d_]+)\.?,")
_BASIC = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[Tt ]?([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?)?(?![0-9])"
)
_CJK_DAY = re.compile(r"([0-9]{4})\s?[年년]\s?([0-9]{1,2})\s?[月월]\s?([0-9]{1,2})\s?[日일]")
_CJK_CLOCK = re.compile(
    r"([0-9]{1,2})\s?[時时시点]\s?([0-9]{1,2})\s?[分분](?:\s?([0-9]{1,2})\s?[秒초])?"
)
_HYPHENS = re.compile(r"([0-9]{1,2})-([^\W\d_]{3,9})-([0-9]{2,4})")
_JOINED = re.compile(r"(?<=[0-9])[Tt_](?=[0-9])")
_ORDINAL = re.compile(r"(?<=[0-9])(?:st|nd|rd|th|er|re|º|ª)\b", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<clock>[0-9]{1,2}(?:[:h][0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,12})?)?(?![0-9:])"
    r"|(?=\s?[AaPp]\.?[Mm]\b)))"
    r"|(?P<numeric>[0-9]{1,4}(?:/[0-9]{1,2}/|-[0-9]{1,2}-|\.\s?[0-9]{1,2}\.\s?)[0-9]{1,4}(?![0-9]))"
    r"|(?P<offset>[+\-−][0-9]{1,2}(?::?[0-9]{2})?(?![0-9]))"
    r"|(?P<number>[0-9]{1,4}(?![0-9]))"
    r"|(?P<word>[^\W\d_]+(?:/[A-Za-z_]+){1,2}|[AaPp]\.[Mm]\.?|[^\W\d_]+)"
    r"|(?P<between>(?:[\s.,;|]|-(?![0-9]))+)"
)

# Hours from UTC. The names of North America are those of RFC 822; with them end the names that
# mean one zone by a standard. Names that mean several in common use are left out on purpose: AST
# (Atlantic, Arabia), ECT, GST, IST (India, Israel, Ireland), SST, and the military letters, whose
# signs RFC 822 confused (RFC 5322, 4.3). BST is British: Bangladesh writes +0600.
_HOURS = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "akst": -9, "akdt": -8, "hst": -10, "adt": -3, "nst": -3.5, "ndt": -2.5,
    "bst": 1, "west": 1, "cet": 1, "mez": 1, "met": 1, "wat": 1,
    "cest": 2, "mesz": 2, "mest": 2, "eet": 2, "sast": 2, "cat": 2,
    "eest": 3, "msk": 3, "мск": 3, "trt": 3, "eat": 3, "idt": 3, "irst": 3.5,
    "pkt": 5, "npt": 5.75, "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "awst": 8, "pht": 8,
    "jst": 9, "kst": 9, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
    "brt": -3, "brst": -2, "pet": -5, "uyt": -3, "art": -3,
}  # fmt: skip
# Names that mean one or the other hour by the season.
_SEASONAL = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
}
# Names of months without accents: English, German, French, Spanish, Italian, Portuguese, Dutch,
# Swedish, Danish, Russian, Polish, Czech, Turkish. A form that is another month's elsewhere (lis,
# listopada) is left out.
_MONTH_NAMES = (
    (
        "jan january januar janeiro janner janv janvier ene enero gen gennaio januari янв января"
        " sty stycznia ledna ocak oca"
    ),
    (
        "feb february februar fev fevr fevrier febrero febbraio fevereiro februari фев февраля"
        " lut lutego unora subat"
    ),
    "mar march marz maerz mrz mars marzo marco mrt maart marts мар марта marca brezna mart",
    "apr april avr avril abr abril aprile апр апреля kwi kwietnia dubna nisan nis",
    "may mai mayo mag maggio maio mei maj мая maja kvetna mayıs",
    "jun june juni juin junio giu giugno junho июн июня cze czerwca cervna haziran haz",
    "jul july juli juil juillet julio lug luglio julho июл июля lipca cervence temmuz",
    "aug august aout agosto ago augustus augusti авг августа sie sierpnia srpna agustos agu",
    (
        "sep sept september septembre septiembre set settembre setembro сен сентября"
        " wrz wrzesnia zari eylul eyl"
    ),
    (
        "oct october okt oktober octobre octubre ott ottobre outubro окт октября"
        " paz pazdziernika rijna ekim eki"
    ),
    "nov november novembre noviembre novembro ноя ноября kasım listopadu",
    (
        "dec december dez dezember decembre dic diciembre dicembre dezembro декабря дек"
        " gru grudnia prosince aralık"
    ),
)
_MONTHS = {
    name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()
}
# Words that say nothing of the moment.
_WEEKDAYS = (
    "mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday"
    " sunday montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi fr sa"
    " so lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miercoles jueves viernes"
    " sabado domingo"
)
_FILLING = frozenset(f"{_WEEKDAYS} at um uhr de of the le el del den alle ore as kl om г".split())
_HALVES = {
    name: hours
    for hours, names in ((0, "am a.m 上午 午前 오전"), (12, "pm p.m 下午 午後 오후"))
    for name in names.split()
}


class _UnreadableError(ValueError):
    """A text that is no date, or one that may mean several."""


def published_date(text: str) -> datetime | None:
    """Return the moment that a text names, in UTC; None if it names none, or may name several."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    try:
        if seconds := _SECONDS.fullmatch(text):
            return _since_1970(seconds)
        moment = _Reading(_prepared(text)).moment()
    except (ValueError, OverflowError):
        return None
    is_possible = _FIRST_YEAR <= moment.year <= _LAST_YEAR and not _is_unset(moment)
    return moment if is_possible else None


def _is_unset(moment: datetime) -> bool:
    """Return whether a moment is what programs write for no date: second 0 of 1970, anywhere."""
    return abs((moment - _UNSET).total_seconds()) <= _MOST_OFFSET.total_seconds()


def _since_1970(digits: re.Match[str]) -> datetime | None:
    seconds = int(digits[1])
    seconds = seconds if seconds <= _LAST_SECOND else seconds // 1_000
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _prepared(text: str) -> str:
    """Return a date in the few forms that `_TOKEN` knows."""
    text = _TAGS.sub("", _COMMENT.sub(" ", text))
    text = _CJK_CLOCK.sub(lambda clock: f" {clock[1]}:{clock[2]}:{clock[3] or '00'} ", text)
    text = _CJK_DAY.sub(r"\1-\2-\3 ", text)
    if basic := _BASIC.match(text):
        day = f"{basic[1]}-{basic[2]}-{basic[3]}"
        clock = f" {basic[4]}:{basic[5]}:{basic[6] or '00'}" if basic[4] else ""
        text = f"{day}{clock}{text[basic.end() :]}"
    # A weekday, in whatever language, stands first and before a comma; ``mar.`` is one in French.
    if weekday := _WEEKDAY.match(text):
        rest = text[weekday.end() :]
        text = rest if _bare(weekday[1]) not in _MONTHS or _has_month(rest) else text
    return _ORDINAL.sub("", _JOINED.sub(" ", _HYPHENS.sub(r"\1 \2 \3", text)))


def _has_month(text: str) -> bool:
    return any(_bare(word) in _MONTHS for word in _WORD.findall(text))


def _bare(word: str) -> str:
    """Return a word without accents, in small letters."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", word.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare)


class _Reading:
    """A date that is read word by word; a word that has no meaning, or a second one, ends it."""

    def __init__(self, text: str) -> None:
        self._day: tuple[int, int, int] | None = None
        self._numbers: list[str] = []
        self._month = 0
        self._day_first = False
        self._clock: tuple[int, int, int, int] | None = None
        self._half: int | None = None
        self._zone: tzinfo | None = None
        self._offset: timedelta | None = None
        place = 0
        while place < len(text):
            token = _TOKEN.match(text, place)
            if token is None:
                raise _UnreadableError
            self._take(str(token.lastgroup), token[0])
            place = token.end()

    def _take(self, kind: str, text: str) -> None:
        if kind == "clock" and self._clock is None:
            self._clock = _clock(text)
        elif kind == "numeric" and self._day is None:
            self._day = _day(text)
        elif kind == "offset" and self._offset is None and self._clock is not None:
            self._offset = _offset(text)
        elif kind == "number":
            self._numbers.append(text)
        elif kind == "word":
            self._take_word(text)
        elif kind != "between":
            raise _UnreadableError

    def _take_word(self, text: str) -> None:
        word = _bare(text).rstrip(".")
        if word in _MONTHS and not self._month:
            self._month, self._day_first = _MONTHS[word], bool(self._numbers)
        elif word in _HALVES and self._half is None:
            self._half = _HALVES[word]
        elif (word in _HOURS or word in _SEASONAL or "/" in text) and self._zone is None:
            self._zone = _zone(text, word)
        elif word not in _FILLING and text != "à":
            raise _UnreadableError

    def moment(self) -> datetime:
        """Return the moment, in UTC.

        Raises:
            ValueError: the parts name none.
        """
        year, month, day = self._day or self._named_day()
        if self._day and (self._numbers or self._month):
            raise _UnreadableError
        hour, minute, second, micros = self._clock or (0, 0, 0, 0)
        if self._half is not None:
            if self._clock is None or (self._half == 0 and hour > 12):
                raise _UnreadableError
            hour = hour if hour > 12 else hour % 12 + self._half
        # ISO 8601 ends a day with 24:00, and UTC a few minutes with second 60.
        days, hour = (1, 0) if (hour, minute, second) == (24, 0, 0) else (0, hour)
        zone = timezone(self._offset) if self._offset is not None else self._zone or UTC
        local = datetime(year, month, day, hour, minute, min(second, 59), micros, zone)
        if second > 60:
            raise _UnreadableError
        return (local + timedelta(days=days)).astimezone(UTC)

    def _named_day(self) -> tuple[int, int, int]:
        """Return year, month and day of a date whose month is a word."""
        if not self._month or len(self._numbers) != 2:
            raise _UnreadableError
        first, second = self._numbers
        if len(first) == 4:
            first, second = second, first
        if len(first) > 2 or (len(second) != 4 and not (len(second) == 2 and self._day_first)):
            raise _UnreadableError
        year = int(second)
        if len(second) == 2:  # RFC 5322, 4.3
            year += 2000 if year < 50 else 1900
        return year, self._month, int(first)


def _clock(text: str) -> tuple[int, int, int, int]:
    """Return hour, minute, second and microsecond."""
    parts = re.split(r"[:h]", text)
    seconds, _, fraction = (parts[2] if len(parts) > 2 else "0").replace(",", ".").partition(".")
    minute = int(parts[1]) if len(parts) > 1 else 0
    return int(parts[0]), minute, int(seconds), int(f"{fraction:0<6.6}")


def _day(text: str) -> tuple[int, int, int]:
    """Return year, month and day of a date in digits, if they can mean only one day."""
    first, middle, last = (int(part) for part in re.split(r"[./-]\s?", text))
    lengths = [len(part) for part in re.split(r"[./-]\s?", text)]
    if lengths[0] == 4 and lengths[2] <= 2:
        return first, middle, last
    if lengths[2] != 4 or lengths[0] > 2:
        raise _UnreadableError
    # With full stops the day is first everywhere; else only a number above twelve shows it.
    if "." in text or first > 12 or first == middle:
        return last, middle, first
    if middle > 12:
        return last, first, middle
    raise _UnreadableError


def _offset(text: str) -> timedelta:
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    offset = timedelta(hours=hours, minutes=minutes) * (1 if text[0] == "+" else -1)
    if minutes > 59 or not _LEAST_OFFSET <= offset <= _MOST_OFFSET:
        raise _UnreadableError
    return offset


def _zone(text: str, word: str) -> tzinfo:
    if word in _HOURS:
        return timezone(timedelta(hours=_HOURS[word]))
    name = _SEASONAL.get(word, text)
    if name not in times.zone_names():
        raise _UnreadableError
    return times.zone(name)
