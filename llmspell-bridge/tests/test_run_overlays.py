"""What one run registers no other run sees, one after another and at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_bridge.testing import CARRIERS, run_source, script_runtime

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)

#: Registers one of everything, then waits for the other run and tells what it sees.
SPELL = """
  local me, other = args.me, args.other
  Tool.create{name = me .. "-tool", description = "x", execute = function() return me end}
  Tool.create{name = "shared-name", description = "x", execute = function() return me end}
  Agent.register{name = me .. "-agent", system_prompt = "x", model = "scripted/scripted-model"}
  local flow = Workflow.sequential{name = me .. "-flow", steps = {
    {name = "s", execute = function() return me end}}}
  Workflow.register(me .. "-flow", flow)
  local hooked, heard = {}, {}
  Hook.register("before_tool_execution", function(ctx) hooked[#hooked + 1] = ctx.component end)
  Event.subscribe("news.*", function(event) heard[#heard + 1] = event.data end)
  State.set("mine", me)

  Gate.meet()
  Event.publish("news." .. me, me)
  local ran = Tool.execute("shared-name", {}).output
  Gate.meet()
  Async.sleep(20)

  local tools, agents, flows = {}, {}, {}
  for _, tool in ipairs(Tool.list()) do tools[tool.name] = true end
  for _, agent in ipairs(Agent.list()) do agents[agent.name] = true end
  for _, flow in ipairs(Workflow.list()) do flows[flow.name] = true end
  return {
    ran = ran, hooked = JSON.array(hooked), heard = JSON.array(heard),
    own = {tools[me .. "-tool"], agents[me .. "-agent"], flows[me .. "-flow"]},
    others = {tools[other .. "-tool"] or false, Tool.exists(other .. "-tool"),
      agents[other .. "-agent"] or false, flows[other .. "-flow"] or false,
      (pcall(Tool.execute, other .. "-tool", {}))},
    hooks = #Hook.list(), subscriptions = #Event.list_subscriptions(),
    calculator = Tool.exists("calculator"),
  }
"""


def gate(parties: int) -> Any:
    """A global whose `meet` waits until all runs have come so far."""
    from llmspell_core.script.api import ScriptGlobal, script_method

    barrier = asyncio.Barrier(parties)

    class GateGlobal(ScriptGlobal):
        """Where runs meet."""

        name = "Gate"

        @script_method
        async def meet(self) -> None:
            await barrier.wait()

    return GateGlobal


def check(result: dict[str, Any], me: str) -> None:
    assert result["ran"] == me
    assert result["hooked"] == ["shared-name"]
    assert result["heard"] == [me]
    assert result["own"] == [True, True, True]
    assert result["others"] == [False, False, False, False, False]
    assert (result["hooks"], result["subscriptions"]) == (1, 1)
    assert result["calculator"] is True


@each_carrier
def test_runs_at_the_same_time_see_only_what_is_their_own(carrier: str) -> None:
    async def main() -> list[dict[str, Any]]:
        async with script_runtime(gate(2), isolation=carrier) as runtime:
            pairs = (("red", "blue"), ("blue", "red"))
            runs = (
                run_source(runtime, SPELL, f"{me}.lua", params={"me": me, "other": other})
                for me, other in pairs
            )
            results = await asyncio.gather(*runs)
            assert len(runtime.base.hooks.list()) == 0
            assert runtime.base.events.subscriptions() == []
            assert "red-tool" not in runtime.base.tools.names()
            assert runtime.base.workflows.names() == []
            assert not any("red" in name for name in runtime.base.agents.names())
            return [result.value for result in results]

    red, blue = asyncio.run(main())
    check(red, "red")
    check(blue, "blue")


@each_carrier
def test_runs_one_after_another_see_only_what_is_their_own(carrier: str) -> None:
    async def main() -> list[dict[str, Any]]:
        async with script_runtime(gate(1), isolation=carrier) as runtime:
            return [
                (await run_source(runtime, SPELL, params={"me": me, "other": other})).value
                for me, other in (("red", "blue"), ("blue", "red"))
            ]

    red, blue = asyncio.run(main())
    check(red, "red")
    check(blue, "blue")


@each_carrier
def test_every_run_sees_what_the_program_registered_and_cannot_change_it(carrier: str) -> None:
    from llmspell_core.tool import tool

    @tool
    def double(number: float) -> float:
        """Double a number.

        Args:
            number: what is doubled
        """
        return 2 * number

    async def main() -> list[Any]:
        async with script_runtime(isolation=carrier) as runtime:
            seen: list[str] = []
            runtime.base.tools.register("double", double)
            runtime.base.hooks.register(
                "before_tool_execution", lambda ctx: seen.append(ctx.component)
            )
            runtime.base.events.subscribe("news", lambda event: seen.append(event.data))
            source = (
                'Event.publish("news", args.n) pcall(Tool.unregister, "double") '
                'return Tool.execute("double", {number = 4}).output'
            )
            values = [
                (await run_source(runtime, source, params={"n": n})).value for n in ("one", "two")
            ]
            return [*values, *sorted(seen)]

    assert asyncio.run(main()) == [8, 8, "double", "double", "one", "two"]


def test_state_belongs_to_the_script_not_to_the_run(tmp_path: Any) -> None:
    async def main() -> list[Any]:
        from llmspell_bridge.engines import read_source

        for name in ("a.lua", "b.lua"):
            (tmp_path / name).write_text("return State.increment('n')")
        async with script_runtime() as runtime:
            return [
                (await runtime.run(read_source(tmp_path / name))).value
                for name in ("a.lua", "a.lua", "b.lua", "a.lua")
            ]

    assert asyncio.run(main()) == [1, 2, 1, 3]


@each_carrier
def test_many_runs_at_once_in_one_runtime(carrier: str) -> None:
    async def main() -> list[Any]:
        async with script_runtime(isolation=carrier) as runtime:
            source = "local n = args.n Async.sleep(10) print(n) Async.yield() return n * 2"
            runs = (run_source(runtime, source, params={"n": n}) for n in range(8))
            return [result.value for result in await asyncio.gather(*runs)]

    assert asyncio.run(main()) == [2 * n for n in range(8)]
