"""Every hook point of the script API is reached, with the fields that the docs name."""

from __future__ import annotations

import asyncio
import json
from functools import cache

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import ProviderError
from llmspell_core.hooks import POINTS, HookContext
from llmspell_core.testing import ScriptedProvider, tool_call

COMMON = {"point", "language", "metadata"}
OF_RUNS = COMMON | {"component", "component_id", "correlation_id", "state"}
#: What each point shows at least.
FIELDS: dict[str, set[str]] = {
    "system_startup": COMMON,
    "system_shutdown": COMMON,
    "before_agent_init": COMMON | {"component", "component_id", "operation", "input"},
    "after_agent_init": COMMON | {"component", "component_id", "operation", "input"},
    "before_agent_execution": OF_RUNS | {"operation", "input", "duration_ms"},
    "after_agent_execution": OF_RUNS | {"operation", "input", "output", "duration_ms"},
    "agent_error": OF_RUNS | {"operation", "input", "error", "duration_ms"},
    "before_agent_shutdown": OF_RUNS | {"operation"},
    "after_agent_shutdown": OF_RUNS | {"operation"},
    "before_agent_handoff": COMMON | {"component", "component_id", "operation", "input"},
    "after_agent_handoff": COMMON | {"component", "component_id", "operation", "input"},
    "before_llm_call": OF_RUNS | {"operation", "input", "messages"},
    "after_llm_call": OF_RUNS | {"operation", "messages", "output", "duration_ms"},
    "llm_error": OF_RUNS | {"operation", "error"},
    "before_tool_execution": OF_RUNS | {"operation", "tool", "arguments", "duration_ms"},
    "after_tool_execution": OF_RUNS | {"operation", "tool", "arguments", "output", "duration_ms"},
    "tool_error": OF_RUNS | {"operation", "tool", "arguments", "error", "duration_ms"},
    "before_workflow_start": OF_RUNS | {"operation", "input", "duration_ms"},
    "before_workflow_stage": OF_RUNS | {"operation", "input", "duration_ms"},
    "after_workflow_stage": OF_RUNS | {"operation", "output", "duration_ms"},
    "after_workflow_complete": OF_RUNS | {"operation", "output", "duration_ms"},
    "workflow_error": OF_RUNS | {"operation", "error", "duration_ms"},
    "workflow_checkpoint": OF_RUNS | {"operation", "output", "duration_ms"},
    "before_script": OF_RUNS | {"operation", "input"},
    "after_script": OF_RUNS | {"operation"},
    "state_change": COMMON | {"component", "operation", "input", "state", "correlation_id"},
    "session_start": COMMON | {"component", "component_id", "operation", "correlation_id"},
    "session_end": COMMON | {"component", "component_id", "operation", "correlation_id"},
}
#: Reached before a script has said anything, or after its engine is gone.
OUTSIDE = {"system_startup", "system_shutdown", "before_script"}

LUA = """
local seen = {}
for _, point in ipairs(args.points) do
  Hook.register(point, {priority = "highest", handler = function(ctx)
    local fields = seen[point] or {}
    for name in pairs(ctx) do fields[name] = true end
    seen[point] = fields
    if point == "after_script" then print(JSON.encode(seen)) end
  end})
end
local function stock(p)
  if p.item == "none" then error("no such item") end
  return 7
end
local function fails() error("no") end
local billing = Agent.new{name = "billing", system_prompt = "b"}
local triage = Agent.new{
  name = "triage", system_prompt = "t", handoffs = {"billing"}, retry = {max_attempts = 1},
  tools = {{name = "stock", parameters = {item = "string"}, execute = stock}},
}
triage:execute("one")
pcall(function() triage:execute("two") end)
Workflow.sequential{name = "w", steps = {{name = "a", execute = function() return 1 end}}}:execute()
Workflow.sequential{name = "bad", steps = {{name = "a", input = 1, execute = fails}}}:execute()
State.set("k", 1)
local session = Session.create{name = "s"}
Session.complete(type(session) == "string" and session or session.id)
Agent.unregister("billing")
"""
JS = """
const seen = {};
for (const point of args.points) {
  await Hook.register(point, {priority: "highest", handler: (ctx) => {
    const fields = seen[point] ?? {};
    for (const name of Object.keys(ctx)) fields[name] = true;
    seen[point] = fields;
    if (point === "after_script") print(JSON.stringify(seen));
  }});
}
const stock = (p) => {
  if (p.item === "none") throw new Error("no such item");
  return 7;
};
const fails = () => { throw new Error("no") };
const billing = await Agent.new({name: "billing", systemPrompt: "b"});
const triage = await Agent.new({
  name: "triage", systemPrompt: "t", handoffs: ["billing"], retry: {maxAttempts: 1},
  tools: [{name: "stock", parameters: {item: "string"}, execute: stock}],
});
await triage.execute("one");
try { await triage.execute("two") } catch (e) {}
for (const execute of [() => 1, fails]) {
  await (await Workflow.sequential({name: "w", steps: [{name: "a", input: 1, execute}]})).execute();
}
await State.set("k", 1);
const session = await Session.create({name: "s"});
await Session.complete(typeof session === "string" ? session : session.id);
await Agent.unregister("billing");
"""
SOURCES = {"spell.lua": LUA, "spell.js": JS}


@cache
def reached(name: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What hooks of the process and hooks of the script saw: point -> fields."""
    of_process: dict[str, set[str]] = {}
    streams = CapturedStreams()
    replies = (
        [tool_call("stock", item="x"), tool_call("stock", item="none")],
        tool_call("transfer_to_billing", reason="money", input="pay"),
        "done",
        ProviderError("down", code="provider.server"),
    )

    def note(ctx: HookContext) -> None:
        of_process.setdefault(ctx.point, set()).update(ctx.to_script().data)

    async def main() -> None:
        provider = ScriptedProvider(*replies)
        settings = {
            "default": {"model": f"{provider.name}/{provider.default_model}"},
            "state": {"backend": "memory"},
        }
        engine = name.rpartition(".")[2]
        runtime = ScriptRuntime(settings, engine=engine, isolation="process")
        for point in POINTS:
            runtime.base.hooks.register(point, note)
        async with runtime:
            runtime.add_provider(provider)
            points = [point for point in POINTS if point not in OUTSIDE]
            source = ScriptSource(SOURCES[name], name)
            await runtime.run(source, streams=streams, params={"points": points})

    asyncio.run(main())
    of_script = {point: set(fields) for point, fields in json.loads(streams.stdout).items()}
    return of_process, of_script


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("point", POINTS)
def test_a_point_is_reached_with_its_fields(name: str, point: str) -> None:
    of_process, of_script = reached(name)
    assert of_process.get(point, set()) >= FIELDS[point]
    if point not in OUTSIDE:
        assert of_script.get(point, set()) >= FIELDS[point]


def test_the_table_has_every_point() -> None:
    assert set(FIELDS) == set(POINTS)
