"""The end of agents: hook points before and after it, and who comes to his end with a run."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from llmspell_core.errors import HookError, LLMSpellError
from llmspell_core.hooks import HookContext

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_core.agent import Agent as CoreAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.overlay import Overlay

BEFORE, AFTER = "before_agent_shutdown", "after_agent_shutdown"

log = logging.getLogger("llmspell.agents")

_numbers = itertools.count()
#: The agents of each layer that are still there, in the order they were made.
_made: WeakKeyDictionary[Overlay, WeakValueDictionary[int, CoreAgent]] = WeakKeyDictionary()


def ends_with_run(agent: Agent, ctx: ExecutionContext) -> None:
    """Shut an agent down when the run, or the Runtime, that it was made in ends."""
    agents = _made.get(ctx.overlay)
    if agents is None:
        agents = _made[ctx.overlay] = WeakValueDictionary()

        async def end() -> None:
            for one in [*agents.values()]:
                try:
                    await shut_down(one, ctx)
                except LLMSpellError as error:
                    log.warning("%s: %s", one.name, error)

        ctx.overlay.at_end(end)
    agents[next(_numbers)] = agent


async def shut_down(agent: CoreAgent, ctx: ExecutionContext) -> bool:
    """Run the hooks before and after the end of an agent; whether it had not ended before.

    Raises ``hook.cancelled`` when one of them keeps it, ``hook.failed``.
    """
    agents = _made.get(ctx.overlay) or WeakValueDictionary[int, "CoreAgent"]()
    number = next((key for key, one in agents.items() if one is agent), None)
    if number is None:
        return False
    await _moment(BEFORE, agent, ctx)
    agents.pop(number, None)
    await _moment(AFTER, agent, ctx)
    return True


async def _moment(point: str, agent: CoreAgent, ctx: ExecutionContext) -> None:
    if not ctx.hooks.active(point):
        return
    metrics = getattr(agent, "metrics", None)
    seen = HookContext(
        point,
        component=agent.name,
        component_id=agent.id,
        operation="shutdown",
        metadata={"metrics": metrics.as_dict(agent.id)} if metrics else {},
        correlation_id=ctx.correlation_id,
        language=ctx.language,
        state=ctx.state_scope,
    )
    outcome = await ctx.hooks.run(point, seen)
    if outcome.kind == "cancel" and point == BEFORE:
        reason = outcome.reason or "kept by a hook"
        raise HookError(f"agent {agent.name}: {reason}", details={"point": point})
