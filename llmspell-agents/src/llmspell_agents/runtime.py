"""`AgentRuntime`: runs agents, and moves control when one of them hands off to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from llmspell_agents.config import DEFAULT_HANDOFFS
from llmspell_core.errors import AgentError, HookError
from llmspell_core.hooks import HookContext
from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest

if TYPE_CHECKING:
    from llmspell_core.agent import Agent
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.runner import Once
    from llmspell_core.runtime import Runtime


class AgentRuntime:
    """The runner of agents: every output is looked at, and a hand-off is followed.

    The deadline, the account and the policy of the run hold for all agents that take part.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is held open."""

    async def run(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext, once: Once
    ) -> AgentOutput:
        """Run an agent, then each one that control is handed to.

        Raises `agent.not_found` for an unknown target, `agent.handoff_limit`.
        """
        prepare = getattr(component, "prepare", None)
        if prepare is not None:
            # Its own hooks must be heard by this very run.
            await prepare(ctx)
        output = await once(component, input, ctx)
        names = [component.name]
        most = _most(component)
        while output.handoff_request is not None:
            if len(names) > most:
                raise AgentError(
                    f"more than {most} hand-offs: {' > '.join(names[-6:])}",
                    code="agent.handoff_limit",
                    hint="raise max_handoffs, or let one of these agents answer",
                    details={"agents": names},
                )
            request = output.handoff_request
            target = ctx.overlay.agents.get(request.target)
            await self._moment("before_agent_handoff", component, target, request, ctx)
            self._tell(component, target, request, ctx)
            output = await once(target, _input(request, input), ctx)
            await self._moment("after_agent_handoff", component, target, request, ctx)
            component = target
            names.append(target.name)
        if len(names) > 1:
            output.handoff = [*names[1:], *output.handoff]
        output.agent = output.agent or component.name
        return output

    @staticmethod
    def _tell(
        source: BaseAgent, target: Agent, request: HandoffRequest, ctx: ExecutionContext
    ) -> None:
        data = {
            "name": source.name,
            "id": source.id,
            "target": target.name,
            "reason": request.reason,
            "run_id": ctx.run_id,
        }
        ctx.events.emit(
            "agent.handoff", data, correlation_id=ctx.correlation_id, language=ctx.language
        )

    @staticmethod
    async def _moment(
        point: str,
        source: BaseAgent,
        target: Agent,
        request: HandoffRequest,
        ctx: ExecutionContext,
    ) -> None:
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


def _most(component: BaseAgent) -> int:
    config: Any = getattr(component, "config", None)
    return cast("int", getattr(config, "max_handoffs", DEFAULT_HANDOFFS))


def _input(request: HandoffRequest, first: AgentInput) -> AgentInput:
    """What the target gets: its own input, else what the first agent was given."""
    return first if request.input is None else AgentInput.of(request.input)
