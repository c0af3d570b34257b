"""`OpenAIProvider`: any service with OpenAI's chat completions, at whatever address."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from llmspell_agents.providers.connection import Connection
from llmspell_agents.providers.presets import PRESETS, UNKNOWN, preset_for
from llmspell_agents.providers.sse import EventStream, EventTooLarge
from llmspell_core.chat.answer import note_waste, parse_answer
from llmspell_core.chat.attempts import Attempts
from llmspell_core.chat.embeddings import parse_embeddings
from llmspell_core.chat.errors import Service, bad_response
from llmspell_core.chat.stream import StreamedAnswer
from llmspell_core.chat.wire import request_body
from llmspell_core.errors import ProviderError
from llmspell_core.pricing import FREE, shipped
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
    from llmspell_core.pricing import ModelPrice
    from llmspell_core.runtime import Runtime

DEFAULT_TIMEOUT_MS = 120_000.0
LIST_TIMEOUT_MS = 15_000.0
_PATH = "/chat/completions"
_EMBEDDINGS = "/embeddings"
#: Names of models that a program on this machine only passes on to a service.
_PASSED_ON = ("-cloud", ":cloud")
_NOT_STREAMED = ("application/json", "text/html")


class OpenAIProvider(Provider):
    """Chat completions over HTTP: whole or streamed answers, tools, JSON schemas.

    The names in `presets` are types of their own; any other service is
    ``type = "openai"`` with its `base_url`.
    """

    def __init__(self, config: ProviderConfig, runtime: Runtime) -> None:
        super().__init__(config, runtime)
        self.preset = preset_for(config.name, config.type, config.base_url)
        self.default_model = str(
            config.options.get("default_model")
            or self.preset.default_model
            or (config.models[0] if config.models else "")
        )
        self.default_embedding_model = str(
            config.options.get("default_embedding_model") or self.preset.default_embedding_model
        )
        self._grammar_field = str(config.options.get("grammar_field") or self.preset.grammar_field)
        self._service = Service(
            name=config.name,
            base_url=config.base_url or self.preset.base_url,
            key_variable=self.preset.key_variable,
            program=self.preset.program,
            api_key=config.api_key,
        )
        self._connection = Connection(
            self._service, self._headers(), from_script=config.from_script
        )
        self._attempts = Attempts(config)

    @property
    def address(self) -> str:
        return self._service.base_url

    def capabilities(self, model: str) -> Capabilities:
        given = self.config.options.get("capabilities")
        known: dict[str, Any] = {
            **self.preset.takes(model),
            "structured_output": self.preset.structured_output,
            "grammar": bool(self._grammar_field),
            **(given if isinstance(given, dict) else {}),
        }
        fields = Capabilities.__dataclass_fields__
        return Capabilities(**{key: value for key, value in known.items() if key in fields})

    def price(self, model: str) -> ModelPrice | None:
        if self.preset.program:
            # What runs on this machine costs nothing, unless it passes the request on.
            return None if model.endswith(_PASSED_ON) else FREE
        if self.preset is UNKNOWN:
            # Whoever answers at another address has prices of its own.
            return None
        name = self.config.name
        return shipped(name if name in PRESETS else self.config.type, model)

    def check_configured(self) -> None:
        name = self.config.name
        if not self._service.base_url:
            raise ProviderError(
                f'provider "{name}" has no address',
                code="provider.not_configured",
                hint=f"set [providers.{name}] base_url",
            )
        if self.preset.needs_key and not self.config.api_key:
            raise ProviderError(
                f'provider "{name}" has no key',
                code="provider.not_configured",
                hint=self._service.set_key,
            )

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        self.check_configured()
        body = self._body(request, stream=False)

        async def ask() -> ModelResponse:
            data = await self._connection.json(_PATH, body, ctx, _timeout(request.timeout_ms))
            try:
                return parse_answer(data, self._service, request.model)
            except ProviderError:
                note_waste(request, data)
                raise

        return await self._attempts.whole(request, ctx, ask)

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        self.check_configured()
        body = {"model": request.model, "input": request.inputs}
        timeout_ms = _timeout(request.timeout_ms)

        async def ask() -> EmbeddingResponse:
            data = await self._connection.json(_EMBEDDINGS, body, ctx, timeout_ms)
            return parse_embeddings(data, self._service, request)

        return await self._attempts.whole(request, ctx, ask)

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        self.check_configured()
        body = self._body(request, stream=True)

        def ask() -> AsyncGenerator[ModelDelta, None]:
            return self._stream_once(body, request, ctx)

        async with aclosing(self._attempts.streamed(request, ctx, ask)) as deltas:
            async for delta in deltas:
                yield delta

    async def list_models(self) -> list[ModelInfo]:
        if self.config.models:
            return await super().list_models()
        self.check_configured()
        ctx = self.runtime.context()
        data = await self._connection.json("/models", None, ctx, LIST_TIMEOUT_MS)
        rows = data.get("data") if isinstance(data, dict) else data
        if not isinstance(rows, list):
            raise bad_response(self._service, "no list of models")
        found = [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]
        return [ModelInfo(name, default=name == self.default_model) for name in sorted(found)]

    async def close(self) -> None:
        await self._connection.close()

    async def _stream_once(
        self, body: dict[str, Any], request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncGenerator[ModelDelta, None]:
        answer = StreamedAnswer(self._service, request.model)
        events = EventStream()
        whole = b""
        source = self._connection.pieces(_PATH, body, ctx, _timeout(request.timeout_ms))
        with answer.watched(request):
            async with aclosing(source):
                async for kind, piece in source:
                    if kind.startswith(_NOT_STREAMED):
                        whole += piece
                        continue
                    for delta in self._deltas(answer, events, piece):
                        yield delta
                    if answer.finished:
                        break
            if whole:
                for delta in self._unstreamed(whole, request):
                    yield delta
                return
            for delta in (*self._deltas(answer, events, None), *answer.end()):
                yield delta

    def _deltas(
        self, answer: StreamedAnswer, events: EventStream, piece: bytes | None
    ) -> list[ModelDelta]:
        """The deltas that a piece of the body (None: its end) makes complete."""
        try:
            found = events.end() if piece is None else events.feed(piece)
        except EventTooLarge as error:
            raise bad_response(self._service, str(error)) from None
        return [delta for event in found for delta in answer.feed(event)]

    def _unstreamed(self, body: bytes, request: ModelRequest) -> list[ModelDelta]:
        """The whole answer, from a service that does not stream though asked to."""
        data = self._connection.decode(body.decode("utf-8", errors="replace"))
        try:
            whole = parse_answer(data, self._service, request.model)
        except ProviderError:
            note_waste(request, data)
            raise
        return [ModelDelta(whole.text, whole.reasoning), ModelDelta(response=whole)]

    def _body(self, request: ModelRequest, *, stream: bool) -> dict[str, Any]:
        return request_body(
            request,
            stream=stream,
            max_tokens_field=self.preset.max_tokens_field,
            stream_options=self.preset.stream_options,
            nested_reasoning=self.preset.nested_reasoning,
            grammar_field=self._grammar_field,
        )

    def _headers(self) -> dict[str, str]:
        headers = {"accept": "application/json, text/event-stream", **self.config.headers}
        if self.config.api_key:
            headers.setdefault("authorization", f"Bearer {self.config.api_key}")
        return headers


def _timeout(given: float | None) -> float:
    return given or DEFAULT_TIMEOUT_MS
