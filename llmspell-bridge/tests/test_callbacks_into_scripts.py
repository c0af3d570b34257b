"""Functions of a script called from Python while its main chunk waits, over both carriers."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from llmspell_bridge.run import ScriptRun
from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_core.errors import LLMSpellError, ScriptError
from llmspell_core.script.api import ScriptFunction, ScriptGlobal, script_method

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


class CallGlobal(ScriptGlobal):
    """Calls functions of the script."""

    name = "Call"
    kept: Any = None
    log: list[Any] = []  # noqa: RUF012 - reset by each test

    @script_method
    async def now(self, fn: ScriptFunction, *args: Any) -> Any:
        return await fn(*args)

    @script_method
    async def many(self, fn: ScriptFunction, count: int) -> list[Any]:
        return list(await asyncio.gather(*(fn(n) for n in range(count))))

    @script_method
    async def settled(self, fn: ScriptFunction, count: int) -> list[Any]:
        done = await asyncio.gather(*(fn(n) for n in range(count)), return_exceptions=True)
        return [str(one) if isinstance(one, Exception) else one for one in done]

    @script_method
    async def within(self, fn: ScriptFunction, ms: float) -> Any:
        try:
            async with asyncio.timeout(ms / 1000):
                return await fn()
        except TimeoutError:
            return "timed out"

    @script_method
    def keep(self, fn: ScriptFunction | None = None) -> None:
        type(self).kept = fn

    @script_method
    async def nap(self, ms: float) -> float:
        await asyncio.sleep(ms / 1000)
        return ms

    @script_method
    def note(self, value: Any) -> None:
        type(self).log.append(value)


def run(source: str, carrier: str = "process", **options: Any) -> Any:
    async def main() -> Any:
        CallGlobal.kept = None
        CallGlobal.log.clear()
        async with script_runtime(CallGlobal, isolation=carrier, **options) as runtime:
            return (await asyncio.wait_for(run_source(runtime, source), 30)).value

    return asyncio.run(main())


@each_carrier
def test_a_callback_calls_the_host_which_calls_back(carrier: str) -> None:
    source = """
      local function down(n)
        if n == 0 then return {"bottom"} end
        Call.nap(1)
        local inner = Call.now(down, n - 1)
        inner[#inner + 1] = n
        return inner
      end
      return Call.now(down, 8)
    """
    assert run(source, carrier) == ["bottom", 1, 2, 3, 4, 5, 6, 7, 8]


@each_carrier
def test_callbacks_run_at_the_same_time_and_nest(carrier: str) -> None:
    source = """
      local running, most = 0, 0
      local results = Call.many(function(n)
        running = running + 1
        most = math.max(most, running)
        local inner = Call.many(function(m) Call.nap(5) return n * 10 + m end, 3)
        running = running - 1
        return inner[3]
      end, 10)
      return {most, results}
    """
    assert run(source, carrier) == [10, [n * 10 + 2 for n in range(10)]]


@each_carrier
def test_an_error_in_a_nested_callback_keeps_its_line_and_its_stack(carrier: str) -> None:
    source = (
        "local function inner() error('deep') end\n"
        "local function outer()\n"
        "  Call.now(inner)\n"
        "end\n"
        "Call.now(outer)"
    )
    with pytest.raises(ScriptError) as caught:
        run(source, carrier)
    assert (caught.value.message, caught.value.source) == ("deep", "spell.lua:1")
    assert caught.value.stack is not None
    assert "spell.lua:1: in" in caught.value.stack


@each_carrier
def test_errors_of_some_callbacks_leave_the_others_alone(carrier: str) -> None:
    source = """
      return Call.settled(function(n)
        Call.nap(n)
        if n % 2 == 1 then error({code = "odd", message = "odd " .. n}) end
        return n
      end, 4)
    """
    assert run(source, carrier) == [0, "odd 1", 2, "odd 3"]


@each_carrier
def test_an_error_object_of_a_tool_goes_through_callbacks_unchanged(carrier: str) -> None:
    source = """
      local ok, e = pcall(Call.now, function()
        Call.now(function() Tool.execute("calculatr", {}) end)
      end)
      return {e.code, e.hint, e.source}
    """
    assert run(source, carrier) == ["tool.not_found", 'did you mean "calculator"?', "spell.lua:3"]


@each_carrier
def test_a_cancelled_callback_may_clean_up(carrier: str) -> None:
    source = """
      local got
      local answer = Call.within(function()
        local ok, e = pcall(Call.nap, 60000)
        got = e.code
        Call.note("cleaned")
        return "late"
      end, 20)
      return {answer, got}
    """
    assert run(source, carrier) == ["timed out", "cancelled"]
    assert CallGlobal.log == ["cleaned"]


@each_carrier
def test_a_cancelled_callback_cancels_what_it_waits_for_through_all_levels(carrier: str) -> None:
    source = """
      local seen = JSON.array{}
      local function level(n)
        local ok, e = pcall(function()
          if n == 0 then Call.nap(60000) else Call.now(level, n - 1) end
        end)
        seen[#seen + 1] = n .. ":" .. tostring(e.code)
        error(e)
      end
      local answer = Call.within(function() level(2) end, 30)
      Call.nap(50)  -- what was cancelled further in may take a moment longer
      return {answer, seen}
    """
    answer, seen = run(source, carrier)
    assert answer == "timed out"
    assert sorted(seen) == ["0:cancelled", "1:cancelled", "2:cancelled"]


@each_carrier
def test_hooks_tools_steps_and_event_handlers_call_the_host_from_their_callbacks(
    carrier: str,
) -> None:
    source = """
      local trace = JSON.array{}
      local function add(text) trace[#trace + 1] = text end
      Hook.register("before_tool_execution", function(ctx)
        Call.nap(1)
        add("hook " .. ctx.component)
      end)
      Event.subscribe("trace.*", function(event)
        Call.nap(1)
        add(event.type .. " " .. Tool.execute("text-manipulator",
          {operation = "uppercase", input = event.data.text}).output)
      end)
      Tool.create{name = "outer", description = "x", parameters = {text = "string"},
        execute = function(params)
          Event.publish("trace.outer", {text = params.text})
          return Tool.execute("inner", {text = params.text .. "!"}).output
        end}
      Tool.create{name = "inner", description = "x", parameters = {text = "string"},
        execute = function(params) Call.nap(1) return params.text .. "?" end}
      local flow = Workflow.sequential{name = "flow", steps = {
        {name = "one", tool = "outer", input = {text = "a"}},
        {name = "two", execute = function(ctx)
          return Call.now(function(text) Call.nap(1) return text .. "." end,
            ctx.steps.one.output)
        end},
      }}
      local result = flow:execute()
      Async.sleep(30)
      return {result.output, trace}
    """
    output, trace = run(source, carrier)
    assert output == "a!?."
    assert sorted(trace) == [
        "hook inner", "hook outer", "hook text-manipulator", "trace.outer A",
    ]  # fmt: skip


@each_carrier
def test_a_scripted_agent_calls_a_tool_of_the_script(carrier: str) -> None:
    from llmspell_core.testing import tool_call

    source = """
      local agent = Agent.new{name = "a", system_prompt = "x", tools = {{
        name = "look-up", description = "x", parameters = {key = "string"},
        execute = function(params)
          local inner = Tool.execute("calculator", {expression = params.key})
          return {found = inner.output}
        end}}}
      local out = agent:execute("go")
      return {out.text, out.tool_calls[1].result}
    """
    replies = (tool_call("look-up", key="6*7"), "It is 42.")
    text, result = run(source, carrier, replies=replies)
    assert text == "It is 42."
    assert "42" in str(result)


@each_carrier
def test_work_in_a_callback_belongs_to_the_run_that_calls_back(carrier: str) -> None:
    from llmspell_core.testing import tool_call

    source = """
      local agent = Agent.new{name = "a", system_prompt = "x", limits = {tool_calls = 2},
        tools = {{name = "spend", description = "x", execute = function()
          Call.nap(1)
          for _ = 1, 5 do Tool.execute("calculator", {expression = "1+1"}) end
        end}}}
      local ok, e = pcall(agent.execute, "go")
      return {ok, ok and e.tool_calls[1].error.code or e.code}
    """
    _, code = run(source, carrier, replies=(tool_call("spend"), "done"))
    assert code == "agent.limit_exceeded"
    free = "for _ = 1, 5 do Tool.execute('calculator', {expression = '1+1'}) end return 1"
    assert run(free, carrier) == 1


# -- handles ---------------------------------------------------------------------------------------


async def settle() -> None:
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0.005)


@each_carrier
def test_functions_are_released_when_nobody_needs_them(carrier: str) -> None:
    source = """
      local weak = setmetatable({}, {__mode = "v"})
      for i = 1, 200 do
        local f = function() return i end
        weak[i] = f
        Call.now(f)
      end
      local kept = function() return "kept" end
      weak.kept = kept
      Call.keep(kept)
      Call.keep(kept)
      kept = nil
      Call.nap(20)
      collectgarbage() collectgarbage()
      local left = 0
      for _ in pairs(weak) do left = left + 1 end
      local still = weak.kept ~= nil
      Call.keep(nil)
      Call.nap(20)
      collectgarbage() collectgarbage()
      return {left, still, weak.kept == nil}
    """
    left, still, gone = run(source, carrier)
    # The function of the last round may still stand in a register.
    assert left <= 2
    assert still is True
    assert gone is True


@each_carrier
def test_both_tables_are_empty_when_nothing_is_held(carrier: str) -> None:
    seen: list[tuple[int, int]] = []
    source = """
      for i = 1, 50 do Call.now(function() end) Tool.get("calculator") end
      collectgarbage() collectgarbage()
      Call.nap(30)
      while not args.never do Call.nap(10) end
    """

    async def main() -> None:
        async with script_runtime(CallGlobal, isolation=carrier) as runtime:
            running = asyncio.ensure_future(run_source(runtime, source))
            for _ in range(100):
                await settle()
                run_: ScriptRun = next(iter(runtime._runs))
                seen.append(run_._session.held)
                if len(seen) > 5 and seen[-1][0] <= 1 and seen[-1][1] == 0:
                    break
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(main())
    objects, functions = seen[-1]
    assert objects <= 1  # the last one may still stand in a register
    assert functions == 0


@each_carrier
def test_an_object_that_is_dropped_while_it_is_given_again_stays_usable(carrier: str) -> None:
    source = """
      for i = 1, 300 do
        local handle = Hook.register("after_script", function() end)
        local id = handle:id()
        handle = nil
        collectgarbage("step")
        assert(Hook.unregister(id))
        local tool = Tool.get("calculator")
        assert(tool:get_schema())
        tool = nil
        if i % 20 == 0 then collectgarbage() end
      end
      return true
    """
    assert run(source, carrier) is True


@each_carrier
def test_a_callback_after_the_end_is_an_error_that_says_so(carrier: str) -> None:
    async def main() -> LLMSpellError:
        async with script_runtime(CallGlobal, isolation=carrier) as runtime:
            await run_source(runtime, "Call.keep(function() return 1 end)")
            with pytest.raises(LLMSpellError) as caught:
                await CallGlobal.kept()
            with pytest.raises(LLMSpellError) as again:
                await CallGlobal.kept()
            assert again.value is not caught.value
            return caught.value

    error = asyncio.run(main())
    assert (error.code, error.message) == ("script.ended", "the script has ended")


@each_carrier
def test_a_callback_that_waits_when_the_script_ends_gets_the_reason(carrier: str) -> None:
    async def main() -> str:
        async with script_runtime(CallGlobal, isolation=carrier) as runtime:
            running = asyncio.ensure_future(
                run_source(
                    runtime,
                    "Call.keep(function() Call.nap(60000) end) Call.nap(80) os.exit(3)",
                )
            )
            while CallGlobal.kept is None:
                await asyncio.sleep(0.001)
            with pytest.raises(LLMSpellError) as caught:
                await CallGlobal.kept()
            assert (await running).exit_code == 3
            CallGlobal.kept = None
            return caught.value.code

    CallGlobal.kept = None
    assert asyncio.run(main()) == "script.exit"


@each_carrier
def test_a_coroutine_of_a_callback_that_is_cancelled_before_it_begins_calls_nothing(
    carrier: str,
) -> None:
    async def main() -> list[Any]:
        CallGlobal.log.clear()
        CallGlobal.kept = None
        async with script_runtime(CallGlobal, isolation=carrier) as runtime:
            source = "Call.keep(function() Call.note('called') end) Call.nap(100)"
            running = asyncio.ensure_future(run_source(runtime, source))
            while CallGlobal.kept is None:
                await asyncio.sleep(0.001)
            calling = asyncio.ensure_future(CallGlobal.kept())
            await asyncio.sleep(0)
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            await running
            CallGlobal.kept = None
            return [*CallGlobal.log]

    assert asyncio.run(main()) == []
