"""`ResourceLimits`: the `resource_limits` of an agent, limits of its runs in one table."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from llmspell_core.script.model import ScriptModel

#: As the fields of the same names beside it are.
MaxMemory = Annotated[float, Field(gt=0)]
MaxDepth = Annotated[int, Field(ge=0, le=7)]


class ResourceLimits(ScriptModel):
    """Limits of a run. Each may stand beside this table as well; the tighter of two wins."""

    aliases: ClassVar[dict[str, str]] = {
        "max_execution_time_secs": "max_execution_time",
        "memory_mb": "max_memory_mb",
    }

    max_execution_time: Annotated[float, Field(gt=0, description="seconds")] | None = None
    max_memory_mb: MaxMemory | None = None
    max_tool_calls: Annotated[int, Field(ge=0)] | None = None
    max_iterations: Annotated[int, Field(ge=1)] | None = None
    max_total_tokens: Annotated[int, Field(ge=1)] | None = None
    max_cost_usd: Annotated[float, Field(ge=0)] | None = None
    max_recursion_depth: MaxDepth | None = None
