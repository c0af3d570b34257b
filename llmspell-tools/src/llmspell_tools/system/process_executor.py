"""The tool `process-executor`: runs a program that the policy lists, without any shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Names, Text, check_size, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.process import ProcessResult

_MOST_BYTES = 4 * 1024 * 1024
_LONGEST_MS = 600_000
#: Left of a deadline to end the program and to answer.
_MARGIN_MS = 500
_OF_A_SHELL = set("|;&<>$`\n*?\"'")


def _words(value: Any) -> Any:
    """Numbers are as good as their digits."""
    if isinstance(value, list):
        plain = (int, float)
        return [str(x) if isinstance(x, plain) and not isinstance(x, bool) else x for x in value]
    return value


class ProcessParameters(ToolParameters):
    """A program and what it gets."""

    executable: str = Field(
        min_length=1,
        max_length=4_096,
        description="The program: its name, found on PATH, or its absolute path. No shell reads it",
    )
    arguments: Annotated[Names, BeforeValidator(_words)] = Field(
        default_factory=list,
        max_length=10_000,
        description='Its arguments one by one, passed as they are: ["-l", "my file.txt"]',
    )
    working_directory: str | None = Field(None, description="Where it runs; must be readable")
    environment: dict[str, Text] = Field(
        default_factory=dict, description="Variables for it, beside those that the policy names"
    )
    timeout_ms: float = Field(
        30_000,
        gt=0,
        le=_LONGEST_MS,
        description="Then it is ended with all it started, in milliseconds",
    )
    input: Text | None = Field(None, description="What it reads from its standard input")

    aliases: ClassVar[dict[str, str]] = {
        "command": "executable",
        "program": "executable",
        "args": "arguments",
        "argv": "arguments",
        "cwd": "working_directory",
        "working_dir": "working_directory",
        "env": "environment",
        "stdin": "input",
    }


class ProcessExecutor(Tool):
    """Runs programs."""

    name = "process-executor"
    description = (
        "Runs a program that the security policy lists, with arguments one by one and no shell; "
        "gives its output and exit code."
    )
    category = "system"
    security_level = "privileged"
    permissions = Permissions(
        processes="the program given",
        files="the working directory",
        environment="the variables that the policy names",
    )
    destructive = True
    open_world = True
    Parameters = ProcessParameters
    timeout_ms = _LONGEST_MS + 60_000
    examples = (
        ({"executable": "echo", "arguments": ["hello", "world"]}, "hello world"),
        ({"executable": "cat", "input": "from stdin"}, "from stdin"),
        (
            {"executable": "git", "arguments": ["status", "--short"], "working_directory": "."},
            "the changed files of the project",
        ),
    )

    async def run_tool(self, params: ProcessParameters, ctx: ToolContext) -> ToolResult:
        self._check_name(params.executable)
        check_size(self.name, len(params.input or ""))
        timeout_ms = params.timeout_ms
        remaining = ctx.remaining_ms()
        if remaining is not None:
            timeout_ms = min(timeout_ms, max(remaining - _MARGIN_MS, 1))
        done = await ctx.process.run(
            params.executable,
            params.arguments,
            cwd=params.working_directory,
            env=params.environment,
            input=None if params.input is None else params.input.encode("utf-8", "surrogatepass"),
            timeout_ms=timeout_ms,
            max_bytes=_MOST_BYTES,
        )
        return _result(done, timeout_ms)

    def _check_name(self, executable: str) -> None:
        """Tell those who write a command line what is expected."""
        is_path = "/" in executable or "\\" in executable
        if not is_path and (" " in executable.strip() or set(executable) & _OF_A_SHELL):
            raise wrong(
                self.name,
                "executable",
                "is the name of one program: no shell reads it",
                hint="its arguments go into `arguments`, one by one",
            )


def _result(done: ProcessResult, timeout_ms: float) -> ToolResult:
    stdout, stderr = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    result = {
        "stdout": stdout,
        "stderr": stderr,
        "exit_code": done.exit_code,
        "timed_out": done.timed_out,
        "duration_ms": round(done.duration_ms, 2),
    }
    if done.truncated:
        result["truncated"] = True
    text = stdout
    if done.timed_out:
        text = f"ended after {timeout_ms:g} ms\n{stdout}{stderr}"
    elif done.exit_code != 0:
        text = f"exit code {done.exit_code}\n{stdout}{stderr}"
    return ToolResult(result, output=stdout, text=text)
