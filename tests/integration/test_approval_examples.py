"""Approvals in scripts of both languages, each step in a process of its own; some are killed."""

from __future__ import annotations

import json
import signal
import sys
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


def slow(body: dict[str, Any]) -> dict[str, Any]:
    last = body["messages"][-1]
    if last["role"] == "tool":
        return completion(f"I have it: {last['content']}")
    return completion(tool_calls=[call("slow")])


SLOW_LUA = """
local slow = Tool.create{ name = "slow", parameters = {}, requires_approval = true,
  execute = function() print("begun") Async.sleep(60000) return "slept" end }
local clerk = Agent.new{ name = "clerk", tools = { slow }, on_approval = "pause" }
if args[1] then print(clerk:resume(Storage.get("paused"), true).text)
else Storage.set("paused", clerk:execute("go").state) end
"""
SLOW_JS = """
const slow = await Tool.create({ name: "slow", parameters: {}, requiresApproval: true,
  execute: async () => { print("begun"); await Async.sleep(60000); return "slept"; } });
const clerk = await Agent.new({ name: "clerk", tools: [slow], onApproval: "pause" });
if (args[1]) print((await clerk.resume(await Storage.get("paused"), true)).text);
else await Storage.set("paused", (await clerk.execute("go")).state);
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("name", "source"), [("slow.lua", SLOW_LUA), ("slow.js", SLOW_JS)])
def test_a_call_that_a_killed_process_had_begun_is_not_made_again(
    name: str, source: str, tmp_path: Path
) -> None:
    llmspell = CommandLine(tmp_path)
    llmspell.write(name, source)
    with serving(FakeOpenAI(slow)) as server:
        llmspell.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        llmspell.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        first = llmspell("run", name)
        assert first.code == 0, first.err
        assert "waits for an approval: slow" in first.err
        with llmspell.start("run", name, "resume") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            # Another process cannot go on while this one does.
            held = llmspell("run", name, "resume")
            assert "journal.held" in held.err or "going on already" in held.err
            process.send_signal(signal.SIGKILL)
        third = llmspell("run", name, "resume")
        assert third.code == 0, third.err
        assert third.out.startswith("I have it: failed: slow: interrupted: it had begun")
        assert "begun\n" not in third.out
        assert llmspell("run", name, "resume").out == third.out
        assert len(server.requests) == 2
