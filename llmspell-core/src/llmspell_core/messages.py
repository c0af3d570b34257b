"""What agents, tools, workflows and providers hand to each other (pydantic models)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import ValidationError as PydanticError

from llmspell_core.errors import ValidationError
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.script.api import Result
from llmspell_core.script.model import ScriptModel

Role = Literal["system", "user", "assistant", "tool"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class ContentPart(_Model):
    """One part of a message: text, or a medium by URL, path or base64 data."""

    type: Literal["text", "image", "audio", "file"] = "text"
    text: str = ""
    url: str = ""
    path: str = ""
    data: str = Field(default="", description="base64")
    media_type: str = ""
    name: str = Field(default="", description="what a file is called")


class ToolCall(_Model):
    """A call of a tool that a model chose, and how it ended."""

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: The text the model sent, where it was no valid JSON object.
    raw_arguments: str | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    duration_ms: float | None = None

    def to_script(self) -> Result:
        """For scripts: without what is absent."""
        data = self.model_dump(exclude={"raw_arguments"}, exclude_none=True)
        return Result(data)


class Reasoning(_Model):
    """What a model thought before its answer; never part of a text.

    `signature` is what its provider wants back, together with the answer and as it was; it goes
    to the provider it came from and to no other.
    """

    provider: str
    text: str = ""
    signature: dict[str, Any] | None = None


class Message(_Model):
    """One message of a conversation. `tool` messages answer the call `tool_call_id`."""

    role: Role
    content: str | list[ContentPart] = ""
    tool_calls: list[ToolCall] = Field(default_factory=list)
    tool_call_id: str | None = None
    name: str | None = None
    reasoning: Reasoning | None = None

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if part.type == "text")


class Usage(_Model):
    """Tokens and money of one request, or of a whole run. `cost_usd` is None when unknown.

    `cache_read_tokens` and `cache_write_tokens` are those of the input that the service read from
    its prompt cache, or wrote to it; `reasoning_tokens` are those of the output that were thought.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None

    def add(self, other: Usage) -> None:
        """Add another request's usage to this one."""
        # Each request is counted three times or more; pydantic's own setter is slow.
        mine = self.__dict__
        if other.cost_usd is not None:
            # An unknown part makes the whole unknown; where nothing was used, nothing is.
            if self.cost_usd is not None or not self.total_tokens:
                mine["cost_usd"] = (self.cost_usd or 0.0) + other.cost_usd
        elif other.total_tokens:
            mine["cost_usd"] = None
        mine["input_tokens"] += other.input_tokens
        mine["output_tokens"] += other.output_tokens
        mine["total_tokens"] += other.total_tokens
        mine["cache_read_tokens"] += other.cache_read_tokens
        mine["cache_write_tokens"] += other.cache_write_tokens
        mine["reasoning_tokens"] += other.reasoning_tokens

    def to_script(self) -> Result:
        """For scripts: the documented fields."""
        data: dict[str, Any] = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
        }
        for name in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            if value := getattr(self, name):
                data[name] = value
        if self.cost_usd is not None:
            data["cost_usd"] = self.cost_usd
        return Result(data)


class HandoffRequest(_Model):
    """One agent asks that another one goes on."""

    target: str
    input: Any = None
    reason: str = ""
    state_filter: list[str] = Field(default_factory=list)
    history: Literal["all", "last", "summary", "none"] = "all"
    #: The agent itself, where it is not found by its name.
    agent: Any = Field(default=None, exclude=True, repr=False)


def session_id(given: Any) -> Any:
    """Whoever has a session need not pick its id."""
    return given.get("id") if isinstance(given, dict) else given


def _named(given: Any) -> Any:
    """As `session_id`; what names no session is a mistake, and does not mean none."""
    found = session_id(given)
    if given is not None and not found:
        raise ValueError("must be a session or its id")
    return found


class AgentInput(ScriptModel):
    """What a run gets: a text, and beside it what the component declares to use."""

    aliases: ClassVar[dict[str, str]] = {"prompt": "text", "input": "text", "query": "text"}

    text: str = ""
    instruction: str = ""
    context: Any = None
    session: Annotated[str | None, BeforeValidator(_named)] = None
    attachments: list[Any] = Field(default_factory=list)
    parameters: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)
    #: A workflow's input may be any value; it stands here.
    value: Any = None
    #: The `state` of a paused run that goes on, and the answers to its pending calls.
    resume: dict[str, Any] | None = None
    approvals: Any = None

    @classmethod
    def of(cls, given: Any) -> AgentInput:
        """From a string, a table of fields, None, or an AgentInput. Raises `input.invalid`."""
        if isinstance(given, AgentInput):
            return given
        # Not `model_construct`: with default factories it takes a hundred times as long.
        if isinstance(given, str):
            return cls(text=given)
        if given is None:
            return cls()
        if not isinstance(given, dict):
            raise ValidationError(f"input must be a text or a table, not {describe(given)}")
        try:
            return cls.model_validate(given)
        except PydanticError as error:
            mistakes = pydantic_mistakes(error)
            raise ValidationError(
                f"input: {mistakes_text(mistakes)}", details={"errors": mistakes}
            ) from None


class RunMetadata(_Model):
    """How a run went. Times are ms."""

    model: str = ""
    provider: str = ""
    finish_reason: str = ""
    usage: Usage = Field(default_factory=Usage)
    execution_time_ms: float = 0.0
    iterations: int = 0
    correlation_id: str = ""
    limit: dict[str, Any] | None = None
    extra: dict[str, Any] = Field(default_factory=dict)

    def to_script(self) -> Result:
        """For scripts: `duration_ms` beside `execution_time_ms`, absent fields left out."""
        data: dict[str, Any] = {
            "model": self.model,
            "provider": self.provider,
            "finish_reason": self.finish_reason,
            "usage": self.usage,
            "execution_time_ms": self.execution_time_ms,
            "duration_ms": self.execution_time_ms,
            "iterations": self.iterations,
            "correlation_id": self.correlation_id,
        }
        if self.limit:
            data["limit"] = Result(self.limit)
        return Result({**data, **self.extra})


class PendingCall(_Model):
    """A call that waits for an approval, as it may be shown: secrets are taken out."""

    id: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    reason: str = ""
    description: str = ""
    #: The components the call is nested in, outermost first.
    path: list[str] = Field(default_factory=list)

    def to_script(self) -> Result:
        """For scripts: all fields."""
        return Result(self.model_dump())


class AgentOutput(_Model):
    """What a run of an agent (or of anything run as one) gives back."""

    text: str = ""
    success: bool = True
    data: Any = None
    tool_calls: list[ToolCall] = Field(default_factory=list)
    #: Images, sound and files of the answer.
    artifacts: list[ContentPart] = Field(default_factory=list)
    handoff: list[str] = Field(default_factory=list)
    handoff_request: HandoffRequest | None = None
    agent: str = ""
    error: dict[str, Any] | None = None
    metadata: RunMetadata = Field(default_factory=RunMetadata)
    #: `paused`: the calls in `pending` wait for an approval, and `state` resumes the run.
    status: Literal["completed", "paused"] = "completed"
    pending: list[PendingCall] = Field(default_factory=list)
    state: dict[str, Any] | None = None

    def to_script(self) -> Result:
        """For scripts: `text`, `response`, `content` and `output` are the same string."""
        fields: dict[str, Any] = {
            "text": self.text,
            "response": self.text,
            "content": self.text,
            "output": self.text,
            "success": self.success,
            "status": self.status,
            "tool_calls": self.tool_calls,
            "handoff": self.handoff,
            "agent": self.agent,
            "metadata": self.metadata,
        }
        if self.data is not None:
            fields["data"] = self.data
        if self.artifacts:
            fields["artifacts"] = [
                Result(one.model_dump(exclude_defaults=True)) for one in self.artifacts
            ]
        if self.handoff_request is not None:
            fields["handoff_request"] = Result(self.handoff_request.model_dump())
        if self.error is not None:
            fields["error"] = self.error
        if self.status == "paused":
            fields["pending"] = self.pending
            # Handed back as it is: no other spelling of its fields.
            fields["state"] = self.state
        return Result(fields)


ChunkType = Literal[
    "text",
    "reasoning",
    "restart",
    "output.partial",
    "tool_call",
    "tool_result",
    "handoff",
    "usage",
    "done",
]


class StreamChunk(_Model):
    """One piece of a streamed answer; the last one is `done`.

    `restart`: the model failed in the middle of an answer, whose text and reasoning so far are
    void, and another one begins anew. `output.partial`: as much of a structured answer as is
    there, in `value`; a later one takes its place, and in the end the output's `data`.
    """

    type: ChunkType
    text: str = ""
    value: Any = None
    tool_call: ToolCall | None = None
    usage: Usage | None = None
    agent: str = ""
    output: AgentOutput | None = None

    def to_script(self) -> Result:
        """For scripts: only the fields this type of chunk has."""
        fields: dict[str, Any] = {"type": self.type, "text": self.text}
        for name in ("value", "tool_call", "usage", "output"):
            value = getattr(self, name)
            if value is not None:
                fields[name] = value
        if self.agent:
            fields["agent"] = self.agent
        return Result(fields)
