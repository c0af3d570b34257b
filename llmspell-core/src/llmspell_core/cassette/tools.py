"""Calls of tools that are recorded, and played without the tool doing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.cassette.answers import error_data, error_of, result_data, result_of
from llmspell_core.cassette.forms import tool_form
from llmspell_core.errors import LLMSpellError, ToolError
from llmspell_core.tool import ToolResult

if TYPE_CHECKING:
    from llmspell_core.cassette.cassette import Cassette
    from llmspell_core.context import ExecutionContext
    from llmspell_core.tool import Tool


async def taped(cassette: Cassette, tool: Tool, params: Any, ctx: ExecutionContext) -> ToolResult:
    """Call a tool behind a cassette.

    Args:
        cassette: where its answers are
        tool: the tool
        params: its arguments, checked
        ctx: the run

    Raises:
        LLMSpellError: what the tool raises or raised, `cassette.miss`
    """
    form = tool_form(tool.name, params)
    if found := cassette.find("tool", form):
        if error := found.answer.get("error"):
            raise error_of(error)
        return result_of(found.answer.get("response") or {})
    try:
        result = ToolResult.of(await tool.run_tool(params, ctx.for_tool(tool)))
    except LLMSpellError as error:
        cassette.keep("tool", form, error=error_data(error))
        raise
    except Exception as error:
        # As the Runner will say it: the model is told the same in a replay.
        failed = ToolError(f"tool {tool.name} failed: {type(error).__name__}: {error}")
        cassette.keep("tool", form, error=error_data(failed))
        raise
    cassette.keep("tool", form, response=result_data(result))
    return result
