"""`LitellmProvider`: the services that litellm speaks to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.chat.answer import note_waste, parse_answer
from llmspell_core.chat.attempts import Attempts
from llmspell_core.chat.embeddings import parse_embeddings
from llmspell_core.chat.errors import Service
from llmspell_core.chat.stream import StreamedAnswer
from llmspell_core.errors import ProviderError
from llmspell_core.pricing import shipped
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
from llmspell_core.telemetry import headers_of
from llmspell_litellm.failures import failure
from llmspell_litellm.library import library, loaded
from llmspell_litellm.prices import listed
from llmspell_litellm.requests import chat_arguments, connection_arguments
from llmspell_litellm.services import SERVICES

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import Usage
    from llmspell_core.pricing import ModelPrice
    from llmspell_core.runtime import Runtime

DEFAULT_TIMEOUT_MS = 120_000.0
#: Keys of the table that are ours; all others are handed to litellm as they are.
_OWN = frozenset(
    {"capabilities", "default_embedding_model", "default_model", "prompt_cache", "service"}
)


class LitellmProvider(Provider):
    """One service of litellm: the table's name, or `service` in it.

    Under the name `litellm` the service stands in the model's name: `litellm/anthropic/claude-…`.
    """

    services: ClassVar[frozenset[str]] = SERVICES

    def __init__(self, config: ProviderConfig, runtime: Runtime) -> None:
        super().__init__(config, runtime)
        options = config.options
        self._prefix = str(
            options.get("service") or (config.name if config.name in SERVICES else "")
        )
        self.default_model = str(
            options.get("default_model") or (config.models[0] if config.models else "")
        )
        self.default_embedding_model = str(options.get("default_embedding_model") or "")
        self._prompt_cache = options.get("prompt_cache") is not False
        self._options = {key: value for key, value in options.items() if key not in _OWN}
        self._attempts = Attempts(config)

    def check_configured(self) -> None:
        if self.config.from_script:
            raise ProviderError(
                f'a script cannot choose the address or the key of "{self.name}": '
                "litellm connects by itself",
                code="provider.not_configured",
                hint="declare it as [providers.NAME], or use an OpenAI-compatible provider",
            )

    def reasoning_name(self, model: str) -> str:
        """The service behind the name: `litellm` alone is many."""
        if self._prefix:
            return self.name
        return f"{self.name}/{(model or self.default_model).partition('/')[0]}"

    def capabilities(self, model: str) -> Capabilities:
        known = self._known(model)
        given = self.config.options.get("capabilities")
        fields: dict[str, Any] = {
            "tools": known.get("supports_function_calling", True),
            "vision": known.get("supports_vision", not known),
            "audio": known.get("supports_audio_input", not known),
            "files": known.get("supports_pdf_input", not known),
            "structured_output": known.get("supports_response_schema", True),
            "max_context_tokens": known.get("max_input_tokens") or 0,
            **(given if isinstance(given, dict) else {}),
        }
        names = Capabilities.__dataclass_fields__
        return Capabilities(
            **{key: value for key, value in fields.items() if key in names and value is not None}
        )

    def price(self, model: str) -> ModelPrice | None:
        if self.config.base_url:
            # Whoever answers at another address has prices of its own.
            return None
        route, _ = self._route(model)
        service, _, name = route.partition("/")
        return shipped(service, name) or listed(route)

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        self.check_configured()
        timeout_ms = request.timeout_ms or DEFAULT_TIMEOUT_MS
        route, service = self._route(request.model)
        arguments = self._arguments(request, route, service, ctx, stream=False)

        async def ask() -> ModelResponse:
            litellm = await library()
            with self._classified(service, route, timeout_ms):
                async with asyncio.timeout(timeout_ms / 1000):
                    answer = await litellm.acompletion(**arguments, timeout=timeout_ms / 1000)
            data = answer.model_dump()
            try:
                response = parse_answer(data, service, request.model)
            except ProviderError:
                note_waste(request, data)
                raise
            self._price(response.usage, request.model, answer)
            return response

        return await self._attempts.whole(request, ctx, ask)

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        self.check_configured()
        timeout_ms = request.timeout_ms or DEFAULT_TIMEOUT_MS
        route, service = self._route(request.model)
        arguments = self._arguments(request, route, service, ctx, stream=True)

        def ask() -> AsyncGenerator[ModelDelta, None]:
            return self._stream_once(arguments, request, route, service, timeout_ms)

        async with aclosing(self._attempts.streamed(request, ctx, ask)) as deltas:
            async for delta in deltas:
                yield delta

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        self.check_configured()
        timeout_ms = request.timeout_ms or DEFAULT_TIMEOUT_MS
        route, service = self._route(request.model)
        arguments = {
            **self._connection(service, ctx),
            "model": route,
            "input": request.inputs,
            "timeout": timeout_ms / 1000,
        }

        async def ask() -> EmbeddingResponse:
            litellm = await library()
            with self._classified(service, route, timeout_ms):
                async with asyncio.timeout(timeout_ms / 1000):
                    answer = await litellm.aembedding(**arguments)
            return parse_embeddings(answer.model_dump(), service, request)

        return await self._attempts.whole(request, ctx, ask)

    async def list_models(self) -> list[ModelInfo]:
        if self.config.models:
            return await super().list_models()
        litellm = await library()
        found = {
            name if self._prefix == "" else name.removeprefix(f"{self._prefix}/")
            for name, known in litellm.model_cost.items()
            if known.get("mode") == "chat"
            and (not self._prefix or known.get("litellm_provider") == self._prefix)
        }
        return [ModelInfo(name, default=name == self.default_model) for name in sorted(found)]

    async def close(self) -> None:
        litellm = loaded()
        if litellm is not None:
            await litellm.close_litellm_async_clients()

    async def _stream_once(
        self,
        arguments: dict[str, Any],
        request: ModelRequest,
        route: str,
        service: Service,
        timeout_ms: float,
    ) -> AsyncGenerator[ModelDelta, None]:
        litellm = await library()
        answer = StreamedAnswer(service, request.model)
        deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
        with self._classified(service, route, timeout_ms):
            async with asyncio.timeout_at(deadline):
                source = await litellm.acompletion(**arguments, timeout=timeout_ms / 1000)
        with answer.watched(request):
            try:
                while True:
                    # The time limit never spans a `yield`: it would hit whoever reads us instead.
                    with self._classified(service, route, timeout_ms):
                        async with asyncio.timeout_at(deadline):
                            chunk = await anext(source, None)
                    if chunk is None:
                        break
                    for delta in answer.chunk(chunk.model_dump()):
                        yield delta
            finally:
                await source.aclose()
            for delta in answer.end():
                if delta.response is not None:
                    self._price(delta.response.usage, request.model, None)
                yield delta

    def _route(self, model: str) -> tuple[str, Service]:
        """What litellm calls the model, and whom it will ask."""
        name = model or self.default_model
        route = f"{self._prefix}/{name}" if self._prefix else name
        head = self._prefix or route.partition("/")[0]
        key = self.config.api_key
        if not key and not self.config.base_url:
            key = self.runtime.secrets.get(head) or ""
        plain = "".join(one if one.isalnum() else "_" for one in head).upper()
        return route, Service(self.name, self.config.base_url, f"{plain}_API_KEY", api_key=key)

    def _connection(self, service: Service, ctx: ExecutionContext) -> dict[str, Any]:
        key = service.api_key
        if not key and self.config.base_url:
            # Else litellm looks for a key that was meant for another address.
            key = "none"
        return connection_arguments(
            api_key=key,
            base_url=self.config.base_url,
            headers={**headers_of(ctx.span), **self.config.headers},
            options=self._options,
        )

    def _arguments(
        self,
        request: ModelRequest,
        route: str,
        service: Service,
        ctx: ExecutionContext,
        *,
        stream: bool,
    ) -> dict[str, Any]:
        asked = chat_arguments(request, route, stream=stream, prompt_cache=self._prompt_cache)
        return {**asked, **self._connection(service, ctx)}

    def _known(self, model: str) -> dict[str, Any]:
        """What litellm's table says about a model; empty before litellm is imported."""
        litellm = loaded()
        if litellm is None:
            return {}
        route, _ = self._route(model)
        table = litellm.model_cost
        found = table.get(route) or table.get(route.partition("/")[2]) or {}
        return dict(found)

    def _price(self, usage: Usage, model: str, answer: Any) -> None:
        """What the answer cost by the table that litellm ships; `[prices]` goes before it."""
        if self.config.base_url or f"{self.name}/{model}" in self.runtime.settings.prices:
            return
        cost = getattr(answer, "_hidden_params", {}).get("response_cost")
        # litellm says 0 where it knows no price.
        usage.cost_usd = cost or None

    @contextmanager
    def _classified(self, service: Service, route: str, timeout_ms: float) -> Iterator[None]:
        try:
            yield
        except ProviderError:
            raise
        except Exception as error:
            raise failure(error, service, route, timeout_ms) from error
