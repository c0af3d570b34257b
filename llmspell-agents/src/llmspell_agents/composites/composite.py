"""`Composite`: an agent made of agents, by one of five strategies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from llmspell_agents.composites.config import CompositeConfig
from llmspell_agents.composites.consensus import consensus
from llmspell_agents.composites.dynamic import dynamic
from llmspell_agents.composites.hierarchical import check_leader, hierarchical
from llmspell_agents.composites.members import Work
from llmspell_agents.composites.parallel import parallel
from llmspell_agents.composites.sequential import sequential
from llmspell_core.adapters import component_of
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.schema import describe

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

_Run = Callable[[list[CoreAgent], AgentInput, CompositeConfig, Work], Awaitable[AgentOutput]]
_STRATEGIES: dict[str, _Run] = {
    "sequential": sequential,
    "parallel": parallel,
    "hierarchical": hierarchical,
    "consensus": consensus,
    "dynamic": dynamic,
}


class Composite(CoreAgent):
    """Answers by what its agents answer; `data` has all results.

    Its agents run inside its run: the same account, deadline, policy and approver hold.

    Args:
        name: its name
        agents: what it is made of
        options: how they work together
    """

    def __init__(self, name: str, agents: list[CoreAgent], options: CompositeConfig) -> None:
        about = options.description or f"{options.strategy}: {', '.join(a.name for a in agents)}"
        super().__init__(name, about)
        if not agents:
            raise ValidationError(f"{name}: a composite is made of at least one agent")
        names = [one.name for one in agents]
        twice = next((one for one in names if names.count(one) > 1), None)
        if twice:
            raise ValidationError(f'{name}: two of its agents are named "{twice}"')
        if options.strategy == "hierarchical":
            check_leader(agents)
        self.agents = agents
        self.options = options
        #: Read by the Runner: the deadline of a run.
        self.timeout_ms = options.timeout_ms
        found = [one for agent in agents for one in agent.capabilities]
        self.capabilities = tuple(dict.fromkeys(options.capabilities or found))

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        # Its agents have no part in a conversation that the caller may have.
        given = input.model_copy(update={"session": None})
        work = Work(self.name, self.options.strategy, ctx)
        return await _STRATEGIES[self.options.strategy](self.agents, given, self.options, work)


def create_composite(
    name: str, agents: list[Any], options: CompositeConfig, ctx: ExecutionContext
) -> Composite:
    """Make a composite and let its run tree find it by its name.

    Raises `agent.not_found`, `input.invalid`.

    Args:
        name: its name
        agents: agents, or names of agents
        options: how they work together
        ctx: the run
    """
    made = Composite(name, [_member(name, one, ctx) for one in agents], options)
    ctx.overlay.agents.register(name, made, source=ctx.language, replace=True)
    return made


def _member(name: str, given: Any, ctx: ExecutionContext) -> CoreAgent:
    if isinstance(given, str):
        return ctx.overlay.agents.get(given)
    found = component_of(given)
    if isinstance(found, CoreAgent):
        return found
    raise ValidationError(f"{name}: agents and their names are expected, not {describe(given)}")
