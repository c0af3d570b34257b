"""`llmspell test`: suites, expectations and scripted models in each language, and the reports."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

LUA = """
local runs = 0
Test.before_each(function() runs = runs + 1 end)
Test.describe("a sum", function()
  local seen
  Test.before_each(function() seen = runs end)
  Test.it("is right", function()
    Test.expect(Tool.execute("calculator", { input = "6*7" }).output):to_be(42)
    Test.expect({ a = { 1, 2 } }):to_equal({ a = { 1, 2 } })
    Test.expect(seen):to_be(1)
  end)
  Test.describe("of an agent", function()
    Test.it("is asked for", function()
      local model = Test.scripted_model{
        { tool = "calculator", arguments = { input = "1+1" } },
        function(request) return "It is " .. request.messages[#request.messages].text end,
      }
      local agent = Agent.new{ system_prompt = "Be brief.", tools = { "calculator" } }
      Test.expect(agent:execute("1+1?").text):to_equal("It is 2")
      Test.expect(model:requests()[1].prompt):toEqual("1+1?")
      Test.expect(model:remaining()):to_be(0)
      Test.expect(seen):to_be(2)
    end)
  end)
end)
Test.it("throws what it should", function()
  Test.expect(function() Tool.execute("nothing", {}) end):to_throw("tool.not_found")
  Test.expect(function() error("bad luck") end):to_throw("luck")
  Test.expect(function() end).never:to_throw()
end)
Test.it("has the other expectations", function()
  Test.expect(nil):to_be_nil()
  Test.expect(false):to_be_falsy()
  Test.expect("kettle"):to_contain("ett")
  Test.expect({ "a", "b" }):to_contain("b")
  Test.expect("kettle"):to_match("^k%a+e$")
  Test.expect("kettle"):to_have_length(6)
  Test.expect(3):to_be_greater_than(2)
  Test.expect(2):to_be_less_than(3)
  Test.expect(0.1 + 0.2):to_be_close_to(0.3)
  Test.expect(0).never:to_equal(1)
  Test.expect(0):to_be_truthy()
end)
"""

#: As modern JavaScript; `ES5` is the same without promises.
JS = """
let runs = 0;
Test.beforeEach(async () => { await Async.sleep(1); runs += 1; });
Test.describe("a sum", async () => {
  await Async.sleep(1);
  let seen;
  Test.before_each(() => { seen = runs; });
  Test.it("is right", async () => {
    Test.expect((await Tool.execute("calculator", { input: "6*7" })).output).toBe(42);
    Test.expect({ a: [1, 2], b: undefined }).to_equal({ a: [1, 2] });
    Test.expect(seen).to_be(1);
  });
  Test.describe("of an agent", () => {
    Test.it("is asked for", async () => {
      const model = await Test.scripted_model([
        { tool: "calculator", arguments: { input: "1+1" } },
        (request) => "It is " + request.messages[request.messages.length - 1].text,
      ]);
      const agent = await Agent.new({ system_prompt: "Be brief.", tools: ["calculator"] });
      Test.expect((await agent.execute("1+1?")).text).toEqual("It is 2");
      Test.expect((await model.requests())[0].prompt).toEqual("1+1?");
      Test.expect(await model.remaining()).toBe(0);
      Test.expect(seen).to_be(2);
    });
  });
});
Test.it("throws what it should", async () => {
  await Test.expect(() => Tool.execute("nothing", {})).to_throw("tool.not_found");
  Test.expect(() => { throw new Error("bad luck"); }).toThrow(/luck/);
  Test.expect(() => {}).never.to_throw();
});
Test.it("has the other expectations", () => {
  Test.expect(null).toBeNull();
  Test.expect(undefined).to_be_nil();
  Test.expect("").toBeFalsy();
  Test.expect("kettle").toContain("ett");
  Test.expect(["a", "b"]).toContain("b");
  Test.expect("kettle").toMatch(/^k\\w+e$/);
  Test.expect([1, 2]).toHaveLength(2);
  Test.expect(3).toBeGreaterThan(2);
  Test.expect(2).toBeLessThan(3);
  Test.expect(0.1 + 0.2).toBeCloseTo(0.3);
  Test.expect(0).not.toEqual(1);
  Test.expect(1).toBeTruthy();
});
"""


def es5(text: str) -> str:
    """The same test without what ES5.1 does not have: its host calls wait by themselves."""
    text = text.replace("async ", "").replace("await ", "").replace("const ", "var ")
    text = text.replace("let ", "var ").replace("Agent.new", 'Agent["new"]')
    text = text.replace("(request) => ", "function (request) { return ").replace(
        ".text,\n", ".text; },\n"
    )
    text = re.sub(r"\(\) => (Tool[^;]*?\))\)", r"function () { \1; })", text)
    return "// @engine duktape\n" + text.replace("() => {", "function () {")


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a_spell_test.lua", LUA),
        ("a_spell_test.js", JS),
        ("b_spell_test.js", es5(JS)),
    ],
    ids=["lua", "js", "es5"],
)
def test_suites_expectations_and_scripted_models_work(
    name: str, text: str, llmspell: CommandLine
) -> None:
    if name.startswith("b_"):
        pytest.importorskip("pyduktape2")
    llmspell.write(name, text)
    done = llmspell("test")
    assert done.code == 0, done.out + done.err
    assert "a sum\n    ✓ is right" in done.out
    assert "4 passed in 1 file" in done.out


def test_a_failure_names_its_line_and_the_exit_code_is_1(llmspell: CommandLine) -> None:
    llmspell.write(
        "spells/bad_spell_test.lua",
        """Test.describe("a kettle", function()
  Test.it("sings", function()
    print("before")
    Test.expect({ 1, 2 }):to_equal({ 1, 3 })
  end)
  Test.it("whistles", function() local x; return x.y end)
end)
""",
    )
    llmspell.write("spells/good_spell_test.js", 'Test.it("works", () => {});\n')
    llmspell.write("spells/node_modules/x_spell_test.js", "not looked at")
    done = llmspell("test", "spells", "--junit", "out/results.xml")
    assert done.code == 1
    assert "expected [1,2] to equal [1,3]  [test.failed]" in done.out
    assert "spells/bad_spell_test.lua:4" in done.out
    assert "4 |     Test.expect({ 1, 2 }):to_equal({ 1, 3 })" in done.out
    assert "it printed\n    before" in done.out
    assert "1 passed, 2 failed in 2 files" in done.out
    suites = ET.parse(llmspell.cwd / "out/results.xml").getroot()
    assert [(one.get("tests"), one.get("failures"), one.get("errors")) for one in suites] == [
        ("2", "1", "1"),
        ("1", "0", "0"),
    ]
    failure = suites.find(".//failure")
    assert failure is not None
    assert "llmspell:test" not in str(failure.text)
    case = suites.find(".//testcase")
    assert case is not None
    assert case.get("name") == "a kettle > sings"


def test_what_is_wrong_with_a_file_is_told_and_costs_only_it(llmspell: CommandLine) -> None:
    llmspell.write("a_spell_test.lua", "Test.it('x' function() end)")
    llmspell.write("b_spell_test.lua", "return 1")
    llmspell.write("c_spell_test.js", "process.exit(0)")
    llmspell.write("d_spell_test.lua", "Test.it('works', function() end)")
    llmspell.write("e_spell_test.lua", "Test.it('y', function() Test.expect(1):to_equl(1) end)")
    done = llmspell("test", "--json")
    assert done.code == 1
    files = json.loads(done.out)["files"]
    codes = [(one["error"] or {}).get("code") for one in files]
    assert codes == ["script.syntax", "test.none", "test.exit", None, None]
    assert files[3]["ok"]
    assert "to_equal" in files[4]["tests"][0]["error"]["message"]


def test_one_that_never_ends_is_ended(llmspell: CommandLine) -> None:
    llmspell.write(
        "slow_spell_test.lua",
        """Test.it("waits", function() Async.sleep(60000) end)
Test.it("works", function() end)
Test.it("loops", function() while true do end end)
Test.it("comes after", function() end)
""",
    )
    done = llmspell("test", "--timeout", "0.3", "--json")
    (file,) = json.loads(done.out)["files"]
    assert [one["outcome"] for one in file["tests"]] == ["error", "passed", "error", "not run"]
    assert {one["error"]["code"] for one in file["tests"] if one["error"]} == {"test.timeout"}
    assert file["error"] is None


@pytest.mark.parametrize("profile", ["low", "medium"])
def test_a_file_that_never_comes_to_its_tests_is_ended(profile: str, llmspell: CommandLine) -> None:
    llmspell.write("slow_spell_test.lua", "while true do end")
    llmspell.write("wait_spell_test.lua", "Test.describe('x', function() Async.sleep(60000) end)")
    done = llmspell("test", "--timeout", "0.3", "--json", "--profile", profile)
    assert [one["error"]["code"] for one in json.loads(done.out)["files"]] == ["test.timeout"] * 2


def test_an_error_that_a_test_leaves_behind_is_its_own(llmspell: CommandLine) -> None:
    llmspell.write(
        "lost_spell_test.lua",
        """Test.it("forgets a task", function()
  Async.spawn(function() error("lost") end)
  Async.sleep(5)
end)
Test.it("works", function() end)
""",
    )
    done = llmspell("test", "--json")
    (file,) = json.loads(done.out)["files"]
    assert [one["outcome"] for one in file["tests"]] == ["error", "passed"]
    assert "lost" in file["tests"][0]["error"]["message"]


def test_some_tests_are_chosen_by_name(llmspell: CommandLine) -> None:
    llmspell.write("a_spell_test.lua", LUA)
    assert "1 passed" in llmspell("test", "a_spell_test.lua", "-k", "THROWS").out


def test_test_is_not_there_elsewhere(llmspell: CommandLine) -> None:
    done = llmspell("eval", "Test.it('x', function() end)")
    assert done.code == 1
    assert "Test is there for files that `llmspell test` runs" in done.err
    assert llmspell("eval", "Test").out == ""


def test_an_engine_that_is_not_there_is_named(llmspell: CommandLine) -> None:
    llmspell.write("a_spell_test.lua", "-- @engine nosuch\nTest.it('x', function() end)")
    done = llmspell("test")
    assert done.code == 3
    assert "no script engine named 'nosuch'" in done.out


def test_mistakes_of_the_command_line_are_told_before_anything_runs(llmspell: CommandLine) -> None:
    done = llmspell("test")
    assert done.code == 2
    assert "no tests found" in done.err
    assert llmspell("test", "nowhere").code == 2
    llmspell.write("llmspell.toml", "[system]\nlog_levle = 'info'\n")
    llmspell.write("a_spell_test.lua", LUA)
    assert llmspell("test").code == 2
