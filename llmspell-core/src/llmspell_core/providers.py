"""The model providers of one Runtime: which are declared, which one a model's name means.

A provider is made on its first use and touches no network then. Names come from
`[providers.NAME]` tables and from the entry points of ``llmspell.providers`` (the built-in
presets are such names).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llmspell_core.context import current
from llmspell_core.errors import LLMSpellError, ProviderError, did_you_mean
from llmspell_core.extensions import Extensions
from llmspell_core.provider import Provider, ProviderConfig

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings
    from llmspell_core.runtime import Runtime


#: Options of a provider that say nothing of who asks.
_HARMLESS = ("default_model", "default_embedding_model", "capabilities")
#: The type that knows the services which nobody declared, where it is installed.
_REST = "litellm"


@dataclass(slots=True)
class ResolvedModel:
    """A model's provider and name, with the options of the alias that named it."""

    provider: Provider
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    fallback: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model}"


class Providers:
    """Makes, keeps and closes the providers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._made: dict[str, Provider] = {}
        self._private: list[Provider] = []
        self._taped: dict[str, Provider] = {}
        self._untaped: set[str] = set()

    def add(self, provider: Provider, *, taped: bool = True) -> None:
        """Use this provider under its name (tests, programs)."""
        self._made[provider.name] = provider
        self._taped.pop(provider.name, None)
        if not taped:
            self._untaped.add(provider.name)

    def names(self) -> list[str]:
        """Every declared or built-in provider name, sorted. Makes none of them."""
        declared = self._runtime.settings.providers
        return sorted({*declared, *Extensions("providers"), *self._made})

    def get(self, name: str) -> Provider:
        """The provider of this name; `provider.unknown` naming the nearest."""
        if self._runtime.cassette is not None and name not in self._untaped:
            return self._with_cassette(name)
        return self._own(name)

    def private(self, name: str, *, base_url: str, api_key: str) -> Provider:
        """A provider with a key, or an address, that a script chose.

        Such an address gets no stored key, and passes the network gate; without one the
        configured address is called with the script's key.
        """
        own = self._config(name)
        config = replace(own, api_key=api_key)
        if base_url:
            config = replace(
                config,
                base_url=base_url,
                headers={},
                # What else stands in the table of a plugin's provider may be a secret.
                options={key: own.options[key] for key in _HARMLESS if key in own.options},
                from_script=True,
            )
        made = self._make(config)
        self._private.append(made)
        if self._runtime.cassette is None:
            return made
        from llmspell_core.cassette.provider import TapedProvider

        return TapedProvider(name, made, self._runtime)

    def resolve(self, model: str | None, provider: str | None = None) -> ResolvedModel:
        """What a model's name means: an alias, `provider/model`, or a name of `provider`."""
        return self._resolve(model, provider, ())

    def resolve_embedding(self, model: str | None) -> ResolvedModel:
        """As `resolve`, for a model of embeddings.

        Without a name it is `[default] embedding_model`, else the one that the provider of the
        default model has for it.
        """
        settings = self._settings()
        model = model or settings.default.embedding_model
        if model:
            return self.resolve(model)
        found = self.resolve(None)
        found.model = found.provider.default_embedding_model
        if not found.model:
            raise ProviderError(
                f'provider "{found.provider.name}" has no model of embeddings of its own',
                code="provider.not_configured",
                hint='set [default] embedding_model = "provider/model", or name the model',
            )
        return found

    async def close(self) -> None:
        """Close all that were made."""
        for made in (*self._made.values(), *self._private):
            await made.close()
        self._made.clear()
        self._private.clear()
        self._taped.clear()

    def _own(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._make(self._config(name))
        return self._made[name]

    def _with_cassette(self, name: str) -> Provider:
        """The provider behind the runtime's cassette; in a replay it need not be set up here."""
        from llmspell_core.cassette.provider import TapedProvider

        if name not in self._taped:
            cassette = self._runtime.cassette
            known = cassette is not None and cassette.replaying and cassette.fact(name) is not None
            inner: Provider | None = None
            try:
                inner = self._own(name)
            except LLMSpellError:
                if not known:
                    raise
            self._taped[name] = TapedProvider(name, inner, self._runtime)
        return self._taped[name]

    def _settings(self) -> Settings:
        """What holds for the calling run: `Config.set` changes a run's own."""
        ctx = current()
        if ctx is not None and ctx.runtime is self._runtime:
            return ctx.settings
        return self._runtime.settings

    def _resolve(
        self, model: str | None, provider: str | None, seen: tuple[str, ...]
    ) -> ResolvedModel:
        settings = self._settings()
        if not model and not provider:
            model = settings.default.model
        if model and model in settings.models and not provider:
            return self._alias(model, seen)
        if provider:
            prefix = f"{provider}/"
            found = self.get(provider)
            name = (model or "").removeprefix(prefix) or found.default_model
            return ResolvedModel(found, name)
        head, slash, tail = (model or "").partition("/")
        if slash:
            found = self.get(head)
            return ResolvedModel(found, tail or found.default_model)
        return self._bare(head)

    def _alias(self, name: str, seen: tuple[str, ...]) -> ResolvedModel:
        if name in seen:
            raise ProviderError(
                f'model alias "{name}" refers to itself',
                code="provider.unknown_model",
                hint=f"see [models.{name}]",
            )
        alias = self._settings().models[name]
        found = self._resolve(alias.model, None, (*seen, name))
        known = {"model", "temperature", "max_tokens", "fallback", "settings"}
        extra = {k: v for k, v in (alias.model_extra or {}).items() if k not in known}
        return ResolvedModel(
            found.provider,
            found.model,
            temperature=alias.temperature if alias.temperature is not None else found.temperature,
            max_tokens=alias.max_tokens if alias.max_tokens is not None else found.max_tokens,
            settings={**found.settings, **extra},
            fallback=list(alias.fallback) or found.fallback,
        )

    def _bare(self, name: str) -> ResolvedModel:
        """A bare name: the default provider's, else of the one provider that lists it."""
        settings = self._settings()
        listed = [key for key, table in settings.providers.items() if name in table.models]
        if len(listed) == 1:
            return ResolvedModel(self.get(listed[0]), name)
        head = settings.default.model.partition("/")[0]
        if head in self.names() or head in _rest():
            return ResolvedModel(self.get(head), name)
        known = [*settings.models, *self.names()]
        raise ProviderError(
            f'no provider offers the model "{name}"',
            code="provider.unknown_model",
            hint=did_you_mean(name, known) or 'write it as "provider/model"',
        )

    def _config(self, name: str) -> ProviderConfig:
        runtime = self._runtime
        runtime.init.require("providers")
        table = runtime.settings.providers.get(name)
        if table is None:
            if name not in Extensions("providers") and name not in _rest():
                raise self._unknown(name)
            return ProviderConfig(name, _type_of(name), api_key=runtime.secrets.get(name) or "")
        known = set(inspect.signature(ProviderConfig).parameters)
        data = table.model_dump()
        options = {key: data.pop(key) for key in list(data) if key not in known}
        data["type"] = table.type or _type_of(name)
        data["api_key"] = table.api_key or runtime.secrets.get(name) or ""
        return ProviderConfig(name=name, options=options, **data)

    def _unknown(self, name: str) -> ProviderError:
        others = ", ".join(self.names())
        hint = f"declare it as [providers.{name}], or use one of {others}"
        if _REST not in Extensions("providers"):
            hint += f"; 100 more services: pip install 'llmspell[{_REST}]'"
        return ProviderError(
            f'unknown provider "{name}"',
            code="provider.unknown",
            hint=did_you_mean(name, [*self.names(), *_rest()]) or hint,
        )

    def _make(self, config: ProviderConfig) -> Provider:
        extensions = Extensions("providers")
        if config.type not in extensions:
            raise ProviderError(
                f'provider "{config.name}" has the unknown type "{config.type}"',
                code="provider.unknown",
                hint=did_you_mean(config.type, list(extensions))
                or f"installed types: {', '.join(extensions)}",
            )
        made: Provider = extensions.load(config.type)(config, self._runtime)
        return made


def _rest() -> frozenset[str]:
    """The services that need no table, since the provider for all the rest knows them."""
    extensions = Extensions("providers")
    if _REST not in extensions:
        return frozenset()
    found: frozenset[str] = extensions.load(_REST).services
    return found


def _type_of(name: str) -> str:
    """The type of a provider that its table does not name: a built-in one of its name, ..."""
    if name in Extensions("providers"):
        return name
    return _REST if name in _rest() else "openai"
