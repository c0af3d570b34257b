from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ToolFailed, ValidationError
from llmspell_core.tool import ToolResult
from llmspell_tools.util import _moments
from llmspell_tools.util.datetime_handler import DatetimeHandler


def run(operation: str, **params: Any) -> ToolResult:
    tool = DatetimeHandler()
    parsed = tool.validate({"operation": operation, **params})
    result: ToolResult = asyncio.run(tool.run_tool(parsed, None))  # type: ignore[arg-type]
    return result


def test_parse_gives_every_field() -> None:
    result = run("parse", input="2024-12-25T10:30:05Z")
    assert result.result == {
        "datetime": "2024-12-25T10:30:05Z",
        "timezone": "UTC",
        "format": "iso8601",
        "timestamp": 1735122605,
        "iso8601": "2024-12-25T10:30:05Z",
        "year": 2024,
        "month": 12,
        "day": 25,
        "hour": 10,
        "minute": 30,
        "second": 5,
    }
    assert result.output == result.text == "2024-12-25T10:30:05Z"


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2025-01-01", "2025-01-01T00:00:00Z"),
        ("25 Dec 2024 10:30", "2024-12-25T10:30:00Z"),
        ("Dec 25 2024 5pm EST", "2024-12-25T17:00:00-05:00"),
        ("Wed, 25 Dec 2024 10:30:00 +0200", "2024-12-25T10:30:00+02:00"),
        ("2024-W52-3", "2024-12-25T00:00:00Z"),
        (1735122600, "2024-12-25T10:30:00Z"),
        (1735122600.5, "2024-12-25T10:30:00.500000Z"),
        ("1735122600000", "2024-12-25T10:30:00Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ],
)
def test_dates_are_read_as_people_and_machines_write_them(given_: Any, expected: str) -> None:
    assert run("parse", date_string=given_).output == expected


def test_relative_days() -> None:
    days = [run("parse", input=name).output for name in ("yesterday", "today", "tomorrow")]
    assert days == sorted(days)
    assert all(day.endswith("T00:00:00Z") for day in days)


def test_now_in_a_zone_and_a_format() -> None:
    result = run("now", timezone="Asia/Tokyo", format="ISO8601")
    assert result.result["timezone"] == "Asia/Tokyo"
    assert result.output.endswith("+09:00")
    assert abs(result.result["timestamp"] - datetime.now(UTC).timestamp()) < 60
    assert run("now", timezone="local").success
    assert run("now", timezone="+05:30").result["timezone"] == "+05:30"
    assert run("now", timezone="utc-3").output.endswith("-03:00")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S", "2024-02-05 15:04:09"),
        ("%A, %-d %B %y %I:%M %p", "Monday, 5 February 24 03:04 PM"),
        ("rfc2822", "Mon, 05 Feb 2024 15:04:09 +0000"),
        ("%j %U %W %G-W%V %u %w %%", "036 05 06 2024-W06 1 1 %"),
        ("%e|%l|%b|%a|%f|%s|%z|%:z|%Z", " 5| 3|Feb|Mon|000000|1707145449|+0000|+00:00|UTC"),
        (
            "%F %T %R %D %c %x %X%n%t",
            "2024-02-05 15:04:09 15:04 02/05/24 Mon Feb  5 15:04:09 2024 2024-02-05 15:04:09\n\t",
        ),
        ("unix", "1707145449"),
        ("week", "2024-W06"),
        ("human", "Monday, 5 February 2024 at 15:04 UTC"),
        ("no directive", "no directive"),
    ],
)
def test_formats(pattern: str, expected: str) -> None:
    result = run("format", input="2024-02-05T15:04:09Z", format=pattern)
    assert result.output == expected
    assert result.result["formatted"] == expected
    assert result.result["format"] == pattern


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        (
            "add",
            {"input": "2024-01-01T00:00:00Z", "amount": 30, "unit": "days"},
            "2024-01-31T00:00:00Z",
        ),
        ("add", {"input": "2024-01-31", "amount": 1, "unit": "month"}, "2024-02-29T00:00:00Z"),
        ("add", {"input": "2024-02-29", "amount": 1, "unit": "years"}, "2025-02-28T00:00:00Z"),
        (
            "subtract",
            {"input": "2024-03-31", "amount": 13, "unit": "months"},
            "2023-02-28T00:00:00Z",
        ),
        ("subtract", {"input": "2024-01-01", "amount": 1.5, "unit": "h"}, "2023-12-31T22:30:00Z"),
        ("add", {"input": "2024-01-01", "amount": 2}, "2024-01-03T00:00:00Z"),
        (
            "add",
            {"input": "2024-01-01", "amount": 1500, "unit": "ms"},
            "2024-01-01T00:00:01.500000Z",
        ),
        # The clocks go forward in Paris on 31 March 2024 at 2 h: a day keeps the time of the
        # day where it exists, 24 hours are 24 hours.
        (
            "add",
            {"input": "2024-03-30T12:00", "timezone": "Europe/Paris", "amount": 1},
            "2024-03-31T12:00:00+02:00",
        ),
        (
            "add",
            {
                "input": "2024-03-30T12:00",
                "timezone": "Europe/Paris",
                "amount": 24,
                "unit": "hours",
            },
            "2024-03-31T13:00:00+02:00",
        ),
        (
            "add",
            {"input": "2024-03-30T02:30", "timezone": "Europe/Paris", "amount": 1},
            "2024-03-31T03:30:00+02:00",
        ),
    ],
)
def test_arithmetic(operation: str, params: dict[str, Any], expected: str) -> None:
    assert run(operation, **params).output == expected


def test_zones_are_converted() -> None:
    result = run("convert_timezone", input="2024-07-01T12:00:00Z", to_timezone="America/New_York")
    assert result.output == "2024-07-01T08:00:00-04:00"
    assert result.result["timezone"] == "America/New_York"
    given_ = run(
        "convert_timezone",
        input="2024-01-01 12:00",
        from_timezone="Asia/Tokyo",
        target_timezone="UTC",
    )
    assert given_.output == "2024-01-01T03:00:00Z"


def test_differences() -> None:
    result = run("difference", start="2024-01-01", end="2024-01-03T06:30:05")
    assert result.result["seconds"] == result.output == 196205
    assert result.result["hours"] == pytest.approx(54.5013889)
    assert result.text == result.result["human"] == "2 days, 6 hours, 30 minutes, 5 seconds"
    assert run("difference", start="2024-01-02", end="2024-01-01").text == "1 day earlier"
    assert run("difference", input="2024-01-01").output > 0
    assert run("difference", start=0, end=0).text == "0 seconds"


def test_info_and_formats() -> None:
    info = run("info", input="2024-02-29").result
    assert (info["weekday"], info["week"], info["day_of_year"]) == ("Thursday", 9, 60)
    assert (info["is_leap_year"], info["quarter"], info["days_in_month"]) == (True, 1, 29)
    assert run("info", input="9999-12-31").result["days_in_month"] == 31
    assert run("info", input="2024-06-01", format="date").result["is_weekend"] is True
    formats = run("formats")
    assert formats.result["count"] == len(formats.output)
    assert "iso8601" in formats.text


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("parse", {"input": "foo"}, 'input is no date: "foo"'),
        ("parse", {"input": ""}, "input is empty"),
        ("parse", {"input": "x" * 200}, "too long"),
        ("parse", {}, 'input is required for "parse"'),
        ("parse", {"input": True}, "must be a date or seconds since 1970, not true"),
        ("parse", {"input": 1e40}, "is no date"),
        ("parse", {"input": "10:00 XYZ"}, "is no date"),
        (
            "now",
            {"timezone": "Europe/Pariss"},
            'unknown time zone "Europe/Pariss", did you mean "Eu',
        ),
        ("now", {"timezone": "../../etc/passwd"}, "unknown time zone"),
        ("now", {"timezone": "America"}, "unknown time zone"),
        ("now", {"timezone": "+99:00"}, "no offset"),
        ("format", {"input": "2024-01-01", "format": "%Q"}, 'unknown directive "%Q"'),
        ("add", {"input": "2024-01-01"}, 'amount is required for "add"'),
        ("add", {"input": "2024-01-01", "amount": 1.5, "unit": "months"}, "whole number of months"),
        ("add", {"input": "2024-01-01", "amount": 1, "unit": "fortnights"}, "unit must be one of"),
        ("convert_timezone", {"input": "2024-01-01"}, "target_timezone is required"),
        (
            "convert_timezone",
            {"input": "0001-01-01", "target_timezone": "America/New_York"},
            "outside the years",
        ),
        ("difference", {}, "start is required"),
    ],
)
def test_mistakes_name_the_field(operation: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(operation, **params)
    assert message in caught.value.message


def test_what_leaves_the_calendar_fails() -> None:
    for amount, unit in ((1e12, "days"), (10_000, "years"), (1e300, "seconds")):
        with pytest.raises(ToolFailed, match="outside the years 1 to 9999"):
            run("add", input="2024-01-01", amount=amount, unit=unit)


MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert _moments.read(_moments.iso(moment), UTC) == moment
    assert _moments.write(moment, "%Y-%m-%d %H:%M:%S.%f") == (
        f"{moment.year:04}-{moment:%m-%d %H:%M:%S.%f}"
    )


@given(MOMENTS, st.integers(-100, 100))
def test_adding_hours_is_exact_in_every_zone(moment: datetime, hours: int) -> None:
    zone = _moments.zone("America/New_York")
    try:
        local = moment.astimezone(zone)
        later = _moments.shift(local, hours, "hours")
    except (OverflowError, ToolFailed):
        return
    assert later.astimezone(UTC) - moment == timedelta(hours=hours)


@given(MOMENTS, st.integers(-50, 50))
def test_months_keep_the_day_or_take_the_last_one(moment: datetime, months: int) -> None:
    try:
        later = _moments.shift(moment, months, "months")
    except ToolFailed:
        return
    assert (later.year * 12 + later.month) - (moment.year * 12 + moment.month) == months
    assert later.day == min(moment.day, _moments.days_in_month(later.year, later.month))


@given(
    st.one_of(st.text(max_size=40), st.integers(), st.floats()),
    st.text(alphabet="%-:YmdHMSfpABjzZs x", max_size=12),
)
def test_any_input_gives_a_date_or_a_known_error(given_: Any, pattern: str) -> None:
    code = None
    try:
        run("info", input=given_, format=pattern)
    except LLMSpellError as error:
        code = error.code
    assert code in {None, "input.invalid"}
