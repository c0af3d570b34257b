"""Sessions of the Lua engine, in the process and in a worker: the same tests for both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

Body = Callable[[EngineHost], Awaitable[Any]]

TOOL = manifest(
    "Tool", "add", "slow_add", "fail", "slow_fail", "echo", "each", "give", "get_name", "count"
)


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Runs an async body, or a source, with a host of this carrier."""

    def run(body: Body | str, **options: Any) -> Any:
        options = {"globals": [TOOL], "libraries": ["os"], **options}

        async def main() -> Any:
            async with engine_host(
                "llmspell_lua.guest", request.param, requires=("lupa", "llmspell_lua"), **options
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


def prepare(host: EngineHost) -> None:
    async def slow_add(a: int, b: int) -> int:
        await asyncio.sleep(0.001)
        return a + b

    def fail() -> None:
        raise ScriptError("no such tool", code="tool.not_found", hint="ask", details={"a": [1]})

    async def slow_fail() -> None:
        fail()

    async def each(items: list[Any], function: Function) -> list[Any]:
        return [await function(item) for item in items]

    host.methods.update(
        {
            "Tool.add": lambda a, b: a + b,
            "Tool.slow_add": slow_add,
            "Tool.fail": fail,
            "Tool.slow_fail": slow_fail,
            "Tool.echo": lambda value=None: value,
            "Tool.each": each,
            "Tool.get_name": lambda: "tool",
            "Tool.count": lambda *args: len(args),
        }
    )


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- calls ---------------------------------------------------------------------------------------


def test_host_calls_answer_at_once_or_later(play: Callable[..., Any]) -> None:
    assert play("return Tool.add(1, 2)") == 3
    assert play("return Tool.slow_add(1, 2)") == 3
    assert play("return Tool.add(Tool.slow_add(1, 2), Tool.slow_add(3, 4))") == 10


def test_arguments_keep_their_number(play: Callable[..., Any]) -> None:
    assert play("return {Tool.count(), Tool.count(nil), Tool.count(1, nil, nil)}") == [0, 1, 3]


def test_methods_are_bound_and_spelled_both_ways(play: Callable[..., Any]) -> None:
    assert play("local f = Tool.slow_add return f(1, 2) + Tool:slowAdd(1, 2)") == 6
    assert play("return Tool.getName() .. Tool:get_name()") == "tooltool"


def test_the_main_chunk_has_the_value_of_its_return(play: Callable[..., Any]) -> None:
    assert play("return 1, 2") == 1
    assert play("local x = 1") is None
    assert play("#!/usr/bin/env llmspell\nreturn 2") == 2
    assert play("\ufeffreturn 3") == 3


def test_eval_takes_expressions_and_gives_all_values(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[Any]:
        return [await host.run(source, mode="eval") for source in ("1+1", "x = 3", "x", "x, nil")]

    assert play(body) == [2, None, 3, {"values": [3, None]}]


def test_eval_gives_no_value_for_the_file_that_a_write_returns(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[Any]:
        sources = ("io.write('a')", "io.stdout:write('b')", "select('#', io.write('c'))")
        return [await host.run(source, mode="eval") for source in sources]

    assert play(body) == [None, None, 1]


def test_output_is_seen_while_an_eval_computes(play: Callable[..., Any]) -> None:
    source = "print('ready') for _ = 1, 3e7 do end"

    async def body(host: EngineHost) -> tuple[str, float]:
        write, written = host.write, []

        def note(stream: str, text: str) -> None:
            written.append((text, time.monotonic()))
            write(stream, text)

        host.write = note  # type: ignore[method-assign]
        await host.run(source, mode="eval")
        text, at = written[0]
        return text, time.monotonic() - at

    text, before = play(body)
    assert text == "ready\n"
    assert before > 0.05


def test_in_a_repl_the_locals_of_one_input_are_seen_by_the_next(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        await host.run("local x, y = 1 do local z = 2 end", mode="eval")
        await host.run(
            "local function f() local inner = 3 return x end Async.sleep(1)", mode="eval"
        )
        return await host.run("{x, y == nil, z == nil, inner == nil, f()}", mode="eval")

    assert play(body) == [1, True, True, True, 1]


def test_fifty_waits_overlap(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> float:
        begun = asyncio.get_running_loop().time()
        await host.run(
            "local t = {} for i = 1, 50 do t[i] = function() Async.sleep(50) end end Async.all(t)"
        )
        return asyncio.get_running_loop().time() - begun

    assert play(body) < 1


def test_a_call_belongs_to_the_run_or_callback_that_made_it(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[int]:
        function = await host.run("Tool.add(1, 1) return function() Tool.add(1, 1) end")
        await function()
        await host.run("Async.spawn(function() Tool.add(1, 1) end):await()")
        return host.origins

    assert play(body) == [1, 2, 3]


# -- errors --------------------------------------------------------------------------------------


def test_host_errors_are_objects_with_the_line_of_the_script(play: Callable[..., Any]) -> None:
    for method in ("fail", "slow_fail"):
        error = failing(play, f"local function f()\n  Tool.{method}()\nend\nf()")
        assert (error.code, error.message, error.hint) == ("tool.not_found", "no such tool", "ask")
        assert error.source == "spell.lua:2"
        assert error.details == {"a": [1]}
        assert error.stack is not None
        assert "spell.lua:4: in main chunk" in error.stack


def test_a_tail_call_of_the_main_chunk_keeps_its_line(play: Callable[..., Any]) -> None:
    assert failing(play, "\nreturn Tool.fail()").source == "spell.lua:2"


def test_errors_can_be_caught_and_read(play: Callable[..., Any]) -> None:
    source = """
        local ok, e = pcall(Tool.slow_fail)
        return {ok, type(e), e.code, tostring(e), "-" .. e, e .. "-", e:match("such (%a+)"),
          string.upper(e), string.find(e, "tool"), e.details.a[1], e.retryable}
    """
    text = "spell.lua:2: no such tool"
    assert play(source) == [
        False, "table", "tool.not_found", text, "-" + text, text + "-", "tool",
        text.upper(), 22, 1, False,
    ]  # fmt: skip


def test_errors_of_the_engine_stay_what_they_are(play: Callable[..., Any]) -> None:
    assert play("return select(2, pcall(error, 'x', 0))") == "x"
    assert play("return select(2, pcall(function() local x x() end))").startswith("spell.lua:1: ")
    assert play("local t = {} return select(2, pcall(error, t)) == t") is True
    assert play("local t = Async.spawn(error, 'x', 0) return select(2, pcall(t.await, t))") == "x"


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("\nerror('boom')", "boom", "spell.lua:2"),
        ("error('boom', 0)", "boom", "spell.lua:1"),
        ("\n\nlocal x = nil + 1", "attempt to perform arithmetic on a nil value", "spell.lua:3"),
        ("error({message = 'mine'})", "mine", "spell.lua:1"),
        (
            "error(setmetatable({}, {__tostring = function() return 'own' end}))",
            "own",
            "spell.lua:1",
        ),
        ("error({1, 2})", "[1,2]", "spell.lua:1"),
        ("error()", "nil", "spell.lua:1"),
        ("string.rep()", "bad argument #1 to 'rep'", "spell.lua:1"),
        ("load('x = ', 'part')()", "attempt to call a nil value", "spell.lua:1"),
    ],
)
def test_uncaught_errors_say_what_and_where(
    play: Callable[..., Any], source: str, message: str, place: str
) -> None:
    error = failing(play, source)
    assert (error.code, error.source) == ("script.error", place)
    assert message in error.message
    assert "spell.lua" not in error.message


def test_a_script_may_throw_errors_with_fields(play: Callable[..., Any]) -> None:
    error = failing(play, "error{code = 'my.code', message = 'm', details = {n = 1}, hint = 'h'}")
    assert (error.code, error.message, error.hint, error.details) == ("my.code", "m", "h", {"n": 1})


def test_bad_details_do_not_hide_an_error(play: Callable[..., Any]) -> None:
    error = failing(play, "error{code = 'my.code', message = 'm', details = {f = print}}")
    assert (error.code, error.message) == ("my.code", "m")


def test_syntax_errors_name_the_line(play: Callable[..., Any]) -> None:
    error = failing(play, "local x = 1\nlocal y = = 2")
    assert (error.code, error.source) == ("script.syntax", "spell.lua:2")
    assert error.message == "unexpected symbol near '='"


def test_a_result_that_cannot_cross_is_the_error_of_the_run(play: Callable[..., Any]) -> None:
    assert failing(play, "local t = {} t[1] = t return t").code == "value.cycle"


# -- waiting anywhere ----------------------------------------------------------------------------


def meta(event: str, value: str, use: str) -> str:
    """A source that uses a table with this metamethod."""
    function = f"function(_, k) return {value} end"
    return f"local t = setmetatable({{}}, {{{event} = {function}}}) return {use}"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return select(2, pcall(Tool.slow_add, 1, 2))", 3),
        ("return select(2, xpcall(Tool.slow_add, print, 1, 2))", 3),
        ("return #select(2, xpcall(Tool.slow_fail, function(e) return e.code end))", 14),
        ("for x in function() return Tool.slow_add(1, 2) end do return x end", 3),
        (meta("__index", "Tool.slow_add(k, 1)", "t[4]"), 5),
        (meta("__add", "Tool.slow_add(1, 2)", "t + t"), 3),
        (meta("__lt", "Tool.slow_add(1, 2) == 3", "t < t"), True),
        (meta("__concat", "Tool.slow_add(1, 2)", "t .. t"), 3),
        (meta("__call", "Tool.slow_add(1, 2)", "t()"), 3),
        ("local t = {3, 1, 2} table.sort(t, function(a, b) return Tool.slow_add(a, 0) < b end)"
         " return t", [1, 2, 3]),
        ("return (('a-b'):gsub('%a', function(c) return c .. Tool.slow_add(1, 1) end))", "a2-b2"),
        ("return (string.gsub('ab', '.', function(c) return Tool.slow_add(1, 1) end))", "22"),
        ("local g = coroutine.wrap(function()"
         " for i = 1, 3 do coroutine.yield(Tool.slow_add(i, 10)) end end)"
         " return {g(), g(), g()}", [11, 12, 13]),
        ("do local x <close> = setmetatable({}, {__close = function() y = Tool.slow_add(1, 2) end})"
         " end return y", 3),
        ("local inner = coroutine.wrap(function() return Tool.slow_add(1, 2) end)"
         " local co = coroutine.create(function() return inner() end)"
         " return select(2, coroutine.resume(co))", 3),
    ],
)  # fmt: skip
def test_a_host_call_may_wait_here(play: Callable[..., Any], source: str, value: Any) -> None:
    assert play(source) == value


@pytest.mark.parametrize("method", ["add", "slow_add"])
@pytest.mark.parametrize(
    "source",
    [
        "return tostring(setmetatable({}, {__tostring = function()"
        " return 'x' .. Tool.%s(1, 1) end}))",
        "local fn, e = load(function() Tool.%s(1, 1) end) error(e, 0)",
        "local m, t = {__lt = function() return Tool.%s(1, 1) end}, {}"
        " for i = 1, 3 do t[i] = setmetatable({}, m) end table.sort(t)",
        "return tostring(setmetatable({}, {__tostring = function()"
        " return coroutine.wrap(function() return 'x' .. Tool.%s(1, 1) end)() end}))",
    ],
)
def test_a_host_call_cannot_wait_here_whatever_its_kind(
    play: Callable[..., Any], source: str, method: str
) -> None:
    assert failing(play, source % method).code == "script.cannot_wait_here"


def test_a_coroutine_that_waits_for_the_host_cannot_be_resumed(play: Callable[..., Any]) -> None:
    source = """
        local co = coroutine.create(function() Async.sleep(20) return "a" end)
        local t = Async.spawn(function() return coroutine.resume(co) end)
        Async.yield()
        local ok, e = coroutine.resume(co)
        local closed, why = coroutine.close(co)
        return {ok, e, closed, why, select(2, t:await())}
    """
    assert play(source) == [
        False, "cannot resume a coroutine that waits for a host call",
        False, "cannot close a coroutine that waits for a host call", "a",
    ]  # fmt: skip


def test_a_bare_yield_gives_the_others_a_turn(play: Callable[..., Any]) -> None:
    source = """
        local seen = {}
        local t = Async.spawn(function() seen[#seen + 1] = "other" end)
        coroutine.yield()
        seen[#seen + 1] = "main"
        return seen
    """
    assert play(source) == ["other", "main"]


# -- functions of the script ---------------------------------------------------------------------


def test_the_host_calls_functions_that_wait_themselves(play: Callable[..., Any]) -> None:
    assert play("return Tool.each({1, 2, 3}, function(x) Async.sleep(1) return x * 2 end)") == [
        2,
        4,
        6,
    ]


def test_the_error_of_a_callback_passes_through_the_host(play: Callable[..., Any]) -> None:
    source = (
        "local ok, e = pcall(Tool.each, {1}, function()\n error('inner') end) return tostring(e)"
    )
    assert play(source) == "spell.lua:2: inner"


def test_a_function_has_one_handle_while_it_lives(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        first = await host.run("function f() return 1 end return f")
        second = await host.run("return f")
        assert first.handle == second.handle
        # It was sent twice: one release leaves it alive, as it may cross a second sending.
        host.session.release([first.handle])
        assert await first() == 1
        host.session.release([first.handle])
        with pytest.raises(ScriptError) as caught:
            await first()
        assert caught.value.code == "script.released"
        assert await host.run("return f()") == 1

    play(body)


def test_a_function_given_back_is_the_same(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        function = await host.run("function f() end return f")
        host.methods["Tool.give"] = lambda: {"$f": function.handle}
        assert await host.run("return Tool.give() == f") is True

    play(body)


def test_callbacks_run_while_the_script_waits(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        kept: list[Function] = []
        host.methods["Tool.give"] = kept.append
        _, end = host.start("Tool.give(function(v) got = v end) Async.sleep(50) return got")
        while not kept:
            await asyncio.sleep(0.001)
        await kept[0]("late")
        return await end

    assert play(body) == "late"


# -- output and input ----------------------------------------------------------------------------


def test_output_comes_in_order_and_before_calls(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        seen: list[str] = []
        host.methods["Tool.give"] = lambda: seen.append(host.output["stdout"])
        await host.run(
            "print('a', 1, nil, 2.0) io.write('b', 1, 2.5) io.stdout:write('c'):write('d')"
            " Tool.give()"
            " stdout.write('e') stderr:write('warn') io.stderr:write('ing') print('f')"
        )
        assert seen == ["a\t1\tnil\t2.0\nb12.5cd"]
        assert host.output == {"stdout": "a\t1\tnil\t2.0\nb12.5cdef\n", "stderr": "warning"}
        assert [stream for stream, _ in host.writes] == ["stdout", "stdout", "stderr", "stdout"]

    play(body)


def test_output_is_handed_over_in_blocks(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("for i = 1, 3000 do io.write('0123456789') end")
        assert len(host.output["stdout"]) == 30000
        assert 3 <= len(host.writes) <= 5

    play(body)


def test_characters_cut_between_blocks_arrive_whole_and_bytes_as_they_are(
    play: Callable[..., Any],
) -> None:
    async def body(host: EngineHost) -> None:
        await host.run(r"io.write('\xc3') Async.sleep(1) io.write('\xa9', '\xff', '\xc3') print()")
        assert host.output["stdout"] == "é\udcff\udcc3\n"

    play(body)


def test_output_of_a_long_computation_does_not_wait_for_its_end(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run("print('begun')\nwhile true do end")
        assert caught.value.code == "script.cpu_limit"
        assert host.output["stdout"] == "begun\n"

    play(body, limits={"cpu_s": 0.3})


def test_standard_input_is_read_through_the_host(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        lines = ["one\n", "two\n", "3 rest\n"]

        async def read(how: Any) -> str | None:
            if how == "a":
                text = "".join(lines)
                lines.clear()
                return text
            if not lines:
                return None
            return "42" if how == "n" else lines.pop(0).removesuffix("\n" if how == "l" else "")

        host.methods["stdin.read"] = read
        return await host.run(
            "local t = {io.read(), io.read('L'), io.stdin:read('n') + 0}"
            " for line in io.lines() do t[#t + 1] = line end"
            " t[#t + 1] = tostring(io.read()) t[#t + 1] = io.read('a') return t"
        )

    assert play(body) == ["one", "two\n", 42, "3 rest", "nil", ""]


def test_stdin_as_text_lines_and_json(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        host.methods["stdin.read"] = lambda how: '{"a": [1, 2]}' if how == "a" else None
        assert await host.run("return stdin.json().a[2] + stdin:json().a[1]") == 3
        assert await host.run("return stdin.text()") == '{"a": [1, 2]}'
        assert await host.run("for _ in stdin.lines() do return 1 end return 0") == 0

    play(body)


# -- session -------------------------------------------------------------------------------------


def test_a_session_is_idle_when_its_last_task_has_ended(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        assert host.session.idle()
        value = await host.run("Async.spawn(function() Async.sleep(30) done = true end) return 1")
        assert value == 1
        assert not host.session.idle()
        assert host.idled == 0
        await host.wait_idle()
        assert host.idled == 1
        assert await host.run("return done") is True

    play(body)


def test_cancelling_a_run_raises_in_the_script(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        number, end = host.start(
            "local ok, e = pcall(Async.sleep, 60000) return {ok, e.code, tostring(e)}"
        )
        while not host.origins:
            await asyncio.sleep(0.001)
        host.session.cancel(number)
        value = await end
        assert host.cancelled
        return value

    assert play(body) == [False, "cancelled", "spell.lua:1: cancelled"]


def test_an_unhandled_failure_of_a_task_is_reported_once(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[Any]:
        await host.run(
            "Async.spawn(function()\n error('lost') end)"
            " local t = Async.spawn(error, 'seen') pcall(t.await, t)"
            " local c = Async.spawn(function() Async.sleep(1000) end) Async.yield() c:cancel()"
        )
        await host.wait_idle()
        await asyncio.sleep(0.01)
        return [(one["message"], one["source"]) for one in host.failures]

    assert play(body) == [("lost", "spell.lua:2")]


def test_what_the_host_asks_during_a_call_runs_after_it(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        function = await host.run("order = {} return function(v) order[#order + 1] = v end")

        def give() -> str:
            host.session.invoke(99, function.handle, '["callback"]')
            return "call"

        host._ends[99] = asyncio.get_running_loop().create_future()
        host.methods["Tool.give"] = give
        return await host.run(
            "local r = Tool.give() order[#order + 1] = r order[#order + 1] = 'main'"
            " Async.sleep(30) return order"
        )

    assert sorted(play(body)) == ["call", "callback", "main"]


def test_sessions_are_apart(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("x = 1 string.upper = nil print = nil")
        async with engine_host("llmspell_lua.guest", "process", globals=[TOOL]) as other:
            assert await other.run("return {x == nil, string.upper('a')}") == [True, "A"]

    play(body)
