"""Fault injection: a provider or a tool that fails, hangs, dawdles or breaks off when it should.

    flaky = faulty(provider, {1: fail("provider.rate_limit"), 2: cut(after=3)})
    runtime.add_provider(flaky)
    stubborn = faulty(stock, rate=0.2, of=[fail("tool.failed"), slow(50)], seed=7)

Requests and calls are counted from 1. What has no fault goes through unchanged.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from llmspell_core.errors import LLMSpellError, ProviderError, ToolError
from llmspell_core.provider import ModelDelta, ModelRequest, ModelResponse, Provider
from llmspell_core.tool import Tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_core.context import ExecutionContext, ToolContext
    from llmspell_core.pricing import ModelPrice
    from llmspell_core.provider import Capabilities, EmbeddingRequest, EmbeddingResponse, ModelInfo

#: Failures that pass by themselves, as the services' own.
_PASSING = frozenset(
    {"provider.rate_limit", "provider.timeout", "provider.connection", "provider.server"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at one request or call; made by `fail`, `hang`, `slow`, `cut`, `garble`."""

    kind: Literal["fail", "hang", "slow", "cut", "garble"]
    error: Exception | None = None
    #: Milliseconds, or pieces of a stream.
    amount: float = 0


def fail(code: str = "provider.server", message: str = "", **fields: Any) -> Fault:
    """An error of this code instead of an answer.

    Args:
        code: as `provider.rate_limit`, `tool.failed`
        message: its text
        fields: `hint`, `details`, `retryable`
    """
    made = ProviderError if code.startswith("provider.") else ToolError
    fields.setdefault("retryable", code in _PASSING)
    return Fault("fail", made(message or f"injected: {code}", code=code, **fields))


def hang() -> Fault:
    """No answer ever: whoever waits needs a deadline."""
    return Fault("hang")


def slow(ms: float) -> Fault:
    """The answer, this much later."""
    return Fault("slow", amount=ms)


def cut(after: int = 1, code: str = "provider.connection") -> Fault:
    """A stream that breaks after so many pieces; what is not streamed fails as a whole."""
    error = ProviderError(f"injected: broken off after {after} pieces", code=code, retryable=True)
    return Fault("cut", error, after)


def garble() -> Fault:
    """An answer whose second half is lost: its calls' arguments and its JSON are none."""
    return Fault("garble")


class Faults:
    """Which fault comes when.

    Args:
        at: by the number of the request or call, from 1
        rate: how many of the others fail, 0 to 1
        of: what happens to them, in turn by chance
        seed: of the chance: the same seed, the same faults
    """

    def __init__(
        self,
        at: Mapping[int, Fault] | None = None,
        *,
        rate: float = 0.0,
        of: Sequence[Fault] = (),
        seed: int = 0,
    ) -> None:
        self._at = dict(at or {})
        self._rate = rate
        self._of = list(of) or [fail()]
        self._chance = random.Random(seed)  # noqa: S311 - a test's, to be repeated
        self.count = 0
        #: The numbers at which something went wrong, in order.
        self.injected: list[int] = []

    def next(self) -> Fault | None:
        """The fault of the next request or call."""
        self.count += 1
        found = self._at.get(self.count)
        if found is None and self._rate and self._chance.random() < self._rate:
            found = self._chance.choice(self._of)
        if found is not None:
            self.injected.append(self.count)
        return found


@overload
def faulty(
    target: Provider,
    at: Mapping[int, Fault] | None = None,
    *,
    rate: float = 0.0,
    of: Sequence[Fault] = (),
    seed: int = 0,
) -> FaultyProvider: ...
@overload
def faulty(
    target: Tool,
    at: Mapping[int, Fault] | None = None,
    *,
    rate: float = 0.0,
    of: Sequence[Fault] = (),
    seed: int = 0,
) -> FaultyTool: ...
def faulty(
    target: Provider | Tool,
    at: Mapping[int, Fault] | None = None,
    *,
    rate: float = 0.0,
    of: Sequence[Fault] = (),
    seed: int = 0,
) -> FaultyProvider | FaultyTool:
    """The same provider or tool, but now and then something goes wrong.

    Its `faults` tells how often it was called and what was injected. Arguments as of `Faults`.
    """
    faults = Faults(at, rate=rate, of=of, seed=seed)
    if isinstance(target, Provider):
        return FaultyProvider(target, faults)
    return FaultyTool(target, faults)


class FaultyProvider(Provider):
    """A provider with faults before it."""

    def __init__(self, inner: Provider, faults: Faults) -> None:
        super().__init__(inner.config, inner.runtime)
        self.name = inner.name
        self.inner = inner
        self.faults = faults
        self.local = inner.local  # type: ignore[misc]  # as the one it stands for
        self.default_model = inner.default_model
        self.default_embedding_model = inner.default_embedding_model

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        fault = self.faults.next()
        await _strike(fault, request.timeout_ms)
        if fault is not None and fault.kind == "cut" and fault.error is not None:
            raise fault.error
        response = await self.inner.complete(request, ctx)
        return _garbled(response) if fault is not None and fault.kind == "garble" else response

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        fault = self.faults.next()
        await _strike(fault, request.timeout_ms)
        source = cast("AsyncGenerator[ModelDelta, None]", self.inner.stream(request, ctx))
        async with aclosing(source):
            count = 0
            async for delta in source:
                if fault is not None and fault.kind == "cut" and count >= fault.amount:
                    raise fault.error or ProviderError("injected")
                count += 1
                if fault is not None and fault.kind == "garble" and delta.response is not None:
                    yield ModelDelta(response=_garbled(delta.response))
                else:
                    yield delta

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        fault = self.faults.next()
        await _strike(fault, request.timeout_ms)
        return await self.inner.embed(request, ctx)

    def capabilities(self, model: str) -> Capabilities:
        return self.inner.capabilities(model)

    def price(self, model: str) -> ModelPrice | None:
        return self.inner.price(model)

    def check_configured(self) -> None:
        self.inner.check_configured()

    async def list_models(self) -> list[ModelInfo]:
        return await self.inner.list_models()

    async def close(self) -> None:
        await self.inner.close()


class FaultyTool(Tool):
    """A tool with faults before it: name, schema and permissions are the other one's."""

    def __init__(self, inner: Tool, faults: Faults) -> None:
        super().__init__(inner.name, inner.description)
        for name in ("category", "aliases", "security_level", "permissions", "destructive"):
            setattr(self, name, getattr(inner, name))
        for name in ("open_world", "sequential", "requires_approval", "timeout_ms", "Parameters"):
            setattr(self, name, getattr(inner, name))
        self.inner = inner
        self.faults = faults

    def schema(self) -> dict[str, Any]:
        return self.inner.schema()

    def validate(self, params: dict[str, Any]) -> Any:
        return self.inner.validate(params)

    async def run_tool(self, params: Any, ctx: ToolContext) -> Any:
        fault = self.faults.next()
        await _strike(fault)
        if fault is not None and fault.kind in ("cut", "garble"):
            raise ToolError(f"injected: the result of {self.name} is broken")
        return await self.inner.run_tool(params, ctx)


async def _strike(fault: Fault | None, timeout_ms: float | None = None) -> None:
    """What happens before anybody is asked; a request waits as long as it says."""
    if fault is None:
        return
    if fault.kind == "fail" and fault.error is not None:
        raise _again(fault.error)
    if fault.kind == "hang" and timeout_ms is not None:
        await asyncio.sleep(timeout_ms / 1000)
        raise ProviderError("injected: no answer", code="provider.timeout", retryable=True)
    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "slow":
        await asyncio.sleep(fault.amount / 1000)


def _again(error: Exception) -> Exception:
    """A fresh one: the same exception raised twice gathers both tracebacks."""
    if not isinstance(error, LLMSpellError):
        return error
    return type(error)(
        error.message,
        code=error.code,
        hint=error.hint,
        details=error.details,
        retryable=error.retryable,
    )


def _garbled(response: ModelResponse) -> ModelResponse:
    calls = []
    for call in response.tool_calls:
        import json

        text = json.dumps(call.arguments)
        lost = {"arguments": {}, "raw_arguments": text[: len(text) // 2] or "{"}
        calls.append(call.model_copy(update=lost))
    return replace(response, text=response.text[: len(response.text) // 2], tool_calls=calls)
