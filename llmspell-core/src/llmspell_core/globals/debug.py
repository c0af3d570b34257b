"""The script global `Debug`: looking into a script while it is developed.

Its methods are answered by the engine; messages go where those of `Logger` go.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from llmspell_core.globals.logger import Fields, Level, Threshold, Timer
from llmspell_core.script.api import ScriptGlobal, guest_only, script_method
from llmspell_core.script.model import ScriptModel

Extra = str | Fields


class CapturedEntry(ScriptModel):
    """A message that `Debug` wrote."""

    level: Level
    message: str
    logger: str = Field(default="debug", description="the name it was written under")
    fields: Fields | None = Field(default=None, description="data beside it")


class MemoryStats(ScriptModel):
    """The engine's memory."""

    used_bytes: int
    used_kb: int


class TimerStats(ScriptModel):
    """The times of all timers of one name, in ms."""

    count: int
    total_ms: float
    average_ms: float
    max_ms: float


class DebugGlobal(ScriptGlobal):
    """For developing a script: messages, timers, what a value holds, where it stands."""

    name = "Debug"
    objects = (Timer,)

    @script_method(guest=True)
    def log(self, level: str, message: Any = None, extra: Extra | None = None) -> None:
        """Write a message at a level; with one argument only, that at info.

        Args:
            level: trace, debug, info, warn or error; or the message
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def trace(self, message: Any, extra: Extra | None = None) -> None:
        """Write a message at trace.

        Args:
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def debug(self, message: Any, extra: Extra | None = None) -> None:
        """Write a message at debug.

        Args:
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def info(self, message: Any, extra: Extra | None = None) -> None:
        """Write a message at info.

        Args:
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def warn(self, message: Any, extra: Extra | None = None) -> None:
        """Write a message at warn.

        Args:
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def error(self, message: Any, extra: Extra | None = None) -> None:
        """Write a message at error.

        Args:
            message: the text
            extra: the logger's name, or fields
        """

    @script_method(guest=True)
    def timer(self, name: str = "timer") -> Timer:
        """A timer; performance_report has its time once it is stopped.

        Args:
            name: timers of one name are counted together
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def dump(self, value: Any, name: str | None = None) -> str:
        """A value with all that is inside as readable text, also written at debug.

        Args:
            value: anything
            name: written before it
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def stack_trace(self) -> str:
        """The calls that led here, a line each."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def memory_stats(self) -> MemoryStats:
        """How much memory the engine uses."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def set_level(self, level: Threshold) -> None:
        """Write nothing finer than this, in this run; the same as Logger.set_level.

        Args:
            level: trace, debug, info, warn, error or off
        """

    @script_method(guest=True)
    def get_level(self) -> str:
        """The finest level that is written."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def is_enabled(self, level: Level = "debug") -> bool:
        """Whether messages of a level are written.

        Args:
            level: trace, debug, info, warn or error
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def get_captured_entries(self, limit: int = 1000) -> list[CapturedEntry]:
        """The last messages of `Debug` in this run, the oldest first.

        Args:
            limit: how many; 1000 are kept
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def clear_captured_entries(self) -> None:
        """Forget the messages kept for get_captured_entries."""

    @script_method(guest=True)
    def performance_report(self) -> dict[str, TimerStats]:
        """The times of all timers that were stopped, by their names."""
        return guest_only()  # type: ignore[no-any-return]
