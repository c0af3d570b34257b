"""The global `Models`: the models that lie on this machine, or could."""

from __future__ import annotations

from typing import Any, ClassVar

from llmspell_core.errors import LLMSpellError, NotFoundError, did_you_mean
from llmspell_core.provider import ModelInfo, Provider
from llmspell_core.script.api import Result, ScriptGlobal, script_method


class ModelsGlobal(ScriptGlobal):
    """Local models: which there are, and whether their files are here."""

    name: ClassVar[str] = "Models"

    @script_method
    async def list_(self) -> list[Any]:
        """The local models, as {name, provider, size, present, default, description}."""
        return [_describe(one, provider) for provider, one in await self._models()]

    @script_method
    async def info(self, name: str) -> Any:
        """One local model; `path` is where its file lies.

        Args:
            name: the model's name, with or without its provider
        """
        models = await self._models()
        for provider, one in models:
            if name in (one.name, f"{provider.name}/{one.name}"):
                data = _describe(one, provider).data
                if one.present:
                    data["path"] = str(await provider.path(one.name))
                return Result(data)
        known = [one.name for _, one in models]
        raise NotFoundError(
            f'unknown local model "{name}"',
            code="model.not_found",
            hint=did_you_mean(name, known) or "llmspell models list",
        )

    @script_method
    async def status(self) -> Any:
        """{available, present, default}: whether local models work, and how many are here."""
        models = await self._models()
        default = next((one.name for _, one in models if one.default), "")
        return Result(
            {
                "available": bool(self._local()),
                "models": len(models),
                "present": sum(one.present for _, one in models),
                "default": default,
            }
        )

    async def _models(self) -> list[tuple[Provider, ModelInfo]]:
        return [
            (provider, one) for provider in self._local() for one in await provider.list_models()
        ]

    def _local(self) -> list[Provider]:
        found = []
        for name in self.ctx.runtime.providers.names():
            try:
                provider = self.ctx.runtime.provider(name)
            except LLMSpellError:
                # What is not installed or declared wrongly has no models to show here.
                continue
            if provider.local:
                found.append(provider)
        return found


def _describe(model: ModelInfo, provider: Provider) -> Result:
    return Result(
        {
            "name": model.name,
            "provider": provider.name,
            "size": model.size,
            "present": model.present,
            "default": model.default,
            "description": model.description,
        }
    )
