"""`ScriptedProvider`: a model provider whose answers a test writes down beforehand.

    provider = ScriptedProvider(tool_call("stock", item="kettle"), "We have 7.")
    runtime.add_provider(provider)
    agent = Agent(model="scripted/any", tools=[stock])
    assert (await agent.execute("Any kettles?")).text == "We have 7."
    assert provider.requests[1].messages[-1].text == "7"
    provider.assert_all_used()

A reply is a text, a `ModelResponse`, a `ToolCall` or a list of them, `chunks` (streamed piece
by piece), `after` (with a latency of its own), `expecting` (with a look at the request), an
exception to raise, or a function of the request that gives one of these.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ProviderError
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import (
    CallDelta,
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


Matcher = Callable[[ModelRequest], bool]


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what a model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class Chunks:
    """An answer that is streamed in these pieces; an exception among them breaks it there."""

    parts: tuple[str | Thought | ToolCall | Exception, ...]
    delay_ms: float = 0.0

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def reasoning(self) -> str:
        """All that is thought."""
        return "".join(part.text for part in self.parts if isinstance(part, Thought))

    @property
    def calls(self) -> list[ToolCall]:
        """The calls among the pieces."""
        return [part for part in self.parts if isinstance(part, ToolCall)]

    def check(self) -> None:
        """Raise the exception among the pieces, if there is one."""
        for part in self.parts:
            if isinstance(part, Exception):
                raise part


Reply = Any
"""Text, `ModelResponse`, `ToolCall`, list of `ToolCall`, `Chunks`, exception, or a function."""


@dataclass(frozen=True, slots=True)
class After:
    """A reply that takes this long."""

    ms: float
    reply: Reply


@dataclass(frozen=True, slots=True)
class Expecting:
    """A reply to a request that is as it should be."""

    matcher: str | re.Pattern[str] | Matcher
    reply: Reply


def chunks(*parts: str | Thought | ToolCall | Exception, delay_ms: float = 0.0) -> Chunks:
    """An answer in pieces, `delay_ms` between them: texts, thoughts, calls, an exception."""
    return Chunks(parts, delay_ms)


def thought(text: str) -> Thought:
    """A piece of reasoning, for `chunks`."""
    return Thought(text)


def after(ms: float, reply: Reply) -> After:
    """A reply that takes this long; a request that allows less ends with `provider.timeout`."""
    return After(ms, reply)


def expecting(matcher: str | re.Pattern[str] | Matcher, reply: Reply) -> Expecting:
    """The next reply, when the request is as it should be; otherwise the test fails.

    Args:
        matcher: a text or pattern that its last message has in it, or a function of the request
        reply: what is answered
    """
    return Expecting(matcher, reply)


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
        self.mismatches: list[str] = []
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
        """Fail when a reply was never asked for, a rule never matched, a request was wrong."""
        wrong = [*self.mismatches]
        if self.remaining:
            wrong.append(f"{self.remaining} scripted replies were never asked for")
        for rules in (one for one in [*self._replies, self._default] if isinstance(one, Rules)):
            wrong += [f"nothing matched the rule {one}" for one in rules.unused()]
        if wrong:
            raise AssertionError("; ".join(wrong))

    def capabilities(self, model: str) -> Capabilities:
        return self._capabilities

    async def list_models(self) -> list[ModelInfo]:
        return [ModelInfo(name) for name in self.config.models]

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        async with self._reply(request) as reply:
            if isinstance(reply, Chunks):
                reply.check()
            return self._response(reply, request)

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        async with self._reply(request) as reply:
            if isinstance(reply, Chunks):
                async for delta in _pieces(reply):
                    yield delta
                yield ModelDelta(response=self._response(reply, request))
                return
            response = self._response(reply, request)
            if response.reasoning:
                yield ModelDelta(reasoning=response.reasoning)
            if response.text:
                yield ModelDelta(text=response.text)
            for index, call in enumerate(response.tool_calls):
                yield _call_delta(index, call)
            yield ModelDelta(response=response)

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
                hint="write down another reply for it",
            )
        return self._default

    @asynccontextmanager
    async def _reply(self, request: ModelRequest) -> AsyncIterator[Reply]:
        """The reply to a request, when its time has come; it is active until it is given."""
        reply, latency_ms = self._next(request), self._latency_ms
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            while True:
                if isinstance(reply, After):
                    latency_ms, reply = reply.ms, reply.reply
                elif isinstance(reply, Expecting):
                    reply = self._expected(reply, request)
                elif callable(reply) and not isinstance(reply, type):
                    reply = reply(request)
                    if inspect.isawaitable(reply):
                        reply = await reply
                else:
                    break
            await self._wait(request, latency_ms)
            yield reply
        finally:
            self.active -= 1

    async def _wait(self, request: ModelRequest, latency_ms: float) -> None:
        limit = request.timeout_ms
        if limit is not None and limit < latency_ms:
            await asyncio.sleep(limit / 1000)
            raise ProviderError(
                f"{self.name} did not answer within {limit:g} ms",
                code="provider.timeout",
                retryable=True,
            )
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)

    def _expected(self, given: Expecting, request: ModelRequest) -> Reply:
        if _matches(given.matcher, request):
            return given.reply
        wanted = _described(given.matcher)
        asked = _last(request)
        text = f"request {len(self.requests)} should match {wanted}, but it ends in {asked!r}"
        self.mismatches.append(text)
        raise ProviderError(text, code="provider.invalid_request")

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
        if isinstance(reply, Chunks):
            calls = _fresh(reply.calls)
            reason = "tool_calls" if calls else "stop"
            return ModelResponse(
                reply.text, calls, reason, usage, request.model, reasoning=reply.reasoning
            )
        return ModelResponse(str(reply), [], "stop", usage, request.model)


async def _pieces(reply: Chunks) -> AsyncIterator[ModelDelta]:
    calls = itertools.count()
    for part in reply.parts:
        if isinstance(part, Exception):
            raise part
        if reply.delay_ms:
            await asyncio.sleep(reply.delay_ms / 1000)
        if isinstance(part, Thought):
            yield ModelDelta(reasoning=part.text)
        elif isinstance(part, ToolCall):
            yield _call_delta(next(calls), part)
        elif part:
            yield ModelDelta(text=part)


def _call_delta(index: int, call: ToolCall) -> ModelDelta:
    text = call.raw_arguments or json.dumps(call.arguments)
    return ModelDelta(call=CallDelta(index, call.name, call.id, text))


def _letters(text: str) -> list[float]:
    """A vector that texts of the same letters share."""
    vector = [0.0] * 8
    for char in text.lower():
        vector[ord(char) % 8] += 1.0
    return vector


def _fresh(calls: list[ToolCall]) -> list[ToolCall]:
    # A reply may be given many times: each request gets calls that nobody has written to.
    return [call.model_copy() for call in calls]


class Rules:
    """A reply that depends on the request: the first rule that matches decides."""

    def __init__(
        self, rules: Sequence[tuple[str | re.Pattern[str] | Matcher, Reply]], otherwise: Reply
    ) -> None:
        self._rules = rules
        self._otherwise = otherwise
        self._used: set[int] = set()

    def __call__(self, request: ModelRequest) -> Reply:
        for number, (matcher, reply) in enumerate(self._rules):
            if _matches(matcher, request):
                self._used.add(number)
                return reply
        return self._otherwise

    def unused(self) -> list[str]:
        """The rules that never matched, as people read them."""
        rules = enumerate(self._rules)
        return [_described(one[0]) for number, one in rules if number not in self._used]


def when(*rules: tuple[str | re.Pattern[str] | Matcher, Reply], otherwise: Reply = "") -> Rules:
    """A reply that depends on the last message: the first rule that matches decides.

    Args:
        rules: pairs of (a text or pattern that the last message has in it, or a function of the
            request) and a reply
        otherwise: the reply when no rule matches
    """
    return Rules(rules, otherwise)


def _matches(matcher: str | re.Pattern[str] | Matcher, request: ModelRequest) -> bool:
    if isinstance(matcher, str):
        return matcher in _last(request)
    if isinstance(matcher, re.Pattern):
        return matcher.search(_last(request)) is not None
    return bool(matcher(request))


def _last(request: ModelRequest) -> str:
    return request.messages[-1].text if request.messages else ""


def _described(matcher: str | re.Pattern[str] | Matcher) -> str:
    if isinstance(matcher, re.Pattern):
        return f"/{matcher.pattern}/"
    return repr(matcher) if isinstance(matcher, str) else getattr(matcher, "__name__", "function")
