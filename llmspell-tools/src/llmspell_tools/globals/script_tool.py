"""`ScriptTool`: a tool in a script's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.context import current
from llmspell_core.script.api import ScriptObject, script_method
from llmspell_core.tool import Tool, ToolResult

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


class ScriptTool(ScriptObject):
    """A tool: `execute` runs it, `get_schema` tells its parameters."""

    type_name: ClassVar[str] = "tool"

    def __init__(self, tool: Tool, ctx: ExecutionContext) -> None:
        self._tool = tool
        self._ctx = ctx

    @property
    def component(self) -> Tool:
        """The tool; read by whatever takes a tool as an argument."""
        return self._tool

    def script_fields(self) -> dict[str, Any]:
        tool = self.component
        return {
            "id": tool.id,
            "name": tool.name,
            "type": self.type_name,
            "description": tool.description,
            "version": tool.version,
            "category": tool.category,
            "schema": tool.schema(),
            "security_level": tool.security_level,
        }

    @script_method(aliases=("invoke",))
    async def execute(self, params: dict[str, Any] | None = None) -> ToolResult:
        """Run the tool; a failure is thrown.

        Args:
            params: its parameters by name
        """
        return await self.component.call(params, current() or self._ctx)

    @script_method
    def get_schema(self) -> dict[str, Any]:
        """The JSON schema of its parameters."""
        return self.component.schema()


class IndexedTool(ScriptTool):
    """What `Tool["name"]` gives: the tool of that name at the time of each call."""

    def __init__(self, name: str, ctx: ExecutionContext) -> None:
        self._name = name
        self._ctx = ctx

    @property
    def component(self) -> Tool:
        return self._ctx.overlay.tools.get(self._name)
