"""Approvals in scripts of both languages, each step in a process of its own; some are killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ["approval.lua", "approval.js"]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": "c1", "type": "function", "function": function}


def clerk(body: dict[str, Any]) -> dict[str, Any]:
    last = body["messages"][-1]
    if last["role"] == "tool":
        return completion(f"I have it: {last['content']}")
    return completion(tool_calls=[call("refund", customer="Ann", amount=250)])


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    with serving(FakeOpenAI(clerk)) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_the_example_pauses_and_goes_on_in_another_process(
    name: str, llmspell: CommandLine
) -> None:
    script = str(EXAMPLES / name)
    first = llmspell("run", script)
    assert (first.code, first.out) == (0, "waiting: refund for Ann (more than 100)\n"), first.err
    second = llmspell("run", script, "approve")
    assert second.out == "clerk: I have it: paid 250 to Ann\n", second.err
    # Again, the same answer is given without another request or call.
    assert llmspell("run", script, "approve").out == second.out
    other = llmspell("run", script, "deny")
    assert other.code == 1
    assert "with other answers" in other.err


@pytest.mark.parametrize("name", NAMES)
def test_the_example_denied(name: str, llmspell: CommandLine) -> None:
    script = str(EXAMPLES / name)
    llmspell("run", script)
    assert llmspell("run", script, "deny").out == "clerk: I have it: failed: refund: no receipt\n"
