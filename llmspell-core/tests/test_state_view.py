"""State as scripts and components use it: updates, transactions, hooks, limits, scopes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import (
    HookError,
    LimitError,
    PolicyError,
    StateError,
    ValidationError,
)
from llmspell_core.globals.state import StateGlobal, StorageGlobal
from llmspell_core.runtime import Runtime
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile
from llmspell_core.state import StateView, Transaction, scope_for
from llmspell_core.state.memory import MemoryStore
from llmspell_core.state.sqlite import SqliteStore
from llmspell_core.state.values import decode, encode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def view() -> StateView:
    return StateView(MemoryStore(), "s")


def in_run(test: Callable[[ExecutionContext], Awaitable[None]], profile: str = "medium") -> None:
    async def main() -> None:
        settings: dict[str, Any] = {
            "state": {"backend": "memory"},
            "security": {"profile": profile},
        }
        async with Runtime(settings) as runtime:
            ctx = runtime.context(
                overlay=runtime.base.child(), state_scope="script:a.lua", language="lua"
            )
            await test(ctx)

    asyncio.run(main())


@given(json_values)
def test_any_json_value_comes_back_unchanged(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)


def test_set_get_delete_exists_keys_all() -> None:
    async def main() -> None:
        state = view()
        assert await state.get("a") is None
        assert await state.get("a", 7) == 7
        await state.set("a", {"x": [1]})
        await state.set("b", False)
        assert await state.get("a", 7) == {"x": [1]}
        assert await state.get("b", True) is False
        assert await state.exists("a")
        assert await state.keys() == ["a", "b"]
        assert await state.keys("b") == ["b"]
        assert await state.all() == {"a": {"x": [1]}, "b": False}
        assert await state.delete("a")
        assert not await state.delete("a")
        assert not await state.exists("a")
        assert await state.clear() == 1

    asyncio.run(main())


def test_setting_nil_deletes() -> None:
    async def main() -> None:
        state = view()
        await state.set("a", 1)
        await state.set("a", None)
        assert await state.all() == {}
        await state.update("a", lambda value: 1)
        await state.update("a", lambda value: None)
        assert await state.all() == {}

    asyncio.run(main())


@pytest.mark.parametrize("key", ["", "x" * 1025, None, 3])
def test_a_wrong_key_is_refused(key: Any) -> None:
    with pytest.raises(ValidationError, match="state key must be a text"):
        asyncio.run(view().set(key, 1))


def test_a_value_that_is_no_json_names_the_place() -> None:
    with pytest.raises(StateError) as caught:
        asyncio.run(view().set("a", {"list": [1, {"f": object()}]}))
    assert caught.value.code == "state.not_json"
    assert "a value of type object at list[1].f" in caught.value.message


def test_update_takes_sync_and_async_functions_and_hands_out_copies() -> None:
    async def main() -> None:
        state = view()
        given: list[Any] = []

        async def change(value: Any) -> Any:
            given.append(value)
            return [1]

        assert await state.update("a", change) == [1]
        assert given == [None]
        assert await state.update("a", lambda value: [*value, 2]) == [1, 2]

        def broken(value: list[int]) -> None:
            value.append(3)
            raise ValueError("oh no")

        with pytest.raises(ValueError, match="oh no"):
            await state.update("a", broken)
        assert await state.get("a") == [1, 2]

    asyncio.run(main())


def test_concurrent_updates_by_slow_functions_are_all_there(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "state.db")
        state = StateView(store, "s")

        async def add(value: Any) -> Any:
            await asyncio.sleep(0)
            return (value or 0) + 1

        await asyncio.gather(*(state.update("n", add) for _ in range(20)))
        assert await state.get("n") == 20
        await store.close()

    asyncio.run(main())


def test_an_update_that_never_gets_through_is_a_conflict() -> None:
    async def main() -> None:
        store = MemoryStore()
        state = StateView(store, "s")
        tries = []

        async def change(value: Any) -> Any:
            tries.append(value)
            await store.set("s", "a", len(tries))
            return "mine"

        with pytest.raises(StateError) as caught:
            await state.update("a", change)
        assert caught.value.code == "state.conflict"
        assert caught.value.retryable
        assert tries == [None, *range(1, 16)]
        assert await state.get("a") == 16

    asyncio.run(main())


def test_increment() -> None:
    async def main() -> None:
        state = view()
        assert await state.increment("n") == 1
        assert await state.increment("n", 2.5) == 3.5
        await state.set("t", "text")
        with pytest.raises(StateError) as caught:
            await state.increment("t")
        assert caught.value.code == "state.not_a_number"

    asyncio.run(main())


def test_a_transaction_writes_all_or_nothing() -> None:
    async def main() -> None:
        state = view()
        await state.set("from", 10)
        await state.set("gone", 1)

        async def move(tx: Transaction) -> str:
            tx.set("from", await tx.get("from") - 3)
            tx.set("to", await tx.get("to", 0) + 3)
            assert await tx.get("from") == 7
            assert await tx.delete("gone")
            assert not await tx.exists("gone")
            assert await tx.keys() == ["from", "to"]
            assert await state.get("from") == 10
            return "moved"

        assert await state.transaction(move) == "moved"
        assert await state.all() == {"from": 7, "to": 3}

        async def fail(tx: Transaction) -> None:
            tx.set("from", 0)
            raise ValueError("oh no")

        with pytest.raises(ValueError, match="oh no"):
            await state.transaction(fail)
        assert await state.get("from") == 7

    asyncio.run(main())


def test_a_transaction_is_repeated_when_what_it_read_was_changed() -> None:
    async def main() -> None:
        state = view()
        seen = []

        async def work(tx: Transaction) -> None:
            seen.append(await tx.get("read", "nothing"))
            if len(seen) == 1:
                await state.set("read", "changed")
            tx.set("out", seen[-1])

        await state.transaction(work)
        assert seen == ["nothing", "changed"]
        assert await state.get("out") == "changed"

        async def never(tx: Transaction) -> None:
            await state.set("read", await tx.get("read") + "!")
            tx.set("out", 1)

        with pytest.raises(StateError) as caught:
            await state.transaction(never)
        assert caught.value.code == "state.conflict"

    asyncio.run(main())


def test_a_transaction_gives_copies_and_ends_with_its_function() -> None:
    async def main() -> None:
        state = view()
        await state.set("a", [1])
        kept = []

        async def work(tx: Transaction) -> None:
            kept.append(tx)
            (await tx.get("a")).append(2)
            assert await tx.get("a") == [1]
            value = [3]
            tx.set("b", value)
            value.append(4)
            (await tx.get("b")).append(5)

        await state.transaction(work)
        assert await state.all() == {"a": [1], "b": [3]}
        for use in (lambda: kept[0].get("a"), kept[0].keys):
            with pytest.raises(StateError) as caught:
                await use()
            assert caught.value.code == "state.transaction_ended"
        with pytest.raises(StateError):
            kept[0].set("a", 1)

    asyncio.run(main())


def test_a_change_is_told_to_subscribers() -> None:
    async def test(ctx: ExecutionContext) -> None:
        await ctx.state.set("a", 1)
        await ctx.state.delete("a")
        await ctx.state.delete("a")
        await ctx.state.increment("n")
        await ctx.state.transaction(lambda tx: tx.set("t", 1))
        told = [(e.data["key"], e.data["operation"]) for e in ctx.events.history("state.changed")]
        assert told == [("a", "set"), ("a", "delete"), ("n", "set"), ("t", "set")]
        event = ctx.events.history()[0]
        assert (event.source, event.language) == ("llmspell", "lua")
        assert event.data["scope"] == "script:a.lua"
        assert event.correlation_id == ctx.correlation_id

    in_run(test)


def test_hooks_see_change_and_refuse_changes() -> None:
    async def test(ctx: ExecutionContext) -> None:
        seen: list[Any] = []
        await ctx.state.set("a", 1)

        def hook(found: Any) -> Any:
            seen.append((found.operation, found.state["old_value"], found.state["new_value"]))
            return answers.pop(0) if answers else None

        answers: list[Any] = []
        ctx.hooks.register("state_change", hook)
        await ctx.state.set("a", 2)
        await ctx.state.delete("a")
        assert seen == [("set", 1, 2), ("delete", 2, None)]

        answers.append({"type": "modified", "data": {"input": "changed"}})
        await ctx.state.set("a", 3)
        assert await ctx.state.get("a") == "changed"

        answers.append({"type": "cancel", "reason": "not now"})
        with pytest.raises(HookError, match="not now") as caught:
            await ctx.state.update("a", lambda value: 4)
        assert caught.value.code == "hook.cancelled"
        answers.append("cancel")
        with pytest.raises(HookError):
            await ctx.state.transaction(lambda tx: tx.set("a", 5))
        answers.append({"type": "replace"})
        await ctx.state.set("a", 6)
        answers.append({"type": "replace"})
        assert await ctx.state.update("a", lambda value: 7) == "changed"
        answers.append({"type": "replace"})
        assert not await ctx.state.delete("a")
        assert await ctx.state.get("a") == "changed"

    in_run(test)


def test_limits_of_one_value_and_of_a_scope() -> None:
    profile = SecurityProfile.custom("small").limit(value_mb=1, value_depth=4, state_mb=1).build()

    async def test(outer: ExecutionContext) -> None:
        here = Path.cwd()
        policy = Policy(profile, project=here, cwd=here, audit=None, redactor=None)
        ctx = outer.child(policy=policy)
        with pytest.raises(LimitError) as caught:
            await ctx.state.set("a", "x" * (1 << 20))
        assert caught.value.code == "limit.value_size"
        with pytest.raises(LimitError) as caught:
            await ctx.state.set("a", [[[[[1]]]]])
        assert caught.value.code == "limit.value_depth"
        half = "x" * (600 << 10)
        await ctx.state.set("a", half)
        with pytest.raises(LimitError) as caught:
            await StateView(ctx.state.store, scope_for(ctx, "agent", "b"), ctx).set("b", half)
        assert caught.value.code == "limit.state_size"
        await ctx.state.delete("a")
        await ctx.state.set("b", half)

    in_run(test)


def test_scopes_lie_with_the_script_unless_they_are_shared() -> None:
    async def test(ctx: ExecutionContext) -> None:
        assert scope_for(ctx, "global") == "global"
        assert scope_for(ctx, "user") == "user"
        assert scope_for(ctx, "session") == "script:a.lua#session"
        assert scope_for(ctx.child(session_id="7"), "session") == "session:7"
        assert scope_for(ctx, "agent") == "script:a.lua#agent"
        assert scope_for(ctx, "agent", "writer") == "script:a.lua#agent:writer"
        assert scope_for(ctx, "mine") == "script:a.lua#custom:mine"
        assert scope_for(ctx, "script:b.lua") == "script:a.lua#custom:script:b.lua"

    in_run(test)


@pytest.mark.parametrize("scope", ["global", "user", "session"])
def test_high_keeps_a_script_in_its_own_scope(scope: str) -> None:
    async def test(ctx: ExecutionContext) -> None:
        with pytest.raises(PolicyError) as caught:
            scope_for(ctx, scope)
        assert caught.value.code == "policy.state_scope"
        await ctx.state.set("a", 1)
        assert scope_for(ctx, "tool", "t").startswith("script:a.lua#")

    in_run(test, "high")


def test_the_global_reaches_every_scope() -> None:
    async def test(ctx: ExecutionContext) -> None:
        state = StateGlobal(ctx)
        await state.set("k", "own")
        for scope in ("global", "session", "agent", "workflow", "tool", "user", "custom", "mine"):
            await state.save(scope, "k", scope)
            assert await state.load(scope, "k") == scope
            assert await state.list_keys(scope) == ["k"]
            assert await state.load(scope, "missing", 7) == 7
        await state.agent_set("a", "k", 1)
        await state.workflow_set("a", "k", 2)
        await state.tool_set("a", "k", 3)
        assert [
            await state.agent_get("a", "k"),
            await state.workflow_get("a", "k"),
            await state.tool_get("a", "k"),
            await state.tool_get("b", "k", 4),
        ] == [1, 2, 3, 4]
        assert await state.delete("mine", "k")
        assert not await state.delete("mine", "k")
        assert await state.all() == {"k": "own"}
        assert await state.delete("k")

    in_run(test)


def test_storage_is_kept_when_state_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMSPELL_SYSTEM__DATA_DIR", str(tmp_path / "data"))

    async def main(write: bool) -> tuple[Any, Any]:
        settings = {
            "state": {"backend": "memory"},
            "system": {"data_dir": str(tmp_path / "data")},
        }
        async with Runtime(settings) as runtime:
            ctx = runtime.context(state_scope="script:a.lua")
            if write:
                await StateGlobal(ctx).set("k", 1)
                await StorageGlobal(ctx).set("k", 1)
            return await StateGlobal(ctx).get("k"), await StorageGlobal(ctx).get("k")

    assert asyncio.run(main(write=True)) == (1, 1)
    assert asyncio.run(main(write=False)) == (None, 1)
