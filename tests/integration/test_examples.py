"""Every example runs and prints what its comments promise, in the host process and in a worker."""

from __future__ import annotations

import json
import os
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
        r"calculated\t42(\.0)?\nnamed id\taad03681-8b63-5304-89e0-8ca8f49461b5\n"
        r"tried\tfalse\tinput\.invalid\npiped\tHELLO, SPELL!\n.*calculator .*text-manipulator .*\n"
    ),
    "workflow": (
        r"words\ttrue\ngrade\ttrue\nsum\ttrue\nwrite\ttrue\n"
        r"A long text: 9 words, 3\.6 s to read\.\ntrue\t4\n"
    ),
    "hooks_events": (
        r"3\.33\nfalse\t.*md5 is not safe\ntool\.invoked\tcalculator\n"
        r"tool\.completed\tcalculator\nhooks saw\t1\n"
    ),
    "tracing": (
        r"invoke_workflow totals: ok\n  step add: ok\n    execute_tool calculator: ok\n"
        r"  step late: when\n  step double: ok\n    execute_tool calculator: ok\n"
        r"execute_tool calculator: tool\.failed\n"
    ),
    "state": r"this is run 1\nremembered\t1\nfirst\t1\tlatest\t1\n",
    "concurrency": (
        r"a after 30 ms\nb after 10 ms\nc after 20 ms\nfirst\tquick after 5 ms\n"
        r"timeout\tfalse\ttimeout\nhash\t4bdc5a2d\nsquares\t1 4 9 16 25 36\n"
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
HANDING |= {"approval", "classify", "guardrails", "long_conversation", "look", "run_events"}


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


def test_no_example_is_forgotten_or_long() -> None:
    found = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.lua")}
    assert set(found) == {*PRINTED, *ASKING, *FILTERS, *HANDING}
    for name, text in found.items():
        assert text.startswith(f"#!/usr/bin/env llmspell\n-- {name}.lua: ")
        assert len(text.splitlines()) < 60


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_says(name: str, llmspell: CommandLine) -> None:
    done = llmspell(EXAMPLES / f"{name}.lua")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(PRINTED[name], done.out), done.out


def test_state_is_kept_between_runs_and_forgotten_on_request(llmspell: CommandLine) -> None:
    script = EXAMPLES / "state.lua"
    llmspell(script)
    second = llmspell(script, "--reset").out.splitlines()
    assert second[0] == "this is run 2"
    assert second[2:] == ["first\t1\tlatest\t2", "forgotten"]
    assert llmspell(script).out.startswith("this is run 1\n")


def test_the_filter_passes_on_what_is_right_and_complains_apart(llmspell: CommandLine) -> None:
    lines = '{"city":"oslo","n":1}\nnonsense\n{"other":1}\n{"city":"san jose"}\n'
    done = llmspell(EXAMPLES / "filter.lua", "--field", "city", stdin=lines)
    assert done.out == '{"city":"Oslo","line":1,"n":1}\n{"city":"San Jose","line":4}\n'
    assert done.err == "line 2: no city\nline 3: no city\n"
    assert done.code == 0
    assert llmspell(EXAMPLES / "filter.lua").code == 1


def test_hello_answers_with_a_tool(llmspell: CommandLine, asked: list[dict[str, Any]]) -> None:
    done = llmspell(EXAMPLES / "hello.lua")
    assert (done.code, done.out, done.err) == (0, "So it is 437.\n", "")
    assert asked[0]["messages"][0]["content"] == "Answer in one short sentence."


def test_the_model_calls_a_function_of_the_script(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    done = llmspell(EXAMPLES / "agent_tool.lua")
    assert (done.code, done.err) == (0, "")
    answer, called, tokens = done.out.splitlines()
    assert answer.startswith("So it is {")
    assert '"count":7' in answer.replace(" ", "")
    assert called == 'called\tstock\t{"item":"Kettles"}\tok'
    assert tokens == "tokens\t24"
    assert len(asked) == 2


def test_extract_gives_json_for_the_next_program(
    llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    done = llmspell(EXAMPLES / "extract.lua", stdin="ship the parcel to Oslo by friday")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {"item": "parcel", "city": "Oslo", "deadline": "friday"}
    assert asked[0]["messages"][-1]["content"] == "ship the parcel to Oslo by friday"


@pytest.mark.model
def test_hello_answers_with_the_model_on_this_machine(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    # The model file is the user's own: it is large.
    del llmspell.env["LLMSPELL_SYSTEM__CACHE_DIR"]
    llmspell.env |= {k: v for k, v in os.environ.items() if k == "LLMSPELL_SYSTEM__CACHE_DIR"}
    done = llmspell(EXAMPLES / "hello.lua")
    assert done.code == 0, done.err
    assert "437" in done.out
