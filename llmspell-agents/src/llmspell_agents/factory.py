"""`create_agent`: an agent from data, checked before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.agent import Agent
from llmspell_core.errors import HookError
from llmspell_core.hooks import HookContext

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


async def create_agent(spec: Any, ctx: ExecutionContext) -> Agent:
    """Make an agent and, when it has a name, let its run tree find it by that name.

    `spec` is a system prompt, a table of `AgentConfig` fields, or an `AgentConfig`. A name in
    use is replaced for later look-ups; earlier handles stay valid. Raises `input.invalid`,
    `provider.not_configured`, `tool.not_found`.
    """
    agent = Agent(spec)
    await _moment("before_agent_init", agent, ctx)
    await agent.prepare(ctx)
    if agent.config.name:
        ctx.overlay.agents.register(agent.name, agent, source="script", replace=True)
    await _moment("after_agent_init", agent, ctx)
    return agent


async def _moment(point: str, agent: Agent, ctx: ExecutionContext) -> None:
    if not ctx.hooks.active(point):
        return
    seen = HookContext(
        point=point,
        component=agent.name,
        component_id=agent.id,
        operation="init",
        input=agent.config.masked(),
        correlation_id=ctx.correlation_id,
        language=ctx.language,
    )
    outcome = await ctx.hooks.run(point, seen)
    if outcome.kind == "cancel":
        reason = outcome.reason or "cancelled by a hook"
        raise HookError(f"agent {agent.name}: {reason}", details={"point": point})
