"""`parallel`: all agents get the same input, at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.functions import call
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from llmspell_agents.composites.config import CompositeConfig
    from llmspell_agents.composites.members import Work
    from llmspell_core.agent import Agent


async def parallel(
    agents: list[Agent], input: AgentInput, config: CompositeConfig, work: Work
) -> AgentOutput:
    """All answers, or what `aggregator` makes of them. Fails when fewer than `required` answer."""
    await work.ask_all(agents, input, config.max_concurrency)
    answered = work.answered()
    required = min(config.required or len(agents), len(agents))
    if len(answered) < required:
        failed = next(part for part in work.parts if part.error is not None)
        why = failed.error.message if failed.error else ""
        raise work.failure(
            f"{len(answered)} of {len(agents)} agents answered, {required} must: "
            f"{failed.agent} failed: {why}",
            failed,
        )
    value: Any = None
    if config.aggregator is None:
        text = "\n\n".join(f"{part.agent}: {part.text}" for part in answered)
    else:
        made = await call(config.aggregator, [part.row() for part in work.parts])
        text, value = as_text(made), None if isinstance(made, str) else made
    counts = {"succeeded": len(answered), "failed": len(agents) - len(answered)}
    return work.output(text, value, **counts)
