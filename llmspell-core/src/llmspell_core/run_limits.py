"""`Limits`: what a run and everything nested in it may use, as scripts and programs give it."""

from __future__ import annotations

from llmspell_core.script.model import ScriptModel


class Limits(ScriptModel):
    """Limits of a run and everything nested in it; None is no limit. Money is USD, time ms."""

    requests: int | None = None
    tool_calls: int | None = None
    per_tool: dict[str, int] | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    wall_ms: float | None = None
