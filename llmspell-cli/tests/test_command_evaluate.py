"""`llmspell evaluate`: what is evaluated, what judges it, reports, and comparing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

AGENT = """\
name: kettles
agent:
  name: seller
  system_prompt: You sell kettles.
  tools: [calculator]
judge: {model: house/judge}
cases:
  - name: counts
    input: How many?
    checks:
      contains: "42"
      tools: [calculator]
      judge: It is polite.
      script: checks.lua#short
  - name: knows
    input: Who?
    tags: [slow]
    checks: {equals: me}
"""
CHECKS = """\
return {
  short = function(answer, case)
    return { passed = #answer.text < 20, reason = "too long for " .. case.name }
  end,
  nothing = function() end,
}
"""


def reply(body: dict[str, Any]) -> dict[str, Any] | str:
    last = body["messages"][-1]
    if body["model"] == "judge":
        polite = "please" in json.loads(last["content"])["answer"]["text"]
        return json.dumps({"reason": "no please" if not polite else "nice", "score": int(polite)})
    if last["role"] == "tool":
        return f"{last['content']}, please"
    if last["content"] != "How many?":
        return "me"
    function = {"name": "calculator", "arguments": '{"input": "6*7"}'}
    return completion(tool_calls=[{"id": "c1", "type": "function", "function": function}])


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    made.write("suites/kettles.yaml", AGENT)
    made.write("suites/checks.lua", CHECKS)
    made.env["LLMSPELL_DEFAULT__MODEL"] = "house/m"
    with serving(FakeOpenAI(reply)) as server:
        made.env["LLMSPELL_PROVIDERS__HOUSE__BASE_URL"] = server.base_url
        yield made


def test_an_agent_is_evaluated_by_checks_judges_and_functions(llmspell: CommandLine) -> None:
    done = llmspell(
        *("evaluate", "suites/kettles.yaml", "--repeat", "2", "--pass-at", "2", "--save", "a.json"),
        *("--junit", "out/a.xml", "--markdown", "out/a.md"),
    )
    assert done.code == 0, done.out + done.err
    assert "kettles ─ agent, 2 cases x 2\n" in done.out
    assert "✓ counts  2/2" in done.out
    assert "pass rate 100 % (4 of 4), pass@2 100 %, " in done.out
    assert "cost unknown, judging " in done.out
    data = json.loads((llmspell.cwd / "a.json").read_text())
    assert (data["pass_rate"], data["pass@2"], data["target"]) == (1.0, 1.0, "agent seller")
    verdicts = data["cases"][0]["attempts"][0]["verdicts"]
    assert [one["check"] for one in verdicts][2:] == [
        'judge "It is polite."',
        'script "checks.lua#short"',
    ]
    suite = ET.parse(llmspell.cwd / "out/a.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    page = (llmspell.cwd / "out/a.md").read_text()
    assert "| ✓ | counts | 2 of 2 | 100 % |" in page


def test_what_fails_says_why_and_a_baseline_what_became_worse(llmspell: CommandLine) -> None:
    assert llmspell("evaluate", "suites/kettles.yaml", "--save", "a.json", "-q").code == 0
    worse = AGENT.replace('contains: "42"', 'contains: ["42", "thanks"]')
    llmspell.write("suites/kettles.yaml", worse.replace("checks.lua#short", "checks.lua#nothing"))
    done = llmspell(
        *("evaluate", "suites/kettles.yaml", "--baseline", "a.json", "--threshold", "0.5"),
        *("--markdown", "a.md", "--junit", "a.xml"),
    )
    assert done.code == 1
    assert 'contains ["42", "thanks"]: "thanks" is not in "42, please"' in done.out
    assert "returned nothing that says whether the answer is right" in done.out
    assert "pass rate 50 % (1 of 2), 50 % wanted" in done.out
    assert "against a.json: pass rate 100 % -> 50 %\n  worse: counts  100 % -> 0 %" in done.out
    assert "tokens x 1" in done.out
    assert "## What failed" in (llmspell.cwd / "a.md").read_text()
    assert ET.parse(llmspell.cwd / "a.xml").getroot().find(".//failure") is not None
    tolerant = ("--baseline", "a.json", "--threshold", "0.5", "--tolerance", "1", "--json")
    done = llmspell("evaluate", "suites/kettles.yaml", *tolerant)
    assert done.code == 0
    assert json.loads(done.out)["baseline"]["ok"] is True


def test_cases_are_chosen_by_name_and_tag(llmspell: CommandLine) -> None:
    assert "1 case\n" in llmspell("evaluate", "suites/kettles.yaml", "-k", "KNOW").out
    assert "✓ knows" in llmspell("evaluate", "suites/kettles.yaml", "--tag", "slow").out
    none = llmspell("evaluate", "suites/kettles.yaml", "--tag", "x")
    assert (none.code, "no case has this name or tag" in none.err) == (2, True)


def test_an_evaluation_is_played_from_a_cassette(llmspell: CommandLine) -> None:
    command = ("evaluate", "suites/kettles.yaml", "--repeat", "2")
    assert llmspell(*command, "--record", "k.jsonl").code == 0
    llmspell.env.pop("LLMSPELL_PROVIDERS__HOUSE__BASE_URL")
    done = llmspell(*command, "--replay", "k.jsonl")
    assert done.code == 0, done.out + done.err
    assert done.err == ""


def test_workflows_tools_scripts_and_agent_files_are_evaluated(llmspell: CommandLine) -> None:
    llmspell.write(
        "suites/flow.json",
        '{"name": "flow", "steps": [{"name": "up", "tool": "text-manipulator",'
        ' "input": {"operation": "uppercase", "input": "{{input.word}}"}}]}',
    )
    llmspell.write("suites/up.lua", "return stdin.text():upper() .. (args.word or ''):upper()")
    llmspell.write("suites/ask.lua", "return Agent.new('x'):execute(args[1])")
    llmspell.write("suites/me.agent.toml", 'system_prompt = "You are me."\n')
    cases: dict[str, tuple[str, str, str]] = {
        "workflow: flow.json": ("{word: abc}", "equals: ABC", "within: {requests: 0}"),
        "tool: text-manipulator": (
            "{operation: uppercase, input: abc}",
            "equals: ABC",
            "tools: [text-manipulator]",
        ),
        "script: up.lua": ("abc", "equals: ABC", "within: {tokens: 0}"),
        "script: ask.lua": ("Who?", "equals: me", "tools: []"),
        "agent: me.agent.toml": ("Who?", "equals: me", "handoffs: []"),
    }
    for number, (target, (given, first, second)) in enumerate(cases.items()):
        checks = f"[{{{first}}}, {{{second}}}]"
        text = f"{target}\ncases:\n  - input: {given}\n    checks: {checks}\n"
        llmspell.write(f"suites/s{number}.yaml", text)
        done = llmspell("evaluate", f"suites/s{number}.yaml")
        assert done.code == 0, f"{target}\n{done.out}{done.err}"


def test_failures_of_the_target_are_answers_of_their_own(llmspell: CommandLine) -> None:
    llmspell.write(
        "s.yaml",
        "tool: calculator\ntimeout_ms: 60000\ncases:\n"
        "  - {name: bad, input: 1/, checks: {error: input.invalid}}\n"
        "  - {name: worse, input: 1/, checks: {equals: 1}}\n",
    )
    done = llmspell("evaluate", "s.yaml")
    assert done.code == 1
    assert "✓ bad" in done.out
    assert "answers: " in done.out
    assert "[input.invalid]" in done.out


def test_mistakes_are_told_before_anything_runs(llmspell: CommandLine) -> None:
    llmspell.write("s.yaml", "agent: nobody\ncases:\n  - {input: 1, checks: {equals: 1}}\n")
    done = llmspell("evaluate", "s.yaml")
    assert done.code != 0
    assert "nobody" in done.err
    llmspell.write("s.yaml", "agent: x\ncases: []\n")
    done = llmspell("evaluate", "s.yaml")
    assert done.code == 2
    assert "s.yaml:2   cases: a suite has a list of cases" in done.err
    for name, text, said in (
        ("nowhere.yaml", "", "no such suite: nowhere.yaml"),
        ("s.lua", "return 1", "s.lua is no suite"),
        ("t.yaml", "a: [", "1 mistake in the suite"),
    ):
        if text:
            llmspell.write(name, text)
        done = llmspell("evaluate", name)
        assert (done.code, said in done.err) == (2, True)
    llmspell.write("b.json", "{}")
    done = llmspell("evaluate", "suites/kettles.yaml", "--baseline", "b.json")
    assert (done.code, "was not written by llmspell evaluate" in done.err) == (2, True)


def test_more_runs_are_asked_for_than_there_are(llmspell: CommandLine) -> None:
    llmspell.write("s.yaml", "tool: calculator\ncases:\n  - {input: '1', checks: {equals: 1}}\n")
    done = llmspell("evaluate", "s.yaml", "--repeat", "2", "--pass-at", "3")
    assert (done.code, "pass@3 needs 3 runs of a case, and there are 2" in done.err) == (2, True)
    assert llmspell("evaluate", "s.yaml", "--repeat", "3", "--pass-at", "3").code == 0
