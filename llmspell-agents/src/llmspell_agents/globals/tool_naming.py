"""How an agent is named as a tool."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from llmspell_core.adapters import ComponentTool
from llmspell_core.component import BaseAgent
from llmspell_core.script.model import ScriptModel


class ToolNaming(ScriptModel):
    """What a tool that is made of an agent is called; left out, as the agent."""

    aliases: ClassVar[dict[str, str]] = {"tool_name": "name"}

    name: str | None = Field(default=None, description="the tool's name")
    description: str | None = Field(default=None, description="what the model reads of it")

    def tool_of(self, component: BaseAgent) -> ComponentTool:
        """The agent as a tool of this name."""
        return ComponentTool(component, self.name, self.description)
