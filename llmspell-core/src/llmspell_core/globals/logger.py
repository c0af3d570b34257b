"""The script global `Logger`: what a script has to say, to stderr or the log file.

Its methods are answered by the engine, which hands records to the host in batches.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from llmspell_core.script.api import ScriptGlobal, ScriptObject, guest_only, script_method
from llmspell_core.script.model import ScriptModel

Level = Literal["trace", "debug", "info", "warn", "error"]
#: `off`: nothing is written.
Threshold = Literal["trace", "debug", "info", "warn", "error", "off"]
Fields = dict[str, Any]


class LoggerOptions(ScriptModel):
    """How a logger writes."""

    name: str | None = Field(default=None, description="shown before its messages")
    level: Level | None = Field(default=None, description="it writes nothing finer")
    fields: Fields | None = Field(default=None, description="written with every message")


class _Levels:
    """A method for each level, shared by what writes messages."""

    @script_method(guest=True)
    def trace(self, message: Any, fields: Fields | None = None) -> None:
        """Write what matters only when looking for a mistake.

        Args:
            message: the text
            fields: data beside it
        """

    @script_method(guest=True)
    def debug(self, message: Any, fields: Fields | None = None) -> None:
        """Write what matters while developing.

        Args:
            message: the text
            fields: data beside it
        """

    @script_method(guest=True)
    def info(self, message: Any, fields: Fields | None = None) -> None:
        """Write what is worth knowing.

        Args:
            message: the text
            fields: data beside it
        """

    @script_method(guest=True)
    def warn(self, message: Any, fields: Fields | None = None) -> None:
        """Write what may be wrong.

        Args:
            message: the text
            fields: data beside it
        """

    @script_method(guest=True)
    def error(self, message: Any, fields: Fields | None = None) -> None:
        """Write what is wrong.

        Args:
            message: the text
            fields: data beside it
        """


class Timer(ScriptObject):
    """Measures time, in ms."""

    type_name = "timer"

    @script_method(guest=True)
    def stop(self) -> float:
        """End it; the ms since it was made, the same at every later call."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def lap(self) -> float:
        """The ms since the last lap."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def elapsed(self) -> float:
        """The ms since it was made, or until it was stopped."""
        return guest_only()  # type: ignore[no-any-return]


class LogBatch(_Levels, ScriptObject):
    """Collects messages until they are flushed."""

    type_name = "log_batch"

    @script_method(guest=True)
    def flush(self) -> None:
        """Write what was collected."""


class ScriptLogger(_Levels, ScriptObject):
    """A logger with a name, a level and fields of its own."""

    type_name = "logger"

    @script_method(guest=True)
    def with_context(self, fields: Fields) -> ScriptLogger:
        """A logger that also writes these fields.

        Args:
            fields: data written with every message
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def child(self, fields: Fields | str) -> ScriptLogger:
        """A logger with more fields, or with a name below this one's.

        Args:
            fields: data written with every message, or the name
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def timer(self, name: str = "timer") -> Timer:
        """A timer whose time is written, at debug, when it is stopped.

        Args:
            name: the message, and its name in Debug.performance_report
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def is_enabled_for(self, level: Level) -> bool:
        """Whether messages of a level are written.

        Args:
            level: trace, debug, info, warn or error
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def batch(self) -> LogBatch:
        """Collect messages and write them together."""
        return guest_only()  # type: ignore[no-any-return]


class LoggerGlobal(_Levels, ScriptGlobal):
    """Logs, on stderr or in the log file; never on stdout."""

    name = "Logger"
    objects = (ScriptLogger, LogBatch, Timer)

    @script_method(guest=True)
    def new(self, options: LoggerOptions | str | None = None) -> ScriptLogger:
        """A logger of its own.

        Args:
            options: name, level, fields; or the name
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def set_level(self, level: Threshold) -> None:
        """Write nothing finer than this, in this run.

        Args:
            level: trace, debug, info, warn, error or off
        """

    @script_method(guest=True)
    def set_correlation_id(self, id: str | None) -> None:
        """Write this with every message from now on; nil: no more.

        Args:
            id: what the messages belong to
        """
