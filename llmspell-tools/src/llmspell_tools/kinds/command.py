"""`command`: a tool that starts one program with fixed and given arguments, without a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.errors import DeadlineError, ToolFailed, ValidationError
from llmspell_core.tool import Permissions, ToolResult
from llmspell_tools.kinds._base import DescribedConfig, DescribedTool, fill_text

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MAX_BYTES = 1024 * 1024


class CommandConfig(DescribedConfig):
    """A program and its arguments; texts may have {{name}} for parameters."""

    aliases: ClassVar[dict[str, str]] = {
        "command": "executable",
        "args": "arguments",
        "cwd": "working_directory",
        "env": "environment",
    }

    executable: str = Field(description="a program that the policy lists")
    arguments: list[str] = Field(
        default_factory=list, description="each one argument, whatever its parameters contain"
    )
    working_directory: str | None = Field(None, description="where it runs")
    environment: dict[str, str] = Field(default_factory=dict, description="further variables")
    input: str | None = Field(None, description="what it reads from its standard input")
    allow_options: bool = Field(
        False, description="let a parameter begin an argument with -, which makes it an option"
    )


class Command(DescribedTool):
    """Starts a program; an exit code that is not 0 is a failure."""

    category = "system"
    permissions = Permissions(processes="its program")
    destructive = True

    def __init__(self, config: CommandConfig) -> None:
        super().__init__(config, "privileged", [config.arguments, config.input])
        self._config = config

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        config = self._config
        done = await ctx.process.run(
            config.executable,
            [self._argument(template, params) for template in config.arguments],
            cwd=config.working_directory,
            env=config.environment or None,
            input=None if config.input is None else fill_text(config.input, params),
            timeout_ms=config.timeout_ms,
            max_bytes=_MAX_BYTES,
        )
        result = {
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
            "exit_code": done.exit_code,
            "timed_out": done.timed_out,
            "duration_ms": done.duration_ms,
        }
        if done.timed_out:
            raise DeadlineError(
                f"{self.name} took longer than {config.timeout_ms:g} ms", code="tool.timeout"
            )
        if done.exit_code != 0:
            said = str(result["stderr"] or result["stdout"]).strip()[:500]
            raise ToolFailed(
                f"{self.name}: {config.executable} ended with exit code {done.exit_code}"
                + (f": {said}" if said else ""),
                details=result,
            )
        return ToolResult(result, output=result["stdout"])

    def _argument(self, template: str, params: dict[str, Any]) -> str:
        made = fill_text(template, params)
        if made.startswith("-") and not template.startswith("-") and not self._config.allow_options:
            raise ValidationError(
                f"{self.name}: {made[:40]!r} would be read as an option",
                hint="set allow_options = true in the tool's description if it may be one",
            )
        return made


def make(cfg: dict[str, Any]) -> Command:
    """The tool of a description."""
    return Command(CommandConfig.model_validate(cfg))
