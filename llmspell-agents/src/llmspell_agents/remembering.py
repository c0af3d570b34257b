"""What an agent keeps beside its conversation: facts by key, and saved states of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.carried import agent_state
from llmspell_core.errors import NotFoundError, StateError
from llmspell_core.messages import Message
from llmspell_core.sessions.info import now
from llmspell_core.state import StateView
from llmspell_core.state.scopes import scope_for
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_core.context import ExecutionContext

#: Older saved states are dropped.
MAX_SAVED = 50
_VERSION = 1


class Facts:
    """What one agent was told to remember: values by key, in the state store."""

    def __init__(self, name: str, ctx: ExecutionContext) -> None:
        self._view = StateView(ctx.runtime.store(), scope_for(ctx, "memory", name), ctx)

    async def remember(self, key: str, value: Any) -> None:
        """Keep a value."""
        await self._view.set(key, {"value": value, "at": now()})

    async def recall(self, key: str) -> Any:
        """The value of a key, or None."""
        found = await self._view.get(key)
        return found["value"] if found else None

    async def all(self) -> dict[str, Any]:
        """Every value by its key."""
        return {key: found["value"] for key, found in (await self._view.all()).items()}

    async def search(self, query: str, limit: int) -> list[dict[str, Any]]:
        """`{key, value, at}` of those whose key or text has words of the query, best first."""
        words = {word.lower() for word in query.split()}
        rows: list[tuple[int, str, dict[str, Any]]] = []
        for key, found in (await self._view.all()).items():
            text = f"{key} {as_text(found['value'])}".lower()
            score = sum(word in text for word in words)
            if score:
                rows.append((score, found["at"], {"key": key, **found}))
        rows.sort(key=lambda row: row[:2], reverse=True)
        return [row for _, _, row in rows[:limit]]

    async def forget(self, key: str | None) -> int:
        """Take one key away, or all of them; how many there were."""
        if key is None:
            return await self._view.clear()
        return int(await self._view.delete(key))


class SavedStates:
    """Snapshots of an agent's own conversation and state, numbered from 1."""

    def __init__(self, agent: Agent, ctx: ExecutionContext) -> None:
        self._agent = agent
        self._ctx = ctx
        self._view = StateView(ctx.runtime.store(), scope_for(ctx, "saved", agent.name), ctx)

    async def save(self) -> int:
        """Save the conversation and the state of now; the number of the snapshot."""
        messages = [one.model_dump(mode="json") for one in self._agent.history(self._ctx)]
        data = {
            "version": _VERSION,
            "at": now(),
            "messages": messages,
            "state": await agent_state(self._agent.name, self._ctx).all(),
        }
        keys = await self._view.keys()
        number = int(keys[-1]) + 1 if keys else 1
        await self._view.set(_key(number), data)
        for old in keys[: max(0, len(keys) + 1 - MAX_SAVED)]:
            await self._view.delete(old)
        return number

    async def load(self, number: int | None) -> bool:
        """Go back to a snapshot, by default the last one; False when nothing was saved.

        Raises `state.not_found` for a number that is not there, `state.version`.
        """
        keys = await self._view.keys()
        if number is None and not keys:
            return False
        data = await self._view.get(keys[-1] if number is None else _key(number))
        if data is None:
            known = ", ".join(str(int(key)) for key in keys)
            raise NotFoundError(
                f"agent {self._agent.name} has no saved state {number}",
                code="state.not_found",
                hint=f"there are {known}" if known else "nothing was saved",
            )
        if data.get("version") != _VERSION:
            raise StateError(
                "this state was saved by a newer llmspell",
                code="state.version",
                hint="update llmspell",
            )
        saved: dict[str, Any] = data["state"]

        async def replace(tx: Any) -> None:
            for key in await tx.keys():
                if key not in saved:
                    await tx.delete(key)
            for key, value in saved.items():
                tx.set(key, value)

        await agent_state(self._agent.name, self._ctx).transaction(replace)
        messages = [Message.model_validate(one) for one in data["messages"]]
        self._agent.talks.replace(messages, self._ctx)
        return True

    async def delete(self, number: int | None) -> int:
        """Delete one snapshot, or all; how many there were."""
        if number is None:
            return await self._view.clear()
        return int(await self._view.delete(_key(number)))

    async def history(self) -> list[dict[str, Any]]:
        """`{version, saved_at, messages, keys}` of each snapshot, oldest first: the counts."""
        return [
            {
                "version": int(key),
                "saved_at": data["at"],
                "messages": len(data["messages"]),
                "keys": len(data["state"]),
            }
            for key, data in (await self._view.all()).items()
        ]


def _key(number: int) -> str:
    return f"{number:08d}"
