"""The script global `JSON`; answered by the engine."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from llmspell_core.script.api import ScriptGlobal, guest_only, script_method
from llmspell_core.script.model import ScriptModel


class JsonOptions(ScriptModel):
    """How JSON text looks."""

    pretty: bool | int = Field(
        default=False, description="a line for each value; a number: its indentation"
    )
    indent: int | None = Field(default=None, description="spaces for each level")
    sort_keys: bool = Field(default=True, description="keys in the order of the alphabet")


class JsonGlobal(ScriptGlobal):
    """JSON text to values and back. `JSON.null` is an explicit null."""

    name = "JSON"

    @script_method(guest=True, aliases=("decode",))
    def parse(self, text: str) -> Any:
        """The value in JSON text.

        Args:
            text: JSON
        """
        return guest_only()

    @script_method(guest=True, aliases=("encode",))
    def stringify(self, value: Any, options: JsonOptions | int | bool | None = None) -> str:
        """A value as JSON text.

        Args:
            value: anything but functions; NaN and infinities have no JSON
            options: spaces for each level, or pretty, indent, sort_keys
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def array(self, value: list[Any] | None = None) -> list[Any]:
        """A list that stays `[]` in JSON when it is empty.

        Args:
            value: its items
        """
        return guest_only()  # type: ignore[no-any-return]
