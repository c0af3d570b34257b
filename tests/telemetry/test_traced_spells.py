"""What a spell does is one trace, on every engine, in this process and in a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from telemetry_rig import called, check_names, one_tree, rigged

pytest.importorskip("opentelemetry.sdk")

#: An agent calls a tool of the script, which calls a tool, an agent and a workflow.
LUA = """
local helper = Agent.new{ name = "helper", system_prompt = "HELPER" }
local flow = Workflow.sequential{ name = "sums", steps = {
  { name = "double", tool = "calculator", parameters = { input = "21*2" } },
  { name = "never", when = "false", tool = "calculator", parameters = { input = "1" } },
  { name = "own", execute = function()
    Tool.execute("hash-calculator", { input = "x" })
    return 1
  end },
} }
local clerk = Agent.new{ name = "clerk", description = "Knows", system_prompt = "CLERK",
  temperature = 0.5, tools = { { name = "look", description = "Looks",
    parameters = { item = "string" },
    execute = function()
      Tool.execute("calculator", { input = "1+1" })
      helper:execute("help")
      flow:execute{}
      return 7
    end } } }
print(clerk:execute{ text = "Any kettles?", session = "ada" }.text)
"""
JS = """
const helper = await Agent.new({ name: "helper", system_prompt: "HELPER" });
const flow = await Workflow.sequential({ name: "sums", steps: [
  { name: "double", tool: "calculator", parameters: { input: "21*2" } },
  { name: "never", when: "false", tool: "calculator", parameters: { input: "1" } },
  { name: "own", execute: async () => {
    await Tool.execute("hash-calculator", { input: "x" });
    return 1;
  } },
] });
const clerk = await Agent.new({ name: "clerk", description: "Knows", system_prompt: "CLERK",
  temperature: 0.5, tools: [{ name: "look", description: "Looks", parameters: { item: "string" },
    execute: async () => {
      await Tool.execute("calculator", { input: "1+1" });
      await helper.execute("help");
      await flow.execute({});
      return 7;
    } }] });
print((await clerk.execute({ text: "Any kettles?", session: "ada" })).text);
"""
ES5 = JS.replace("await ", "").replace("async () =>", "function ()").replace("const ", "var ")
#: Name -> what it is nested in, innermost first.
TREE = {
    "invoke_agent clerk": ["script x"],
    "execute_tool look": ["invoke_agent clerk", "script x"],
    "invoke_agent helper": ["execute_tool look", "invoke_agent clerk", "script x"],
    "invoke_workflow sums": ["execute_tool look", "invoke_agent clerk", "script x"],
    "step double": ["invoke_workflow sums", "execute_tool look", "invoke_agent clerk", "script x"],
    "step never": ["invoke_workflow sums", "execute_tool look", "invoke_agent clerk", "script x"],
    "execute_tool hash-calculator": [
        "step own", "invoke_workflow sums", "execute_tool look", "invoke_agent clerk", "script x",
    ],
}  # fmt: skip


def reply(body: dict[str, Any]) -> Any:
    if body["messages"][0]["content"] == "HELPER":
        return "I help."
    return "We have 7." if body["messages"][-1]["role"] == "tool" else called("look", item="kettle")


@pytest.mark.parametrize("carrier", ["low", "medium"])
@pytest.mark.parametrize(
    ("suffix", "source"), [(".lua", LUA), (".js", JS), (".es5.js", ES5)], ids=["lua", "js", "es5"]
)
def test_all_that_a_spell_runs_is_one_trace(
    suffix: str, source: str, carrier: str, tmp_path: Path
) -> None:
    with rigged(tmp_path, reply, carrier=carrier) as (llmspell, collector, server):
        words = ["--engine", "duktape"] if "es5" in suffix else []
        llmspell.write(f"x{suffix}", source)
        done = llmspell("run", *words, f"x{suffix}")
        assert (done.code, done.out, done.err) == (0, "We have 7.\n", "")
    for span in collector.spans:
        span["name"] = span["name"].replace(f"x{suffix}", "x")
    one_tree(collector)
    for name, above in TREE.items():
        assert collector.above(collector.one(name)) == above
    asked = [one for one in collector.spans if one["name"] == "chat m"]
    assert [collector.above(one)[0] for one in sorted(asked, key=lambda one: one["start"])] == [
        "invoke_agent clerk", "invoke_agent helper", "invoke_agent clerk",
    ]  # fmt: skip
    assert len([one for one in collector.names() if one == "execute_tool calculator"]) == 2
    # The service that is asked can go on with the very span that asks it.
    sent = [one["traceparent"].split("-") for one in server.headers]
    assert {one[1] for one in sent} == {collector.spans[0]["trace_id"]}
    assert {one[2] for one in sent} == {one["span_id"] for one in asked}


def test_a_request_through_litellm_names_its_span_too(tmp_path: Path) -> None:
    with rigged(tmp_path, "Hello.") as (llmspell, collector, server):
        llmspell.env |= {
            "LLMSPELL_PROVIDERS__FAKE__TYPE": "litellm",
            "LLMSPELL_PROVIDERS__FAKE__SERVICE": "openai",
        }
        llmspell.write("x.lua", "print(Agent.new{ model = 'fake/m' }:execute('hi').text)")
        assert llmspell("run", "x.lua").out == "Hello.\n"
    _, trace, span, _ = server.headers[0]["traceparent"].split("-")
    asked = collector.one("chat m")
    assert (trace, span) == (asked["trace_id"], asked["span_id"])


def test_the_attributes_are_those_of_the_conventions(tmp_path: Path) -> None:
    with rigged(tmp_path, reply) as (llmspell, collector, server):
        llmspell.write("x.lua", LUA)
        assert llmspell("run", "x.lua").code == 0
        port = server.port
    check_names(collector)
    first = min((s for s in collector.spans if s["name"] == "chat m"), key=lambda one: one["start"])
    assert first["attributes"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "fake",
        "gen_ai.conversation.id": "ada",
        "gen_ai.output.type": "text",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "fake-model",
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 3,
        "server.address": "127.0.0.1",
        "server.port": port,
        "llmspell.agent.path": "clerk",
        "llmspell.iteration": 1,
    }
    clerk = collector.one("invoke_agent clerk")["attributes"]
    assert clerk["gen_ai.agent.description"] == "Knows"
    assert clerk["gen_ai.conversation.id"] == "ada"
    assert (clerk["gen_ai.usage.input_tokens"], clerk["gen_ai.usage.output_tokens"]) == (18, 6)
    look = collector.one("execute_tool look")["attributes"]
    assert look["gen_ai.tool.call.id"] == "call_1"
    assert look["gen_ai.tool.type"] == "function"
    assert look["llmspell.agent.path"] == "clerk"
    double = collector.one("step double")["attributes"]
    assert double["llmspell.step.type"] == "tool"
    assert double["llmspell.step.attempt"] == 1
    never = collector.one("step never")["attributes"]
    assert never["llmspell.step.skipped_reason"] == "when"
    script = collector.one("script x.lua")["attributes"]
    assert script["llmspell.profile"] == "low"
    assert script["gen_ai.usage.input_tokens"] == 27
    assert collector.resources[0]["service.name"] == "llmspell"
    assert collector.metrics["gen_ai.client.operation.duration"][0]["count"] in (1, 3)
    tokens = collector.metrics["gen_ai.client.token.usage"]
    by_type: dict[str, float] = {}
    for point in tokens:
        kind = point["attributes"]["gen_ai.token.type"]
        by_type[kind] = by_type.get(kind, 0) + point["sum"]
    assert by_type == {"input": 27, "output": 9}


def test_an_agent_that_took_over_follows_the_one_before(tmp_path: Path) -> None:
    replies = (called("transfer_to_billing", reason="invoice"), "It is paid.")
    with rigged(tmp_path, *replies) as (llmspell, collector, _):
        llmspell.write(
            "x.lua",
            'Agent.new{ name = "billing", description = "Invoices" }\n'
            'local triage = Agent.new{ name = "triage", handoffs = { "billing" } }\n'
            'print(triage:execute("Is it paid?").text)',
        )
        done = llmspell("run", "x.lua")
        assert (done.code, done.out) == (0, "It is paid.\n"), done.err
    one_tree(collector)
    check_names(collector)
    triage, billing = map(collector.one, ("invoke_agent triage", "invoke_agent billing"))
    assert collector.above(billing) == collector.above(triage) == ["script x.lua"]
    assert billing["links"] == [triage["span_id"]]
    assert triage["links"] == []


def test_a_stream_says_when_its_first_chunk_came(tmp_path: Path) -> None:
    from llmspell_core.testing.openai_server import chunk_of, sse

    streamed = sse("We ", "have ", "seven.", chunk_of("", "stop"))
    with rigged(tmp_path, streamed) as (llmspell, collector, _):
        llmspell.write(
            "x.lua",
            'for chunk in Agent.new{ name = "a" }:stream("How many?") do print(chunk.text) end',
        )
        done = llmspell("run", "x.lua")
        assert (done.code, "".join(done.out.split())) == (0, "Wehaveseven."), done.err
    check_names(collector)
    chat = collector.one("chat m")["attributes"]
    assert chat["gen_ai.request.stream"] is True
    assert 0 < chat["gen_ai.response.time_to_first_chunk"] < 10
    assert collector.metrics["gen_ai.client.operation.time_to_first_chunk"][0]["count"] == 1
    assert collector.metrics["gen_ai.client.operation.time_per_output_chunk"][0]["count"] == 2


def test_what_fails_has_the_code_of_its_error(tmp_path: Path) -> None:
    from llmspell_core.testing.openai_server import Raw

    down = Raw('{"error": {"message": "no such model"}}', status=404)
    with rigged(tmp_path, down) as (llmspell, collector, _):
        llmspell.write(
            "x.lua",
            'pcall(function() Tool.execute("calculator", { input = "1 +* secret words" }) end)\n'
            'Agent.new{ name = "a" }:execute("Hi")',
        )
        assert llmspell("run", "x.lua").code != 0
    check_names(collector)
    errors = {one["name"]: one["attributes"]["error.type"] for one in collector.spans}
    assert errors.pop("execute_tool calculator").startswith(("tool.", "input."))
    assert errors == {
        "chat m": "provider.model_missing",
        "invoke_agent a": "provider.model_missing",
        "script x.lua": "provider.model_missing",
    }
    # A message quotes what was given: without content it is not told.
    assert {one["status"] for one in collector.spans} == {""}
    (point,) = collector.metrics["gen_ai.client.operation.duration"]
    assert point["attributes"]["error.type"] == "provider.model_missing"


def test_a_trace_that_the_caller_began_goes_on(tmp_path: Path) -> None:
    with rigged(tmp_path) as (llmspell, collector, _):
        llmspell.env["TRACEPARENT"] = f"00-{'ab' * 16}-{'cd' * 8}-01"
        llmspell.write("x.lua", "print(1)")
        assert llmspell("run", "x.lua").code == 0
    (span,) = collector.spans
    assert (span["trace_id"], span["parent_id"]) == ("ab" * 16, "cd" * 8)
