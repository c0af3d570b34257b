"""Tools from data: what `ctx.create("tool", spec)` makes for agents, workflows and Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_core.adapters import component_of
from llmspell_core.errors import ValidationError
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.tool import Tool
from llmspell_tools.script_tool import DefinedTool, ToolConfig

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


async def create_tool(spec: Any, ctx: ExecutionContext) -> Tool:
    """A tool from a name, a tool, an agent, a workflow, or a table.

    A table has `execute` (a function), `template` (a kind of `Tool.from_template`), `pipe` or
    `parallel` (steps), or `tool` (a name). Raises `tool.not_found` or `input.invalid`.
    """
    from llmspell_tools import compose

    if isinstance(spec, dict) and component_of(spec) is None:
        return _from_table(spec, ctx)
    return compose.find_tool(spec, ctx)


def _from_table(spec: dict[str, Any], ctx: ExecutionContext) -> Tool:
    from llmspell_tools import compose, kinds

    if "execute" in spec or "handler" in spec:
        return defined(spec)
    if isinstance(spec.get("template"), str):
        rest = {key: value for key, value in spec.items() if key != "template"}
        return kinds.from_template(spec["template"], rest)
    for name, make in (("pipe", compose.pipe), ("parallel", compose.parallel)):
        if name in spec:
            rest = {key: value for key, value in spec.items() if key != name}
            return make({**rest, "steps": spec[name]}, ctx)
    if [*spec] == ["tool"]:
        return compose.find_tool(spec["tool"], ctx)
    raise ValidationError(
        f"a tool needs execute, not only {', '.join(sorted(map(str, spec))) or describe(spec)}",
        hint="{name, description, parameters, execute = function(params) ... end}",
    )


def defined(cfg: dict[str, Any]) -> DefinedTool:
    """The tool that a script's table defines, or `input.invalid` naming each wrong field."""
    try:
        return DefinedTool(ToolConfig.model_validate(cfg))
    except PydanticError as error:
        mistakes = pydantic_mistakes(error)
        raise ValidationError(
            f"Tool.create: {mistakes_text(mistakes)}", details={"errors": mistakes}
        ) from None
