"""`consensus`: all agents answer the same, and the answer with the most votes counts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_agents.functions import call
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from llmspell_agents.composites.config import CompositeConfig
    from llmspell_agents.composites.members import Part, Work
    from llmspell_core.agent import Agent


@dataclass(slots=True)
class Vote:
    """One answer, and who gave it."""

    value: Any
    parts: list[Part] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As `data.votes` shows it."""
        agents = [part.agent for part in self.parts]
        return {"value": self.value, "count": len(agents), "agents": agents}


async def consensus(
    agents: list[Agent], input: AgentInput, config: CompositeConfig, work: Work
) -> AgentOutput:
    """The answer with the most votes.

    Agents that fail have no vote; with fewer than `required` votes, a majority of the agents, it
    fails. Votes are the answers' `data`, else their text in lower case without spaces and
    punctuation around it, else what `vote` gives.
    """
    await work.ask_all(agents, input, config.max_concurrency)
    answered = work.answered()
    required = min(config.required or len(agents) // 2 + 1, len(agents))
    if len(answered) < required:
        raise work.failure(f"{len(answered)} of {len(agents)} agents have voted, {required} must")
    votes = await _votes(answered, config)
    most = max(len(one.parts) for one in votes)
    even = [one for one in votes if len(one.parts) == most]
    winner = even[0] if len(even) == 1 else await _untie(even, config, work)
    first = winner.parts[0]
    return work.output(
        first.text if config.vote is None else as_text(winner.value),
        first.output.data if first.output and config.vote is None else winner.value,
        votes=[one.row() for one in votes],
        agreement=most / len(answered),
        tie=len(even) > 1,
    )


async def _votes(answered: list[Part], config: CompositeConfig) -> list[Vote]:
    """The different answers, in the order in which the agents are named."""
    found: dict[str, Vote] = {}
    for part in answered:
        value = await call(config.vote, part.row()) if config.vote else _value(part)
        key = json.dumps(value, sort_keys=True, default=str)
        found.setdefault(key, Vote(value)).parts.append(part)
    return [*found.values()]


def _value(part: Part) -> Any:
    if part.output is not None and part.output.data is not None:
        return part.output.data
    return " ".join(part.text.lower().split()).strip(" .!?,;:\"'`")


async def _untie(even: list[Vote], config: CompositeConfig, work: Work) -> Vote:
    if config.tie == "first":
        return even[0]
    if config.tie == "error":
        values = ", ".join(as_text(one.value)[:80] for one in even)
        raise work.failure(f"the votes are even: {values}")
    chosen = await call(config.tie, [one.row() for one in even])
    for one in even:
        if chosen in (one.value, one.row()):
            return one
    raise ValidationError(
        f"{work.name}: tie gave {as_text(chosen)[:80]!r}, which is none of the votes",
        hint="return the value of one of the votes it is given",
    )
