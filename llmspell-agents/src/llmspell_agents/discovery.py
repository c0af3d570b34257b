"""Finding agents: those that can be had by name, and what they can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import BUILT_IN
from llmspell_core.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmspell_core.agent import Agent
    from llmspell_core.context import ExecutionContext


def known_agents(ctx: ExecutionContext) -> Iterator[tuple[Agent, bool]]:
    """Each agent that is found by name, and whether it is a built-in one; broken ones left out."""
    for entry in ctx.overlay.agents.entries():
        try:
            yield entry.load(), entry.source in BUILT_IN
        except LLMSpellError:
            # One wrong table of the configuration must not hide the other agents.
            continue


def about(agent: Agent, built_in: bool) -> dict[str, Any]:
    """What is told of an agent that somebody looks for."""
    return {
        "name": agent.name,
        "description": agent.description,
        "capabilities": [*agent.capabilities],
        "tools": _tools(agent),
        "built_in": built_in,
    }


def can(agent: Agent, capability: str) -> bool:
    """Whether it names this capability; `_`, `-` and case make no difference."""
    wanted = canonical(capability.strip().lower())
    return any(canonical(one.lower()) == wanted for one in agent.capabilities)


def matches(agent: Agent, query: str) -> bool:
    """Whether all words are found in its name, description or capabilities."""
    text = " ".join([agent.name, agent.description, *agent.capabilities]).lower()
    return all(word in text for word in query.lower().split())


def _tools(agent: Agent) -> list[str]:
    """The names of its tools, also of one that has not run yet."""
    if len(agent.tools):
        return agent.tools.names()
    given: list[Any] = getattr(getattr(agent, "config", None), "tools", [])
    named = (
        one
        if isinstance(one, str)
        else one.get("name")
        if isinstance(one, dict)
        else getattr(one, "name", None) or getattr(getattr(one, "component", None), "name", None)
        for one in given
    )
    return [name for name in named if isinstance(name, str)]
