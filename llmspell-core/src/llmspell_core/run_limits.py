"""`Limits`: what a run and everything nested in it may use, as scripts and programs give it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llmspell_core.script.model import ScriptModel

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]


class Limits(ScriptModel):
    """Limits of a run and everything nested in it; None is no limit. Money is USD, time ms."""

    requests: Count | None = None
    tool_calls: Count | None = None
    per_tool: dict[str, Count] | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    cost_usd: Amount | None = None
    wall_ms: Annotated[float, Field(gt=0)] | None = None
