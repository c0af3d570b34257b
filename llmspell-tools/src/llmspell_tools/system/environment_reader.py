"""The tool `environment-reader`: environment variables, as far as the policy shows them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, needed

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


class EnvironmentParameters(ToolParameters):
    """Which variables, and what to do with them."""

    operation: (
        Annotated[
            Literal["get", "list", "pattern", "set"],
            Spelled(read="get", all="list", ls="list", search="pattern", match="pattern"),
        ]
        | None
    ) = Field(
        None,
        description="get: one variable; list: all; pattern: those whose names match; set: for the "
        "rest of this run, and no longer. Left out: get or pattern by what is given, else list",
    )
    variable_name: str | None = Field(
        None, min_length=1, max_length=1_000, description="get, set: the variable's name"
    )
    value: Text | None = Field(None, description="set: its new value")
    pattern: str | None = Field(
        None, max_length=1_000, description="pattern: a glob over names, capitals ignored: LC_*"
    )

    aliases: ClassVar[dict[str, str]] = {
        "name": "variable_name",
        "variable": "variable_name",
        "input": "variable_name",
        "key": "variable_name",
        "glob": "pattern",
    }


class EnvironmentReader(Tool):
    """Reads environment variables."""

    name = "environment-reader"
    description = (
        "Reads the environment variables that the security policy names, or sets one for this run; "
        "the values of secrets are masked as ***."
    )
    category = "system"
    security_level = "restricted"
    permissions = Permissions(environment="the variables that the policy names")
    Parameters = EnvironmentParameters
    timeout_ms = 5_000
    examples = (
        ({"operation": "set", "variable_name": "GREETING", "value": "hello"}, "hello"),
        ({"operation": "get", "variable_name": "GREETING"}, "the value, or nil when it is not set"),
        ({"pattern": "L*"}, "the variables whose names begin with L"),
        ({}, "all variables that may be seen"),
    )

    async def run_tool(self, params: EnvironmentParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation or _obvious(params)
        if operation in ("get", "set"):
            needed(self.name, operation, variable_name=params.variable_name)
        name = params.variable_name or ""
        if operation == "set":
            needed(self.name, operation, value=params.value)
            ctx.env.set(name, params.value or "")
            result = ToolResult({"name": name, "value": params.value, "set": True})
            result.output = params.value
        elif operation == "get":
            result = _one(name, ctx)
        else:
            if operation == "pattern":
                needed(self.name, operation, pattern=params.pattern)
            result = _several(params.pattern if operation == "pattern" else None, ctx)
        result.metadata["operation"] = operation
        return result


def _obvious(params: EnvironmentParameters) -> str:
    if params.variable_name is not None:
        return "get"
    return "list" if params.pattern is None else "pattern"


def _one(name: str, ctx: ToolContext) -> ToolResult:
    value = ctx.env.get(name)
    result = {"name": name, "value": value, "set": value is not None}
    if value is not None:
        result["masked"] = ctx.env.is_masked(name)
    return ToolResult(result, output=value)


def _several(pattern: str | None, ctx: ToolContext) -> ToolResult:
    wanted = (pattern or "*").casefold()
    found: dict[str, Any] = {
        name: ctx.env.get(name) for name in ctx.env.names() if fnmatchcase(name.casefold(), wanted)
    }
    result = {"variables": found, "names": [*found], "count": len(found)}
    text = "\n".join(f"{name}={value}" for name, value in found.items())
    return ToolResult(result, output=found, text=text or "no variables may be seen")
