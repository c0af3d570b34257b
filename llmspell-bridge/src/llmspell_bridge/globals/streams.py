"""The declarations of `stdin`, `stdout` and `stderr`; the engines' preludes answer them."""

from __future__ import annotations

from typing import Any

from llmspell_core.script.api import ScriptGlobal, guest_only, script_method


class StdinGlobal(ScriptGlobal):
    """Standard input."""

    name = "stdin"
    kind = "stream"

    @script_method(guest=True)
    def text(self) -> str:
        """All of it as text."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def lines(self) -> Any:
        """An iterator over its lines, without their ends."""

    @script_method(guest=True)
    def json(self) -> Any:
        """All of it, read as JSON."""


class _Output(ScriptGlobal):
    kind = "stream"

    @script_method(guest=True)
    def write(self, *values: Any) -> None:
        """Write values as text, with nothing between or after them."""

    @script_method(guest=True)
    def flush(self) -> None:
        """Send what is buffered."""


class StdoutGlobal(_Output):
    """Standard output."""

    name = "stdout"


class StderrGlobal(_Output):
    """Standard error."""

    name = "stderr"
