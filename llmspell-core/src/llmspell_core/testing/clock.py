"""`FakeClock`: a time of day that a test sets, and sleeping that takes no time.

    with FakeClock("2026-03-01T12:00:00Z") as clock:
        result = await bench.call(Reminder(), when="in two hours")
        clock.advance(7200)

What it changes while it is entered: `time.time`, `time.time_ns`, `datetime.now`, `utcnow` and
`today` (in the modules given), `asyncio.sleep` and `time.sleep`, which move the clock on.
Deadlines and `time.monotonic` stay real: what hangs is still found.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import time
from collections.abc import Iterable
from datetime import UTC, timedelta, tzinfo
from typing import Any, Self
from unittest import mock

_Date, _Datetime = dt.date, dt.datetime
_sleep = asyncio.sleep


class FakeClock:
    """The clock. `now` is its time; sleeps are in `slept`, in seconds.

    Args:
        at: the time it begins with: ISO text, a datetime, or seconds since 1970
        modules: names of packages whose `datetime` and `date` show it; those of llmspell and
            of the tools that a `ToolBench` calls are added
    """

    def __init__(
        self,
        at: str | dt.datetime | float = "2026-01-01T00:00:00Z",
        *,
        modules: Iterable[str] = (),
    ) -> None:
        self._seconds = _seconds(at)
        self._packages = {"llmspell_tools", *modules}
        self._patches: list[Any] = []
        self.slept: list[float] = []

    @property
    def now(self) -> dt.datetime:
        """Its time, in UTC."""
        return _Datetime.fromtimestamp(self._seconds, UTC)

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self._seconds += seconds

    def set(self, at: str | dt.datetime | float) -> None:
        """Set it to another time."""
        self._seconds = _seconds(at)

    def shown_to(self, package: str) -> None:
        """Show it to the modules of a package, from now on."""
        package = package.partition(".")[0]
        if package not in self._packages:
            self._packages.add(package)
        if self._patches:
            self._show(package)

    def __enter__(self) -> Self:
        self._patch(time, "time", lambda: self._seconds)
        self._patch(time, "time_ns", lambda: round(self._seconds * 1_000_000_000))
        self._patch(time, "sleep", self._asleep)
        self._patch(asyncio, "sleep", self._async_sleep)
        for package in self._packages:
            self._show(package)
        return self

    def __exit__(self, *_: object) -> None:
        while self._patches:
            self._patches.pop().stop()

    def _show(self, package: str) -> None:
        """Put our classes where the modules of a package have named Python's."""
        fakes: dict[type, type] = {_Datetime: self._datetime(), _Date: self._date()}
        for name, module in [*sys.modules.items()]:
            if name.partition(".")[0] != package:
                continue
            for attribute, value in [*vars(module).items()]:
                if isinstance(value, type) and value in fakes:
                    self._patch(module, attribute, fakes[value])
                elif value is dt:
                    self._patch(module, attribute, _module(fakes))

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        patch = mock.patch.object(owner, name, value)
        patch.start()
        self._patches.append(patch)

    def _asleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))

    async def _async_sleep(self, delay: float, result: Any = None) -> Any:
        if delay > 0:
            self._asleep(delay)
        await _sleep(0)
        return result

    def _datetime(self) -> type[dt.datetime]:
        clock = self

        class FakeDatetime(dt.datetime, metaclass=_LikeIts):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return _Datetime.fromtimestamp(clock._seconds, tz)

            @classmethod
            def utcnow(cls) -> Any:
                return clock.now.replace(tzinfo=None)

            @classmethod
            def today(cls) -> Any:
                return cls.now()

        return FakeDatetime

    def _date(self) -> type[dt.date]:
        clock = self

        class FakeDate(dt.date, metaclass=_LikeIts):
            @classmethod
            def today(cls) -> Any:
                return cls(*clock.now.astimezone().timetuple()[:3])

        return FakeDate


class _LikeIts(type):
    """Dates made elsewhere are instances as well: the real class stands behind each fake."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


def _module(fakes: dict[type, type]) -> Any:
    made = type(sys)("datetime")
    made.__dict__.update(vars(dt))
    made.__dict__.update(datetime=fakes[_Datetime], date=fakes[_Date])
    return made


def _seconds(at: str | dt.datetime | float) -> float:
    if isinstance(at, str):
        at = _Datetime.fromisoformat(at)
    if isinstance(at, _Datetime):
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return (at - _Datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    return float(at)
