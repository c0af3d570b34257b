"""Tool names as every service takes them, and back."""

from __future__ import annotations

import re
from hashlib import sha256

from llmspell_core.errors import ValidationError
from llmspell_core.tool import Tool

_ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_LONGEST = 64


def wire_name(name: str) -> str:
    """The name itself where services take it, else a like one with a suffix made from it."""
    if _ALLOWED.match(name):
        return name
    mark = sha256(name.encode()).hexdigest()[:8]
    plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[: _LONGEST - 9]
    return f"{plain or 'tool'}_{mark}"


class WireNames:
    """The tools of one agent by the names that the model uses for them."""

    def __init__(self, tools: list[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            name = wire_name(tool.name)
            if name in self._tools:
                raise ValidationError(
                    f'two tools are named "{name}" for the model: {self._tools[name].name} '
                    f"and {tool.name}",
                    code="agent.tool_conflict",
                    hint="give one of them another name",
                )
            self._tools[name] = tool

    def find(self, name: str) -> Tool | None:
        """The tool that a model means: exactly, or with `_` for `-` and in any case."""
        found = self._tools.get(name)
        if found is None:
            plain = _plain(name)
            found = next((tool for key, tool in self._tools.items() if _plain(key) == plain), None)
        return found

    def real_name(self, name: str) -> str:
        """The name of the tool that a model means; its own word where there is none."""
        found = self.find(name)
        return found.name if found is not None else name

    def items(self) -> list[tuple[str, Tool]]:
        """(name on the wire, tool), in the order the tools were given."""
        return [*self._tools.items()]

    def names(self) -> list[str]:
        """The names that the model is offered."""
        return [*self._tools]

    def __len__(self) -> int:
        return len(self._tools)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
