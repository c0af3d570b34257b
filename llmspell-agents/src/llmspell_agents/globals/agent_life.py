"""What scripts do with the life of an agent: make it ready, hold it, stop it, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.batch import BatchOptions, run_batch
from llmspell_agents.globals.agent_state import AgentState
from llmspell_agents.globals.run_handle import ScriptRun
from llmspell_agents.runs import AgentRun
from llmspell_core.messages import AgentOutput
from llmspell_core.script.api import script_method

if TYPE_CHECKING:
    from llmspell_agents.lifecycle import LifeState


class AgentLife(AgentState):
    """The lifecycle methods of an agent in a script's hands; each gives the state it is in.

    The state is ready, paused, stopped, terminated or destroyed, and holds in this run only.
    """

    @script_method
    async def initialize(self) -> str:
        """Find its model and its tools now, not at the first run."""
        return await self._own().initialize(self._ctx)

    @script_method
    async def start(self, input: Any = None) -> Any:
        """Begin a run and go on at once; it is cancelled when the script ends before it.

        Without an input nothing is run: the agent takes runs again after stop() or terminate().

        Args:
            input: as of execute
        """
        if input is None:
            return self._own().revive(self._ctx)
        return ScriptRun(AgentRun(self.component, input, self._ctx))

    @script_method
    async def pause(self) -> str:
        """Hold its runs before their next model request, until resume(); deadlines go on."""
        return self._own().pause(self._ctx)

    @script_method
    async def resume(self, state: dict[str, Any] | None = None, approvals: Any = None) -> Any:
        """Let a paused run go on; every approved call is made once, whoever resumes how often.

        Without a state the runs that pause() holds go on.

        Args:
            state: the `state` of the paused output
            approvals: true, false, or a table of answers by the ids of the pending calls
        """
        return await self._own().resume(state, approvals, self._ctx)

    @script_method
    async def stop(self) -> str:
        """Take no more runs, and wait for those under way."""
        return await self._own().stop(self._ctx)

    @script_method
    async def terminate(self) -> str:
        """Take no more runs, and end those under way with agent.terminated."""
        return await self._own().terminate(self._ctx)

    @script_method
    async def recover(self) -> str:
        """Forget the last error, find model and tools anew, and take runs again."""
        return await self._own().recover(self._ctx)

    @script_method
    async def destroy(self) -> str:
        """End it for good: its runs, its conversation, its name; what it has saved stays."""
        return await self._own().destroy(self._ctx)

    @script_method
    async def batch(
        self, inputs: list[Any], options: BatchOptions | None = None
    ) -> list[AgentOutput]:
        """Answer many inputs, some at a time; the outputs stand in the order of the inputs.

        Args:
            inputs: each as of execute
            options: {concurrency, on_error, limits}
        """
        return await run_batch(self.component, inputs, options or BatchOptions.of({}), self._ctx)

    def life_state(self) -> LifeState:
        """The state it is in."""
        return self._own().life(self._ctx).state
