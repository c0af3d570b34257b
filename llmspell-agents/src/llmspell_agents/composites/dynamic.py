"""`dynamic`: a model picks the agent that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_agents.agent import Agent
from llmspell_core.messages import AgentInput, AgentOutput

if TYPE_CHECKING:
    from llmspell_agents.composites.config import CompositeConfig
    from llmspell_agents.composites.members import Work
    from llmspell_core.agent import Agent as CoreAgent


async def dynamic(
    agents: list[CoreAgent], input: AgentInput, config: CompositeConfig, work: Work
) -> AgentOutput:
    """The answer of the agent that a model picks. Fails when either of them does."""
    names = [one.name for one in agents]
    lines = "\n".join(f"- {one.name}: {one.description or one.name}" for one in agents)
    picker = Agent(
        f"Pick the one agent that fits the request best. The agents are:\n{lines}",
        name=f"{work.name}-picker",
        model=config.model,
        response_format={
            "type": "object",
            "properties": {
                "agent": {"type": "string", "enum": names},
                "reason": {"type": "string"},
            },
            "required": ["agent"],
            "additionalProperties": False,
        },
    )
    choice = await work.ask(picker, input)
    work.parts.append(choice)
    if choice.output is None or choice.error is not None:
        raise work.failure(f"no agent was picked: {choice.error and choice.error.message}", choice)
    picked = agents[names.index(choice.output.data["agent"])]
    part = await work.ask(picked, input)
    work.parts.append(part)
    if part.output is None or part.error is not None:
        why = part.error.message if part.error else ""
        raise work.failure(f"{picked.name} failed: {why}", part)
    reason = str(choice.output.data.get("reason") or "")
    return work.output(part.text, part.output.data, picked=picked.name, reason=reason)
