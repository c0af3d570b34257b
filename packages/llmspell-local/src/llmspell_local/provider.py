"""`LocalProvider`: models that run in this process, on llama.cpp."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.context import current
from llmspell_core.errors import ConfigError, DeadlineError, ProviderError
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
from llmspell_local.answers import AnswerInParts, prepare, provider_error
from llmspell_local.catalogue import DEFAULT_MODEL
from llmspell_local.download import download
from llmspell_local.embeddings import embed
from llmspell_local.engine import Engine, EngineError
from llmspell_local.fetch import fetch
from llmspell_local.files import ModelFiles, configured_paths, is_path
from llmspell_local.gguf import ModelHead, read_head
from llmspell_local.native import LoadOptions
from llmspell_local.remote import HUB, find, is_remote

if TYPE_CHECKING:
    import httpx

    from llmspell_core.context import ExecutionContext
    from llmspell_core.runtime import Runtime

#: A connection that brings nothing for this long is broken.
_STALLED_S = 30.0
#: Options of `[providers.local]`: their names, least and most values.
_OPTIONS = {"context_tokens": (256, 1_000_000), "parallel": (1, 64), "threads": (0, 1024)}


class LocalProvider(Provider):
    """The embedded models: a catalogue name, a name of `models`, or a GGUF file's path.

    A catalogue model is fetched at the first request for it; the event `model.progress` tells
    how far that is (`done` and `total` bytes, `text`). `[providers.local]` takes
    `context_tokens` (4096, of one request), `parallel` (2 requests at once) and `threads`
    (0: as many as help); `hub` is where ``hf:`` models are fetched from.
    """

    local: ClassVar[bool] = True
    default_model = DEFAULT_MODEL
    default_embedding_model = DEFAULT_MODEL

    def __init__(self, config: ProviderConfig, runtime: Runtime) -> None:
        from llmspell_core.config.directories import cache_dir

        super().__init__(config, runtime)
        self.default_model = str(config.options.get("default_model") or DEFAULT_MODEL)
        self.default_embedding_model = str(
            config.options.get("default_embedding_model") or self.default_model
        )
        self._options = _load_options(config)
        self._hub = str(config.options.get("hub") or HUB)
        self._files = ModelFiles(
            cache_dir(runtime.settings) / "models",
            self.default_model,
            configured_paths(config.models),
        )
        self._engines: dict[Path, Engine] = {}
        #: llama.cpp loads a model either for answers or for vectors.
        self._embedders: dict[Path, Engine] = {}
        self._heads: dict[Path, ModelHead] = {}

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        response = ModelResponse()
        async with aclosing(self._deltas(request, ctx)) as deltas:
            async for delta in deltas:
                response = delta.response or response
        return response

    def stream(self, request: ModelRequest, ctx: ExecutionContext) -> AsyncIterator[ModelDelta]:
        return self._deltas(request, ctx)

    async def embed(self, request: EmbeddingRequest, ctx: ExecutionContext) -> EmbeddingResponse:
        name = request.model or self.default_embedding_model
        path = await self._present(name, ctx)
        engine = self._embedder(path, self._head(path))
        return await embed(engine, request, name, ctx.within(request.timeout_ms))

    def capabilities(self, model: str) -> Capabilities:
        context = self._options.context
        path = self._files.named(model or self.default_model)
        if path is not None and path.is_file():
            context = self._load_options(self._head(path)).context
        return Capabilities(grammar=True, max_context_tokens=context)

    async def list_models(self) -> list[ModelInfo]:
        return self._files.list()

    async def pull(self, model: str, progress: Progress | None = None) -> Path:
        name = model or self.default_model
        if is_remote(name):
            return await self._download(name, progress)
        entry = self._files.to_fetch(name)
        if entry is None:
            return await self.path(name)
        return await fetch(entry, self._files.folder, progress)

    async def _download(self, name: str, progress: Progress | None) -> Path:
        import httpx

        async with self._client() as client:
            try:
                remote = await find(name, self._hub, client)
            except (httpx.HTTPError, ValueError) as error:
                raise ProviderError(
                    f"{self._hub} cannot be asked: {str(error) or type(error).__name__}",
                    code="provider.model_missing",
                    hint="check the network, then try again",
                    retryable=True,
                ) from None
            return await download(remote, self._files.folder, client, progress)

    @staticmethod
    def _client() -> httpx.AsyncClient:
        """A script's addresses pass the network gate; whoever types a command chose them."""
        import httpx

        running = current()
        timeout = httpx.Timeout(_STALLED_S)
        if running is None:
            return httpx.AsyncClient(follow_redirects=True, timeout=timeout)
        made: httpx.AsyncClient = running.policy.http.client(timeout=timeout)
        made.follow_redirects = True
        return made

    async def path(self, model: str) -> Path:
        name = model or self.default_model
        path = self._files.named(name)
        if path is None and is_path(name):
            path = Path(name).expanduser()
        if path is None:
            raise self._files.unknown(name)
        if not path.is_file() or self._files.to_fetch(name):
            raise self._files.absent(name, path)
        return path

    async def remove(self, model: str) -> None:
        path = self._files.named(model)
        for engines in (self._engines, self._embedders):
            engine = engines.pop(path, None) if path else None
            if engine is not None:
                await engine.close()
        self._files.remove(model)

    async def close(self) -> None:
        engines = [*self._engines.values(), *self._embedders.values()]
        self._engines, self._embedders = {}, {}
        for engine in engines:
            await engine.close()

    async def _deltas(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncGenerator[ModelDelta, None]:
        name = request.model or self.default_model
        path = await self._present(name, ctx)
        head = self._head(path)
        body, choice = prepare(request, small=head.small)
        answer = AnswerInParts(name, choice)
        engine = self._engine(path, head)
        own, deadline = _deadline(request, ctx)
        try:
            async with aclosing(engine.chat(body, deadline)) as chunks:
                async for chunk in chunks:
                    text, reasoning = answer.add(chunk)
                    if text or reasoning:
                        yield ModelDelta(text, reasoning)
        except EngineError as error:
            raise provider_error(error, name) from None
        except DeadlineError:
            if own is None:
                raise
            raise ProviderError(
                f"the local model {name} did not answer within {own:g} ms",
                code="provider.timeout",
                retryable=True,
            ) from None
        yield ModelDelta(response=answer.response())

    async def _present(self, name: str, ctx: ExecutionContext) -> Path:
        """The model's file, fetched when it is the catalogue's; the gate judges any other."""
        entry = self._files.to_fetch(name)
        if entry is not None:
            return await fetch(entry, self._files.folder, _reporter(ctx))
        if self._files.named(name) is None and is_path(name):
            path: Path = ctx.policy.files.resolve(str(Path(name).expanduser()), "read")
            if not path.is_file():
                raise self._files.absent(name, path)
            return path
        return await self.path(name)

    def _head(self, path: Path) -> ModelHead:
        if path not in self._heads:
            self._heads[path] = read_head(path)
        return self._heads[path]

    def _engine(self, path: Path, head: ModelHead) -> Engine:
        if path not in self._engines:
            self._engines[path] = Engine(path, self._load_options(head))
        return self._engines[path]

    def _embedder(self, path: Path, head: ModelHead) -> Engine:
        if path not in self._embedders:
            options = replace(
                self._load_options(head), parallel=1, embeds=True, mean=not head.pooled
            )
            self._embedders[path] = Engine(path, options)
        return self._embedders[path]

    def _load_options(self, head: ModelHead) -> LoadOptions:
        most = self._options.context
        context = min(most, head.context) if head.context else most
        return LoadOptions(context, self._options.parallel, self._options.threads)


def _load_options(config: ProviderConfig) -> LoadOptions:
    given: dict[str, Any] = {}
    for key, (least, most) in _OPTIONS.items():
        value: Any = config.options.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ConfigError(
                f"[providers.{config.name}] {key}: {value!r} is no whole number from {least} "
                f"to {most}"
            )
        given["context" if key == "context_tokens" else key] = value
    return LoadOptions(**given)


def _deadline(request: ModelRequest, ctx: ExecutionContext) -> tuple[float | None, float | None]:
    """(the request's own timeout in ms when it comes first, the deadline)."""
    deadline = ctx.within(request.timeout_ms)
    return (None if deadline == ctx.deadline else request.timeout_ms), deadline


_REPORT_S = 0.1


def _reporter(ctx: ExecutionContext) -> Progress:
    shown = 0.0

    def report(done: int, total: int, text: str) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown > _REPORT_S or done == total:
            shown = now
            data = {"done": done, "total": total, "text": text}
            ctx.events.emit("model.progress", data, correlation_id=ctx.correlation_id)

    return report
