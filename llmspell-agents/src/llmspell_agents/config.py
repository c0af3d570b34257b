"""`AgentConfig`: every field of ``Agent.new{...}``, checked, with its short forms read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic import ValidationError as PydanticError

from llmspell_agents.functions import Function
from llmspell_agents.guardrails.config import Guardrails
from llmspell_agents.handoffs import HandoffEntry
from llmspell_agents.history.settings import ContextChoice, Memory
from llmspell_agents.reasoning import ReasoningField
from llmspell_agents.resources import ResourceLimits
from llmspell_agents.security_field import Security, checked_security
from llmspell_agents.structured import asked_schema
from llmspell_core.account import Limits
from llmspell_core.errors import ValidationError
from llmspell_core.names import to_snake
from llmspell_core.provider import RetryPolicy
from llmspell_core.schema import (
    check_schema,
    describe,
    mistakes_text,
    pydantic_mistakes,
    short_form,
)
from llmspell_core.script.model import Also, ScriptModel

DEFAULT_REQUESTS = 25
DEFAULT_PARALLEL_TOOLS = 8
DEFAULT_TOOL_TIMEOUT_MS = 60_000
DEFAULT_RETRIES = 2
DEFAULT_HANDOFFS = 10


def _flat_model(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


def _checked_inputs(value: dict[str, Any]) -> dict[str, Any]:
    try:
        if value:
            check_schema(short_form(value), "no schema")
    except ValidationError as error:
        raise ValueError(error.message) from None
    return value


def _checked_answer(value: dict[str, Any] | None) -> dict[str, Any] | None:
    try:
        if value:
            asked_schema(value)
    except ValidationError as error:
        raise ValueError(error.message.removeprefix("response_format: ")) from None
    return value


#: Fields that change what a template sets; no agent has them.
LEVEL_FIELDS = frozenset({"extends", "parameters", "prompt_append", "tools_add", "tools_remove"})


class ModelChoice(ScriptModel):
    """A model with its parameters, instead of its name alone."""

    aliases: ClassVar[dict[str, str]] = {"model": "id", "model_id": "id"}

    id: str | None = Field(None, description='"provider/model", or a name of `provider`')
    provider: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class Retry(ScriptModel):
    """How failed model requests are tried again; times are ms."""

    max_attempts: int = Field(4, ge=1, le=20)
    backoff_ms: float = Field(500, ge=0)
    multiplier: float = Field(2, ge=1)
    jitter: float = Field(1, ge=0, le=1, description="random share of each wait")

    def policy(self) -> RetryPolicy:
        """As the provider reads it."""
        return RetryPolicy(self.max_attempts, self.backoff_ms, self.multiplier, self.jitter)


class PromptTemplate(ScriptModel):
    """A system prompt with variables; those of the input win."""

    template: str = Field(description='the text, or "@prompts.NAME"')
    variables: dict[str, Any] = Field(default_factory=dict)
    append: str = Field("", description="text that follows it, rendered alike")


class AgentConfig(ScriptModel):
    """What an agent is made of. Times are ms where the name says so."""

    aliases: ClassVar[dict[str, str]] = {
        "prompt": "system_prompt",
        "instructions": "system_prompt",
        "allowed_tools": "tools",
        "template": "extends",
    }

    name: str | None = Field(None, description="how others find it; made up when left out")
    description: str = Field("", description="what it is for: shown to models and people")
    extends: str | None = Field(
        None, description="the template, or the agent file, that it is made from"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="values of the template's parameters"
    )
    type: Literal["llm", "basic"] = Field("llm", description="the kind of agent")
    provider: str | None = Field(None, description="the provider of a model named without one")
    model: Annotated[ModelChoice | None, BeforeValidator(_flat_model), Also("string")] = Field(
        None, description='"provider/model", an alias of [models], or a table'
    )
    system_prompt: str | PromptTemplate = Field(
        "", description='a text, "@prompts.NAME", or {template, variables}'
    )
    prompt_append: str = Field("", description="text after the template's prompt")
    inputs: Annotated[dict[str, Any], AfterValidator(_checked_inputs)] = Field(
        default_factory=dict,
        description="JSON schema, or {name = type}, of the variables that a run is given",
    )
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, description="longest answer")
    tools: list[Any] = Field(
        default_factory=list,
        description="names, tools, {name, description, parameters, execute}, agents, workflows",
    )
    tools_add: list[Any] = Field(
        default_factory=list, description="tools beside those of the template"
    )
    tools_remove: list[str] = Field(
        default_factory=list, description="names of the template's tools to leave out"
    )
    tool_choice: str | None = Field(None, description="auto, none, required, or a tool's name")
    response_format: Annotated[dict[str, Any] | None, AfterValidator(_checked_answer)] = Field(
        None, description="JSON schema of the answer"
    )
    output_mode: Literal["auto", "native", "tool", "prompted", "grammar"] = Field(
        "auto", description="how the answer is held to response_format"
    )
    output_retries: int = Field(DEFAULT_RETRIES, ge=0, le=20)
    output_validator: Function | None = Field(
        None,
        description="a function of the answer's value and ctx: nothing or true passes, "
        "{value} or another value replaces, {retry}, false or an error asks again",
    )
    end_strategy: Literal["graceful", "early", "exhaustive"] = Field(
        "graceful", description="what becomes of tool calls beside the final answer"
    )
    capabilities: list[str] = Field(default_factory=list, description="what it can be found by")
    handoffs: list[HandoffEntry] = Field(
        default_factory=list,
        description="agents that may take over: names, agents, or {agent, description, state, "
        "history, input_schema, returns, when}",
    )
    memory: Memory | None = Field(None, description="how much of the earlier conversation is shown")
    context: ContextChoice | None = Field(
        None, description="how a conversation is made to fit the model's window"
    )
    max_conversation_length: int | None = Field(
        None, ge=2, description="newest messages to show, as memory.max_messages"
    )
    reasoning: ReasoningField = Field(
        None, description="how much the model thinks: an effort, or {effort, budget_tokens}"
    )
    hooks: dict[str, Function] = Field(default_factory=dict, description="point -> function")
    on_event: dict[str, Function] = Field(default_factory=dict, description="event -> function")
    retry: Retry | None = None
    fallback_models: list[str] = Field(default_factory=list)
    base_url: str | None = Field(None, description="another address of the provider")
    api_key: str | None = Field(None, description="the key for base_url", repr=False)
    security: Annotated[Security, BeforeValidator(checked_security)] = Field(
        None,
        description="narrows what it may do: {profile, tools, allowed_hosts, files, limits, ...}; "
        "of several tables all hold",
    )
    guardrails: Guardrails | None = Field(
        None, description="checks of input, output, tool_input and tool_output"
    )
    limits: Limits | None = None
    on_limit: Literal["finish", "error"] = "finish"
    max_parallel_tools: int = Field(DEFAULT_PARALLEL_TOOLS, ge=1, le=64)
    tool_timeout_ms: float = Field(DEFAULT_TOOL_TIMEOUT_MS, gt=0)
    tool_retries: int = Field(DEFAULT_RETRIES, ge=0, le=20)
    on_approval: Literal["ask", "deny", "pause"] | Function | None = Field(
        None,
        description="who answers for calls that need an approval: a function of the request, "
        '"ask" (whoever runs this), "deny", or "pause": the run stops and can be resumed',
    )
    on_tool_error: Function | None = Field(
        None,
        description="gets the error and the call, and answers with nothing, a text as the result, "
        "or {result | retry | failed}; what it throws ends the run",
    )
    deps: Any = Field(
        None,
        description="what its tools, functions and prompt are given as ctx.deps; no model sees it",
    )
    max_iterations: int | None = Field(None, ge=1, description="model requests, 25")
    max_tool_calls: int | None = Field(None, ge=0)
    max_total_tokens: int | None = Field(None, ge=1)
    max_cost_usd: float | None = Field(None, ge=0)
    max_memory_mb: float | None = Field(
        None, gt=0, description="conversation and tool results that a run holds"
    )
    resource_limits: ResourceLimits | None = Field(
        None, description="max_execution_time, max_memory_mb, max_tool_calls, ... in one table"
    )
    max_execution_time: float | None = Field(None, gt=0, description="seconds")
    timeout_ms: float | None = Field(None, gt=0)
    max_handoffs: int = Field(DEFAULT_HANDOFFS, ge=0)
    max_recursion_depth: int | None = Field(
        None, ge=0, le=7, description="agents and workflows as tools of each other, 5"
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="the provider's own")
    execute: Function | None = Field(None, description="a function instead of a model")
    custom_config: dict[str, Any] | None = Field(
        None, description="more fields; unknown ones go to the provider"
    )

    @model_validator(mode="before")
    @classmethod
    def _merge_custom(cls, data: Any) -> Any:
        """`custom_config` is merged in: known fields into the config, others to the provider.

        A text alone is the system prompt.
        """
        if isinstance(data, str):
            return {"system_prompt": data}
        if not isinstance(data, dict):
            return data
        custom = data.get("custom_config", data.get("customConfig"))
        if not isinstance(custom, dict):
            return data
        merged = {k: v for k, v in data.items() if k not in ("custom_config", "customConfig")}
        given = {to_snake(key) for key in merged if isinstance(key, str)}
        settings = dict(merged.get("settings") or {})
        for key, value in custom.items():
            name = cls.aliases.get(to_snake(key), to_snake(key))
            if name not in cls.model_fields:
                settings[key] = value
            elif name not in given:
                merged[key] = value
        return {**merged, "settings": settings} if settings else merged

    @classmethod
    def of(cls, given: Any, **more: Any) -> Self:
        """From a system prompt, a table of fields, or a config; `more` wins over its fields.

        Raises `input.invalid` naming each wrong field.
        """
        if isinstance(given, cls):
            return given.model_copy(update=more) if more else given
        data = {"system_prompt": given} if isinstance(given, str) else given
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise ValidationError(
                f"an agent is made of a system prompt or a table, not {describe(given)}"
            )
        try:
            return cls.model_validate({**data, **more})
        except PydanticError as error:
            mistakes = pydantic_mistakes(error)
            label = f"agent {data['name']}" if isinstance(data.get("name"), str) else "agent"
            raise ValidationError(
                f"{label}: {mistakes_text(mistakes)}", details={"errors": mistakes}
            ) from None

    def account_limits(self) -> Limits:
        """The limits of its runs, short forms included; the tighter of two wins."""
        given, more = self.limits or Limits(), self.resource_limits or ResourceLimits()
        requests = _tighter(given.requests, self.max_iterations, more.max_iterations)
        if requests is None and self.execute is None:
            # A function asks no model itself: those it calls have limits of their own.
            requests = DEFAULT_REQUESTS
        return Limits.model_construct(
            requests=requests,
            tool_calls=_tighter(given.tool_calls, self.max_tool_calls, more.max_tool_calls),
            per_tool=given.per_tool,
            input_tokens=given.input_tokens,
            output_tokens=given.output_tokens,
            total_tokens=_tighter(given.total_tokens, self.max_total_tokens, more.max_total_tokens),
            cost_usd=_tighter(given.cost_usd, self.max_cost_usd, more.max_cost_usd),
            wall_ms=None,
        )

    def deadline_ms(self) -> float | None:
        """How long a run may take: the smallest of the fields that say so."""
        more = self.resource_limits
        seconds = _tighter(self.max_execution_time, more.max_execution_time if more else None)
        wall = self.limits.wall_ms if self.limits else None
        return _tighter(self.timeout_ms, seconds and seconds * 1000, wall)

    def memory_mb(self) -> float | None:
        """How much conversation and tool results a run may hold."""
        more = self.resource_limits
        return _tighter(self.max_memory_mb, more.max_memory_mb if more else None)

    def recursion_depth(self) -> int | None:
        """How many agents and workflows may be tools of each other."""
        more = self.resource_limits
        return _tighter(self.max_recursion_depth, more.max_recursion_depth if more else None)

    def masked(self) -> dict[str, Any]:
        """The fields that were set, as data: keys masked, functions and objects by name."""
        data = {name: getattr(self, name) for name in self.model_fields_set}
        if self.api_key:
            data["api_key"] = "***"
        found: dict[str, Any] = _as_data(data)
        return found


N = TypeVar("N", int, float)


def _tighter(*limits: N | None) -> N | None:
    return min((one for one in limits if one is not None), default=None)


def _as_data(value: Any) -> Any:
    if isinstance(value, ScriptModel):
        return _as_data({name: getattr(value, name) for name in value.model_fields_set})
    if isinstance(value, dict):
        return {str(key): _as_data(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_data(inner) for inner in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else "function"
