"""How an answer is shown while it comes: text on stdout, tools and all else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import clean, use_colour

if TYPE_CHECKING:
    from llmspell_core.messages import StreamChunk, ToolCall

MAX_SHOWN = 100


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
            self.note(f"▸ {chunk.tool_call.name}  {_arguments(chunk.tool_call)}".rstrip())
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
        self._err(_dim(f"  {clean(text)}") + "\n")

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


def _arguments(call: ToolCall) -> str:
    return _short(" ".join(f"{name}={_value(value)}" for name, value in call.arguments.items()))


def _ended(call: ToolCall, text: str) -> str:
    took = f"  {call.duration_ms:.0f} ms" if call.duration_ms is not None else ""
    if call.error:
        return f"✗ {call.name}  {_short(str(call.error.get('message', text)))}{took}"
    return f"✓ {call.name}  {_short(text)}{took}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 3]}..."
