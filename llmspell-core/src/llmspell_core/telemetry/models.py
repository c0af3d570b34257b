"""The span and the measurements of one request to a model."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from llmspell_core.pricing import price_of
from llmspell_core.telemetry import names
from llmspell_core.telemetry.runs import code_of, failed, set_usage

if TYPE_CHECKING:
    from types import TracebackType

    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import Usage
    from llmspell_core.provider import EmbeddingRequest, ModelRequest, ModelResponse, Provider
    from llmspell_core.telemetry import Tracer


class Untraced:
    """A request that nobody traces. `ctx` is the context that the provider is given."""

    __slots__ = ("ctx",)

    def __init__(self, ctx: ExecutionContext) -> None:
        self.ctx = ctx

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def chunk(self) -> None:
        """A piece of the answer has come."""

    def answered(self, response: ModelResponse) -> None:
        """The whole answer is there."""

    def embedded(self, model: str, usage: Usage) -> None:
        """The vectors are there."""


class TracedRequest(Untraced):
    """One request to a model; entered and left as a context manager."""

    __slots__ = ("_common", "_details", "_last", "_provider", "_span", "_started", "_tracer")

    def __init__(
        self,
        tracer: Tracer,
        ctx: ExecutionContext,
        provider: Provider,
        *,
        operation: str,
        model: str,
        attributes: dict[str, Any],
        content: dict[str, str] | None = None,
    ) -> None:
        address, port = _server(provider.address)
        self._tracer = tracer
        self._provider = provider
        #: What the measurements have in common; also on the span, where samplers look for it.
        self._common: dict[str, Any] = {
            names.OPERATION: operation,
            names.PROVIDER: names.PROVIDERS.get(provider.name, provider.name),
            names.REQUEST_MODEL: model,
        }
        if address:
            self._common |= {names.ADDRESS: address, names.PORT: port}
        self._details = content or {}
        attributes |= self._common
        attributes[names.CONVERSATION] = ctx.conversation or ctx.session_id
        attributes[names.AGENT_PATH] = "/".join(ctx.path) or None
        if tracer.content is not None and tracer.content.on_spans:
            attributes |= self._details
        self._span = tracer.start(f"{operation} {model}", "client", attributes, parent=ctx.span)
        super().__init__(ctx.child(span=self._span))
        self._started = time.perf_counter()
        self._last = 0.0

    def chunk(self) -> None:
        now = time.perf_counter()
        if self._last:
            self._tracer.measure(names.PER_CHUNK, now - self._last, self._common)
        else:
            taken = now - self._started
            self._span.set(names.RESPONSE_FIRST_CHUNK, taken)
            self._tracer.measure(names.FIRST_CHUNK, taken, self._common)
        self._last = now

    def answered(self, response: ModelResponse) -> None:
        span = self._span
        span.set(names.RESPONSE_ID, response.id or None)
        span.set(names.RESPONSE_FINISH, [response.finish_reason])
        self._used(response.model, response.usage)
        content = self._tracer.content
        if content is not None:
            found = content.answered(response)
            self._details |= found
            if content.on_spans:
                for name, value in found.items():
                    span.set(name, value)

    def embedded(self, model: str, usage: Usage) -> None:
        self._used(model, usage)

    def _used(self, model: str, usage: Usage) -> None:
        cost = usage.cost_usd
        if cost is None:
            price = price_of(self._provider, self._common[names.REQUEST_MODEL], self.ctx.runtime)
            cost = None if price is None else price.of(usage)
        self._span.set(names.RESPONSE_MODEL, model or None)
        set_usage(self._span, usage, cost)
        if model:
            self._common[names.RESPONSE_MODEL] = model
        if usage.input_tokens or usage.output_tokens:
            for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                common = {**self._common, names.TOKEN_TYPE: kind}
                self._tracer.measure(names.TOKEN_USAGE, count, common)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            failed(self._span, error)
            self._common[names.ERROR] = code_of(error)
        self._tracer.measure(names.DURATION, time.perf_counter() - self._started, self._common)
        content = self._tracer.content
        if content is not None and content.in_events:
            self._tracer.event(names.DETAILS_EVENT, {**self._common, **self._details}, self._span)
        self._span.end()


def chat_request(
    ctx: ExecutionContext,
    provider: Provider,
    request: ModelRequest,
    *,
    stream: bool = False,
    iteration: int | None = None,
) -> Untraced:
    """The span of a request for an answer, below the run's own; nothing where nothing is traced.

    Args:
        ctx: the run's context
        provider: who is asked
        request: what is sent
        stream: whether the answer comes piece by piece
        iteration: which request of its agent's run it is, from 1
    """
    tracer = ctx.hooks.tracer
    if tracer is None:
        return Untraced(ctx)
    settings = request.settings
    attributes: dict[str, Any] = {
        names.OUTPUT_TYPE: "json" if request.schema is not None else "text",
        names.REQUEST_STREAM: stream or None,
        names.REQUEST_TEMPERATURE: request.temperature,
        names.REQUEST_MAX_TOKENS: request.max_tokens,
        names.REQUEST_STOP: request.stop or None,
        names.ITERATION: iteration,
    }
    for setting, attribute in names.REQUEST_SETTINGS.items():
        attributes[attribute] = _number(settings.get(setting))
    content = tracer.content.asked(request) if tracer.content is not None else None
    return TracedRequest(
        tracer,
        ctx,
        provider,
        operation="chat",
        model=request.model,
        attributes=attributes,
        content=content,
    )


def embedding_request(
    ctx: ExecutionContext, provider: Provider, request: EmbeddingRequest
) -> Untraced:
    """The same of a request for vectors."""
    tracer = ctx.hooks.tracer
    if tracer is None:
        return Untraced(ctx)
    return TracedRequest(
        tracer, ctx, provider, operation="embeddings", model=request.model, attributes={}
    )


def _number(value: Any) -> Any:
    """A script may have given anything: only numbers are what these attributes hold."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@functools.lru_cache(maxsize=64)
def _server(address: str) -> tuple[str, int]:
    """Host and port of a service; "" and 0 for one in this process."""
    try:
        found = urlsplit(address)
        port = found.port or (443 if found.scheme == "https" else 80)
    except ValueError:
        return "", 0
    return found.hostname or "", port
