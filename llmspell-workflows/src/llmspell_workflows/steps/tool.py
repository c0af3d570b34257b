"""A step that calls a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llmspell_core.component import BaseAgent
from llmspell_core.errors import LLMSpellError, ToolFailed
from llmspell_core.tool import Tool
from llmspell_workflows.steps.base import Outcome, StepRunner
from llmspell_workflows.templates import Fields, Node, Plain

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_workflows.run import Frame


class ToolStep(StepRunner):
    """Calls a tool; its output is the ToolResult's."""

    takes_parent_input = False
    _made: Tool | None = None

    @property
    def target(self) -> str:
        given = self.spec.tool
        return str(given.get("name", "")) if isinstance(given, dict) else str(_name(given))

    async def tool(self, ctx: ExecutionContext) -> Tool:
        """The tool: by name anew each time, from a table once."""
        given = self.spec.tool
        if isinstance(given, str):
            return ctx.overlay.tools.get(given)
        if isinstance(given, dict):
            if self._made is None:
                self._made = cast("Tool", await ctx.create("tool", given))
            return self._made
        return cast("Tool", given)

    async def render(self, node: Node, frame: Frame) -> Any:
        # Where the tool renders a template itself, the bare names in it are the tool's.
        fields = template_fields(await self.tool(frame.ctx))
        if not fields or isinstance(node, Plain):
            return await frame.render(node)
        if not isinstance(node, Fields):
            return await frame.render(node, prefixed_only="input" in fields)
        made: dict[str, Any] = {}
        for key, one in node.nodes.items():
            value = await frame.render(one, prefixed_only=key in fields)
            if value is not None or isinstance(one, Plain):
                made[key] = value
        return made

    async def run(self, frame: Frame, input: Any) -> Outcome:
        tool = await self.tool(frame.ctx)
        params = input if isinstance(input, dict) else {"input": input}
        result = await tool.call({} if input is None else params, frame.ctx)
        if not result.success:
            error = result.error or {}
            raise ToolFailed(
                str(error.get("message") or result.text or f"{tool.name} failed"),
                code=error.get("code"),
                hint=error.get("hint"),
                details=error.get("details"),
            )
        return Outcome(result.output, result)

    def problem(self, ctx: ExecutionContext) -> LLMSpellError | None:
        if isinstance(self.spec.tool, dict):
            return None
        try:
            given = self.spec.tool
            tool = ctx.overlay.tools.get(given) if isinstance(given, str) else given
            ctx.policy.check_tool(tool, chosen_by_model=False)
        except LLMSpellError as error:
            return error
        return None


def _name(given: Any) -> str:
    return given.name if isinstance(given, BaseAgent) else str(given)


def template_fields(tool: Tool) -> frozenset[str]:
    """The parameters, with their aliases, that the tool itself declares as templates.

    A parameter's schema says so with ``format: template``.
    """
    properties = tool.schema().get("properties", {})
    fields = {name for name, one in properties.items() if one.get("format") == "template"}
    if not fields:
        return frozenset()
    aliases = getattr(tool.Parameters, "aliases", {})
    return frozenset(fields | {alias for alias, name in aliases.items() if name in fields})
