"""What a run prints at its end: the script's value, the JSON envelope, statistics."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from llmspell_cli.look import clean, say
from llmspell_cli.report import show_error
from llmspell_cli.tables import print_json
from llmspell_cli.usage import usage_rows
from llmspell_core.errors import LLMSpellError, ScriptError

if TYPE_CHECKING:
    from llmspell_bridge.result import ScriptResult
    from llmspell_cli.source_lines import Script

MAX_EXIT = 255
SCHEMA = "llmspell.run/1"


class Output:
    """Prints for people, or one JSON envelope, or that as the last of the JSON lines."""

    def __init__(self, *, as_json: bool, as_jsonl: bool, mode: str) -> None:
        self._envelope = as_json or as_jsonl
        self._compact = True if as_jsonl else None
        self._mode = mode
        #: Known once it is read.
        self.script: Script | None = None

    def failed(self, error: LLMSpellError, code: int) -> int:
        """Report an error; the exit code it was given."""
        if self._envelope:
            data = {"ok": False, "error": error.to_dict(), "schema": SCHEMA}
            print_json(data, compact=self._compact)
        else:
            show_error(error, self.script)
        return code

    def result(self, result: ScriptResult) -> int:
        """Print what the script gave; the exit code."""
        code = self._code(result)
        if self._envelope:
            self._print_envelope(result, code)
            return code
        for error in result.unhandled:
            say("a task that nobody waited for failed:")
            show_error(error, self.script)
        if result.exit_code is not None:
            return code
        if self._mode == "eval":
            for value in _values(result.value):
                print_value(value)
        elif not _is_code(result.value):
            print_value(result.value)
        return code

    def _code(self, result: ScriptResult) -> int:
        if result.exit_code is not None:
            return result.exit_code & MAX_EXIT
        value = result.value
        own = 0
        if self._mode != "eval" and _is_code(value):
            own = value if type(value) is int else int(value is False)
        return own or int(bool(result.unhandled))

    def _print_envelope(self, result: ScriptResult, code: int) -> None:
        data: dict[str, Any] = {"ok": code == 0}
        if result.unhandled:
            data["error"] = result.unhandled[0].to_dict()
        else:
            data["data"] = result.value
        data["usage"] = result.usage.model_dump()
        data["schema"] = SCHEMA
        print_json(data, compact=self._compact)

    def stats(self, result: ScriptResult) -> None:
        """Tokens, cost, time and memory on stderr."""
        rows = {
            "time": f"{result.duration_ms:.0f} ms",
            **usage_rows(result.usage),
            "host calls": f"{result.host_calls}",
        }
        if memory := _memory():
            rows["memory"] = memory
        for name, text in rows.items():
            say(clean(f"{name:<11} {text}"))


def _is_code(value: Any) -> bool:
    """Small integers, booleans and nothing are exit codes; anything else is output."""
    return (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int) and 0 <= value <= MAX_EXIT)
    )


def _values(value: Any) -> list[Any]:
    """What `eval` gave: no value, one, or several, which engines wrap in a table."""
    if isinstance(value, dict) and set(value) == {"values"} and isinstance(value["values"], list):
        return value["values"]
    return [] if value is None else [value]


def print_value(value: Any) -> None:
    """A text as it is, bytes as they are, anything else as JSON (indented on a terminal)."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape") + b"\n"
    elif isinstance(value, bytes):
        data = value
    else:
        indent = 2 if sys.stdout.isatty() else None
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=_bytes)
        data = text.encode("utf-8", "surrogateescape") + b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _bytes(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    raise ScriptError(f"a {type(value).__name__} cannot be printed", code="value.not_json")


def _memory() -> str:
    """The most memory this process and its largest worker had, where the platform tells."""
    try:
        import resource
    except ImportError:
        return ""
    unit = 1024 if sys.platform != "darwin" else 1 << 20
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // unit
    return f"{host} MiB" + (f", worker {worker} MiB" if worker else "")
