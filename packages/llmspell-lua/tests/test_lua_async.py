"""`Async` in Lua: tasks, promises, queues, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

TOOL = manifest("Tool", "slow", "keep")


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def slow(value: Any, ms: float = 5) -> Any:
            await asyncio.sleep(ms / 1000)
            return value

        async def main() -> Any:
            async with engine_host(
                "llmspell_lua.guest",
                request.param,
                requires=("lupa", "llmspell_lua"),
                **{"globals": [TOOL], **options},
            ) as host:
                host.methods["Tool.slow"] = slow
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- tasks ---------------------------------------------------------------------------------------


def test_a_task_gives_all_values_its_status_and_its_error(play: Callable[..., Any]) -> None:
    source = """
        local t = Async.spawn(function(a, b) Async.sleep(1) return a, b, nil end, 1, 2)
        local before = t:status()
        local n = select("#", t:await())
        local f = Async.spawn(error, "x", 0)
        local ok, e = pcall(f.await, f)
        return {before, n, t:status(), ok, e, f:status(), tostring(t), (select(2, Async.await(t)))}
    """
    assert play(source) == ["running", 3, "done", False, "x", "failed", "task(done)", 2]


def test_cancelling_a_task_raises_where_it_waits(play: Callable[..., Any]) -> None:
    source = """
        local seen
        local t = Async.spawn(function()
          local ok, e = pcall(Async.sleep, 60000)
          seen = e.code
          error(e, 0)
        end)
        Async.yield()
        local first, again = t:cancel(), nil
        local ok, e = pcall(t.await, t)
        return {first, ok, e.code, seen, t:status(), t:cancel()}
    """
    assert play(source) == [True, False, "cancelled", "cancelled", "cancelled", False]


def test_a_task_cancelled_before_it_begins_never_runs(play: Callable[..., Any]) -> None:
    source = """
        local ran = false
        local t = Async.spawn(function() ran = true end)
        t:cancel()
        local ok, e = pcall(t.await, t)
        return {ran, ok, e.code}
    """
    assert play(source) == [False, False, "cancelled"]


def test_ten_thousand_tasks_are_no_burden(play: Callable[..., Any]) -> None:
    source = """
        local ts, sum = {}, 0
        for i = 1, 10000 do ts[i] = Async.spawn(function() Async.yield() return i end) end
        for i = 1, 10000 do sum = sum + ts[i]:await() end
        return sum
    """
    assert play(source) == 50005000


def test_the_number_of_tasks_is_bounded(play: Callable[..., Any]) -> None:
    source = """
        local made = 0
        local ok, e = pcall(function()
          while true do Async.spawn(Async.sleep, 1) made = made + 1 end
        end)
        return {e.code, made}
    """
    assert play(source, limits={"tasks": 10}) == ["limit.tasks", 9]
    many = "local t = {} for i = 1, 20 do t[i] = function() Async.sleep(1) end end Async.all(t)"
    assert failing(play, many, limits={"tasks": 10}).code == "limit.tasks"
    assert (
        play(many.replace("all(t)", "all(t, {concurrency = 5}) return 1"), limits={"tasks": 10})
        == 1
    )


# -- several at once -----------------------------------------------------------------------------


def test_all_keeps_the_order_and_the_keys(play: Callable[..., Any]) -> None:
    source = """
        local list = Async.all{
          function() return Tool.slow(1, 20) end, Async.spawn(Tool.slow, 2, 1),
          Async.promise(function(resolve) resolve(3) end), 4,
        }
        local map = Async.all{
          a = function() return Tool.slow("x") end, b = Async.spawn(Tool.slow, "y")}
        return {list, map, Async.all{}}
    """
    assert play(source) == [[1, 2, 3, 4], {"a": "x", "b": "y"}, []]


def test_all_throws_the_first_error_and_cancels_what_it_started(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        value = await host.run(
            "local ended = false"
            " local ok, e = pcall(Async.all, {function() Async.sleep(60000) ended = true end,"
            " function() Async.sleep(1) error('first', 0) end})"
            " return {ok, e, ended}"
        )
        assert host.cancelled
        await host.wait_idle()
        assert host.failures == []
        return value

    assert play(body) == [False, "first", False]


def test_all_settled_collects_errors_as_objects(play: Callable[..., Any]) -> None:
    source = """
        local r = Async.all_settled{function() return 1 end, function() error("no") end,
          function() error{code = "c", message = "m"} end}
        return {r[1], r[2].success, r[2].error.code, r[2].error.message, r[2].error.source,
          tostring(r[2].error), r[3].error.code}
    """
    assert play(source) == [
        {"success": True, "value": 1}, False, "script.error", "no", "spell.lua:2",
        "spell.lua:2: no", "c",
    ]  # fmt: skip


def test_race_gives_the_first_and_cancels_the_functions_it_started(
    play: Callable[..., Any],
) -> None:
    source = """
        local kept = Async.spawn(function() Async.sleep(40) return "kept" end)
        local first = Async.race{
          function() Async.sleep(60000) end, function() return Tool.slow("fast", 1) end, kept}
        local ok, e = pcall(Async.race, {
          function() error("lost", 0) end, function() Async.sleep(60000) end})
        return {first, ok, e, kept:await()}
    """
    assert play(source) == ["fast", False, "lost", "kept"]


def test_concurrency_is_bounded_where_asked(play: Callable[..., Any]) -> None:
    source = """
        local running, most = 0, 0
        local t = {}
        for i = 1, 9 do
          t[i] = function()
            running = running + 1
            most = math.max(most, running)
            Async.sleep(2)
            running = running - 1
            return i
          end
        end
        local r = Async.all(t, {concurrency = 3})
        return {most, #r, r[9]}
    """
    assert play(source) == [3, 9, 9]
    for option in ("{concurrency = 0}", "{concurency = 1}", "1"):
        assert failing(play, f"Async.all({{print}}, {option})").code == "input.invalid"


def test_a_cancelled_waiter_cancels_what_it_started(play: Callable[..., Any]) -> None:
    source = """
        local inner
        local t = Async.spawn(function()
          Async.all{function()
            local _, e = pcall(Async.sleep, 60000)
            inner = e.code
          end}
        end)
        Async.sleep(5)
        t:cancel()
        pcall(t.await, t)
        Async.yield()
        return inner
    """
    assert play(source) == "cancelled"


# -- time ----------------------------------------------------------------------------------------


def test_timeout_ends_a_wait_and_passes_values_otherwise(play: Callable[..., Any]) -> None:
    source = """
        local ok, e = pcall(Async.timeout, 10, function() Async.sleep(60000) end)
        return {ok, e.code, e.retryable, tostring(e), Async.timeout(60000, Tool.slow, "v"),
          select(2, pcall(Async.timeout, 60000, error, "own", 0))}
    """
    assert play(source) == [
        False, "timeout", True, "spell.lua:2: timed out after 10 ms", "v", "own",
    ]  # fmt: skip


def test_retry_repeats_until_it_works_or_gives_up(play: Callable[..., Any]) -> None:
    source = """
        local tries = 0
        local v = Async.retry(function(n)
          tries = tries + 1
          if n < 3 then error("again") end
          return n
        end, {max_attempts = 5, backoffMs = 1})
        local ok, e = pcall(Async.retry, function() error("never", 0) end,
          {max_attempts = 2, backoff_ms = 1, multiplier = 1, jitter = false})
        return {v, tries, ok, e}
    """
    assert play(source) == [3, 3, False, "never"]
    assert failing(play, "Async.retry(print, {attempts = 3})").code == "input.invalid"


@pytest.mark.parametrize(
    "source",
    ["Async.spawn()", "Async.spawn(1)", "Async.sleep('x')", "Async.sleep(-1)", "Async.all(1)",
     "Async.all()", "Async.await(1)", "Async.timeout(1)", "Async.race{}", "Async.queue(0)",
     "Async.promise()", "Async.queue():push(nil)"],
)  # fmt: skip
def test_wrong_arguments_are_refused(play: Callable[..., Any], source: str) -> None:
    assert failing(play, source).code == "input.invalid"


# -- promises and queues -------------------------------------------------------------------------


def test_promises_chain(play: Callable[..., Any]) -> None:
    source = """
        local seen = {}
        local resolve
        local p = Async.promise(function(r) resolve = r end)
        local q = p:next(function(v) return Tool.slow(v + 1) end)
          :next(function(v) error("bad " .. v, 0) end)
          :catch(function(e) return "caught " .. e end)
          :finally(function() seen[#seen + 1] = "finally" end)
        resolve(1)
        resolve(2)
        local inner = Async.promise(function(done) done(Async.spawn(Tool.slow, "adopted")) end)
        return {q:await(), seen, inner:await(), tostring(q), p:status()}
    """
    assert play(source) == ["caught bad 2", ["finally"], "adopted", "promise(done)", "done"]


def test_a_rejected_promise_raises_and_is_reported_when_nobody_looks(
    play: Callable[..., Any],
) -> None:
    async def body(host: EngineHost) -> None:
        assert (
            await host.run(
                "local p = Async.promise(function(_, reject) reject('no') end)"
                " return select(2, pcall(p.await, p))"
            )
            == "no"
        )
        await host.run("Async.promise(function() error('lost', 0) end)")
        await host.wait_idle()
        await asyncio.sleep(0.01)
        assert [one["message"] for one in host.failures] == ["lost"]

    play(body)


def test_queues_pass_values_and_push_back(play: Callable[..., Any]) -> None:
    source = """
        local q, log = Async.queue(2), {}
        local producer = Async.spawn(function()
          for i = 1, 5 do q:push(i) log[#log + 1] = "p" .. i end
          q:close()
        end)
        Async.yield()
        local waiting = #log
        local got = {}
        for v in q do got[#got + 1] = v end
        local ok, e = pcall(q.push, q, 1)
        return {waiting, got, ok, e.code, q:pop() == nil, tostring(q)}
    """
    assert play(source) == [2, [1, 2, 3, 4, 5], False, "async.closed", True, "queue(0)"]


def test_a_closed_queue_wakes_who_waits(play: Callable[..., Any]) -> None:
    source = """
        local q = Async.queue()
        local a, b = Async.spawn(q.pop, q), Async.spawn(q.pop, q)
        Async.yield()
        q:close()
        return {select("#", a:await()), b:status()}
    """
    assert play(source) == [1, "done"]


# -- deadlock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "Async.queue():pop()",
        "Async.promise(function() end):await()",
        "local t t = Async.spawn(function() t:await() end) t:await()",
        "local a, b a = Async.spawn(function() b:await() end)"
        " b = Async.spawn(function() a:await() end) a:await()",
        "Async.all{function() Async.queue():pop() end, function() Async.sleep(5) end}",
        "local q = Async.queue(1) q:push(1) q:push(2)",
    ],
)
def test_waiting_for_nothing_fails_at_once(play: Callable[..., Any], source: str) -> None:
    assert failing(play, source).code == "async.deadlock"


def test_a_deadlock_can_be_caught(play: Callable[..., Any]) -> None:
    source = "local q = Async.queue() local ok, e = pcall(q.pop, q) return {e.code, e.message}"
    code, message = play(source)
    assert code == "async.deadlock"
    assert "a queue" in message


def test_a_callback_of_the_host_may_end_a_wait(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        def keep(function: Function) -> None:
            # As an event bus does: answered first, called a moment later.
            asyncio.get_running_loop().call_later(0.005, lambda: asyncio.ensure_future(function(5)))

        host.methods["Tool.keep"] = keep
        return await host.run(
            "local q = Async.queue() Tool.keep(function(v) q:push(v) end) return q:pop()"
        )

    assert play(body) == 5


def test_callbacks_held_by_the_host_keep_nothing_alive_for_ever(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        kept: list[Any] = []
        host.methods["Tool.keep"] = kept.append
        with pytest.raises(ScriptError) as caught:
            await host.run("Tool.keep(function() end) Async.queue():pop()")
        assert caught.value.code == "async.deadlock"

    play(body)
