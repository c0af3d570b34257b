"""`TapedProvider`: stands before a provider, plays its recorded answers and records new ones."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from llmspell_core.cassette.answers import error_data, error_of, response_data, response_of
from llmspell_core.cassette.forms import embedding_form, model_form
from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.pricing import shipped
from llmspell_core.provider import (
    Capabilities,
    EmbeddingRequest,
    EmbeddingResponse,
    ModelDelta,
    ModelInfo,
    ModelRequest,
    ModelResponse,
    Progress,
    Provider,
    ProviderConfig,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_core.cassette.cassette import Cassette, Recording
    from llmspell_core.context import ExecutionContext
    from llmspell_core.pricing import ModelPrice
    from llmspell_core.runtime import Runtime


class TapedProvider(Provider):
    """A provider with a cassette before it: the one that the runtime has at that moment.

    Without `inner`, a provider that is not set up here, only recorded answers can be had.
    """

    def __init__(self, name: str, inner: Provider | None, runtime: Runtime) -> None:
        super().__init__(inner.config if inner else ProviderConfig(name, name), runtime)
        self.name = name
        self.inner = inner
        recorded = self._cassette.fact(name) or {}
        source: Any = inner
        # A class attribute of providers: here it is the one of whom this stands for.
        self.local = bool(source.local if inner else recorded.get("local"))  # type: ignore[misc]
        for field in ("default_model", "default_embedding_model"):
            setattr(self, field, recorded.get(field) or getattr(inner, field, ""))

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        form = model_form(self.name, request)
        if found := self._cassette.find("model", form):
            return self._answer(found)
        started = time.perf_counter()
        try:
            response = await self._asked().complete(request, ctx)
        except LLMSpellError as error:
            self._keep(request, form, error=error_data(error), ms=_since(started))
            raise
        self._keep(request, form, response=response_data(response), ms=_since(started))
        return response

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        form = model_form(self.name, request)
        if found := self._cassette.find("model", form):
            for delta in _deltas(found):
                yield delta
            yield ModelDelta(response=self._answer(found))
            return
        async with aclosing(self._recorded(request, form, ctx)) as deltas:
            async for delta in deltas:
                yield delta

    async def _recorded(
        self, request: ModelRequest, form: dict[str, Any], ctx: ExecutionContext
    ) -> AsyncGenerator[ModelDelta, None]:
        started = time.perf_counter()
        deltas: list[list[str]] = []
        source = cast("AsyncGenerator[ModelDelta, None]", self._asked().stream(request, ctx))
        try:
            async with aclosing(source):
                async for delta in source:
                    if delta.text or delta.reasoning:
                        deltas.append([delta.text, *filter(None, [delta.reasoning])])
                    if delta.response is not None:
                        data, ms = response_data(delta.response), _since(started)
                        self._keep(request, form, response=data, deltas=deltas, ms=ms)
                    yield delta
        except LLMSpellError as error:
            ms = _since(started)
            self._keep(request, form, error=error_data(error), deltas=deltas, ms=ms)
            raise

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        from llmspell_core.messages import Usage

        cassette, form = self._cassette, embedding_form(self.name, request)
        if found := cassette.find("embedding", form):
            answer = self._checked(found)
            usage = Usage.model_validate(answer.get("usage") or {})
            return EmbeddingResponse(answer["vectors"], request.model, usage)
        response = await self._asked().embed(request, ctx)
        self._learn(request.model)
        usage_data = response.usage.model_dump(exclude_defaults=True)
        data = {"vectors": response.vectors, "usage": usage_data}
        cassette.keep("embedding", form, response=data)
        return response

    def capabilities(self, model: str) -> Capabilities:
        recorded = self._cassette.fact(f"{self.name}/{model}")
        if recorded is not None and self._cassette.mode != "record":
            known = {key: value for key, value in recorded.items() if hasattr(Capabilities(), key)}
            return Capabilities(**known)
        return self.inner.capabilities(model) if self.inner else Capabilities()

    def price(self, model: str) -> ModelPrice | None:
        if self.inner is not None:
            return self.inner.price(model)
        return super().price(model) or shipped(self.name, model)

    def reasoning_name(self, model: str) -> str:
        return self.inner.reasoning_name(model) if self.inner else self.name

    def check_configured(self) -> None:
        if not self._cassette.replaying:
            self._asked().check_configured()

    async def list_models(self) -> list[ModelInfo]:
        if self._cassette.replaying:
            return [ModelInfo(name) for name in self._cassette.models(self.name)]
        return await self._asked().list_models()

    async def pull(self, model: str, progress: Progress | None = None) -> Path:
        return await self._asked().pull(model, progress)

    async def path(self, model: str) -> Path:
        return await self._asked().path(model)

    async def remove(self, model: str) -> None:
        await self._asked().remove(model)

    @property
    def _cassette(self) -> Cassette:
        found = self.runtime.cassette
        if found is None:
            raise ProviderError("the runtime has no cassette any more")
        return found

    def _asked(self) -> Provider:
        if self.inner is None or self._cassette.replaying:
            raise ProviderError(
                f'provider "{self.name}" is only known from the cassette {self._cassette.path}',
                code="provider.not_configured",
                hint=f"declare [providers.{self.name}] to ask it, or replay",
            )
        return self.inner

    def _keep(self, request: ModelRequest, form: dict[str, Any], **answer: Any) -> None:
        self._learn(request.model)
        self._cassette.keep("model", form, **answer)

    def _learn(self, model: str) -> None:
        """Beside its answers: what the provider and its model are, which decides what is asked."""
        inner, cassette = self._asked(), self._cassette
        names = {
            "local": inner.local,
            "default_model": inner.default_model,
            "default_embedding_model": inner.default_embedding_model,
        }
        cassette.learn(self.name, {key: value for key, value in names.items() if value})
        cassette.learn(f"{self.name}/{model}", asdict(inner.capabilities(model)))

    @staticmethod
    def _checked(found: Recording) -> dict[str, Any]:
        if error := found.answer.get("error"):
            raise error_of(error)
        response: dict[str, Any] = found.answer.get("response") or {}
        return response

    def _answer(self, found: Recording) -> ModelResponse:
        return response_of(self._checked(found))


def _deltas(found: Recording) -> list[ModelDelta]:
    """The pieces as they came; of an answer that was not streamed, the whole."""
    pieces = found.answer.get("deltas")
    if pieces is None:
        response = found.answer.get("response") or {}
        pieces = [[response.get("text", ""), response.get("reasoning", "")]]
    return [ModelDelta(*piece) for piece in pieces if any(piece)]


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
