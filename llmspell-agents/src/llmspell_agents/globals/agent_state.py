"""What scripts do with what an agent keeps: its state, its facts, saved states, contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from llmspell_agents.carried import agent_state
from llmspell_agents.contexts import contexts_of
from llmspell_agents.remembering import Facts, SavedStates
from llmspell_core.context import current
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.script.api import Result, ScriptObject, script_method
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_core.agent import Agent as CoreAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.state import StateView


class Query(ScriptModel):
    """Which facts are recalled."""

    query: str = Field(description="words that key or value have")
    limit: int = Field(10, ge=1, le=1000)


class AgentState(ScriptObject):
    """The methods of an agent in a script's hands that read and write what it keeps.

    All of it lies in the state store, by the agent's name: an agent without a name keeps
    nothing for the next run.
    """

    component: CoreAgent
    _session_ctx: ExecutionContext

    @property
    def _ctx(self) -> ExecutionContext:
        # Inside a callback the run that calls back: its deadline, account and trace hold.
        found = current()
        if found is not None and found.overlay is self._session_ctx.overlay:
            return found
        return self._session_ctx

    def _own(self) -> Agent:
        raise NotImplementedError

    @script_method
    async def get_state(self, key: str | None = None, default: Any = None) -> Any:
        """A value of the agent's own state, or all of it.

        Args:
            key: the key; without it the whole state
            default: what is given when the key is not set
        """
        state = self._state()
        return await state.all() if key is None else await state.get(key, default)

    @script_method
    async def set_state(self, key: str, value: Any = None) -> None:
        """Set a value of the agent's own state; nil deletes it.

        Args:
            key: the key
            value: any JSON value
        """
        await self._state().set(key, value)

    @script_method
    async def save_state(self) -> int:
        """Save its conversation and its state of now; the number of the saved state."""
        return await SavedStates(self._own(), self._ctx).save()

    @script_method
    async def load_state(self, version: int | None = None) -> bool:
        """Go back to a saved state; false when nothing was saved.

        Args:
            version: its number; the last one when left out
        """
        return await SavedStates(self._own(), self._ctx).load(version)

    @script_method
    async def delete_state(self, version: int | None = None) -> int:
        """Delete a saved state, or all of them; how many there were.

        Args:
            version: its number; all when left out
        """
        return await SavedStates(self._own(), self._ctx).delete(version)

    @script_method
    async def get_state_history(self) -> list[Any]:
        """The saved states, oldest first, as {version, saved_at, messages, keys}: counts."""
        return [Result(one) for one in await SavedStates(self._own(), self._ctx).history()]

    @script_method
    async def remember(self, key: str, value: Any) -> None:
        """Keep a fact for later runs.

        Args:
            key: what it is found by
            value: any JSON value
        """
        await self._facts().remember(key, value)

    @script_method
    async def recall(self, key: str | Query | None = None) -> Any:
        """A fact by its key, or nil; all facts; or the best of a search.

        A search gives {key, value, at}, those with most of the words first.

        Args:
            key: the key, or {query, limit}; all facts by key when left out
        """
        facts = self._facts()
        if key is None:
            return await facts.all()
        if isinstance(key, str):
            return await facts.recall(key)
        return [Result(one) for one in await facts.search(key.query, key.limit)]

    @script_method
    async def forget(self, key: str | None = None) -> int:
        """Forget a fact, or all of them; how many there were.

        Args:
            key: the key; all when left out
        """
        return await self._facts().forget(key)

    @script_method
    async def execute_with_context(self, input: Any, context: str) -> AgentOutput:
        """Answer in the conversation of a context, knowing its data.

        Args:
            input: as of execute
            context: the id that Agent.create_context gave
        """
        contexts_of(self._ctx).data(context)
        given = AgentInput.of(input).model_copy(update={"context": context})
        return await self.component.execute(given, self._ctx)

    def _state(self) -> StateView:
        return agent_state(self.component.name, self._ctx)

    def _facts(self) -> Facts:
        return Facts(self.component.name, self._ctx)
