"""The examples in JavaScript do what those in Lua do, in the host process and in a worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CARRIERS = ("medium", "low")

#: Example -> a pattern of all that it prints. The others ask a model, see below.
PRINTED = {
    "tools": (
        r"calculated 42\nnamed id aad03681-8b63-5304-89e0-8ca8f49461b5\n"
        r"tried false input\.invalid\npiped HELLO, SPELL!\n.*calculator .*text-manipulator .*\n"
    ),
    "workflow": (
        r"words true\ngrade true\nsum true\nwrite true\n"
        r"A long text: 9 words, 3\.6 s to read\.\ntrue 4\n"
    ),
    "hooks_events": (
        r"3\.33\n.*md5 is not safe\ntool\.invoked calculator\n"
        r"tool\.completed calculator\nhooks saw 1\n"
    ),
    "tracing": (
        r"invoke_workflow totals: ok\n  step add: ok\n    execute_tool calculator: ok\n"
        r"  step late: when\n  step double: ok\n    execute_tool calculator: ok\n"
        r"execute_tool calculator: tool\.failed\n"
    ),
    "state": r"this is run 1\nremembered 1\nfirst 1 latest 1\n",
    "concurrency": (
        r"a after 30 ms\nb after 10 ms\nc after 20 ms\nfirst quick after 5 ms\n"
        r"timeout timeout\nhash 4bdc5a2d\nsquares 1 4 9 16 25 36\n"
    ),
    "batch": (
        r"1\t10 EUR is 10\.80 USD\n2\tno rate for XYZ\n3\t2\.50 GBP is 3\.1[78] USD\n"
        r"stopped\nagent\.stopped\n"
    ),
}
ASKING = {"hello", "agent_tool", "extract"}
FILTERS = {"filter"}
#: Run in test_handoff_examples.py and others: their models must hand over or answer as data.
HANDING = {
    "support_triage",
    "tool_errors",
    "agent_chain",
    "fallback",
    "session",
    "research_team",
    "content_pipeline",
}
HANDING |= {"classify", "guardrails", "long_conversation", "look", "approval", "run_events"}


@pytest.fixture(params=CARRIERS)
def llmspell(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.env["LLMSPELL_SECURITY__PROFILE"] = request.param
    return made


@pytest.fixture
def asked(llmspell: CommandLine) -> Iterator[list[dict[str, Any]]]:
    """The requests to the default model, which first calls the first tool it is offered."""

    def reply(body: dict[str, Any]) -> dict[str, Any] | str:
        if "response_format" in body:
            return '{"item": "parcel", "city": "Oslo", "deadline": "friday"}'
        last = body["messages"][-1]
        if last["role"] == "tool":
            return f"So it is {last['content']}."
        name = body["tools"][0]["function"]["name"]
        arguments = {"stock": {"item": "Kettles"}, "calculator": {"input": "23 * 19"}}[name]
        function = {"name": name, "arguments": json.dumps(arguments)}
        return completion(tool_calls=[{"id": "call_1", "type": "function", "function": function}])

    with serving(FakeOpenAI(reply)) as server:
        llmspell.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        llmspell.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield server.requests


def test_every_example_is_there_in_both_languages() -> None:
    found = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.js")}
    assert set(found) == {*PRINTED, *ASKING, *FILTERS, *HANDING}
    assert set(found) == {path.stem for path in EXAMPLES.glob("*.lua")}
    for name, text in found.items():
        assert text.startswith(f"#!/usr/bin/env llmspell\n// {name}.js: ")
        assert len(text.splitlines()) < 60


@pytest.mark.parametrize("name", PRINTED)
def test_a_javascript_example_prints_what_it_says(name: str, llmspell: CommandLine) -> None:
    done = llmspell(EXAMPLES / f"{name}.js")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(PRINTED[name], done.out), done.out


def test_state_is_forgotten_on_request_in_javascript(llmspell: CommandLine) -> None:
    script = EXAMPLES / "state.js"
    llmspell(script)
    second = llmspell(script, "--reset").out.splitlines()
    assert second[0] == "this is run 2"
    assert second[2:] == ["first 1 latest 2", "forgotten"]
    assert llmspell(script).out.startswith("this is run 1\n")


def test_the_javascript_filter_complains_apart(llmspell: CommandLine) -> None:
    lines = '{"city":"oslo","n":1}\nnonsense\n{"other":1}\n{"city":"san jose"}\n'
    done = llmspell(EXAMPLES / "filter.js", "--field", "city", stdin=lines)
    assert done.out == '{"city":"Oslo","line":1,"n":1}\n{"city":"San Jose","line":4}\n'
    assert done.err == "line 2: no city\nline 3: no city\n"
    assert done.code == 0
    assert llmspell(EXAMPLES / "filter.js").code == 1


def test_javascript_agents_use_tools_and_schemas(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    done = llmspell(EXAMPLES / "hello.js")
    assert (done.code, done.out, done.err) == (0, "So it is 437.\n", "")
    done = llmspell(EXAMPLES / "agent_tool.js")
    assert (done.code, done.err) == (0, "")
    answer, called, tokens = done.out.splitlines()
    assert '"count":7' in answer.replace(" ", "")
    assert (called, tokens) == ('called stock {"item":"Kettles"} ok', "tokens 24")
    done = llmspell(EXAMPLES / "extract.js", stdin="ship the parcel to Oslo by friday")
    assert json.loads(done.out) == {"item": "parcel", "city": "Oslo", "deadline": "friday"}
    assert asked[-1]["messages"][-1]["content"] == "ship the parcel to Oslo by friday"
