"""The tool `datetime-handler`: reads, writes, converts and calculates with dates and times."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from llmspell_core.errors import ValidationError
from llmspell_core.schema import describe
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, needed, wrong
from llmspell_tools.util import _moments
from llmspell_tools.util._moments import MomentError

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


def _moment(value: Any) -> str | float:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be a date or seconds since 1970, not {describe(value)}")


Moment = Annotated[Any, PlainValidator(_moment), WithJsonSchema({"type": ["string", "number"]})]


class DatetimeParameters(ToolParameters):
    """Dates and what to do with them."""

    aliases: ClassVar[dict[str, str]] = {
        "date_string": "input",
        "datetime": "input",
        "date": "input",
        "from_timezone": "timezone",
        "to_timezone": "target_timezone",
    }

    operation: Annotated[
        Literal[
            "parse",
            "now",
            "format",
            "convert_timezone",
            "add",
            "subtract",
            "difference",
            "info",
            "formats",
        ],
        Spelled(convert="convert_timezone", diff="difference", sub="subtract", today="now"),
    ] = Field(
        description="parse or format a date; now; convert_timezone; add or subtract `amount` "
        "`unit`s; difference from `start` to `end`; info (weekday, week, leap year); formats"
    )
    input: Moment | None = Field(
        None,
        description="A date: ISO 8601, as people write it (25 Dec 2024 10:30), seconds since 1970, "
        "now, today, tomorrow, yesterday",
    )
    timezone: str | None = Field(
        None,
        description="The zone of dates that name none, and of now: Europe/Paris, +02:00, local "
        "(default UTC)",
    )
    target_timezone: str | None = Field(None, description="The zone to give the result in")
    amount: float | None = Field(
        None, allow_inf_nan=False, description="add, subtract: how many units"
    )
    unit: Annotated[
        Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years", "milliseconds"],
        Spelled(
            second="seconds",
            minute="minutes",
            hour="hours",
            day="days",
            week="weeks",
            month="months",
            year="years",
            millisecond="milliseconds",
            s="seconds",
            h="hours",
            d="days",
            ms="milliseconds",
        ),
    ] = Field("days", description="add, subtract: the unit")
    start: Moment | None = Field(None, description="difference: from when (or `input`)")
    end: Moment | None = Field(None, description="difference: until when (default now)")
    format: str | None = Field(
        None,
        max_length=200,
        description="How to write the result: a name from the operation formats (iso8601, "
        "rfc2822, date, time, unix, human, ...) or a pattern such as %Y-%m-%d %H:%M",
    )


class DatetimeHandler(Tool):
    """Reads, writes and calculates with dates and times."""

    name = "datetime-handler"
    description = (
        "Tells the time and works with dates: parse, format, convert time zones, add or subtract, "
        "difference, weekday and week."
    )
    category = "util"
    aliases = ("date-time-handler",)
    Parameters = DatetimeParameters
    timeout_ms = 5_000
    examples = (
        ({"operation": "now", "timezone": "Europe/Paris"}, "the time in Paris"),
        (
            {"operation": "add", "input": "2024-01-31", "amount": 1, "unit": "months"},
            "2024-02-29T00:00:00Z",
        ),
        (
            {
                "operation": "convert_timezone",
                "input": "2024-07-01T12:00:00Z",
                "target_timezone": "America/New_York",
            },
            "2024-07-01T08:00:00-04:00",
        ),
        (
            {"operation": "difference", "start": "2024-01-01", "end": "2024-01-02T06:00"},
            "1 day, 6 hours",
        ),
        (
            {"operation": "format", "input": "25 Dec 2024 10:30", "format": "%A, %d %B %Y"},
            "Wednesday, 25 December 2024",
        ),
    )

    async def run_tool(self, params: DatetimeParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "formats":
            return _formats()
        if params.operation == "difference":
            return self._difference(params)
        moment = self._place(self._changed(params), params)
        if params.operation == "info":
            return _info(self._described(moment, params))
        result = self._described(moment, params)
        if params.operation == "format":
            result["formatted"] = result["datetime"]
        return ToolResult(result, output=result["datetime"])

    def _changed(self, params: DatetimeParameters) -> datetime:
        operation = params.operation
        if operation == "now":
            return datetime.now(self._zone(params.timezone, "timezone") or UTC)
        needed(self.name, operation, input=params.input)
        moment = self._read(params.input, "input", params)
        if operation == "convert_timezone":
            needed(self.name, operation, target_timezone=params.target_timezone)
        if operation in ("add", "subtract"):
            needed(self.name, operation, amount=params.amount)
            amount = params.amount or 0
            try:
                return _moments.shift(
                    moment, amount if operation == "add" else -amount, params.unit
                )
            except MomentError as error:
                raise wrong(self.name, "amount", str(error)) from None
        return moment

    def _place(self, moment: datetime, params: DatetimeParameters) -> datetime:
        target = self._zone(params.target_timezone, "target_timezone")
        try:
            return moment.astimezone(target) if target else moment
        except OverflowError:
            raise wrong(self.name, "input", "is outside the years 1 to 9999") from None

    def _zone(self, name: str | None, field: str) -> tzinfo | None:
        if name is None:
            return None
        try:
            return _moments.zone(name)
        except MomentError as error:
            raise wrong(self.name, field, f"is wrong: {error}") from None

    def _read(self, given: Any, field: str, params: DatetimeParameters) -> datetime:
        default = self._zone(params.timezone, "timezone") or UTC
        try:
            return _moments.read(given, default)
        except MomentError as error:
            raise wrong(
                self.name, field, str(error), hint="ISO 8601 is always read: 2024-12-25T10:30:00Z"
            ) from None

    def _described(self, moment: datetime, params: DatetimeParameters) -> dict[str, Any]:
        pattern = params.format or "iso8601"
        try:
            written = _moments.write(moment, pattern)
        except MomentError as error:
            raise self._wrong_format(error) from None
        return {
            "datetime": written,
            "timezone": _moments.zone_name(moment),
            "format": pattern,
            "timestamp": _moments.timestamp(moment),
            "iso8601": _moments.iso(moment),
            "year": moment.year,
            "month": moment.month,
            "day": moment.day,
            "hour": moment.hour,
            "minute": moment.minute,
            "second": moment.second,
        }

    def _wrong_format(self, error: MomentError) -> ValidationError:
        return wrong(self.name, "format", str(error), hint='see the operation "formats"')

    def _difference(self, params: DatetimeParameters) -> ToolResult:
        first = params.start if params.start is not None else params.input
        needed(self.name, "difference", start=first)
        start = self._read(first, "start", params)
        end = self._read("now" if params.end is None else params.end, "end", params)
        seconds = (end - start).total_seconds()
        human = _human(seconds)
        result = {
            "seconds": _whole(seconds),
            "minutes": _whole(seconds / 60),
            "hours": _whole(seconds / 3600),
            "days": _whole(seconds / 86400),
            "human": human,
            "start": _moments.iso(start),
            "end": _moments.iso(end),
        }
        return ToolResult(result, output=result["seconds"], text=human)


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _human(seconds: float) -> str:
    rest = int(abs(seconds))
    parts = []
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}{'' if amount == 1 else 's'}")
    text = ", ".join(parts) or "0 seconds"
    return f"{text} earlier" if seconds < 0 else text


def _info(described: dict[str, Any]) -> ToolResult:
    moment = datetime.fromisoformat(described["iso8601"])
    year, week, _ = moment.isocalendar()
    weekday = _moments.DAYS[moment.weekday()]
    more = {
        "weekday": weekday,
        "weekday_number": moment.isoweekday(),
        "week": week,
        "week_year": year,
        "day_of_year": moment.timetuple().tm_yday,
        "quarter": (moment.month + 2) // 3,
        "days_in_month": _moments.days_in_month(moment.year, moment.month),
        "is_leap_year": _moments.days_in_month(moment.year, 2) == 29,  # noqa: PLR2004
        "is_weekend": moment.isoweekday() > 5,  # noqa: PLR2004 - Saturday and Sunday
    }
    text = f"{described['datetime']}: {weekday}, week {week}, day {more['day_of_year']} of the year"
    return ToolResult({**described, **more}, text=text)


def _formats() -> ToolResult:
    example = datetime(2024, 12, 25, 10, 30, tzinfo=UTC)
    formats = [
        {"name": name, "pattern": pattern, "example": _moments.write(example, name)}
        for name, pattern in _moments.FORMATS.items()
    ]
    text = "\n".join(f"{one['name']}: {one['example']}" for one in formats)
    return ToolResult({"formats": formats, "count": len(formats)}, output=formats, text=text)
