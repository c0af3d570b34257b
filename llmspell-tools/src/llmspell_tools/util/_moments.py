"""Points in time: reading and writing them, zones, arithmetic.

Nothing depends on the locale: the words are English on every system.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from llmspell_core.errors import ToolFailed, did_you_mean

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

#: Name -> pattern: what `format` accepts beside a pattern.
FORMATS: dict[str, str] = {
    "iso8601": "",
    "rfc3339": "",
    "rfc2822": "%a, %d %b %Y %H:%M:%S %z",
    "date": "%Y-%m-%d",
    "time": "%H:%M:%S",
    "datetime": "%Y-%m-%d %H:%M:%S",
    "unix": "%s",
    "human": "%A, %-d %B %Y at %H:%M %Z",
    "us": "%m/%d/%Y",
    "eu": "%d.%m.%Y",
    "compact": "%Y%m%dT%H%M%S",
    "week": "%G-W%V",
}

_MAX_INPUT = 100
_MILLISECONDS_FROM = 100_000_000_000
_EPOCH = re.compile(r"[+-]?\d{9,14}(?:\.\d{1,9})?")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_DIRECTIVE = re.compile(r"%(-?)(:?[a-zA-Z%])")
#: Offsets in hours of the abbreviations that mean one zone to nearly everybody.
_ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "BST": 1, "JST": 9,
}  # fmt: skip


class MomentError(Exception):
    """A text is no point in time, or no time zone."""


def zone(name: str) -> tzinfo:
    """A zone by IANA name, offset (`+02:00`), `UTC` or `local`."""
    text = name.strip()
    if text.upper() in ("UTC", "Z", "GMT"):
        return UTC
    if text.lower() == "local":
        return datetime.now().astimezone().tzinfo or UTC
    if found := _OFFSET.fullmatch(text):
        return _offset(found)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        near = did_you_mean(text, sorted(available_timezones()))
        raise MomentError(
            f'unknown time zone "{text[:40]}"' + (f", {near}" if near else "")
        ) from None


def _offset(found: re.Match[str]) -> tzinfo:
    delta = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if delta >= timedelta(hours=24):
        raise MomentError(f'"{found[0]}" is no offset: less than 24 hours are possible')
    return timezone(-delta if found[1] == "-" else delta)


def zone_name(moment: datetime) -> str:
    """The IANA name where there is one, else `UTC` or the offset."""
    if moment.tzinfo is UTC:
        return "UTC"
    return getattr(moment.tzinfo, "key", None) or offset_text(moment)


def offset_text(moment: datetime, separator: str = ":") -> str:
    """`+02:00`."""
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}{separator}{minutes % 60:02}"


def read(given: str | float, default_zone: tzinfo) -> datetime:
    """A point in time from ISO 8601, seconds since 1970, `now`, or a date as people write it."""
    try:
        if not isinstance(given, str):
            return _from_epoch(given, default_zone)
        text = given.strip()
        if not text or len(text) > _MAX_INPUT:
            raise MomentError("is empty" if not text else "is too long for a date")
        if _EPOCH.fullmatch(text):
            return _from_epoch(float(text) if "." in text else int(text), default_zone)
        return _named(text, default_zone) or _written(text, default_zone)
    except (ValueError, OverflowError, OSError):
        raise MomentError(f'is no date: "{str(given)[:60]}"') from None


def _from_epoch(value: float, default_zone: tzinfo) -> datetime:
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(default_zone)


def _named(text: str, default_zone: tzinfo) -> datetime | None:
    now = datetime.now(default_zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"today": 0, "tomorrow": 1, "yesterday": -1}.get(text.lower())
    if text.lower() == "now":
        return now
    return None if days is None else midnight + timedelta(days=days)


def _written(text: str, default_zone: tzinfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _by_dateutil(text, default_zone)
    found = found.replace(tzinfo=default_zone) if found.tzinfo is None else found
    if found.utcoffset() == timedelta(0) and not isinstance(found.tzinfo, ZoneInfo):
        found = found.replace(tzinfo=UTC)
    # Overflows here rather than in the middle of a calculation.
    found.astimezone(UTC)
    return found


def _by_dateutil(text: str, default_zone: tzinfo) -> datetime:
    from dateutil import parser

    midnight = datetime.now(default_zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    try:
        found = parser.parse(text, default=midnight, tzinfos=_abbreviation)
    except (TypeError, AttributeError, IndexError, ArithmeticError) as error:
        # Its tokenizer gives up on some texts with whatever went wrong inside.
        raise ValueError(text) from error
    if not isinstance(found, datetime):
        raise ValueError(text)
    return found


def _abbreviation(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    hours = _ABBREVIATIONS.get(name.upper())
    if hours is None:
        raise ValueError(name)
    return timezone(timedelta(hours=hours))


def write(moment: datetime, pattern: str) -> str:
    """The moment by a named format or a pattern of strftime directives, in English."""
    known = FORMATS.get(pattern.lower())
    if known == "":
        return iso(moment)
    return _DIRECTIVE.sub(lambda found: _directive(moment, found), known or pattern)


def iso(moment: datetime) -> str:
    """ISO 8601, with Z for UTC."""
    text = moment.isoformat()
    return text.removesuffix("+00:00") + "Z" if moment.tzinfo is UTC else text


def _directive(moment: datetime, found: re.Match[str]) -> str:
    function = _DIRECTIVES.get(found[2])
    if function is None:
        raise MomentError(f'unknown directive "{found[0]}"')
    text = function(moment)
    return (text.lstrip("0 ") or "0") if found[1] else text


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


_DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "%": lambda m: "%",
    "Y": lambda m: f"{m.year:04}",
    "y": lambda m: f"{m.year % 100:02}",
    "m": lambda m: f"{m.month:02}",
    "d": lambda m: f"{m.day:02}",
    "e": lambda m: f"{m.day:2}",
    "H": lambda m: f"{m.hour:02}",
    "I": lambda m: f"{_hour12(m):02}",
    "l": lambda m: f"{_hour12(m):2}",
    "M": lambda m: f"{m.minute:02}",
    "S": lambda m: f"{m.second:02}",
    "f": lambda m: f"{m.microsecond:06}",
    "p": lambda m: "AM" if m.hour < 12 else "PM",  # noqa: PLR2004 - noon
    "A": lambda m: DAYS[m.weekday()],
    "a": lambda m: DAYS[m.weekday()][:3],
    "B": lambda m: MONTHS[m.month - 1],
    "b": lambda m: MONTHS[m.month - 1][:3],
    "h": lambda m: MONTHS[m.month - 1][:3],
    "j": lambda m: f"{m.timetuple().tm_yday:03}",
    "u": lambda m: str(m.isoweekday()),
    "w": lambda m: str(m.isoweekday() % 7),
    "V": lambda m: f"{m.isocalendar().week:02}",
    "G": lambda m: f"{m.isocalendar().year:04}",
    "U": lambda m: f"{(m.timetuple().tm_yday + 6 - m.isoweekday() % 7) // 7:02}",
    "W": lambda m: f"{(m.timetuple().tm_yday + 6 - m.weekday()) // 7:02}",
    "s": lambda m: str(int(timestamp(m))),
    "z": lambda m: offset_text(m, ""),
    ":z": offset_text,
    "Z": lambda m: m.tzname() or "UTC",
    "F": lambda m: write(m, "%Y-%m-%d"),
    "T": lambda m: write(m, "%H:%M:%S"),
    "R": lambda m: write(m, "%H:%M"),
    "D": lambda m: write(m, "%m/%d/%y"),
    "c": lambda m: write(m, "%a %b %e %H:%M:%S %Y"),
    "x": lambda m: write(m, "%Y-%m-%d"),
    "X": lambda m: write(m, "%H:%M:%S"),
    "n": lambda m: "\n",
    "t": lambda m: "\t",
}


def timestamp(moment: datetime) -> int | float:
    """Seconds since 1970, whole where they are."""
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return int(seconds) if seconds == int(seconds) else seconds


def shift(moment: datetime, amount: float, unit: str) -> datetime:
    """Later by an amount. Hours and less are exact; days and more keep the time of the day."""
    try:
        if unit in ("months", "years"):
            return _settled(_by_months(moment, amount, unit))
        delta = timedelta(**{unit: amount})
        if unit in ("days", "weeks"):
            return _settled(moment + delta)
        return (moment.astimezone(UTC) + delta).astimezone(moment.tzinfo)
    except (OverflowError, ValueError):
        raise ToolFailed(
            f"datetime-handler: {amount:g} {unit} from {iso(moment)} is outside the years 1 to 9999"
        ) from None


def _by_months(moment: datetime, amount: float, unit: str) -> datetime:
    if amount != int(amount):
        raise MomentError(f"must be a whole number of {unit}")
    months = int(amount) * (12 if unit == "years" else 1)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    # The last day of a shorter month: 31 January plus a month is 28 or 29 February.
    return moment.replace(
        year=year, month=month + 1, day=min(moment.day, days_in_month(year, month + 1))
    )


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    following = date(year + month // 12, month % 12 + 1, 1) if year < 9999 else None  # noqa: PLR2004
    return (following - date(year, month, 1)).days if following else _LENGTHS[month - 1]


_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _settled(moment: datetime) -> datetime:
    """A time that the zone skips (spring) becomes the one an hour later that exists."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo)
