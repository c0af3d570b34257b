"""The global `Provider`: which model services there are, and what they can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar
from urllib.parse import urlsplit

from llmspell_core.errors import LLMSpellError
from llmspell_core.provider import Capabilities, Provider
from llmspell_core.script.api import Result, ScriptGlobal, script_method

_LOOPBACK = ("127.", "localhost", "::1")


class ProviderGlobal(ScriptGlobal):
    """Model providers: those that are configured, or that work without configuration."""

    name: ClassVar[str] = "Provider"

    @script_method
    async def list_(self) -> list[Any]:
        """The configured or usable providers, as {name, provider, model, enabled, local, ...}."""
        runtime = self.ctx.runtime
        declared = runtime.settings.providers
        found = [self._provider(name) for name in runtime.providers.names()]
        return [
            describe(one) for one in found if one and (one.name in declared or not problem(one))
        ]

    @script_method
    async def get(self, name: str) -> Any:
        """One provider, as in list.

        Args:
            name: the provider's name
        """
        return describe(self.ctx.runtime.provider(name))

    @script_method
    async def is_available(self, name: str) -> bool:
        """Whether a provider is installed and configured; asks no service.

        Args:
            name: the provider's name
        """
        found = self._provider(name)
        return found is not None and problem(found) is None

    @script_method
    async def get_capabilities(self, name: str, model: str | None = None) -> Any:
        """What a provider's model can do.

        Args:
            name: the provider's name
            model: one of its models; its default when left out
        """
        provider = self.ctx.runtime.provider(name)
        return capabilities(provider.capabilities(model or provider.default_model))

    def _provider(self, name: str) -> Provider | None:
        """The provider, or None when it is unknown or cannot be loaded."""
        try:
            return self.ctx.runtime.provider(name)
        except LLMSpellError:
            return None


def problem(provider: Provider) -> LLMSpellError | None:
    """Why no request to it could succeed, or None."""
    try:
        provider.check_configured()
    except LLMSpellError as error:
        return error
    return None


def describe(provider: Provider) -> Result:
    """A provider as scripts see it; never its key or headers."""
    model = provider.default_model
    return Result(
        {
            "name": provider.name,
            "provider": provider.config.type,
            "model": model,
            "enabled": problem(provider) is None,
            "local": is_local(provider),
            "available_models": [*provider.config.models],
            "capabilities": capabilities(provider.capabilities(model)),
        }
    )


def is_local(provider: Provider) -> bool:
    """Whether it answers on this machine."""
    host = urlsplit(provider.address).hostname or ""
    return provider.local or host.startswith(_LOOPBACK)


def capabilities(found: Capabilities) -> Result:
    """Capabilities as scripts see them, under both names in use."""
    data = asdict(found)
    return Result(
        {
            **data,
            "supports_streaming": found.streaming,
            "supports_multimodal": found.vision,
        }
    )
