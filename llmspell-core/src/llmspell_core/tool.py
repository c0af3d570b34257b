"""The trait of a tool, its result, and the `@tool` decorator.

    @tool
    async def stock(item: str) -> int:
        '''How many of ITEM are in the store.

Args:
            item: the article's name
        '''
        return 7

A `Tool` subclass names its parameters in a pydantic model and implements `run_tool`; both ways
give the JSON schema, validation, docs and script access from the annotations.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_type_hints, overload

from pydantic import BaseModel, Field, create_model, model_validator
from pydantic import ValidationError as PydanticError

from llmspell_core.component import BaseAgent, Kind
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput, RunMetadata
from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.script.api import Result
from llmspell_core.script.manifest import split_doc
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext, ToolContext
    from llmspell_core.tool_cache import ToolCache
    from llmspell_core.tool_retry import RetryOptions

Level = Literal["safe", "restricted", "privileged"]
LEVELS: tuple[Level, ...] = ("safe", "restricted", "privileged")
_UNSET = object()


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a tool reaches for, declared: shown to people and checked by the gates.

    Each is a short word for a person (`read paths given`, `hosts given`); empty means none.
    """

    files: str = ""
    network: str = ""
    processes: str = ""
    environment: str = ""
    secrets: tuple[str, ...] = ()


class ToolResult:
    """How a call ended. `result` is structured, `output` the natural value, `text` readable.

    `output` is `result` where the tool declares no other; `text` is made from `output` on first
    use. `error` is an error's data when `success` is False.
    """

    __slots__ = ("_output", "_text", "artifacts", "error", "metadata", "result", "success")

    def __init__(
        self,
        result: Any = None,
        *,
        output: Any = _UNSET,
        text: str | None = None,
        success: bool = True,
        error: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        artifacts: list[Any] | None = None,
    ) -> None:
        self.success = success
        self.result = result
        self._output = output
        self._text = text
        self.error = error
        self.metadata: dict[str, Any] = metadata if metadata is not None else {}
        self.artifacts: list[Any] = artifacts if artifacts is not None else []

    @classmethod
    def of(cls, value: Any) -> ToolResult:
        """What `run_tool` returned: a ToolResult as it is, anything else as its `result`."""
        return value if isinstance(value, cls) else cls(value)

    @property
    def output(self) -> Any:
        """The tool's natural value, typed."""
        return self.result if self._output is _UNSET else self._output

    @output.setter
    def output(self, value: Any) -> None:
        self._output = value

    @property
    def text(self) -> str:
        """A readable string: the output itself when it is text, else JSON."""
        if self._text is None:
            if self.error is not None and not self.success:
                self._text = str(self.error.get("message", ""))
            else:
                self._text = as_text(self.output)
        return self._text

    @text.setter
    def text(self, value: str) -> None:
        self._text = value

    def copy(self) -> ToolResult:
        """The same, sharing nothing that could be changed."""
        output = self._output if self._output is _UNSET else copy.deepcopy(self._output)
        return ToolResult(
            copy.deepcopy(self.result),
            output=output,
            text=self._text,
            success=self.success,
            error=copy.deepcopy(self.error),
            metadata=copy.deepcopy(self.metadata),
            artifacts=copy.deepcopy(self.artifacts),
        )

    def change(self, function: Callable[[Any], Any]) -> None:
        """Replace everything that is shown of it by what a function makes of that."""
        self.result = function(self.result)
        if self._output is not _UNSET:
            self._output = function(self._output)
        if self._text is not None:
            self._text = function(self._text)
        self.metadata = function(self.metadata)
        self.artifacts = function(self.artifacts)

    def to_dict(self) -> dict[str, Any]:
        """All documented fields as data."""
        data = {
            "success": self.success,
            "text": self.text,
            "result": self.result,
            "output": self.output,
            "metadata": self.metadata,
            "artifacts": self.artifacts,
        }
        return {**data, "error": self.error} if self.error is not None else data

    def to_script(self) -> Result:
        """For scripts: fields of an object `result` are readable on the result itself."""
        data = self.to_dict()
        data["metadata"] = Result(self.metadata)
        return Result(data, via="result")

    def __repr__(self) -> str:
        return f"ToolResult(success={self.success}, output={self.output!r})"


def as_text(value: Any) -> str:
    """A value as people and models read it: text as it is, else JSON, dates in ISO form."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)


class ToolParameters(ScriptModel):
    """Base of a tool's parameters: what TOOLS.md says of all tools.

    `timeout` and `timeout_seconds` (seconds) stand for `timeout_ms` where a tool has it; the
    fields of `options` may stand beside `input`; `data`, `text` and `content` are read as
    `input` where the tool has no parameter of that name.
    """

    @model_validator(mode="before")
    @classmethod
    def _common_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields, data = cls.model_fields, dict(given)
        options = data.get("options")
        if "options" not in fields and isinstance(options, dict):
            del data["options"]
            data = {**options, **data}
        if "timeout_ms" in fields:
            for name in ("timeout", "timeout_seconds", "timeoutSeconds"):
                seconds = data.get(name)
                if name not in fields and isinstance(seconds, (int, float)):
                    del data[name]
                    data["timeout_ms"] = seconds * 1000
        if "input" in fields and not any(cls.aliases.get(name, name) == "input" for name in data):
            for name in ("data", "text", "content"):
                if name in data and name not in fields and name not in cls.aliases:
                    data["input"] = data.pop(name)
                    break
        return data


class NoParameters(ToolParameters):
    """The parameters of a tool that takes none."""


class Tool(BaseAgent):
    """A tool: a typed function that scripts, agents, workflows and the CLI can call.

    Set the class attributes, name the `Parameters` model, implement `run_tool`.
    """

    kind: ClassVar[Kind] = "tool"
    name: str = ""
    description: str = ""
    category: str = "custom"
    version: str = "0.1.0"
    aliases: tuple[str, ...] = ()
    security_level: Level = "safe"
    permissions: Permissions = Permissions()
    #: It changes or deletes something; it reaches beyond this machine.
    destructive: bool = False
    open_world: bool = False
    #: What it answers was written by others: data to a model, never instructions.
    untrusted: bool = False
    #: No other call of the same batch may run beside it.
    sequential: bool = False
    #: Whether somebody is asked before each call: a function of the parameters and the context
    #: decides call by call; `"policy"` and False leave it to the policy.
    requires_approval: bool | Literal["policy"] | Callable[..., Any] = False
    #: It is the script's own: what the tool itself wants to be asked, the script may answer.
    script_approves: bool = False
    timeout_ms: float = 60_000
    #: How long a call may go on after it was cancelled, before it is left alone.
    grace_ms: float = 1_000
    #: Earlier results are given again; failed calls are made again.
    cache: ToolCache | None = None
    retry: RetryOptions | None = None
    #: (parameters, what they show): used by docs and tests.
    examples: tuple[tuple[dict[str, Any], str], ...] = ()
    Parameters: type[BaseModel] = NoParameters
    #: The extra that must be installed for it to work, "" when none.
    extra: str = ""

    def __init__(self, name: str | None = None, description: str | None = None) -> None:
        super().__init__(name or type(self).name, description or type(self).description)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its parameters, as a model is shown it."""
        return _model_schema(self.Parameters)

    def validate(self, params: dict[str, Any]) -> Any:
        """The parsed parameters, or `input.invalid` naming each wrong field."""
        try:
            return self.Parameters.model_validate(params)
        except PydanticError as error:
            raise invalid_parameters(self.name, pydantic_mistakes(error)) from None

    async def run_tool(self, params: Any, ctx: ToolContext) -> Any:
        """Do the work: a ToolResult, or any value as its result. Only the Runner calls this.

        Raise `ToolRetry` to ask the model for other arguments, `ToolFailed` for a failure that
        the caller may go on from.
        """
        raise TypeError(f"{type(self).__name__} does not implement run_tool")

    async def call(
        self, params: dict[str, Any] | None = None, ctx: ExecutionContext | None = None
    ) -> ToolResult:
        """Call it through the Runner; a failure is raised."""
        from llmspell_core.context import in_context

        return await in_context(
            ctx, lambda found: found.runtime.runner.run_tool(self, params or {}, found)
        )

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        params = dict(input.parameters)
        if input.text and "input" in self.Parameters.model_fields:
            params.setdefault("input", input.text)
        result = await ctx.runtime.runner.run_tool(self, params, ctx)
        return AgentOutput(
            text=result.text,
            data=result.output,
            success=result.success,
            agent=self.name,
            error=result.error,
            metadata=RunMetadata(extra=dict(result.metadata)),
        )


def invalid_parameters(tool_name: str, mistakes: list[dict[str, str]]) -> ValidationError:
    """`input.invalid` with one entry for each wrong field."""
    return ValidationError(f"{tool_name}: {mistakes_text(mistakes)}", details={"errors": mistakes})


def _model_schema(model: type[BaseModel]) -> dict[str, Any]:
    cached = _SCHEMAS.get(model)
    if cached is None:
        cached = model.model_json_schema()
        _drop_titles(cached)
        cached.setdefault("properties", {})
        _SCHEMAS[model] = cached
    return cached


_SCHEMAS: dict[type[BaseModel], dict[str, Any]] = {}


def _drop_titles(node: Any) -> None:
    """Pydantic's titles repeat the field names: tokens that tell a model nothing."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for value in node.values():
            _drop_titles(value)
    elif isinstance(node, list):
        for value in node:
            _drop_titles(value)


@dataclass(slots=True)
class _Signature:
    """What the decorator reads off a function."""

    model: type[BaseModel]
    takes_ctx: str | None
    description: str
    names: list[str] = field(default_factory=list)


class FunctionTool(Tool):
    """A tool made of a typed function by `@tool`; it can still be called like the function."""

    def __init__(self, function: Callable[..., Any], **given: Any) -> None:
        signature = _read_signature(function)
        name = given.pop("name", None) or function.__name__.strip("_").replace("_", "-")
        super().__init__(name, given.pop("description", None) or signature.description)
        for key, value in given.items():
            if not hasattr(Tool, key):
                raise ValidationError(f"tool {name}: unknown option {key!r}")
            setattr(self, key, _repeating(key, value) if key in ("cache", "retry") else value)
        self.function = function
        self.Parameters = signature.model
        self._signature = signature
        self._is_async = inspect.iscoroutinefunction(function)

    async def run_tool(self, params: Any, ctx: ToolContext) -> Any:
        arguments = {name: getattr(params, name) for name in self._signature.names}
        if self._signature.takes_ctx:
            arguments[self._signature.takes_ctx] = ctx
        if self._is_async:
            return await self.function(**arguments)
        from llmspell_core.threads import in_thread

        # Beside the event loop: everything else would stand still, deadlines included.
        return await in_thread(self.function, **arguments)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def _repeating(key: str, value: Any) -> Any:
    """The decorator's `cache` (true, seconds, or a table) and `retry` (a table), as scripts'."""
    from llmspell_core.tool_cache import ToolCache, cache_options
    from llmspell_core.tool_retry import RetryOptions

    if key == "cache":
        return value if isinstance(value, ToolCache) else ToolCache.of(cache_options(value))
    return RetryOptions.model_validate(value) if isinstance(value, dict) else value


def _read_signature(function: Callable[..., Any]) -> _Signature:
    description, notes = split_doc(inspect.getdoc(function) or "")
    hints = get_type_hints(function, localns=_context_names(), include_extras=True)
    fields: dict[str, Any] = {}
    takes_ctx = None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "ctx":
            takes_ctx = parameter.name
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        hint = hints.get(parameter.name, Any)
        fields[parameter.name] = (hint, Field(default, description=notes.get(parameter.name)))
    model = create_model(f"{function.__name__}_parameters", __base__=ScriptModel, **fields)
    return _Signature(model, takes_ctx, description, list(fields))


def _context_names() -> dict[str, Any]:
    # The names that a tool's module usually imports under TYPE_CHECKING only.
    return {"ToolContext": Any, "ExecutionContext": Any}


@overload
def tool(function: Callable[..., Any]) -> FunctionTool: ...
@overload
def tool(**options: Any) -> Callable[[Callable[..., Any]], FunctionTool]: ...


def tool(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make a tool of a typed function, sync or async; `ctx`, where named, is the ToolContext.

    A function that is not asynchronous runs in a thread of its own.

    Options are the class attributes of `Tool`: name, description, category, security_level,
    destructive, timeout_ms, aliases, cache (true, seconds, {ttl_s, max_entries}), retry
    ({max_attempts, backoff_ms, multiplier, jitter}), ...
    """
    if function is not None:
        return FunctionTool(function, **options)
    return lambda inner: FunctionTool(inner, **options)
