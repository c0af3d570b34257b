"""The trait of a model provider: one service, local or remote, that answers requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from llmspell_core.errors import ProviderError
from llmspell_core.messages import ContentPart, Message, ToolCall, Usage

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.pricing import ModelPrice
    from llmspell_core.runtime import Runtime

#: progress(bytes done, bytes in all or 0 when unknown, what is being fetched)
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class ToolDefinition:
    """A tool as the model is shown it; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed request is tried again: `backoff_ms`, each time `multiplier` as long."""

    max_attempts: int = 4
    backoff_ms: float = 500
    multiplier: float = 2
    #: The share of each wait that is random: 1 is full jitter, 0 none.
    jitter: float = 1


@dataclass(frozen=True, slots=True)
class ReasoningOptions:
    """How much a model shall think: an effort (``none`` to ``xhigh``), or a budget of tokens."""

    effort: str | None = None
    budget_tokens: int | None = None


@dataclass(slots=True)
class ModelRequest:
    """One request to a model. Times are ms, None means the provider's default.

    `tool_choice` is ``auto``, ``none``, ``required`` or a tool's name. `schema` asks for an
    answer that is JSON valid against it, `grammar` for one that is decoded under it. `settings`
    are the provider's own parameters.
    """

    model: str
    messages: list[Message]
    tools: list[ToolDefinition] = field(default_factory=list)
    tool_choice: str = "auto"
    temperature: float | None = None
    max_tokens: int | None = None
    schema: dict[str, Any] | None = None
    grammar: bool = False
    stop: list[str] = field(default_factory=list)
    timeout_ms: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    #: None: the provider's own policy.
    retry: RetryPolicy | None = None
    #: None: as the model does by itself.
    reasoning: ReasoningOptions | None = None
    #: Another model is asked when this one fails: one that is busy is not waited for.
    fallback_left: bool = False
    #: What failed attempts have used, as far as the service said so: the provider appends it.
    wasted: list[Usage] = field(default_factory=list)


FinishReason = Literal["stop", "tool_calls", "length", "content_filter", "error"]


@dataclass(slots=True)
class ModelResponse:
    """One whole answer of a model."""

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    reasoning: str = ""
    #: What the service wants back beside the answer (`Reasoning.signature`).
    signature: dict[str, Any] | None = None
    #: The service's own number of the answer.
    id: str = ""
    #: Images, sound and files of the answer.
    parts: list[ContentPart] = field(default_factory=list)


@dataclass(slots=True)
class CallDelta:
    """A piece of a tool call: call number `index` of the answer, counted from 0.

    The first piece of a call has its name; `arguments` of all of them are one JSON text.
    """

    index: int
    name: str = ""
    id: str = ""
    arguments: str = ""


@dataclass(slots=True)
class ModelDelta:
    """A piece of an answer: text or reasoning as it comes; the last one has the response.

    With `restart` the pieces so far are void: another model answers from the beginning.
    """

    text: str = ""
    reasoning: str = ""
    response: ModelResponse | None = None
    restart: bool = False
    call: CallDelta | None = None


@dataclass(slots=True)
class EmbeddingRequest:
    """Texts to make vectors of; `model` "" is the configured embedding model."""

    model: str
    inputs: list[str]
    timeout_ms: float | None = None


@dataclass(slots=True)
class EmbeddingResponse:
    """One vector for each text, in their order."""

    vectors: list[list[float]]
    model: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's model can do; `max_context_tokens` is 0 when unknown.

    `structured_output`: its service holds answers to a schema whose root is an object;
    `grammar`: it decodes under a grammar made from a schema of any kind. `vision`, `audio` and
    `files` are kinds of parts it takes, `urls` whether it fetches images by their address.
    """

    streaming: bool = True
    tools: bool = True
    vision: bool = False
    structured_output: bool = True
    grammar: bool = False
    audio: bool = False
    files: bool = False
    urls: bool = False
    max_context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a provider offers; sizes in bytes, 0 when unknown."""

    name: str
    size: int = 0
    present: bool = True
    description: str = ""
    default: bool = False


@dataclass(slots=True)
class ProviderConfig:
    """One `[providers.NAME]` table, resolved. `api_key` never leaves the provider."""

    name: str
    type: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    models: list[str] = field(default_factory=list)
    max_retries: int = 3
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    #: True when the address came from a script: the network gate decides, no stored key is sent.
    from_script: bool = False
    options: dict[str, Any] = field(default_factory=dict)


class Provider(ABC):
    """A model service. Made once a runtime, on first use; making it touches no network.

    Entry-point group ``llmspell.providers``: the name is the `type` in `[providers.NAME]`, the
    value a subclass, called with its configuration and the runtime.
    """

    local: ClassVar[bool] = False
    #: Services that the provider `litellm` can be asked for without a table of theirs.
    services: ClassVar[frozenset[str]] = frozenset()
    default_model: str = ""
    #: What makes embeddings where no model is named; "" when the provider has none.
    default_embedding_model: str = ""

    def __init__(self, config: ProviderConfig, runtime: Runtime) -> None:
        self.config = config
        self.name = config.name
        self.runtime = runtime

    @abstractmethod
    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        """One whole answer. Raises `ProviderError` with its kind as the code."""

    @abstractmethod
    def stream(self, request: ModelRequest, ctx: ExecutionContext) -> AsyncIterator[ModelDelta]:
        """The answer piece by piece; the last delta carries the whole response."""

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        """Vectors of texts. Raises `ProviderError` with its kind as the code."""
        raise ProviderError(
            f'provider "{self.name}" makes no embeddings',
            code="provider.invalid_request",
            hint="name the model of another provider, or set [default] embedding_model",
        )

    @property
    def address(self) -> str:
        """Where it answers; "" when that is this process, or is not known."""
        return self.config.base_url

    def capabilities(self, model: str) -> Capabilities:
        """What this model can do."""
        return Capabilities()

    def price(self, model: str) -> ModelPrice | None:
        """What this model costs, as far as is known without asking anybody; else None."""
        if not self.local:
            return None
        from llmspell_core.pricing import FREE

        return FREE

    def reasoning_name(self, model: str) -> str:
        """Whose reasoning an answer of this model has: only who has the same name gets it back."""
        return self.name

    def check_configured(self) -> None:  # noqa: B027 - most providers need nothing
        """Raise `provider.not_configured` when no request could succeed; no network."""

    async def list_models(self) -> list[ModelInfo]:
        """The models it offers; may ask the service."""
        return [ModelInfo(name) for name in self.config.models]

    async def pull(self, model: str, progress: Progress | None = None) -> Path:
        """Fetch a local model's file and check it; returns where it lies."""
        raise self._remote("pull")

    async def path(self, model: str) -> Path:
        """Where a local model's file lies; `provider.model_missing` when it is not here."""
        raise self._remote("path")

    async def remove(self, model: str) -> None:
        """Delete a local model's file."""
        raise self._remote("remove")

    async def close(self) -> None:  # noqa: B027 - most providers hold nothing
        """Free connections and memory."""

    def _remote(self, what: str) -> ProviderError:
        return ProviderError(
            f'provider "{self.name}" has no model files to {what}',
            code="provider.invalid_request",
            hint="model files belong to the local provider: llmspell models list",
        )
