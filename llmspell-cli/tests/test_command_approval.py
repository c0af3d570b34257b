"""A tool that a model chose is asked about: on a terminal, by options, else refused."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

SPELL = """
local agent = Agent.new{ name = "cleaner", model = "fake/m", tools = { "file-operations" } }
local answer = agent:execute("clean up")
print(answer.tool_calls[1].error and answer.tool_calls[1].error.message or "done")
"""
INTERRUPT = "Ctrl-C"


def reply(body: dict[str, Any]) -> dict[str, Any]:
    if body["messages"][-1]["role"] == "tool":
        return completion("finished")
    arguments = json.dumps({"operation": "delete", "path": "output/x\x1b[2J.txt"})
    function = {"name": "file-operations", "arguments": arguments}
    return completion(tool_calls=[{"id": "c1", "type": "function", "function": function}])


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    made.write("s.lua", SPELL)
    made.write("output/x\x1b[2J.txt", "")
    with serving(FakeOpenAI(reply)) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_SECURITY__TOOLS__REQUIRE_APPROVAL"] = '["destructive"]'
        yield made


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_without_a_terminal_the_option_is_named(llmspell: CommandLine) -> None:
    done = llmspell("s.lua")
    assert "--approve file-operations, or --yes for all" in done.out
    assert llmspell("run", "--approve", "file_operations", "s.lua").out == "done\n"
    llmspell.write("output/x\x1b[2J.txt", "")
    assert llmspell("--yes", "s.lua").out == "done\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
@pytest.mark.parametrize(
    ("answers", "result", "code"),
    [
        (["perhaps", "y"], "done", 0),
        (["n"], "refused on the terminal", 0),
        ([INTERRUPT], "interrupted", 130),
    ],
)
def test_a_person_is_asked(
    answers: list[str], result: str, code: int, llmspell: CommandLine
) -> None:
    ended, screen = on_a_terminal(llmspell, ["s.lua"], "from now on: ", answers)
    assert ended == code
    assert "cleaner wants to run" in screen
    assert 'path = "output/x\\u001b[2J.txt"' in screen
    assert "\x1b[2J" not in screen
    assert result in screen


def on_a_terminal(
    llmspell: CommandLine, args: list[str], question: str, answers: list[str]
) -> tuple[int, str]:
    """Run on a pseudo-terminal, answering each question; exit code and all that was shown."""
    import pty

    terminal, theirs = pty.openpty()
    process = llmspell.start(*args, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen, end = b"", time.monotonic() + 30
    left = list(answers)
    while time.monotonic() < end:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        screen += data
        if left and screen.count(question.encode()) > len(answers) - len(left):
            answer = left.pop(0)
            if answer == INTERRUPT:
                process.send_signal(signal.SIGINT)
            else:
                os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    return process.wait(10), screen.decode()
