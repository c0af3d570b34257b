"""Sessions: made, found, held by one run at a time, appended to and never rewritten."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import (
    HookError,
    LimitError,
    LLMSpellError,
    NotFoundError,
    PolicyError,
    StateError,
    ValidationError,
)
from llmspell_core.hooks import HookContext
from llmspell_core.runtime import Runtime
from llmspell_core.sessions.lease import Lease
from llmspell_core.sessions.sessions import log_scope
from llmspell_core.state.sqlite import SqliteStore


def settings(folder: Path | None = None, **sessions: Any) -> dict[str, Any]:
    state = {"backend": "sqlite", "url": str(folder / "s.db")} if folder else {"backend": "memory"}
    return {"state": state, "sessions": sessions}


def of_script(runtime: Runtime, name: str) -> ExecutionContext:
    return runtime.context(overlay=runtime.base.child(), state_scope=f"script:{name}")


def test_a_session_is_made_found_changed_and_deleted() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            ctx, sessions = of_script(runtime, "a.lua"), runtime.sessions
            made = await sessions.create(ctx, "trip", name="Trip", tags=["x"])
            assert (made.id, made.status, made.turns) == ("trip", "active", 0)
            await sessions.change("trip", ctx, metadata={"a": 1})
            found = await sessions.get("trip", ctx)
            assert found.metadata == {"a": 1}
            assert found.updated_at > found.created_at == made.created_at
            assert await sessions.delete("trip", ctx)
            assert not await sessions.delete("trip", ctx)
            with pytest.raises(NotFoundError):
                await sessions.get("trip", ctx)

    asyncio.run(main())


@pytest.mark.parametrize("wrong", ["", "a b", "../x", "é", "x" * 129, "-x", None, 7])
def test_an_id_must_be_one(wrong: Any) -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            with pytest.raises(ValidationError, match="session id"):
                await runtime.sessions.get(wrong, runtime.context())

    asyncio.run(main())


def test_an_id_is_given_once_and_a_completed_session_is_closed() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            ctx = runtime.context()
            await runtime.sessions.create(ctx, "s")
            with pytest.raises(StateError) as caught:
                await runtime.sessions.create(ctx, "s")
            assert caught.value.code == "session.exists"
            done = await runtime.sessions.complete("s", ctx)
            assert done.status == "completed"
            with pytest.raises(StateError) as caught:
                await runtime.sessions.open("s", ctx)
            assert caught.value.code == "session.completed"

    asyncio.run(main())


def test_the_list_begins_with_the_one_used_last() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            ctx, sessions = runtime.context(), runtime.sessions
            for name in ("a", "b", "c"):
                await sessions.create(ctx, name, tags=[name])
            await sessions.turn_done("a", "  hello\n there ")
            await sessions.complete("b", ctx)
            assert [one.id for one in await sessions.list(ctx)] == ["b", "a", "c"]
            assert [one.id for one in await sessions.list(ctx, status="active")] == ["a", "c"]
            assert [one.title for one in await sessions.list(ctx, tag="a")] == ["hello there"]
            assert len(await sessions.list(ctx, limit=2)) == 2

    asyncio.run(main())


def test_a_script_does_not_see_the_sessions_of_another_one() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            mine, other = of_script(runtime, "a.lua"), of_script(runtime, "b.lua")
            sessions = runtime.sessions
            await sessions.create(mine, "private")
            await sessions.create(mine, "shared", shared=True)
            assert [one.id for one in await sessions.list(other)] == ["shared"]
            calls: list[Any] = [sessions.get, sessions.open, sessions.complete, sessions.delete]
            for call in calls:
                with pytest.raises(PolicyError) as caught:
                    await call("private", other)
                assert caught.value.code == "policy.session"
            # Whoever runs the command may name it.
            assert await sessions.get("private", other.child(session_id="private"))

    asyncio.run(main())


def test_a_strict_profile_shares_no_sessions() -> None:
    async def main() -> None:
        strict = {**settings(), "security": {"profile": "high"}}
        async with Runtime(strict) as runtime:
            await runtime.sessions.create(of_script(runtime, "a.lua"), "shared", shared=True)
            assert await runtime.sessions.list(of_script(runtime, "b.lua")) == []

    asyncio.run(main())


def test_an_info_has_a_bounded_size() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            with pytest.raises(LimitError):
                await runtime.sessions.create(runtime.context(), metadata={"x": "y" * 70_000})

    asyncio.run(main())


def test_hooks_are_told_of_the_begin_and_the_end() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            seen: list[tuple[str, str | None, str | None]] = []

            def note(ctx: HookContext) -> None:
                seen.append((ctx.point, ctx.operation, ctx.component_id))

            for point in ("session_start", "session_end"):
                runtime.base.hooks.register(point, note)
            first, second = of_script(runtime, "a.lua"), of_script(runtime, "a.lua")
            await runtime.sessions.create(first, "s")
            await runtime.sessions.open("s", first)
            await runtime.sessions.open("s", second)
            await runtime.sessions.open("s", second)
            await runtime.sessions.complete("s", second)
            await runtime.sessions.delete("s", second)
            assert seen == [
                ("session_start", "create", "s"),
                ("session_start", "resume", "s"),
                ("session_end", "complete", "s"),
                ("session_end", "delete", "s"),
            ]

    asyncio.run(main())


def test_a_hook_may_refuse_a_session() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            runtime.base.hooks.register("session_start", lambda ctx: "cancel")
            with pytest.raises(HookError, match="refused"):
                await runtime.sessions.create(runtime.context(), "s")
            assert await runtime.sessions.list(runtime.context()) == []

    asyncio.run(main())


def test_one_run_at_a_time_and_a_second_waits_or_is_told() -> None:
    async def main() -> None:
        async with Runtime(settings(wait_ms=150)) as runtime:
            ctx, order = runtime.context(), []
            await runtime.sessions.create(ctx, "s")

            async def work(name: str, seconds: float) -> None:
                async with runtime.sessions.hold("s", ctx):
                    order.append(f"{name} in")
                    await asyncio.sleep(seconds)
                    order.append(f"{name} out")

            await asyncio.gather(work("a", 0.05), work("b", 0))
            assert order == ["a in", "a out", "b in", "b out"]
            begun = time.monotonic()
            results = await asyncio.gather(work("a", 0.6), work("b", 0), return_exceptions=True)
            assert isinstance(results[1], StateError)
            assert results[1].code == "session.busy"
            assert results[1].retryable
            assert time.monotonic() - begun < 5

    asyncio.run(main())


def test_a_run_that_holds_a_session_may_use_it_again() -> None:
    async def main() -> None:
        async with Runtime(settings(wait_ms=0)) as runtime:
            ctx = runtime.context()
            await runtime.sessions.create(ctx, "s")
            async with runtime.sessions.hold("s", ctx) as outer:
                async with runtime.sessions.hold("s", ctx) as inner:
                    assert inner is outer
                with pytest.raises(StateError) as caught:
                    await runtime.sessions.delete("s", ctx)
                assert caught.value.code == "session.busy"
            assert await runtime.sessions.delete("s", ctx)

    asyncio.run(main())


def test_two_runtimes_wait_for_each_other_through_the_store(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            one, two = [
                await stack.enter_async_context(Runtime(settings(tmp_path, wait_ms=5000)))
                for _ in range(2)
            ]
            await one.sessions.create(one.context(), "s")

            async def count(runtime: Runtime) -> None:
                for _ in range(10):
                    async with runtime.sessions.hold("s", runtime.context()) as hold:
                        await hold.append({"kind": "n", "n": len(hold.log.records)})

            await asyncio.gather(count(one), count(two))
            records = await one.sessions.log("s").refresh()
            assert [record["n"] for record in records] == list(range(20))

    asyncio.run(main())


def test_many_records_are_read_in_the_order_they_were_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(settings(tmp_path)) as runtime:
            await runtime.sessions.create(runtime.context(), "s")
            async with runtime.sessions.hold("s", runtime.context()) as hold:
                for number in range(30):
                    await hold.append({"kind": "n", "n": number})
        async with Runtime(settings(tmp_path)) as runtime:
            records = await runtime.sessions.log("s").refresh()
            assert [record["n"] for record in records] == list(range(30))
            assert all(record["version"] == 1 and record["at"] for record in records)

    asyncio.run(main())


def test_a_session_that_was_deleted_and_made_again_is_empty(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            one, two = [
                await stack.enter_async_context(Runtime(settings(tmp_path))) for _ in range(2)
            ]
            for runtime, number in ((one, 1), (two, 2)):
                ctx = runtime.context()
                await runtime.sessions.open("s", ctx)
                async with runtime.sessions.hold("s", ctx) as hold:
                    await hold.append({"kind": "n", "n": number})
                if runtime is one:
                    await two.sessions.log("s").refresh()
                    await one.sessions.delete("s", ctx)
            records = await one.sessions.log("s").refresh()
            assert [record["n"] for record in records] == [2]
            assert [record["n"] for record in two.sessions.log("s").records] == [2]

    asyncio.run(main())


def test_records_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(settings(tmp_path)) as runtime:
            await runtime.sessions.create(runtime.context(), "s")
            async with runtime.sessions.hold("s", runtime.context()) as hold:
                await hold.append({"kind": "n"})
            scope = log_scope("s")
            record, _ = await runtime.store().get(scope, "0000000001")
            await runtime.store().set(scope, "0000000001", {**record, "version": 2})
        async with Runtime(settings(tmp_path)) as runtime:
            with pytest.raises(StateError) as caught:
                await runtime.sessions.log("s").refresh()
            assert caught.value.code == "session.version"

    asyncio.run(main())


def test_whoever_lost_the_session_writes_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(settings(tmp_path)) as runtime:
            await runtime.sessions.create(runtime.context(), "s")
            async with runtime.sessions.hold("s", runtime.context()) as hold:
                await hold.append({"kind": "n"})
                # As another machine does when it has heard nothing for too long.
                await runtime.store().set(log_scope("s"), "lease", {"holder": "other"})
                for _ in range(2):
                    with pytest.raises(StateError) as caught:
                        await hold.append({"kind": "n"})
                    assert caught.value.code == "session.lost"
            found, _ = await runtime.store().get(log_scope("s"), "lease")
            assert found == {"holder": "other"}
            assert len(await runtime.sessions.log("s").refresh()) == 1

    asyncio.run(main())


def test_a_lease_is_renewed_and_one_of_a_silent_machine_is_taken_over(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "s.db")
        elsewhere = {"holder": "x", "place": "another machine", "pid": 1, "lease_ms": 300}
        await store.set("s", "lease", elsewhere)
        lease = Lease(store, "s", "s", 1000)
        with pytest.raises(StateError):
            await lease.take(0.1)
        await lease.take(5)
        first = lease.version
        await asyncio.sleep(0.8)
        assert lease.version not in (0, first)
        rival = Lease(store, "s", "s", 1000)
        with pytest.raises(StateError):
            await rival.take(1.2)
        await lease.release()
        await rival.take(0)
        await rival.release()
        await store.close()

    asyncio.run(main())


_HOLDER = """
import asyncio, sys
from llmspell_core.runtime import Runtime

async def main():
    settings = {"state": {"backend": "sqlite", "url": sys.argv[1]}}
    async with Runtime(settings) as runtime:
        ctx = runtime.context()
        await runtime.sessions.open("s", ctx)
        async with runtime.sessions.hold("s", ctx) as hold:
            await hold.append({"kind": "n"})
            print("held", flush=True)
            await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_process_does_not_keep_its_session(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "s.db")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"

    async def enter(wait_ms: float) -> LLMSpellError | None:
        async with Runtime(settings(tmp_path)) as runtime:
            ctx = runtime.context()
            try:
                async with runtime.sessions.hold("s", ctx, wait_ms=wait_ms) as hold:
                    await hold.append({"kind": "n"})
                    return None
            except LLMSpellError as error:
                return error

    try:
        refused = asyncio.run(enter(100))
        assert refused is not None
        assert refused.code == "session.busy"
        assert str(holder.pid) in refused.message
        holder.kill()
        # At once, not after its lease: nobody has looked after the dead process yet.
        assert asyncio.run(enter(1000)) is None
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_full_session_says_so() -> None:
    async def main() -> None:
        async with Runtime(settings()) as runtime:
            await runtime.sessions.create(runtime.context(), "s")
            async with runtime.sessions.hold("s", runtime.context()) as hold:
                hold.log.check_room(1)
                await hold.append({"kind": "n", "x": "y" * (1 << 20)})
                with pytest.raises(LimitError) as caught:
                    hold.log.check_room(1)
                assert caught.value.code == "session.full"
                hold.log.check_room(0)

    asyncio.run(main())
