"""`Runtime`: settings, policy, registries, providers and stores of one process, opened in phases.

    INFRASTRUCTURE  logging, redaction, policy, stores, events
    PROVIDERS       model providers, declared and not connected
    CORE            registries filled lazily from the installed distributions, hooks of plugins

Each phase is an async context on one exit stack: a failure or the end unwinds them in reverse.
The bridge's ScriptRuntime adds ENGINE and GLOBALS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from llmspell_core import lifecycle
from llmspell_core.abandoned import Abandoned
from llmspell_core.approval import Approver, deny_all
from llmspell_core.config.directories import data_dir, own_places
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded, load
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import ConfigError
from llmspell_core.extensions import Extensions
from llmspell_core.filling import fill_registries
from llmspell_core.hooks import HookContext
from llmspell_core.lifecycle import Phase, RuntimeMode, SelectiveInit
from llmspell_core.overlay import Overlay
from llmspell_core.plugins import PluginManager
from llmspell_core.security.audit import AuditLog
from llmspell_core.security.policy import Policy
from llmspell_core.security.redact import Redactor
from llmspell_core.security.select import profile_for

if TYPE_CHECKING:
    from llmspell_core.cassette import Cassette
    from llmspell_core.journal import Journal
    from llmspell_core.pricing import Charged
    from llmspell_core.prompts import Prompts
    from llmspell_core.provider import (
        EmbeddingRequest,
        EmbeddingResponse,
        ModelRequest,
        ModelResponse,
        Provider,
    )
    from llmspell_core.providers import Providers, ResolvedModel
    from llmspell_core.runner import ComponentRunner, Runner
    from llmspell_core.secrets import Secrets
    from llmspell_core.sessions import Sessions
    from llmspell_core.state import StateStore

log = logging.getLogger("llmspell.runtime")

#: Called as each phase has been entered (True) and left (False).
PhaseObserver = Callable[[Phase, bool], None]

_defaults: WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = WeakKeyDictionary()


class Runtime:
    """One process's llmspell. Use it as an async context manager.

    `settings` may be loaded settings, a `Settings` model, plain data, or None for the files and
    variables of the working directory.
    """

    def __init__(
        self,
        settings: Loaded | Settings | dict[str, Any] | None = None,
        *,
        mode: RuntimeMode = RuntimeMode.EMBEDDED,
        init: SelectiveInit = lifecycle.FULL,
        approver: Approver | None = None,
        on_phase: PhaseObserver | None = None,
    ) -> None:
        self.loaded = _loaded(settings)
        self.settings = self.loaded.settings
        self.mode = mode
        self.init = init
        self.approver: Approver = approver or deny_all
        self._on_phase = on_phase
        self._stack = AsyncExitStack()
        self._runners: dict[str, ComponentRunner | None] = {}
        self._stores: dict[str, StateStore] = {}
        self._journal: Journal | None = None
        self.redactor = Redactor()
        #: What is recorded and played instead of asking; None: nothing.
        self.cassette: Cassette | None = None
        #: Tools that did not end when their runs did.
        self.abandoned = Abandoned()
        self.plugins = PluginManager()
        events = self.settings.events
        self.base = Overlay(history=events.history, queue=events.queue, share=list(events.share))

    # A script that runs no component and asks no model never imports what is behind these.

    @cached_property
    def runner(self) -> Runner:
        """The pipeline around every run of a component."""
        from llmspell_core.runner import Runner

        return Runner(self)

    @cached_property
    def providers(self) -> Providers:
        """The model providers, by name."""
        from llmspell_core.providers import Providers

        return Providers(self)

    @cached_property
    def prompts(self) -> Prompts:
        """The named prompts of the settings."""
        from llmspell_core.prompts import Prompts

        return Prompts(self.settings)

    @cached_property
    def secrets(self) -> Secrets:
        """Keys and tokens, by name."""
        from llmspell_core.secrets import Secrets

        return Secrets(self.settings, self.redactor)

    @cached_property
    def sessions(self) -> Sessions:
        """The conversations that are kept."""
        from llmspell_core.sessions import Sessions

        return Sessions(self)

    # -- lifecycle ---------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for phase, enter in self.phases():
                await stack.enter_async_context(self._observed(phase, enter))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def phases(self) -> list[tuple[Phase, Callable[[], AbstractAsyncContextManager[None]]]]:
        """The phases in the order they are entered; a subclass appends its own."""
        return [
            (Phase.INFRASTRUCTURE, self._infrastructure),
            (Phase.PROVIDERS, self._providers),
            (Phase.CORE, self._core),
        ]

    @asynccontextmanager
    async def _observed(
        self, phase: Phase, enter: Callable[[], AbstractAsyncContextManager[None]]
    ) -> AsyncIterator[None]:
        async with enter():
            if self._on_phase:
                self._on_phase(phase, True)
            try:
                yield
            finally:
                if self._on_phase:
                    self._on_phase(phase, False)

    @asynccontextmanager
    async def _infrastructure(self) -> AsyncIterator[None]:
        for warning in self.loaded.warnings:
            log.warning("%s", warning)
        for secret in self.loaded.secrets:
            self.redactor.add(secret)
        protected = own_places(self.settings)
        if self.cassette is None and self.settings.has("cassette"):
            self._open_cassette()
        if self.cassette is not None and self.cassette.path is not None:
            protected.append(self.cassette.path)
        profile = profile_for(self.loaded)
        named = self.settings.security.audit_log
        path = Path(named) if named else None
        if path is None and profile.audit:
            path = data_dir(self.settings) / "audit.jsonl"
        audit = AuditLog(path, redactor=self.redactor)
        self.policy = Policy(
            profile,
            project=self.loaded.project,
            cwd=self.loaded.cwd,
            audit=audit,
            redactor=self.redactor,
            protected=protected,
        )
        try:
            async with self._traced():
                yield
        finally:
            for store in self._stores.values():
                await store.close()
            self._stores.clear()
            if self._journal is not None:
                await self._journal.close()
                self._journal = None
            await self.base.close()
            await self.policy.close()
            if self.cassette is not None:
                self.cassette.close()

    def _traced(self) -> AbstractAsyncContextManager[None]:
        from llmspell_core.telemetry.switch import plan

        wanted = plan(self.settings)
        if wanted is None:
            return contextlib.nullcontext()
        from llmspell_core.telemetry.opening import exporting

        return exporting(wanted, self.base.hooks, self.redactor)

    def _open_cassette(self) -> None:
        from llmspell_core.cassette import Cassette

        given = self.settings.cassette
        if not given.path and given.mode in ("record", "replay"):
            # Without a file it would ask, which "replay" must never do.
            raise ConfigError(
                f'[cassette] mode = "{given.mode}" needs a path',
                code="config.invalid",
                hint="set cassette.path, or use --record FILE or --replay FILE",
            )
        if given.path:
            path = Path(given.path)
            self.cassette = Cassette(path, given.mode, tools=given.tools, redactor=self.redactor)

    @asynccontextmanager
    async def _providers(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if "providers" in self.__dict__:
                await self.providers.close()

    @asynccontextmanager
    async def _core(self) -> AsyncIterator[None]:
        fill_registries(self.base, self.settings, self.init.kinds)
        self.plugins.call("llmspell_configure", settings=self.settings)
        self.plugins.call("llmspell_register_hooks", registry=self.base.hooks)
        self._enable_hooks()
        self.plugins.call("llmspell_runtime_started", runtime=self)
        await self.moment("system_startup")
        try:
            yield
        finally:
            try:
                async with asyncio.timeout(5):
                    await self.base.end()
                    await self.moment("system_shutdown")
            except TimeoutError:
                log.warning("the system_shutdown hooks took longer than 5 s")
            self.plugins.call("llmspell_runtime_stopping", runtime=self)

    def _enable_hooks(self) -> None:
        if self.settings.hooks:
            from llmspell_core.hooks import enable

            for name, options in self.settings.hooks.items():
                enable(self.base.hooks, name, dict(options))

    async def moment(self, point: str, **fields: Any) -> None:
        """Run the hooks of a point that belongs to no component (`system_startup`)."""
        if self.base.hooks.active(point):
            await self.base.hooks.run(point, HookContext(point=point, **fields))

    @classmethod
    async def default(cls) -> Runtime:
        """The Runtime of Python code that opened none: one an event loop, closed at its end."""
        loop = asyncio.get_running_loop()
        found = _defaults.get(loop)
        if found is None:
            found = _defaults[loop] = await cls().__aenter__()
            _close_with(loop, found)
        return found

    # -- what runs use -----------------------------------------------------------------------

    def context(self, *, overlay: Overlay | None = None, **fields: Any) -> ExecutionContext:
        """A new context over the base overlay, or over a run's own."""
        return ExecutionContext(
            self, overlay or self.base, self.policy, approver=self.approver, **fields
        )

    def provider(self, name: str) -> Provider:
        """The provider of this name, made on first use."""
        return self.providers.get(name)

    def add_provider(self, provider: Provider, *, taped: bool = True) -> None:
        """Use this provider object under its name; `taped`: the cassette holds for it, too."""
        self.providers.add(provider, taped=taped)

    def resolve_model(self, model: str | None, provider: str | None = None) -> ResolvedModel:
        """What a model's name means; see `Providers.resolve`."""
        return self.providers.resolve(model, provider)

    async def ask_model(self, request: ModelRequest | str, ctx: ExecutionContext) -> ModelResponse:
        """One request outside of an agent, counted in the caller's account."""
        from llmspell_core.messages import Message
        from llmspell_core.provider import ModelRequest as Request

        if isinstance(request, str):
            request = Request(model="", messages=[Message(role="user", content=request)])
        found = self.resolve_model(request.model or None)
        request.model = found.model
        if request.temperature is None:
            request.temperature = found.temperature
        from llmspell_core.telemetry.models import chat_request

        request.timeout_ms = request.timeout_ms or ctx.model_timeout_ms()
        price = _charge_request(found, ctx)
        try:
            with chat_request(ctx, found.provider, request) as traced:
                response = await found.provider.complete(request, traced.ctx)
                traced.answered(response)
        finally:
            for usage in request.wasted:
                price.charge(usage)
        price.charge(response.usage)
        return response

    async def ask_embeddings(
        self, request: EmbeddingRequest, ctx: ExecutionContext
    ) -> EmbeddingResponse:
        """Vectors of texts, counted in the caller's account."""
        found = self.providers.resolve_embedding(request.model or None)
        request.model = found.model
        from llmspell_core.telemetry.models import embedding_request

        request.timeout_ms = request.timeout_ms or ctx.model_timeout_ms()
        price = _charge_request(found, ctx)
        with embedding_request(ctx, found.provider, request) as traced:
            response = await found.provider.embed(request, traced.ctx)
            traced.embedded(response.model, response.usage)
        price.charge(response.usage)
        return response

    async def create(self, kind: str, spec: Any, ctx: ExecutionContext) -> Any:
        """Make a component from data, through the factory of its kind."""
        return await Extensions("factories").load(kind)(spec, ctx)

    async def component_runner(self, kind: str) -> ComponentRunner | None:
        """What an installed distribution adds around the runs of this kind, or None."""
        if kind not in self._runners:
            extensions = Extensions("runners")
            runner: ComponentRunner | None = None
            if kind in extensions:
                runner = await self._stack.enter_async_context(extensions.load(kind)(self))
            self._runners[kind] = runner
        return self._runners[kind]

    def store(self) -> StateStore:
        """The configured state store."""
        return self._store(self.settings.state.backend)

    def persistent_store(self) -> StateStore:
        """The store that outlives the process, whatever is configured for state."""
        backend = self.settings.state.backend
        return self._store("sqlite" if backend == "memory" else backend)

    def journal(self) -> Journal:
        """Where runs that may pause are written down."""
        if self._journal is None:
            backend = self.settings.journal.backend or (
                "memory" if self.settings.state.backend == "memory" else "sqlite"
            )
            made: Journal = Extensions("journals").load(backend)(self.loaded)
            self._journal = made
        return self._journal

    def _store(self, backend: str) -> StateStore:
        if backend not in self._stores:
            made: StateStore = Extensions("stores").load(backend)(self.loaded)
            self._stores[backend] = made
        return self._stores[backend]


def _charge_request(found: ResolvedModel, ctx: ExecutionContext) -> Charged:
    from llmspell_core.account import limit_error
    from llmspell_core.pricing import Charged, require_prices

    require_prices([(found.provider, found.model)], ctx.account, ctx.runtime)
    if hit := ctx.account.before_request():
        raise limit_error(hit)
    ctx.account.charge_request()
    return Charged(found.provider, found.model, ctx)


def _loaded(settings: Loaded | Settings | dict[str, Any] | None) -> Loaded:
    if isinstance(settings, Loaded):
        return settings
    if settings is None:
        return load()
    if isinstance(settings, dict):
        return load(data=settings)
    return Loaded.of(settings)


def _close_with(loop: asyncio.AbstractEventLoop, runtime: Runtime) -> None:
    """Close the runtime when `asyncio.run` ends the loop, before its async generators.

    Those are closed all at once and in no order, the runtime's own phases among them: by then
    it must be closed already.
    """
    shutdown = loop.shutdown_asyncgens

    async def close_first() -> None:
        await runtime.__aexit__()
        await shutdown()

    # An instance's method: loops in C that allow none keep the runtime open until the exit.
    with contextlib.suppress(AttributeError):
        loop.shutdown_asyncgens = close_first  # type: ignore[method-assign]
