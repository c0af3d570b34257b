"""How an answer is shown while it comes: text on stdout, tools and all else on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import clean, use_colour

if TYPE_CHECKING:
    from llmspell_core.messages import StreamChunk, ToolCall

#: Characters of a tool's arguments or result.
MAX_SHOWN, LEAST_SHOWN = 100, 20
INDENT = "  "


class Display:
    """Shows the chunks of one answer after the other."""

    def __init__(self) -> None:
        #: Whether the cursor stands behind text of an answer.
        self._inside = False
        self._thinking = False

    def show(self, chunk: StreamChunk) -> None:
        """Show a chunk as it comes."""
        if chunk.type == "text":
            self._text(chunk.text)
        elif chunk.type == "reasoning":
            self._reasoning(chunk.text)
        elif chunk.type == "tool_call" and chunk.tool_call is not None:
            self.note(_begun(chunk.tool_call))
        elif chunk.type == "tool_result" and chunk.tool_call is not None:
            self.note(_ended(chunk.tool_call, chunk.text))
        elif chunk.type == "handoff":
            self.note(f"» {chunk.agent}" + (f": {chunk.text}" if chunk.text else ""))
        elif chunk.type == "restart":
            self.note("the model failed in the middle; another one begins anew")

    def end(self) -> None:
        """End the line of an answer."""
        if self._inside:
            sys.stdout.write("\n")
        elif self._thinking:
            self._err("\n")
        sys.stdout.flush()
        self._inside = self._thinking = False

    def note(self, text: str) -> None:
        """A line beside the answer."""
        self.end()
        self._err(_dim(INDENT + clean(text)) + "\n")

    def _text(self, text: str) -> None:
        if self._thinking:
            self.end()
        if not self._inside:
            # Models like to begin with empty lines.
            text = text.lstrip()
        if text:
            self._inside = True
            sys.stdout.write(clean(text))
            sys.stdout.flush()

    def _reasoning(self, text: str) -> None:
        if sys.stderr.isatty():
            self._thinking = True
            self._err(_dim(clean(text)))

    @staticmethod
    def _err(text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()


def _dim(text: str) -> str:
    return click.style(text, dim=True) if use_colour() else text


def _begun(call: ToolCall) -> str:
    given = " ".join(f"{name}={_value(value)}" for name, value in call.arguments.items())
    return _line(f"▸ {call.name}  ", given).rstrip()


def _ended(call: ToolCall, text: str) -> str:
    took = f"  {call.duration_ms:.0f} ms" if call.duration_ms is not None else ""
    if call.error:
        return _line(f"✗ {call.name}  ", str(call.error.get("message", text)), took)
    return _line(f"✓ {call.name}  ", text, took)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _line(before: str, text: str, after: str = "") -> str:
    """One line of the terminal, the text shortened to what fits between the others."""
    columns = shutil.get_terminal_size((MAX_SHOWN, 24)).columns
    room = max(LEAST_SHOWN, min(MAX_SHOWN, columns - len(INDENT + before + after) - 1))
    text = " ".join(text.split())
    return f"{before}{text if len(text) <= room else text[: room - 3] + '...'}{after}"
