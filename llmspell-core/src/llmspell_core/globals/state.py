"""The script globals `State` and `Storage`: values that outlive a call, and a run."""

from __future__ import annotations

from typing import Any

from llmspell_core.script.api import ScriptFunction, ScriptGlobal, script_method
from llmspell_core.state import StateStore, StateView, Transaction, scope_for


class StateGlobal(ScriptGlobal):
    """JSON values by key, kept in the script's own scope unless a scope is named.

    Values come back as copies; setting nil deletes. Scopes: `global`, `session`, `user` where
    the security profile allows them, `agent`, `workflow`, `tool`, `custom`, or any name.
    """

    name = "State"
    objects = (Transaction,)

    def _store(self) -> StateStore:
        return self.ctx.runtime.store()

    def _own(self) -> StateView:
        return StateView(self._store(), self.ctx.state_scope, self.ctx)

    def _in(self, scope: str, id: str | None = None) -> StateView:
        return StateView(self._store(), scope_for(self.ctx, scope, id), self.ctx)

    @script_method
    async def get(self, key: str, default: Any = None) -> Any:
        """The value of a key.

        Args:
            key: the key
            default: what to return when the key is not there
        """
        return await self._own().get(key, default)

    @script_method
    async def set(self, key: str, value: Any = None) -> None:
        """Store a value; nil deletes the key.

        Args:
            key: the key
            value: text, a number, a boolean, or a table of these
        """
        await self._own().set(key, value)

    @script_method
    async def delete(self, key: str, scoped_key: str | None = None) -> bool:
        """Delete a key; whether it was there. With two arguments: a scope and a key in it.

        Args:
            key: the key, or the scope
            scoped_key: the key in that scope
        """
        if scoped_key is not None:
            return await self._in(key).delete(scoped_key)
        return await self._own().delete(key)

    @script_method
    async def exists(self, key: str) -> bool:
        """Whether a key is there.

        Args:
            key: the key
        """
        return await self._own().exists(key)

    @script_method
    async def keys(self, prefix: str = "") -> list[str]:
        """The keys, sorted.

        Args:
            prefix: only those that begin with it
        """
        return await self._own().keys(prefix)

    @script_method
    async def all(self) -> dict[str, Any]:
        """Every key with its value."""
        return await self._own().all()

    @script_method
    async def update(self, key: str, fn: ScriptFunction) -> Any:
        """Set a key to what a function makes of its value; the new value.

        Nothing is locked: when somebody else changes the key meanwhile, the function is called
        again with the newer value.

        Args:
            key: the key
            fn: gets the value or nil, returns the new one
        """
        return await self._own().update(key, fn)

    @script_method
    async def increment(self, key: str, n: float | int = 1) -> float | int:
        """Add to a number, which is 0 when missing; the new value.

        Args:
            key: the key
            n: how much to add
        """
        return await self._own().increment(key, n)

    @script_method
    async def transaction(self, fn: ScriptFunction) -> Any:
        """Read and change several keys together; gives what the function returns.

        The function gets an object with get, set, delete, exists and keys. Its changes are made
        when it returns, all or none; when something it read was changed by others, it is called
        again. When it throws, nothing is changed.

        Args:
            fn: does the work
        """
        return await self._own().transaction(fn)

    @script_method
    async def save(self, scope: str, key: str, value: Any = None) -> None:
        """Store a value in a named scope; nil deletes the key.

        Args:
            scope: global, session, user, agent, workflow, tool, custom or a name of your own
            key: the key
            value: text, a number, a boolean, or a table of these
        """
        await self._in(scope).set(key, value)

    @script_method
    async def load(self, scope: str, key: str, default: Any = None) -> Any:
        """The value of a key in a named scope.

        Args:
            scope: the scope
            key: the key
            default: what to return when the key is not there
        """
        return await self._in(scope).get(key, default)

    @script_method
    async def list_keys(self, scope: str, prefix: str = "") -> list[str]:
        """The keys of a named scope, sorted.

        Args:
            scope: the scope
            prefix: only those that begin with it
        """
        return await self._in(scope).keys(prefix)

    @script_method
    async def agent_get(self, id: str, key: str, default: Any = None) -> Any:
        """A value kept for one agent.

        Args:
            id: the agent's name or id
            key: the key
            default: what to return when the key is not there
        """
        return await self._in("agent", id).get(key, default)

    @script_method
    async def agent_set(self, id: str, key: str, value: Any = None) -> None:
        """Keep a value for one agent; nil deletes it.

        Args:
            id: the agent's name or id
            key: the key
            value: what to keep
        """
        await self._in("agent", id).set(key, value)

    @script_method
    async def workflow_get(self, id: str, key: str, default: Any = None) -> Any:
        """A value kept for one workflow.

        Args:
            id: the workflow's name or id
            key: the key
            default: what to return when the key is not there
        """
        return await self._in("workflow", id).get(key, default)

    @script_method
    async def workflow_set(self, id: str, key: str, value: Any = None) -> None:
        """Keep a value for one workflow; nil deletes it.

        Args:
            id: the workflow's name or id
            key: the key
            value: what to keep
        """
        await self._in("workflow", id).set(key, value)

    @script_method
    async def tool_get(self, id: str, key: str, default: Any = None) -> Any:
        """A value kept for one tool.

        Args:
            id: the tool's name
            key: the key
            default: what to return when the key is not there
        """
        return await self._in("tool", id).get(key, default)

    @script_method
    async def tool_set(self, id: str, key: str, value: Any = None) -> None:
        """Keep a value for one tool; nil deletes it.

        Args:
            id: the tool's name
            key: the key
            value: what to keep
        """
        await self._in("tool", id).set(key, value)


class StorageGlobal(StateGlobal):
    """The same as `State`, always on a store that outlives the process."""

    name = "Storage"

    def _store(self) -> StateStore:
        return self.ctx.runtime.persistent_store()
