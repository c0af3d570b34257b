"""`DefinedTool`: a tool that is a function of a script (or of Python), checked by a schema."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn

from pydantic import Field, PlainValidator

from llmspell_core.callables import arity
from llmspell_core.errors import (
    LLMSpellError,
    ToolFailed,
    ToolRetry,
    ValidationError,
    did_you_mean,
)
from llmspell_core.names import canonical
from llmspell_core.schema import check_schema, schema_mistakes, short_form
from llmspell_core.script.api import Result, ScriptFunction
from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import Level, Tool, ToolResult, invalid_parameters
from llmspell_core.tool_cache import CacheField, ToolCache
from llmspell_core.tool_retry import RetryOptions
from llmspell_tools._parameters import Names

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext, ToolContext
    from llmspell_core.messages import AgentInput, AgentOutput

_NAME = re.compile(r"[a-z0-9][a-z0-9./-]{0,63}")
_RESULT_FIELDS = ("result", "output", "text", "metadata", "artifacts")


def _function(value: Any) -> Any:
    if not callable(value):
        raise ValueError("must be a function")
    return value


class ToolConfig(ScriptModel):
    """A tool that a script defines."""

    aliases: ClassVar[dict[str, str]] = {
        "handler": "execute",
        "fn": "execute",
        "schema": "parameters",
        "input_schema": "parameters",
        "aliases": "aliases_",
    }

    name: str = Field(description="kebab-case; a name in use by another script tool is replaced")
    description: str = Field("", description="what it does, for people and models")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description='a JSON schema, or {field = "string"}; a type ending in ? is optional',
    )
    execute: Annotated[ScriptFunction, PlainValidator(_function)] = Field(
        description="called with the parameters; returns a value or {success, result, text, error}"
    )
    category: str = Field("custom", description="where lists put it")
    version: str = Field("0.1.0", description="its version")
    security_level: Level = Field("safe", description="safe, restricted or privileged")
    timeout_ms: float = Field(60_000, ge=0, description="how long a call may take; 0 is no limit")
    aliases_: Names = Field(default_factory=list, alias="aliases", description="other names")
    sequential: bool = Field(False, description="no other call of the same batch runs beside it")
    requires_approval: (
        bool | Literal["policy"] | Annotated[ScriptFunction, PlainValidator(_function)]
    ) = Field(
        False,
        description="whether somebody is asked before each call: true, a function of "
        '(parameters, ctx) that says so or why, or "policy"',
    )
    cache: CacheField = Field(
        None, description="earlier results are given again: true, seconds, or a table"
    )
    retry: RetryOptions | None = Field(None, description="failed calls are made again")


class DefinedTool(Tool):
    """A tool made of a function and a JSON schema.

    The function gets the checked parameters. What it returns is the result; a table with a
    boolean `success` is read as a ToolResult. `Tool.retry` and `Tool.failed` thrown inside of it
    are signals to whoever called.
    """

    def __init__(self, config: ToolConfig) -> None:
        name = tool_name(config.name)
        super().__init__(name, config.description)
        self.category = config.category
        self.version = config.version
        self.security_level = config.security_level
        self.timeout_ms = config.timeout_ms
        self.aliases = tuple(tool_name(alias) for alias in config.aliases_)
        self.sequential = config.sequential
        self.requires_approval = config.requires_approval
        self.cache = ToolCache.of(config.cache)
        self.retry = config.retry
        self.script_approves = isinstance(config.execute, ScriptFunction)
        self.function = config.execute
        self._takes_context = arity(config.execute) > 1
        self._schema = schema_of(config.parameters, f"tool {name}: parameters")

    def schema(self) -> dict[str, Any]:
        return self._schema

    def validate(self, params: dict[str, Any]) -> dict[str, Any]:
        return checked(self.name, self._schema, params)

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        try:
            value = self.function(*self._arguments(params, ctx))
            if inspect.isawaitable(value):
                value = await value
        except LLMSpellError as error:
            raise_signal(error)
        return as_result(self.name, value)

    def _arguments(self, params: dict[str, Any], ctx: ToolContext) -> tuple[Any, ...]:
        """The parameters and the context: for scripts where an agent has `deps` for its tools."""
        if not self._takes_context:
            return (params,)
        if not self.script_approves:
            return params, ctx
        if ctx.deps is None:
            return (params,)
        about = {"run_id": ctx.run_id, "path": [*ctx.path], "deps": ctx.deps}
        return params, Result(about)

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        if input.text and "input" in self._schema["properties"]:
            parameters = {"input": input.text, **input.parameters}
            return await super().run(input.model_copy(update={"parameters": parameters}), ctx)
        return await super().run(input, ctx)


def tool_name(given: str) -> str:
    """A tool's name in kebab-case, or `input.invalid`."""
    name = canonical(given)
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f'"{given[:80]}" is no name for a tool',
            hint="small letters, digits and hyphens, at most 64: word-count",
        )
    return name


def schema_of(parameters: dict[str, Any], what: str) -> dict[str, Any]:
    """The JSON schema of a schema or of the short form, checked.

    The short form is complete: names that it does not have are mistakes.
    """
    schema = short_form(parameters)
    if parameters.get("type") != "object":
        schema["additionalProperties"] = False
    check_schema(schema, what)
    return schema


def checked(tool: str, schema: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with defaults filled in, or `input.invalid` naming each wrong field."""
    properties = schema["properties"]
    given = {key: fitted(properties.get(key), value) for key, value in params.items()}
    for key, spec in properties.items():
        if key not in given and isinstance(spec, dict) and "default" in spec:
            given[key] = spec["default"]
    mistakes = []
    known = given
    if schema.get("additionalProperties") is False:
        for key in given:
            if key not in properties:
                near = did_you_mean(key, list(properties))
                message = "is unknown" + (f", {near}" if near else "")
                mistakes.append({"field": key, "message": message})
        known = {key: value for key, value in given.items() if key in properties}
    missing = [key for key in schema.get("required", []) if key not in given]
    mistakes.extend({"field": key, "message": "is required"} for key in missing)
    if not mistakes:
        mistakes = schema_mistakes(schema, known)
    if mistakes:
        raise invalid_parameters(tool, mistakes)
    return given


def fitted(spec: Any, value: Any) -> Any:
    """A value in the form that its schema names: empty tables and whole numbers have two."""
    if not isinstance(spec, dict):
        return value
    kind = spec.get("type")
    if value in ({}, []) and kind in ("array", "object"):
        return [] if kind == "array" else {}
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "array" and isinstance(value, list):
        return [fitted(spec.get("items"), item) for item in value]
    properties = spec.get("properties")
    if isinstance(value, dict) and isinstance(properties, dict):
        return {key: fitted(properties.get(key), item) for key, item in value.items()}
    return value


def raise_signal(error: LLMSpellError) -> NoReturn:
    """`Tool.retry` and `Tool.failed`, thrown through a script, as what they were."""
    if isinstance(error, (ToolRetry, ToolFailed)):
        raise error
    signals: dict[str, type[LLMSpellError]] = {
        ToolRetry.code: ToolRetry,
        ToolFailed.code: ToolFailed,
    }
    signal = signals.get(error.code)
    if signal is None:
        raise error
    raise signal(
        error.message, hint=error.hint, details=error.details, source=error.source
    ) from error


def as_result(tool: str, value: Any) -> ToolResult:
    """What a function returned as a ToolResult; `success = false` in a table is a failure."""
    if isinstance(value, ToolResult):
        return value
    if not (isinstance(value, dict) and isinstance(value.get("success"), bool)):
        return ToolResult(value)
    if not value["success"]:
        raise ToolFailed(_failure(value) or f"{tool} failed", details=_details(value))
    given = {name: value[name] for name in _RESULT_FIELDS if value.get(name) is not None}
    if not given.keys() & {"result", "output", "text"}:
        return ToolResult({key: one for key, one in value.items() if key != "success"})
    text = given.get("text")
    result = given.get("result", given.get("output", text))
    made = ToolResult(
        result, text=None if text is None else str(text), metadata=given.get("metadata")
    )
    if "output" in given:
        made.output = given["output"]
    made.artifacts = given.get("artifacts", [])
    return made


def _failure(value: dict[str, Any]) -> str:
    error = value.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    return str(error or value.get("message") or value.get("text") or "")


def _details(value: dict[str, Any]) -> dict[str, Any]:
    error = value.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    return details if isinstance(details, dict) else {}
