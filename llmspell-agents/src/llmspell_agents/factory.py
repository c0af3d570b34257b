"""Agents, composites and templates made of data, and found by what they say of themselves."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from llmspell_agents.agent import Agent
from llmspell_agents.config import AgentConfig
from llmspell_agents.files.loading import find_template
from llmspell_agents.shutdown import ends_with_run
from llmspell_agents.templates.template import make_template
from llmspell_core.context import context_for
from llmspell_core.errors import HookError
from llmspell_core.hooks import HookContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspell_agents.composites.composite import Composite
    from llmspell_agents.templates.model import AgentTemplate
    from llmspell_agents.templates.template import Template
    from llmspell_core.context import ExecutionContext


BEFORE = "before_agent_init"


async def create_agent(spec: Any, ctx: ExecutionContext | None = None) -> Agent:
    """Make an agent and, when it has a name, let its run tree find it by that name.

    `spec` is a system prompt, a table of `AgentConfig` fields, or an `AgentConfig`; with
    `extends` the agent is made from that template or agent file. A name in use is replaced for
    later look-ups; earlier handles stay valid. Raises `input.invalid`, `template.not_found`,
    `provider.not_configured`, `tool.not_found`.
    """
    async with context_for(ctx) as found:
        config = AgentConfig.of(spec)
        if config.extends is None:
            agent = Agent(config)
        else:
            agent = (await find_template(config.extends, found)).agent(config)
        await _moment(BEFORE, agent, found)
        await agent.prepare(found)
        if agent.config.name:
            found.overlay.agents.register(agent.name, agent, source="script", replace=True)
        await _moment("after_agent_init", agent, found)
        ends_with_run(agent, found)
        return agent


async def create_composite(
    name: str, agents: Sequence[Any], options: Any = None, ctx: ExecutionContext | None = None
) -> Composite:
    """Make an agent of agents, and let its run tree find it by its name.

    Args:
        name: how it is found
        agents: agents, or names of agents
        options: a table of `CompositeConfig` fields, or a strategy: sequential (the default),
            parallel, hierarchical, consensus, dynamic
        ctx: the run's; the current one when left out

    Raises `agent.not_found`, `input.invalid`.
    """
    from llmspell_agents.composites import composite
    from llmspell_agents.composites.config import CompositeConfig

    async with context_for(ctx) as found:
        return composite.create_composite(name, [*agents], CompositeConfig.of(options), found)


async def discover_agents(
    query: str | None = None, *, capability: str | None = None, ctx: ExecutionContext | None = None
) -> list[dict[str, Any]]:
    """The agents found by name: `{name, description, capabilities, tools, built_in}`.

    Args:
        query: words that name, description or capabilities must have
        capability: what they must name, such as research
        ctx: the run's; the current one when left out
    """
    from llmspell_agents.discovery import about, can, known_agents, matches

    async with context_for(ctx) as found:
        return [
            about(agent, built_in)
            for agent, built_in in known_agents(found)
            if (query is None or matches(agent, query))
            and (capability is None or can(agent, capability))
        ]


async def agent_template(spec: str, ctx: ExecutionContext) -> Template:
    """The template of a name, or of an agent file (entry-point group ``llmspell.factories``)."""
    return await find_template(spec, ctx)


async def register_template(
    name: str, fields: dict[str, Any] | AgentTemplate, ctx: ExecutionContext | None = None
) -> None:
    """Declare a template, for a run's tree or, outside of runs, for the process.

    One that was registered before under this name is replaced, and may be extended by
    `extends` of the same name. Raises `input.invalid`, `template.not_found`.

    Args:
        name: how it is found
        fields: those of `AgentTemplate`
        ctx: the run's; the current one when left out
    """
    async with context_for(ctx) as found:
        templates = found.overlay.templates
        made = make_template(name, fields, templates)
        templates.register(name, made, source=found.language, replace=True)


async def _moment(point: str, agent: Agent, ctx: ExecutionContext) -> None:
    if not ctx.hooks.active(point):
        return
    shown = agent.config.masked()
    seen = HookContext(
        point=point,
        component=agent.name,
        component_id=agent.id,
        operation="init",
        input=copy.deepcopy(shown),
        correlation_id=ctx.correlation_id,
        language=ctx.language,
    )
    outcome = await ctx.hooks.run(point, seen)
    if outcome.kind == "cancel":
        reason = outcome.reason or "cancelled by a hook"
        raise HookError(f"agent {agent.name}: {reason}", details={"point": point})
    if point == BEFORE and isinstance(seen.input, dict) and seen.input != shown:
        agent.update_config({k: v for k, v in seen.input.items() if v != shown.get(k)})
