"""`hierarchical`: the first agent leads, and has the others as tools."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from llmspell_agents.agent import Agent
from llmspell_agents.composites.members import Part
from llmspell_agents.offer import Offer
from llmspell_core.adapters import ComponentTool
from llmspell_core.component import ToolSet
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput

if TYPE_CHECKING:
    from llmspell_agents.composites.config import CompositeConfig
    from llmspell_agents.composites.members import Work
    from llmspell_core.agent import Agent as CoreAgent


def check_leader(agents: list[CoreAgent]) -> None:
    """Raise `input.invalid` when the first agent cannot lead the others."""
    first = agents[0]
    alone = len(agents) == 1
    if alone or not isinstance(first, Agent) or first.config.execute is not None:
        raise ValidationError(
            "hierarchical: the first agent leads and must have a model, and others follow",
            hint="name a leader first, then the agents that it may ask",
        )


async def hierarchical(
    agents: list[CoreAgent], input: AgentInput, config: CompositeConfig, work: Work
) -> AgentOutput:
    """The leader's answer. What fails beneath is told to it; its own failure ends the run."""
    leader = agents[0]
    assert isinstance(leader, Agent)  # noqa: S101 - check_leader was asked when it was made
    await leader.prepare(work.ctx)
    tools = {one.name: ComponentTool(one) for one in agents[1:]}
    led = _with_tools(leader, [*tools.values()])
    part = await work.ask(led, _instructed(input, agents[1:], tools))
    if part.output is None or part.error is not None:
        work.parts.append(part)
        why = part.error.message if part.error else ""
        raise work.failure(f"{leader.name} failed: {why}", part)
    by_tool = {tool.name: name for name, tool in tools.items()}
    delegated = [
        {
            "agent": by_tool[call.name],
            "success": call.error is None,
            "text": str(call.error["message"]) if call.error else str(call.result),
            "duration_ms": call.duration_ms,
        }
        for call in part.output.tool_calls
        if call.name in by_tool
    ]
    work.parts.append(Part(leader.name, part.output, None, part.duration_ms))
    return work.output(part.text, part.output.data, leader=leader.name, delegated=delegated)


def _with_tools(leader: Agent, more: list[ComponentTool]) -> Agent:
    """The same agent with more tools for one run; its hooks and metrics are shared."""
    made = copy.copy(leader)
    made.tools = ToolSet([*leader.tools.list(), *more])
    made.offer = Offer()
    return made


def _instructed(
    input: AgentInput, others: list[CoreAgent], tools: dict[str, ComponentTool]
) -> AgentInput:
    lines = "\n".join(f"- {tools[one.name].name}: {one.description or one.name}" for one in others)
    text = f"You lead these agents. Ask them by their tools, then answer yourself:\n{lines}"
    both = "\n\n".join(part for part in (input.instruction, text) if part)
    return input.model_copy(update={"instruction": both})
