"""`Async` in ES5.1: tasks, promises, queues, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

TOOL = manifest("Tool", "slow", "keep")


def play(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
    async def slow(value: Any, ms: float = 5) -> Any:
        await asyncio.sleep(ms / 1000)
        return value

    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **{"globals": [TOOL], **options},
        ) as host:
            host.methods["Tool.slow"] = slow
            if isinstance(body, str):
                return await asyncio.wait_for(host.run(body, "spell.js"), 20)
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- tasks ---------------------------------------------------------------------------------------


def test_a_task_gives_its_value_its_status_and_its_error() -> None:
    source = """
        var t = Async.spawn(function (a, b) { Async.sleep(1); return a + b }, 1, 2);
        var before = t.status(), value = t.await();
        var f = Async.spawn(function () { throw "x" }), e;
        try { f.await() } catch (x) { e = x }
        return [before, value, t.status(), e, f.status(), String(t), Async.await(t), typeof t.await]
    """
    assert play(source) == ["running", 3, "done", "x", "failed", "task(done)", 3, "function"]


def test_cancelling_a_task_throws_where_it_waits() -> None:
    source = """
        var seen, again;
        var t = Async.spawn(function () {
          try { Async.sleep(60000) } catch (e) { seen = e.code; throw e }
        });
        Async.yield();
        var first = t.cancel();
        try { t.await() } catch (e) { again = e.code }
        return [first, again, seen, t.status(), t.cancel()]
    """
    assert play(source) == [True, "cancelled", "cancelled", "cancelled", False]


def test_a_task_cancelled_before_it_begins_never_runs() -> None:
    source = """
        var ran = false, code;
        var t = Async.spawn(function () { ran = true });
        t.cancel();
        try { t.await() } catch (e) { code = e.code }
        return [ran, code]
    """
    assert play(source) == [False, "cancelled"]


def test_ten_thousand_tasks_are_no_burden() -> None:
    source = """
        var ts = [], sum = 0, i;
        for (i = 1; i <= 10000; i++) {
          ts.push(Async.spawn(function (n) { Async.yield(); return n }, i));
        }
        for (i = 0; i < 10000; i++) sum += ts[i].await();
        return sum
    """
    assert play(source) == 50005000


def test_the_number_of_tasks_is_bounded() -> None:
    source = """
        var made = 0;
        try { for (;;) { Async.spawn(Async.sleep, 1); made++ } } catch (e) { return [e.code, made] }
    """
    assert play(source, limits={"tasks": 10}) == ["limit.tasks", 9]
    many = (
        "var t = []; for (var i = 0; i < 20; i++) t[i] = function () { Async.sleep(1) };"
        " Async.all(t)"
    )
    assert failing(many, limits={"tasks": 10}).code == "limit.tasks"
    bounded = many.replace("all(t)", "all(t, {concurrency: 5}); return 1")
    assert play(bounded, limits={"tasks": 10}) == 1


# -- several at once -----------------------------------------------------------------------------


def test_all_keeps_the_order_and_the_keys() -> None:
    source = """
        var list = Async.all([
          function () { return Tool.slow(1, 20) }, Async.spawn(Tool.slow, 2, 1),
          Async.promise(function (resolve) { resolve(3) }), 4
        ]);
        var map = Async.all({
          a: function () { return Tool.slow("x") }, b: Async.spawn(Tool.slow, "y")});
        return [list, map, Async.all([])]
    """
    assert play(source) == [[1, 2, 3, 4], {"a": "x", "b": "y"}, []]


def test_all_throws_the_first_error_and_cancels_what_it_started() -> None:
    async def body(host: EngineHost) -> Any:
        value = await host.run(
            "var ended = false, error;"
            " try { Async.all([function () { Async.sleep(60000); ended = true },"
            " function () { Async.sleep(1); throw 'first' }]) } catch (e) { error = e }"
            " return [error, ended]"
        )
        assert host.cancelled
        await host.wait_idle()
        assert host.failures == []
        return value

    assert play(body) == ["first", False]


def test_all_settled_collects_errors_as_objects() -> None:
    source = """
        var r = Async.allSettled([function () { return 1 }, function () { throw new Error("no") },
          function () { throw {code: "c", message: "m"} }]);
        return [r[0], r[1].success, r[1].error.code, r[1].error.message, r[1].error.source,
          String(r[1].error), r[2].error.code]
    """
    assert play(source) == [
        {"success": True, "value": 1}, False, "script.error", "no", "spell.js:2",
        "spell.js:2: no", "c",
    ]  # fmt: skip


def test_race_gives_the_first_and_cancels_the_functions_it_started() -> None:
    source = """
        var kept = Async.spawn(function () { Async.sleep(40); return "kept" }), lost;
        var first = Async.race([
          function () { Async.sleep(60000) }, function () { return Tool.slow("fast", 1) }, kept]);
        try {
          Async.race([function () { throw "lost" }, function () { Async.sleep(60000) }])
        } catch (e) { lost = e }
        return [first, lost, kept.await()]
    """
    assert play(source) == ["fast", "lost", "kept"]


def test_concurrency_is_bounded_where_asked() -> None:
    source = """
        var running = 0, most = 0, t = [];
        for (var i = 0; i < 9; i++) {
          t[i] = (function (n) {
            return function () {
              most = Math.max(most, ++running);
              Async.sleep(2);
              running--;
              return n;
            };
          })(i);
        }
        var r = Async.all(t, {concurrency: 3});
        return [most, r.length, r[8]]
    """
    assert play(source) == [3, 9, 8]
    for option in ("{concurrency: 0}", "{concurency: 1}", "1"):
        assert failing(f"Async.all([print], {option})").code == "input.invalid"


def test_a_cancelled_waiter_cancels_what_it_started() -> None:
    source = """
        var inner;
        var t = Async.spawn(function () {
          Async.all([function () { try { Async.sleep(60000) } catch (e) { inner = e.code } }]);
        });
        Async.sleep(5);
        t.cancel();
        try { t.await() } catch (e) {}
        Async.yield();
        return inner
    """
    assert play(source) == "cancelled"


# -- time ----------------------------------------------------------------------------------------


def test_timeout_ends_a_wait_and_passes_values_otherwise() -> None:
    source = """
        var e, own;
        try { Async.timeout(10, function () { Async.sleep(60000) }) } catch (x) { e = x }
        try { Async.timeout(60000, function () { throw "own" }) } catch (x) { own = x }
        return [e.code, e.retryable, String(e), Async.timeout(60000, Tool.slow, "v"), own]
    """
    assert play(source) == ["timeout", True, "spell.js:3: timed out after 10 ms", "v", "own"]


def test_retry_repeats_until_it_works_or_gives_up() -> None:
    source = """
        var tries = 0, e;
        var v = Async.retry(function (n) {
          tries++;
          if (n < 3) throw new Error("again");
          return n;
        }, {max_attempts: 5, backoffMs: 1});
        try {
          Async.retry(function () { throw "never" },
            {max_attempts: 2, backoff_ms: 1, multiplier: 1, jitter: false});
        } catch (x) { e = x }
        return [v, tries, e]
    """
    assert play(source) == [3, 3, "never"]
    assert failing("Async.retry(print, {attempts: 3})").code == "input.invalid"


@pytest.mark.parametrize(
    "source",
    ["Async.spawn()", "Async.spawn(1)", "Async.sleep('x')", "Async.sleep(-1)", "Async.all(1)",
     "Async.all()", "Async.await(1)", "Async.timeout(1)", "Async.race([])", "Async.queue(0)",
     "Async.promise()", "Async.queue().push(null)", "var f = Async.spawn(print).await; f()"],
)  # fmt: skip
def test_wrong_arguments_are_refused(source: str) -> None:
    assert failing(source).code == "input.invalid"


# -- promises and queues -------------------------------------------------------------------------


def test_promises_chain() -> None:
    source = """
        var seen = [], resolve;
        var promise = Async.promise(function (r) { resolve = r });
        var q = promise.next(function (v) { return Tool.slow(v + 1) })
          .then(function (v) { throw "bad " + v })
          .catch(function (e) { return "caught " + e })
          .finally(function () { seen.push("finally") });
        resolve(1);
        resolve(2);
        var inner = Async.promise(function (done) { done(Async.spawn(Tool.slow, "adopted")) });
        return [q.await(), seen, inner.await(), String(q), promise.status()]
    """
    assert play(source) == ["caught bad 2", ["finally"], "adopted", "promise(done)", "done"]


def test_a_rejected_promise_throws_and_is_reported_when_nobody_looks() -> None:
    async def body(host: EngineHost) -> None:
        source = (
            "var p = Async.promise(function (_, reject) { reject('no') });"
            " try { p.await() } catch (e) { return e }"
        )
        assert await host.run(source) == "no"
        await host.run("Async.promise(function () { throw 'lost' })")
        await host.wait_idle()
        await asyncio.sleep(0.01)
        assert [one["message"] for one in host.failures] == ["lost"]

    play(body)


def test_queues_pass_values_and_push_back() -> None:
    source = """
        var q = Async.queue(2), log = [], got = [], code;
        Async.spawn(function () {
          for (var i = 1; i <= 5; i++) { q.push(i); log.push("p" + i) }
          q.close();
        });
        Async.yield();
        var waiting = log.length;
        q.forEach(function (v) { got.push(v) });
        try { q.push(1) } catch (e) { code = e.code }
        return [waiting, got, code, q.pop(), String(q), q.length]
    """
    assert play(source) == [2, [1, 2, 3, 4, 5], "async.closed", None, "queue(0)", 0]


def test_a_closed_queue_wakes_who_waits() -> None:
    source = """
        var q = Async.queue();
        function pop() { return q.pop() }
        var a = Async.spawn(pop), b = Async.spawn(pop);
        Async.yield();
        q.close();
        return [a.await(), b.status()]
    """
    assert play(source) == [None, "done"]


# -- deadlock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "Async.queue().pop()",
        "Async.promise(function () {}).await()",
        "var t = Async.spawn(function () { t.await() }); t.await()",
        "var a = Async.spawn(function () { b.await() }),"
        " b = Async.spawn(function () { a.await() }); a.await()",
        "Async.all([function () { Async.queue().pop() }, function () { Async.sleep(5) }])",
        "var q = Async.queue(1); q.push(1); q.push(2)",
    ],
)
def test_waiting_for_nothing_fails_at_once(source: str) -> None:
    assert failing(source).code == "async.deadlock"


def test_a_deadlock_can_be_caught() -> None:
    source = "try { Async.queue().pop() } catch (e) { return [e.code, e.message] }"
    code, message = play(source)
    assert code == "async.deadlock"
    assert "a queue" in message


def test_a_callback_of_the_host_may_end_a_wait() -> None:
    async def body(host: EngineHost) -> Any:
        def keep(function: Function) -> None:
            # As an event bus does: answered first, called a moment later.
            asyncio.get_running_loop().call_later(0.005, lambda: asyncio.ensure_future(function(5)))

        host.methods["Tool.keep"] = keep
        return await host.run(
            "var q = Async.queue(); Tool.keep(function (v) { q.push(v) }); return q.pop()"
        )

    assert play(body) == 5


def test_callbacks_held_by_the_host_keep_nothing_alive_for_ever() -> None:
    async def body(host: EngineHost) -> None:
        kept: list[Any] = []
        host.methods["Tool.keep"] = kept.append
        with pytest.raises(ScriptError) as caught:
            await host.run("Tool.keep(function () {}); Async.queue().pop()")
        assert caught.value.code == "async.deadlock"

    play(body)
