from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.system.process_executor import ProcessExecutor

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are those of POSIX")


def run(*programs: str, allowed: bool = True, **params: Any) -> ToolResult:
    """Under `medium`, with these programs listed and the tool raised above its level."""

    async def main() -> ToolResult:
        security = {
            "processes": {"allowed": [*programs, params["executable"]] if allowed else []},
            "tools": {"allow": ["*", "process-executor"]},
            "files": {"read": ["$cwd", "$temp"]},
        }
        async with Runtime({"security": security}) as runtime:
            return await ProcessExecutor().call(params, runtime.context())

    return asyncio.run(main())


def code_of(**params: Any) -> str:
    with pytest.raises(LLMSpellError) as caught:
        run(**params)
    return caught.value.code


def test_output_exit_code_and_time() -> None:
    result = run(executable="echo", arguments=["a  b", 7, "$HOME; ls"])
    assert result.output == result.text == "a  b 7 $HOME; ls\n"
    took = result.result["duration_ms"]
    assert took > 0
    assert result.result == {
        "stdout": result.output,
        "stderr": "",
        "exit_code": 0,
        "timed_out": False,
        "duration_ms": took,
    }


def test_input_working_directory_and_environment(tmp_path: Path) -> None:
    assert run(executable="cat", stdin="grüße").output == "grüße"
    assert run(executable="pwd", cwd=str(tmp_path)).output.strip() == str(tmp_path)
    assert "GREETING=7\n" in run(executable="env", env={"GREETING": 7}).output


def test_an_exit_code_that_is_not_0_is_a_result() -> None:
    result = run(
        executable=sys.executable, arguments=["-c", "import sys; sys.exit('no such luck')"]
    )
    assert result.success
    assert (result.result["exit_code"], result.result["stderr"]) == (1, "no such luck\n")
    assert result.text == "exit code 1\nno such luck\n"


def test_what_takes_too_long_is_ended_with_all_it_started() -> None:
    started = time.monotonic()
    code = "import subprocess; print('begun', flush=True); subprocess.run(['sleep', '30'])"
    result = run(executable=sys.executable, args=["-c", code], timeout_ms=700)
    assert time.monotonic() - started < 5
    assert result.result["timed_out"] is True
    assert result.result["stdout"] == "begun\n"
    assert result.text.startswith("ended after 700 ms")


def test_huge_output_is_cut() -> None:
    result = run(executable=sys.executable, arguments=["-c", "print('x' * 5_000_000)"])
    assert len(result.output) == 4 * 1024 * 1024
    assert result.result["truncated"] is True


def test_only_listed_programs_start() -> None:
    for executable in ("ls", "/bin/sh", "../bin/ls", "./x", "no-such-program"):
        assert code_of(executable=executable, allowed=False) == "policy.process"
    assert code_of(executable="no-such-program") == "process.not_found"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "PYTHONPATH", "A=B"])
def test_variables_that_load_other_programs_are_refused(name: str) -> None:
    assert code_of(executable="env", environment={name: "x"}) == "policy.environment"


def test_a_directory_that_may_not_be_read_is_none_to_run_in() -> None:
    assert code_of(executable="pwd", working_directory="/etc") == "policy.file"


def test_the_level_keeps_it_from_whom_it_is_not_meant_for() -> None:
    async def main() -> None:
        async with Runtime({"security": {"processes": {"allowed": ["echo"]}}}) as runtime:
            with pytest.raises(LLMSpellError) as caught:
                await ProcessExecutor().call({"executable": "echo"}, runtime.context())
            assert caught.value.code == "policy.tool"
        # Where it is allowed, a person is asked; where nobody answers, it is refused.
        security = {"profile": "low", "processes": {"allowed": ["echo"]}}
        async with Runtime({"security": security}) as runtime:
            with pytest.raises(LLMSpellError) as caught:
                await ProcessExecutor().call({"executable": "echo"}, runtime.context())
            assert caught.value.code == "tool.not_approved"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"executable": ""}, "executable: String should have at least 1"),
        ({"executable": "ls -l"}, "executable is the name of one program"),
        ({"executable": "ls;id"}, "executable is the name of one program"),
        ({"executable": "ls", "arguments": [{}]}, "arguments.0 must be a string"),
        ({"executable": "ls", "arguments": ["a\0b"]}, "an argument has a NUL"),
        ({"executable": "ls", "timeout_ms": 0}, "timeout_ms must be greater than 0"),
        ({"executable": "ls", "environment": "A=1"}, "environment must be a table"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)
