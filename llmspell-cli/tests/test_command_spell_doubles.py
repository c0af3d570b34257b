"""What stands in for models, tools and services under `llmspell test`: scripts and recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI

LUA = """
Test.it("streams, waits, looks at the request and breaks off", function()
  local model = Test.scripted_model{
    { chunks = { "It ", "sings" }, chunk_ms = 1, delay_ms = 1, when = "kettle" },
    { chunks = { "No" }, error = "line dead", code = "provider.auth" },
  }
  local agent, pieces = Agent.new{ system_prompt = "Be brief." }, {}
  for chunk in agent:stream("a kettle") do
    if chunk.type == "text" then pieces[#pieces + 1] = chunk.text end
  end
  Test.expect(pieces):to_equal{ "It ", "sings" }
  Test.expect(function() agent:execute("x") end):to_throw("provider.auth")
  model:assert_all_used()
end)
Test.it("says what was not used and what was wrong", function()
  local model = Test.scripted_model{ { text = "1", when = "red" }, "2" }
  Test.expect(function() Agent.new("x"):execute("blue") end):to_throw("should match 'red'")
  Test.expect(function() model:assert_all_used() end):to_throw("1 scripted replies were never")
end)
Test.it("fakes a tool", function()
  Test.scripted_model{
    { tool = "calculator", arguments = { input = "6*7" } },
    { tool = "calculator", arguments = { input = "2" } },
    "done",
  }
  local fake = Test.fake_tool("calculator", {
    { error = "out of order", code = "tool.broken", delay_ms = 1 },
    { result = 43 },
    { real = true },
    function(arguments) return arguments.input .. "!" end,
  })
  local out = Agent.new{ system_prompt = "x", tools = { "calculator" } }:execute("6*7?")
  Test.expect(out):to_have_called("calculator", { input = "6*7" })
  Test.expect(out.tool_calls[1].error.code):to_equal("tool.broken")
  Test.expect(out.tool_calls[2].result):to_equal(43)
  Test.expect(Tool.execute("calculator", { input = "1+1" }).output):to_equal(2)
  Test.expect(Tool.execute("calculator", { input = "1" }).output):to_equal("1!")
  Test.expect(function() Tool.execute("calculator", { input = "1" }) end):to_throw("written down")
  Test.expect(function() Tool.execute("calculator", { wrong = 1 }) end):to_throw("input.invalid")
  Test.expect(#fake:calls()):to_equal(5)
  Test.expect(fake:remaining()):to_equal(0)
  fake:restore()
  Test.expect(Tool.execute("calculator", { input = "1+1" }).output):to_equal(2)
end)
Test.it("looks at hand-offs and calls", function()
  Agent.new{ name = "billing", execute = function() return "paid" end }
  local triage = Agent.new{ name = "triage", execute = function()
    return { handoff_request = { target = "billing" } }
  end }
  local out = triage:execute("pay")
  Test.expect(out):to_have_handed_off_to("billing")
  Test.expect(out).never:to_have_handed_off_to()
  Test.expect(out).never:to_have_called("calculator")
  Test.expect(function() Test.expect(out):to_have_handed_off_to("sales") end)
    :to_throw("it went to billing")
  Test.expect(function() Test.expect(out):to_have_called("stock") end):to_throw("it called none")
  Test.expect(function() Test.expect(1):to_have_called("stock") end):to_throw("an agent's output")
end)
"""

#: As modern JavaScript; `ES5` is the same without promises.
JS = """
Test.it("streams, waits, looks at the request and breaks off", async () => {
  const model = await Test.scriptedModel([
    { chunks: ["It ", "sings"], chunk_ms: 1, delay_ms: 1, when: "kettle" },
    { chunks: ["No"], error: "line dead", code: "provider.auth" },
  ]);
  const agent = await Agent.new({ system_prompt: "Be brief." });
  Test.expect((await agent.execute("a kettle")).text).to_equal("It sings");
  await Test.expect(() => agent.execute("x")).to_throw("provider.auth");
  await model.assertAllUsed();
});
Test.it("fakes a tool", async () => {
  await Test.scripted_model([{ tool: "calculator", arguments: { input: "6*7" } }, "done"]);
  const fake = await Test.fakeTool("calculator", (given) => given.input + "!");
  const agent = await Agent.new({ system_prompt: "x", tools: ["calculator"] });
  const out = await agent.execute("6*7?");
  Test.expect(out).to_have_called("calculator", { input: "6*7" });
  Test.expect(out.tool_calls[0].result).toEqual("6*7!");
  Test.expect((await fake.calls()).length).toBe(1);
  await fake.restore();
  Test.expect((await Tool.execute("calculator", { input: "1+1" })).output).toBe(2);
});
Test.it("looks at hand-offs and calls", async () => {
  await Agent.new({ name: "billing", execute: () => "paid" });
  const triage = await Agent.new({
    name: "triage", execute: () => ({ handoff_request: { target: "billing" } }),
  });
  const out = await triage.execute("pay");
  Test.expect(out).toHaveHandedOffTo("billing");
  Test.expect(out).not.to_have_handed_off_to();
  Test.expect(out).never.to_have_called("calculator");
  Test.expect(() => Test.expect(out).to_have_handed_off_to("sales")).to_throw("it went to billing");
  Test.expect(() => Test.expect(out).to_have_called("stock")).to_throw("it called none");
});
"""

TAPE_LUA = """
Test.it("answers as it did", function()
  local tape = Test.cassette("tapes/hi.jsonl")
  local agent = Agent.new{ system_prompt = "Be brief.", model = "house/m" }
  Test.expect(agent:execute("Hi").text):to_equal("Hello there.")
  Test.expect(tape:played() + tape:recorded()):to_equal(1)
  Test.expect(tape:remaining()):to_equal(0)
  Test.expect(tape.mode):to_match("^re")
end)
"""

TAPE_JS = """
Test.it("answers as it did", async () => {
  const tape = await Test.cassette("tapes/hi.jsonl");
  const agent = await Agent.new({ system_prompt: "Be brief.", model: "house/m" });
  Test.expect((await agent.execute("Hi")).text).to_equal("Hello there.");
  Test.expect((await tape.played()) + (await tape.recorded())).to_equal(1);
});
"""


def es5(text: str) -> str:
    """The same test without what ES5.1 does not have: its host calls wait by themselves."""
    text = text.replace("async ", "").replace("await ", "").replace("const ", "var ")
    text = text.replace("Agent.new", 'Agent["new"]')
    text = text.replace("(given) => given.input", "function (given) { return given.input")
    text = text.replace('+ "!");', '+ "!"; });')
    text = text.replace('() => "paid"', 'function () { return "paid"; }')
    handed = '{ handoff_request: { target: "billing" } }'
    text = text.replace(f"() => ({handed})", f"function () {{ return {handed}; }}")
    text = text.replace('() => agent.execute("x")', 'function () { agent.execute("x"); }')
    for part in ('to_have_handed_off_to("sales")', 'to_have_called("stock")'):
        text = text.replace(
            f"() => Test.expect(out).{part}", f"function () {{ Test.expect(out).{part}; }}"
        )
    return "// @engine duktape\n" + text.replace("() => {", "function () {")


LANGUAGES = ("lua", "js", "es5")


def written(llmspell: CommandLine, language: str, lua: str, js: str) -> None:
    if language == "es5":
        pytest.importorskip("pyduktape2")
    text = {"lua": lua, "js": js, "es5": es5(js)}[language]
    llmspell.write(f"spells/a_spell_test.{'lua' if language == 'lua' else 'js'}", text)


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_models_and_tools_are_written_down(language: str, llmspell: CommandLine) -> None:
    written(llmspell, language, LUA, JS)
    done = llmspell("test")
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cassette_is_recorded_on_demand_and_played_otherwise(
    language: str, llmspell: CommandLine
) -> None:
    written(llmspell, language, TAPE_LUA, TAPE_JS)
    missing = llmspell("test")
    assert missing.code == 1
    assert "there is no cassette" in missing.out
    with serving(FakeOpenAI("Hello there.")) as server:
        env = {"LLMSPELL_PROVIDERS__HOUSE__BASE_URL": server.base_url}
        recorded = llmspell("test", "--record", env=env)
        assert recorded.code == 0, recorded.out
        assert len(server.requests) == 1
    assert (llmspell.cwd / "spells/tapes/hi.jsonl").is_file()
    played = llmspell("test")
    assert played.code == 0, played.out


def test_a_test_records_only_where_it_may(llmspell: CommandLine) -> None:
    llmspell.write(
        "spells/a_spell_test.lua",
        'Test.it("x", function() Test.cassette("../stolen.jsonl") end)\n'
        'Test.it("y", function() Test.cassette("here.jsonl", { mode = "record" }) end)\n'
        'Test.it("z", function() Test.cassette("here.jsonl", { mood = "record" }) end)\n',
    )
    done = llmspell("test", "--record")
    assert "outside of the test's folder  [policy.file]" in done.out
    assert 'no option "mood"' in done.out
    assert "1 passed, 2 failed" in done.out
    done = llmspell("test", "-k", "y")
    assert "[policy.file]" in done.out


def test_agents_made_before_the_cassette_are_played_as_well(llmspell: CommandLine) -> None:
    llmspell.write(
        "a_spell_test.lua",
        'local agent = Agent.new{ system_prompt = "Be brief.", model = "house/m" }\n'
        + TAPE_LUA.replace("  local agent", "  local _"),
    )
    with serving(FakeOpenAI("Hello there.")) as server:
        env = {"LLMSPELL_PROVIDERS__HOUSE__BASE_URL": server.base_url}
        assert llmspell("test", "--record", env=env).code == 0
        assert llmspell("test", env=env).code == 0
        assert len(server.requests) == 1
