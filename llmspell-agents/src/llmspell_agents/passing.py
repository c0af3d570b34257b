"""One hand-off on its way: whether it may be, who is told of it, and what the target is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError, HookError
from llmspell_core.hooks import HookContext
from llmspell_core.messages import AgentInput

if TYPE_CHECKING:
    from llmspell_agents.chain import Chain, Leg
    from llmspell_agents.handoffs import Handoff
    from llmspell_core.agent import Agent
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import HandoffRequest


def peer_of(source: BaseAgent, name: str) -> Handoff | None:
    """The entry of the source's `handoffs` for this agent, if it has one."""
    config: Any = getattr(source, "config", None)
    handoffs: list[Handoff] = getattr(config, "handoffs", [])
    return next((one for one in handoffs if one.name == name), None)


def check_handoff(leg: Leg, target: Agent) -> None:
    """What no hand-off may do, whoever asks for it; models were told before."""
    names = [leg.chain.entry.name, *leg.chain.names]
    if target is leg.component or target.id == leg.component.id:
        raise AgentError(
            f"{target.name} hands off to itself",
            code="agent.handoff_limit",
            hint="name another agent, or answer",
            details={"agents": names},
        )
    if len(leg.chain.names) >= leg.chain.most:
        raise AgentError(
            f"more than {leg.chain.most} hand-offs: {' > '.join(names[-6:])}",
            code="agent.handoff_limit",
            hint="raise max_handoffs, or let one of these agents answer",
            details={"agents": names},
        )


def input_of(request: HandoffRequest, first: AgentInput, chain: Chain) -> AgentInput:
    """What the target gets: its own input, else what the first agent was given."""
    if request.input is not None:
        return AgentInput.of(request.input)
    if first.text or first.value is not None or first.parameters or first.attachments:
        return first
    asked = [one for one in chain.everything() if one.role == "user"]
    return AgentInput.of(asked[-1].text if asked else "")


def tell(source: BaseAgent, target: Agent, request: HandoffRequest, ctx: ExecutionContext) -> None:
    """Tell the bus of a hand-off."""
    data = {
        "name": source.name,
        "id": source.id,
        "target": target.name,
        "reason": request.reason,
        "run_id": ctx.run_id,
    }
    ctx.events.emit("agent.handoff", data, correlation_id=ctx.correlation_id, language=ctx.language)


async def moment(
    point: str,
    source: BaseAgent,
    target: Agent,
    request: HandoffRequest,
    ctx: ExecutionContext,
) -> None:
    """Let the hooks of a point see a hand-off, and change its input. Raises `hook.cancelled`."""
    if not ctx.hooks.active(point):
        return
    seen = HookContext(
        point=point,
        component=source.name,
        component_id=source.id,
        operation="handoff",
        input=request.input,
        metadata={"target": target.name, "reason": request.reason},
        correlation_id=ctx.correlation_id,
        language=ctx.language,
    )
    outcome = await ctx.hooks.run(point, seen)
    if outcome.kind == "cancel":
        reason = outcome.reason or "the hand-off was cancelled by a hook"
        raise HookError(f"{source.name}: {reason}", details={"point": point})
    request.input = seen.input
