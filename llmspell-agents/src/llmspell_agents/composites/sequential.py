"""`sequential`: each agent gets what the one before it answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.messages import AgentInput, AgentOutput

if TYPE_CHECKING:
    from llmspell_agents.composites.config import CompositeConfig
    from llmspell_agents.composites.members import Work
    from llmspell_core.agent import Agent


async def sequential(
    agents: list[Agent], input: AgentInput, config: CompositeConfig, work: Work
) -> AgentOutput:
    """The last answer. A failed agent ends it, or is passed over (`on_error`)."""
    given = input
    for agent in agents:
        part = await work.ask(agent, given)
        work.parts.append(part)
        if part.error is None:
            given = input.model_copy(update={"text": part.text, "value": None})
        elif config.on_error == "stop":
            raise work.failure(f"{agent.name} failed: {part.error.message}", part)
    answered = work.answered()
    if not answered:
        raise work.failure("all agents failed", work.parts[-1])
    last = answered[-1].output
    return work.output(answered[-1].text, last.data if last else None)
