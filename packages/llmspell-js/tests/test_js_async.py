"""`Async` in JavaScript: tasks, several at once, queues, deadlines, deadlocks."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

TOOL = manifest("Tool", "slow", "keep")
#: What a promise comes to, as a pair.
OUTCOME = (
    "const of = (p) => Promise.resolve(p).then((v) => [true, v], (e) => [false, e.code ?? e]);\n"
)


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def run(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
        async def slow(value: Any, ms: float = 5) -> Any:
            await asyncio.sleep(ms / 1000)
            return value

        async def main() -> Any:
            async with engine_host(
                "llmspell_js.guest",
                request.param,
                requires=("_quickjs", "llmspell_js"),
                **{"globals": [TOOL], "libraries": ["timers"], **options},
            ) as host:
                host.methods["Tool.slow"] = slow
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(OUTCOME + body, "spell.js"), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- tasks ---------------------------------------------------------------------------------------


def test_a_task_gives_its_value_its_status_and_its_error(play: Callable[..., Any]) -> None:
    source = """
        const t = Async.spawn(async (a, b) => { await Async.sleep(1); return a + b }, 1, 2);
        const before = t.status();
        const value = await t;
        const f = Async.spawn(() => { throw "x" });
        const failed = await of(f);
        return [before, value, t.status(), ...failed, f.status(), String(t), await Async.await(t),
          await t.await(), t instanceof Promise]
    """
    assert play(source) == ["running", 3, "done", False, "x", "failed", "task(done)", 3, 3, True]


def test_cancelling_a_task_throws_where_it_waits(play: Callable[..., Any]) -> None:
    source = """
        let seen;
        const t = Async.spawn(async () => {
          await null;
          try { await Async.sleep(60000) } catch (e) { seen = e.code; throw e }
        });
        await Async.yield();
        const first = t.cancel();
        const outcome = await of(t);
        return [first, ...outcome, seen, t.status(), t.cancel()]
    """
    assert play(source) == [True, False, "cancelled", "cancelled", "cancelled", False]


def test_cancelling_a_task_cancels_what_it_has_started(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        value = await host.run(
            OUTCOME + "let inner; const t = Async.spawn(() => Async.spawn(async () => {"
            " inner = await of(Async.sleep(60000)); }));"
            " await Async.sleep(5); t.cancel(); await of(t); await Async.yield(); return inner"
        )
        assert host.cancelled
        await host.wait_idle()
        assert host.failures == []
        return value

    assert play(body) == [False, "cancelled"]


def test_a_task_cancelled_before_it_begins_never_runs(play: Callable[..., Any]) -> None:
    source = """
        let ran = false;
        const t = Async.spawn(() => { ran = true });
        t.cancel();
        return [ran, ...await of(t), ran]
    """
    assert play(source) == [False, False, "cancelled", False]


def test_a_cancelled_task_that_waits_for_nothing_of_ours_ends(play: Callable[..., Any]) -> None:
    source = """
        const t = Async.spawn(() => new Promise(() => 1));
        await Async.yield();
        t.cancel();
        return of(t)
    """
    assert play(source) == [False, "cancelled"]


def test_ten_thousand_tasks_are_no_burden(play: Callable[..., Any]) -> None:
    source = """
        const ts = [];
        for (let i = 1; i <= 10000; i++) ts.push(Async.spawn(async () => { await Async.yield(); return i }));
        let sum = 0;
        for (const t of ts) sum += await t;
        return sum
    """
    assert play(source) == 50005000


def test_the_number_of_tasks_is_bounded(play: Callable[..., Any]) -> None:
    source = """
        let made = 0;
        try { for (;;) { Async.spawn(Async.sleep, 1); made++ } } catch (e) { return [e.code, made] }
    """
    assert play(source, limits={"tasks": 10}) == ["limit.tasks", 9]
    many = "await Async.all(Array.from({length: 20}, () => () => Async.sleep(1))"
    assert failing(play, many + ")", limits={"tasks": 10}).code == "limit.tasks"
    assert play(many + ", {concurrency: 5}); return 1", limits={"tasks": 10}) == 1
    calls = "await Promise.all(Array.from({length: 20}, () => Tool.slow(1)))"
    assert failing(play, calls, limits={"tasks": 10}).code == "limit.tasks"


# -- several at once -----------------------------------------------------------------------------


def test_all_keeps_the_order_and_the_keys(play: Callable[..., Any]) -> None:
    source = """
        const list = await Async.all([
          () => Tool.slow(1, 20), Async.spawn(Tool.slow, 2, 1), Async.promise((r) => r(3)), 4]);
        const map = await Async.all({a: () => Tool.slow("x"), b: Async.spawn(Tool.slow, "y")});
        return [list, map, await Async.all([]), await Async.all({})]
    """
    assert play(source) == [[1, 2, 3, 4], {"a": "x", "b": "y"}, [], {}]


def test_all_throws_the_first_error_and_cancels_what_it_started(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        value = await host.run(
            OUTCOME + "let ended = false;"
            " const found = await of(Async.all([async () => { await Async.sleep(60000); ended = true },"
            " async () => { await Async.sleep(1); throw 'first' }]));"
            " return [...found, ended]"
        )
        assert host.cancelled
        await host.wait_idle()
        assert host.failures == []
        return value

    assert play(body) == [False, "first", False]


def test_all_settled_collects_errors_as_objects(play: Callable[..., Any]) -> None:
    source = """
        const r = await Async.allSettled([() => 1, () => { throw new Error("no") },
          () => { throw {code: "c", message: "m"} }]);
        return [r[0], r[1].success, r[1].error.code, r[1].error.message, r[1].error.source,
          String(r[1].error), r[2].error.code]
    """
    assert play(source) == [
        {"success": True, "value": 1}, False, "script.error", "no", "spell.js:3",
        "spell.js:3: no", "c",
    ]  # fmt: skip


def test_race_gives_the_first_and_cancels_the_functions_it_started(
    play: Callable[..., Any],
) -> None:
    source = """
        const kept = Async.spawn(async () => { await Async.sleep(40); return "kept" });
        const first = await Async.race([
          () => Async.sleep(60000), () => Tool.slow("fast", 1), kept]);
        const lost = await of(Async.race([() => { throw "lost" }, () => Async.sleep(60000)]));
        return [first, ...lost, await kept]
    """
    assert play(source) == ["fast", False, "lost", "kept"]


def test_concurrency_is_bounded_where_asked(play: Callable[..., Any]) -> None:
    source = """
        let running = 0, most = 0;
        const one = (i) => async () => {
          most = Math.max(most, ++running);
          await Async.sleep(2);
          running--;
          return i
        };
        const r = await Async.all(Array.from({length: 9}, (_, i) => one(i + 1)), {concurrency: 3});
        return [most, r.length, r[8]]
    """
    assert play(source) == [3, 9, 9]
    for option in ("{concurrency: 0}", "{concurency: 1}", "1"):
        assert failing(play, f"await Async.all([() => 1], {option})").code == "input.invalid"


# -- time ----------------------------------------------------------------------------------------


def test_timeout_ends_a_wait_and_passes_values_otherwise(play: Callable[..., Any]) -> None:
    source = """
        try { await Async.timeout(10, () => Async.sleep(60000)) } catch (e) {
          return [e.code, e.retryable, String(e), await Async.timeout(60000, Tool.slow, "v"),
            await of(Async.timeout(60000, () => { throw "own" })), await Async.timeout(9000, Tool.slow("p"))]
        }
    """
    assert play(source) == [
        "timeout", True, "spell.js:3: timed out after 10 ms", "v", [False, "own"], "p",
    ]  # fmt: skip


def test_retry_repeats_until_it_works_or_gives_up(play: Callable[..., Any]) -> None:
    source = """
        let tries = 0;
        const v = await Async.retry((n) => {
          tries++;
          if (n < 3) throw new Error("again");
          return n
        }, {max_attempts: 5, backoffMs: 1});
        const lost = await of(Async.retry(async () => { throw "never" },
          {max_attempts: 2, backoff_ms: 1, multiplier: 1, jitter: false}));
        return [v, tries, ...lost]
    """
    assert play(source) == [3, 3, False, "never"]
    assert failing(play, "await Async.retry(() => 1, {attempts: 3})").code == "input.invalid"


def test_timers_run_in_order_and_can_be_cleared(play: Callable[..., Any]) -> None:
    source = """
        const seen = [];
        setTimeout((...args) => seen.push(...args), 20, "late", 1);
        setTimeout(() => seen.push("early"), 1);
        clearTimeout(setTimeout(() => seen.push("never"), 5));
        clearTimeout(undefined);
        setImmediate(() => seen.push("now"));
        queueMicrotask(() => seen.push("micro"));
        let n = 0;
        await new Promise((r) => { const i = setInterval(() => { if (++n === 3) { clearInterval(i); r() } }, 1) });
        await Async.sleep(40);
        return [seen, n]
    """
    assert play(source) == [["micro", "now", "early", "late", 1], 3]


@pytest.mark.parametrize(
    "source",
    ["Async.spawn()", "Async.spawn(1)", "await Async.sleep('x')", "await Async.sleep(-1)",
     "await Async.all(1)", "await Async.all()", "await Async.timeout(1)", "await Async.race([])",
     "Async.queue(0)", "Async.promise()",
     "await Async.retry(() => 1, {backoff_ms: 1, backoffMs: 1})", "await Async.queue().push(null)"],
)  # fmt: skip
def test_wrong_arguments_are_refused(play: Callable[..., Any], source: str) -> None:
    assert failing(play, source).code == "input.invalid"


# -- queues --------------------------------------------------------------------------------------


def test_queues_pass_values_and_push_back(play: Callable[..., Any]) -> None:
    source = """
        const q = Async.queue(2), log = [];
        Async.spawn(async () => {
          for (let i = 1; i <= 5; i++) { await q.push(i); log.push(i) }
          q.close()
        });
        await Async.yield();
        await Async.yield();
        const waiting = log.length;
        const got = [];
        for await (const v of q) got.push(v);
        return [waiting, got, await of(q.push(1)), await q.pop(), String(q)]
    """
    assert play(source) == [2, [1, 2, 3, 4, 5], [False, "async.closed"], None, "queue(0)"]


def test_a_closed_queue_wakes_who_waits(play: Callable[..., Any]) -> None:
    source = """
        const q = Async.queue();
        const a = Async.spawn(q.pop), b = Async.spawn(q.pop);
        await Async.yield();
        q.close();
        return [await a, await b, b.status()]
    """
    assert play(source) == [None, None, "done"]


# -- deadlock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "await Async.queue().pop()",
        "await new Promise(() => 1)",
        "let t; t = Async.spawn(async () => { await t }); await t",
        "await Async.all([() => Async.queue().pop(), () => Async.sleep(5)])",
        "const q = Async.queue(1); await q.push(1); await q.push(2)",
        "await Async.promise(() => 1)",
        "for await (const x of Async.queue()) x",
    ],
)
def test_waiting_for_nothing_fails_at_once(play: Callable[..., Any], source: str) -> None:
    assert failing(play, source).code == "async.deadlock"


def test_a_deadlock_can_be_caught(play: Callable[..., Any]) -> None:
    source = "try { await Async.queue().pop() } catch (e) { return [e.code, e.message, e.source] }"
    code, message, place = play(source)
    assert (code, place) == ("async.deadlock", "spell.js:2")
    assert "a queue" in message


def test_a_callback_of_the_host_may_end_a_wait(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        def keep(function: Function) -> None:
            # As an event bus does: answered first, called a moment later.
            asyncio.get_running_loop().call_later(0.005, lambda: asyncio.ensure_future(function(5)))

        host.methods["Tool.keep"] = keep
        return await host.run("return new Promise((r) => Tool.keep((v) => r(v)))")

    assert play(body) == 5


def test_callbacks_held_by_the_host_keep_nothing_alive_for_ever(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        kept: list[Any] = []
        host.methods["Tool.keep"] = kept.append
        with pytest.raises(ScriptError) as caught:
            await host.run("await Tool.keep(() => 1); await Async.queue().pop()")
        assert caught.value.code == "async.deadlock"

    play(body)


def test_a_signal_with_a_timeout_keeps_nothing_alive(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        value = await host.run("globalThis.s = AbortSignal.timeout(60000); return s.aborted")
        await asyncio.wait_for(host.wait_idle(), 1)
        # ... but who waits for it is woken.
        source = "return new Promise((r) => AbortSignal.timeout(5).addEventListener('abort', () => r(1)))"
        return [value, await host.run(source)]

    assert play(body) == [False, 1]
