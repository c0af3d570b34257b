"""`Keeping`: what an agent keeps for later runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llmspell_agents.carried import agent_state
from llmspell_core.context import in_context

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_agents.remembering import Facts, SavedStates
    from llmspell_core.context import ExecutionContext


class Keeping:
    """Its state, its facts and its saved states, in the state store by the agent's name.

    An agent without a name keeps nothing for the next run. Without `ctx` the current run's
    context is used, else the default Runtime's.
    """

    name: str

    async def get_state(
        self, key: str | None = None, default: Any = None, ctx: ExecutionContext | None = None
    ) -> Any:
        """A value of its own state, `default` where it is not set; all of it without a key."""

        async def work(found: ExecutionContext) -> Any:
            state = agent_state(self.name, found)
            return await state.all() if key is None else await state.get(key, default)

        return await in_context(ctx, work)

    async def set_state(self, key: str, value: Any, ctx: ExecutionContext | None = None) -> None:
        """Set a value of its own state, any JSON value; None deletes it."""
        await in_context(ctx, lambda found: agent_state(self.name, found).set(key, value))

    async def remember(self, key: str, value: Any, ctx: ExecutionContext | None = None) -> None:
        """Keep a fact, any JSON value, for later runs."""
        await in_context(ctx, lambda found: self._facts(found).remember(key, value))

    async def recall(self, key: str | None = None, ctx: ExecutionContext | None = None) -> Any:
        """A fact by its key, or None; all facts by key without one."""

        async def work(found: ExecutionContext) -> Any:
            facts = self._facts(found)
            return await facts.all() if key is None else await facts.recall(key)

        return await in_context(ctx, work)

    async def search_facts(
        self, query: str, limit: int = 10, ctx: ExecutionContext | None = None
    ) -> list[dict[str, Any]]:
        """Facts with words of `query` in them, as `{key, value, at}`, the best first."""
        return await in_context(ctx, lambda found: self._facts(found).search(query, limit))

    async def forget(self, key: str | None = None, ctx: ExecutionContext | None = None) -> int:
        """Forget a fact, or all of them without a key; how many there were."""
        return await in_context(ctx, lambda found: self._facts(found).forget(key))

    async def save_state(self, ctx: ExecutionContext | None = None) -> int:
        """Save its conversation and its state of now; the number of the saved state."""
        return await in_context(ctx, lambda found: self._saved(found).save())

    async def load_state(
        self, version: int | None = None, ctx: ExecutionContext | None = None
    ) -> bool:
        """Go back to a saved state, by default the last one; False when nothing was saved.

        Raises `state.not_found`, `state.version`.
        """
        return await in_context(ctx, lambda found: self._saved(found).load(version))

    async def delete_state(
        self, version: int | None = None, ctx: ExecutionContext | None = None
    ) -> int:
        """Delete a saved state, or all of them; how many there were."""
        return await in_context(ctx, lambda found: self._saved(found).delete(version))

    async def get_state_history(self, ctx: ExecutionContext | None = None) -> list[dict[str, Any]]:
        """The saved states, oldest first, as `{version, saved_at, messages, keys}`: counts."""
        return await in_context(ctx, lambda found: self._saved(found).history())

    def _facts(self, ctx: ExecutionContext) -> Facts:
        from llmspell_agents.remembering import Facts

        return Facts(self.name, ctx)

    def _saved(self, ctx: ExecutionContext) -> SavedStates:
        from llmspell_agents.remembering import SavedStates

        return SavedStates(cast("Agent", self), ctx)
