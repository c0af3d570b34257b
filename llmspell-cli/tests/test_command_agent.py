"""`llmspell agent`: listing, explaining, checking and running agents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

FILE = """\
description = "greets"
system_prompt = "Greet {{ who }} in {{ tone }} words."
tools = ["calculator"]

[parameters]
tone = { type = "string", default = "warm" }

[inputs]
who = "string"
times = "integer?"
"""


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def asked(llmspell: CommandLine) -> Iterator[list[dict[str, Any]]]:
    with serving(FakeOpenAI(lambda body: f"You said: {body['messages'][-1]['content']}")) as server:
        llmspell.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        llmspell.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield server.requests


def test_agents_and_templates_are_listed(llmspell: CommandLine) -> None:
    llmspell.write("llmspell.toml", '[agents.bot]\nextends = "chat"\ndescription = "mine"\n')
    listed = json.loads(llmspell("agent", "list", "--json").out)
    rows = {row["name"]: row for row in listed}
    assert rows["bot"]["source"] == "configuration"
    assert rows["chat"]["source"] == "llmspell-agents"
    assert rows["customer-service"]["asks for"] == ["company"]
    assert "bot " in llmspell("agent", "list").out
    found = {row["name"]: row for row in json.loads(llmspell("agent", "templates", "--json").out)}
    assert found["bot"]["levels"] == ["chat", "bot"]
    assert found["research"]["capabilities"][0] == "research"
    assert "company [escalate_to] [policies]" in llmspell("agent", "templates").out


def test_a_template_and_a_file_are_explained(llmspell: CommandLine) -> None:
    page = llmspell("agent", "info", "research").out
    assert "research  (research, complex)" in page
    assert "depth           quick|standard|deep   = standard" in page
    assert "academic-searcher" in page
    llmspell.write("greet.agent.toml", FILE)
    assert json.loads(llmspell("agent", "info", "greet.agent.toml", "--json").out)["tools"] == [
        "calculator"
    ]
    llmspell.write("ask.agent.toml", 'inputs = {who = "string"}\nexample = "Hi"\n')
    page = llmspell("agent", "info", "ask.agent.toml").out
    assert "Each run is given:\n  who  string  required\n" in page
    assert "llmspell agent run ask.agent.toml --param who=... Hi" in page
    wrong = llmspell("agent", "info", "reserch")
    assert (wrong.code, 'did you mean "research"?' in wrong.err) == (2, True)


def test_an_agent_is_asked_by_name_and_by_file(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    done = llmspell("agent", "run", "chat", "hi", "--param", "tone=gruff")
    assert (done.code, done.out, done.err) == (0, "You said: hi\n", "")
    assert "Your tone is gruff." in asked[-1]["messages"][0]["content"]
    llmspell.write("greet.agent.toml", FILE)
    words = ["--param", "who=Ada", "--param", "times=2", "--stats"]
    done = llmspell("agent", "run", "greet.agent.toml", *words, stdin="from stdin")
    assert done.out == "You said: from stdin\n"
    assert done.err.startswith("tokens  9 in, 3 out\ncost    unknown\ntime    ")
    assert asked[-1]["messages"][0]["content"] == "Greet Ada in warm words."
    answer = json.loads(llmspell("agent", "run", "chat", "hi", "--json").out)
    assert (answer["text"], answer["agent"]) == ("You said: hi", "chat")
    llmspell("agent", "run", "chat", "hi", "--model", "fake/other")
    assert asked[-1]["model"] == "other"


def test_a_missing_file_is_a_mistake_of_the_command_line(llmspell: CommandLine) -> None:
    for command in (("agent", "run", "greet.agent.toml", "x"), ("agent", "info", "a.md")):
        done = llmspell(*command)
        assert (done.code, f'no such file or directory: "{command[2]}"' in done.err) == (2, True)


def test_a_file_named_on_the_command_line_may_be_anywhere(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    path = llmspell.home / "greet.agent.toml"
    path.write_text(FILE, encoding="utf-8")
    done = llmspell("agent", "run", path, "x", "--param", "who=Ada")
    assert (done.code, done.out) == (0, "You said: x\n")


def test_mistakes_of_a_call_are_told(llmspell: CommandLine) -> None:
    wrong = llmspell("agent", "run", "customer-service", "hi")
    assert (wrong.code, "parameter company is required" in wrong.err) == (2, True)
    wrong = llmspell("agent", "run", "chat", "hi", "--param", "tne=x")
    assert 'unknown parameter "tne"' in wrong.err
    assert 'did you mean "tone"?' in wrong.err
    wrong = llmspell("agent", "run", "nothing", "hi")
    assert (wrong.code, 'unknown template "nothing"' in wrong.err) == (2, True)
    wrong = llmspell("agent", "run", "nothing.yaml", "hi")
    assert 'no such file or directory: "nothing.yaml"' in wrong.err
    llmspell.write("some.yaml", "name: x")
    wrong = llmspell("agent", "run", "some.yaml", "hi")
    assert (wrong.code, "its name ends in .agent.yaml" in wrong.err) == (2, True)


def test_files_and_configured_agents_are_checked(llmspell: CommandLine) -> None:
    assert llmspell("agent", "validate").code == 0
    llmspell.write("greet.agent.toml", FILE)
    llmspell.write("bad.agent.yaml", "name: x\ntols: []\n")
    llmspell.write("llmspell.toml", '[agents.bot]\nextends = "chta"\n')
    done = llmspell("agent", "validate")
    assert done.code == 1
    assert done.out.splitlines() == [
        'bad.agent.yaml:2   tols: unknown key, did you mean "tools"?',
        "ok  greet.agent.toml",
        'llmspell.toml:2   agents.bot: unknown template "chta", did you mean "chat"?',
    ]
    assert llmspell("agent", "validate", "greet.agent.toml").code == 0
    rows = json.loads(llmspell("agent", "validate", "--json").out)
    assert [row["ok"] for row in rows] == [False, True, False]


def test_what_only_the_maker_of_agents_knows_is_checked_with_the_configuration(
    llmspell: CommandLine,
) -> None:
    llmspell.write(
        "llmspell.toml",
        '[agents.a]\nsystemprompt = "x"\n\n[agents.b]\ntemperature = "hot"\n\n'
        '[agents.c]\ntools = ["calculatr"]\n\n[agents.d]\nresponse_format = {type = "objekt"}\n',
    )
    done = llmspell("config", "validate")
    assert done.code == 2
    for text in (
        "4 mistakes in the configuration",
        'llmspell.toml:2    agents.a: agent a: unknown field "systemprompt"',
        "llmspell.toml:5    agents.b: agent b: temperature must be a number",
        'llmspell.toml:8    agents.c: unknown tool "calculatr", did you mean "calculator"?',
        "llmspell.toml:11   agents.d: agent d: response_format: type: 'objekt'",
    ):
        assert text in done.err, done.err
    llmspell.write("llmspell.toml", '[agents.a]\nsystem_prompt = "x"\n')
    assert llmspell("config", "validate").code == 0


def test_files_that_cannot_run_are_found_before(llmspell: CommandLine) -> None:
    llmspell.write("a.agent.md", '+++\ndescription = "x"\n')
    llmspell.write("b.agent.toml", 'system_prompt = "a {{ x"\n[parameters]\nx = "string"\n')
    llmspell.write("c.agent.toml", '[inputs]\nn = { type = "integer", minimum = "a" }\n')
    llmspell.write("d.agent.json", "[" * 200_000)
    llmspell.write("e.agent.toml", 'name = "e"\nextends = "no.agent.toml"\n')
    llmspell.write("f.agent.json", '{"systemPrompt": "a", "system_prompt": "b"}')
    a, b, c, d, e, f = llmspell("agent", "validate").out.splitlines()
    assert a == "a.agent.md:1   the fields in front of the prompt have no end"
    assert b.startswith("b.agent.toml:1   system_prompt: unexpected end of template")
    assert c.startswith("c.agent.toml:1   inputs: no schema: properties/n/minimum: 'a'")
    assert d == "d.agent.json   is nested too deep"
    assert e == 'e.agent.toml:2   extends: no such file or directory: "no.agent.toml"'
    assert f.startswith('f.agent.json   "systemPrompt" and "system_prompt" are the same field')


def test_inputs_are_put_into_the_prompt(llmspell: CommandLine, asked: list[dict[str, Any]]) -> None:
    llmspell.write("r.agent.md", '+++\n[inputs]\npath = "string"\n+++\nYou review {{ path }}.\n')
    assert llmspell("agent", "run", "r.agent.md", "hi", "--param", "path=SPELL").code == 0
    assert asked[-1]["messages"][0]["content"] == "You review SPELL."


def test_the_schema_is_printed(llmspell: CommandLine) -> None:
    assert "tools_add" in json.loads(llmspell("agent", "schema").out)["properties"]


def test_the_doctor_looks_at_agents_that_are_data(llmspell: CommandLine) -> None:
    source = (
        'GOOD = {"extends": "chat", "tools_remove": ["calculator"]}\n'
        'BAD = {"extends": "chta", "tols": []}\nNONE = 7\n'
    )
    agents = {"good": "GOOD", "bad": "BAD", "none": "NONE"}
    llmspell.plugin("acme-agents", source, agents=agents)
    done = llmspell("plugins", "doctor", "acme-agents")
    assert done.code == 1
    text = done.out + done.err
    assert 'it extends "chta", which is not installed' in text
    assert 'unknown field "tols"' in text
    assert "it is a int" in text
    assert "good" not in "".join(line for line in text.splitlines() if "it " in line)


def test_a_plugin_offers_an_agent_as_data(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    source = (
        'AGENT = {"extends": "research", "description": "watches markets",\n'
        '         "tools_add": ["json-processor"], "parameters": {"topic": "markets"}}\n'
    )
    llmspell.plugin("acme-agents", source, agents={"market-research": "AGENT"})
    rows = {row["name"]: row for row in json.loads(llmspell("agent", "list", "--json").out)}
    assert rows["market-research"]["source"] == "acme-agents"
    assert llmspell("agent", "run", "market-research", "hi").out == "You said: hi\n"
    assert "in the field of markets" in asked[-1]["messages"][0]["content"]
    spell = llmspell.write("x.lua", 'return Agent.get("market-research"):execute("hi").text')
    assert llmspell(spell).out == "You said: hi\n"


def test_an_agent_pauses_and_is_resumed(llmspell: CommandLine) -> None:
    def clerk(body: dict[str, Any]) -> dict[str, Any]:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return completion(f"told: {last['content']}")
        function = {"name": "calculator", "arguments": '{"input": "6*7"}'}
        return completion(tool_calls=[{"id": "c1", "type": "function", "function": function}])

    llmspell.write("clerk.agent.toml", 'tools = ["calculator"]\non_approval = "pause"\n')
    with serving(FakeOpenAI(clerk)) as server:
        llmspell.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        llmspell.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        llmspell.env["LLMSPELL_SECURITY__TOOLS__REQUIRE_APPROVAL"] = '["calculator"]'
        ask = ("agent", "run", "clerk.agent.toml")
        paused = llmspell(*ask, "q")
        assert paused.code == 1
        assert "agent clerk waits for an approval: calculator" in paused.err
        assert "--resume FILE --approve calculator" in paused.err
        assert json.loads(paused.out)["status"] == "paused"
        llmspell.write("paused.json", paused.out)
        assert llmspell(*ask, "--resume", "paused.json").code == 2
        wrong = llmspell(*ask, "--resume", "paused.json", "--approve", "calculater")
        assert 'no call "calculater" is pending' in wrong.err
        done = llmspell(*ask, "--resume", "paused.json", "--deny", "calculator=by head")
        assert (done.code, done.out) == (0, "told: failed: calculator: by head\n")
        llmspell.write("again.json", llmspell(*ask, "q").out)
        done = llmspell(*ask, "--resume", "again.json", "--approve", "c1")
        assert (done.code, done.out) == (0, "told: 42\n")
        forged = llmspell.write("forged.json", paused.out.replace("6*7", "6*8"))
        assert "not signed here" in llmspell(*ask, "--resume", forged, "--yes").err
