"""`ScriptedProvider`: a model provider whose answers a test writes down beforehand.

    provider = ScriptedProvider(tool_call("stock", item="kettle"), "We have 7.")
    runtime.add_provider(provider)
    agent = Agent(model="scripted/any", tools=[stock])
    assert (await agent.execute("Any kettles?")).text == "We have 7."
    assert provider.requests[1].messages[-1].text == "7"
    provider.assert_all_used()

A reply is a text, a `ModelResponse`, a `ToolCall` or a list of them, `Chunks` (streamed piece
by piece), an exception to raise, or a function of the request that gives one of these.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ProviderError
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import (
    Capabilities,
    EmbeddingRequest,
    EmbeddingResponse,
    ModelDelta,
    ModelInfo,
    ModelRequest,
    ModelResponse,
    Provider,
    ProviderConfig,
)

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.runtime import Runtime

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Chunks:
    """An answer that is streamed in these pieces; an exception among them breaks the stream."""

    parts: tuple[str | Exception, ...]
    delay_ms: float = 0.0

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(part for part in self.parts if isinstance(part, str))


Reply = Any
"""Text, `ModelResponse`, `ToolCall`, list of `ToolCall`, `Chunks`, exception, or a function."""


def chunks(*parts: str | Exception, delay_ms: float = 0.0) -> Chunks:
    """An answer in pieces, `delay_ms` between them."""
    return Chunks(parts, delay_ms)


def tool_call(name: str, /, **arguments: Any) -> ToolCall:
    """A call that the scripted model makes; ids are given in order."""
    return ToolCall(id=f"call_{next(_ids)}", name=name, arguments=arguments)


class ScriptedProvider(Provider):
    """Answers requests with the given replies, in order, and records the requests.

    Args:
        replies: one for each request
        name: the provider's name: models are named ``NAME/anything``
        default: the reply to every request after the last one; without it that is an error
        latency_ms: how long each answer takes
        capabilities: what the model claims to be able to do
        usage: the usage of every reply that has none of its own
        embed: the vector of a text; by default a short one made of its letters
    """

    default_model = "scripted-model"
    default_embedding_model = "scripted-embeddings"

    def __init__(
        self,
        *replies: Reply,
        name: str = "scripted",
        default: Reply = None,
        latency_ms: float = 0.0,
        capabilities: Capabilities | None = None,
        usage: Usage | None = None,
        embed: Callable[[str], list[float]] | None = None,
    ) -> None:
        config = ProviderConfig(name=name, type="scripted", models=[self.default_model])
        self.config = config
        self.name = name
        self.runtime: Runtime = None  # type: ignore[assignment]  # asks nothing of it
        self.requests: list[ModelRequest] = []
        self.embedding_requests: list[EmbeddingRequest] = []
        self.active = 0
        self.most_active = 0
        self._replies = list(replies)
        self._default = default
        self._latency_ms = latency_ms
        self._capabilities = capabilities or Capabilities()
        self._usage = usage or Usage(input_tokens=10, output_tokens=5, total_tokens=15)
        self._embed = embed or _letters

    @property
    def remaining(self) -> int:
        """How many replies were not used yet."""
        return max(0, len(self._replies) - len(self.requests))

    def add(self, *replies: Reply) -> None:
        """More replies after the present ones."""
        self._replies.extend(replies)

    def assert_all_used(self) -> None:
        """Fail when a reply was never asked for."""
        if self.remaining:
            raise AssertionError(f"{self.remaining} scripted replies were never asked for")

    def capabilities(self, model: str) -> Capabilities:
        return self._capabilities

    async def list_models(self) -> list[ModelInfo]:
        return [ModelInfo(name) for name in self.config.models]

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        reply = self._next(request)
        self._enter()
        try:
            await self._wait(request)
            return self._response(await self._resolve(reply, request), request)
        finally:
            self.active -= 1

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        reply = self._next(request)
        self._enter()
        try:
            await self._wait(request)
            reply = await self._resolve(reply, request)
            pieces = reply if isinstance(reply, Chunks) else None
            response = None if pieces else self._response(reply, request)
            for part in pieces.parts if pieces else [response.text] if response else []:
                if isinstance(part, Exception):
                    raise part
                if pieces and pieces.delay_ms:
                    await asyncio.sleep(pieces.delay_ms / 1000)
                if part:
                    yield ModelDelta(text=part)
            yield ModelDelta(response=response or self._response(reply, request))
        finally:
            self.active -= 1

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        self.embedding_requests.append(dataclasses.replace(request, inputs=list(request.inputs)))
        vectors = [self._embed(text) for text in request.inputs]
        return EmbeddingResponse(vectors, request.model, self._usage.model_copy())

    def _next(self, request: ModelRequest) -> Reply:
        index = len(self.requests)
        # The loop goes on with its own list of messages: what was asked must not change.
        self.requests.append(
            dataclasses.replace(request, messages=list(request.messages), tools=list(request.tools))
        )
        if index < len(self._replies):
            return self._replies[index]
        if self._default is None:
            raise ProviderError(
                f"request {index + 1}, but only {len(self._replies)} replies are scripted",
                code="provider.invalid_request",
                hint="give ScriptedProvider another reply, or `default`",
            )
        return self._default

    def _enter(self) -> None:
        self.active += 1
        self.most_active = max(self.most_active, self.active)

    async def _wait(self, request: ModelRequest) -> None:
        if not self._latency_ms:
            return
        limit = request.timeout_ms
        if limit is not None and limit < self._latency_ms:
            await asyncio.sleep(limit / 1000)
            raise ProviderError(
                f"{self.name} did not answer within {limit:g} ms",
                code="provider.timeout",
                retryable=True,
            )
        await asyncio.sleep(self._latency_ms / 1000)

    @staticmethod
    async def _resolve(reply: Reply, request: ModelRequest) -> Reply:
        while isinstance(reply, Callable) and not isinstance(reply, type):  # type: ignore[arg-type]
            reply = reply(request)
            if inspect.isawaitable(reply):
                reply = await reply
        return reply

    def _response(self, reply: Reply, request: ModelRequest) -> ModelResponse:
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, ModelResponse):
            made = dataclasses.replace(reply, tool_calls=_fresh(reply.tool_calls))
            made.model = made.model or request.model
            return made
        usage = self._usage.model_copy()
        if isinstance(reply, ToolCall):
            reply = [reply]
        if isinstance(reply, list):
            return ModelResponse("", _fresh(reply), "tool_calls", usage, request.model)
        text = reply.text if isinstance(reply, Chunks) else str(reply)
        return ModelResponse(text, [], "stop", usage, request.model)


def _letters(text: str) -> list[float]:
    """A vector that texts of the same letters share."""
    vector = [0.0] * 8
    for char in text.lower():
        vector[ord(char) % 8] += 1.0
    return vector


def _fresh(calls: list[ToolCall]) -> list[ToolCall]:
    # A reply may be given many times: each request gets calls that nobody has written to.
    return [call.model_copy() for call in calls]


Matcher = Callable[[ModelRequest], bool]


def when(*rules: tuple[str | Matcher, Reply], otherwise: Reply = "") -> Callable[..., Reply]:
    """A reply that depends on the last message: the first rule that matches decides.

    Args:
        rules: pairs of (a text that the last message contains, or a function) and a reply
        otherwise: the reply when no rule matches
    """

    def choose(request: ModelRequest) -> Reply:
        last = request.messages[-1].text if request.messages else ""
        for matcher, reply in rules:
            if matcher in last if isinstance(matcher, str) else matcher(request):
                return reply
        return otherwise

    return choose
