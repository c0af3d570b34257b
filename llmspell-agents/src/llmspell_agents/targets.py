"""Which model an agent asks, and which ones after it when that one fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError

if TYPE_CHECKING:
    from llmspell_agents.config import AgentConfig
    from llmspell_core.messages import Usage
    from llmspell_core.provider import Provider
    from llmspell_core.runtime import Runtime

_MILLION = 1_000_000


@dataclass(slots=True)
class Target:
    """A provider, a model of it, and the parameters that its alias or the config sets."""

    provider: Provider
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    #: USD per million tokens (input, output); None when unknown.
    price: tuple[float, float] | None = None

    @property
    def full_name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model}"

    def price_of(self, usage: Usage) -> float | None:
        """What these tokens cost, in USD; None when unknown."""
        if usage.cost_usd is not None or self.price is None:
            return usage.cost_usd
        into, out = self.price
        return (usage.input_tokens * into + usage.output_tokens * out) / _MILLION


def resolve_targets(config: AgentConfig, runtime: Runtime) -> list[Target]:
    """The model and its fallbacks, each provider checked to be configured. No network.

    Raises `provider.unknown`, `provider.not_configured`.
    """
    choice = config.model
    provider = (choice and choice.provider) or config.provider
    names = config.fallback_models
    found = runtime.resolve_model(choice.id if choice else None, provider)
    first = Target(
        found.provider, found.model, found.temperature, found.max_tokens, dict(found.settings)
    )
    if choice:
        first.temperature = _first(choice.temperature, first.temperature)
        first.max_tokens = _first(choice.max_tokens, first.max_tokens)
        first.settings.update(choice.settings)
    if config.base_url or config.api_key:
        first.provider = runtime.providers.private(
            first.provider.name,
            base_url=config.base_url or first.provider.config.base_url,
            api_key=config.api_key or "",
        )
    targets = [first]
    for name in names or found.fallback:
        other = runtime.resolve_model(name)
        targets.append(
            Target(other.provider, other.model, other.temperature, other.max_tokens, other.settings)
        )
    for target in targets:
        target.provider.check_configured()
        target.price = _price(runtime, target)
    return targets


def check_prices(targets: list[Target], limit_usd: float | None) -> None:
    """With a limit on money every price must be known, or the limit would mean nothing."""
    if limit_usd is None:
        return
    unknown = [one.full_name for one in targets if one.price is None and not one.provider.local]
    if unknown:
        raise AgentError(
            f"the price of {', '.join(unknown)} is unknown, so cost_usd cannot be held",
            code="agent.price_unknown",
            hint=f'set [prices."{unknown[0]}"] input and output, in USD per million tokens',
        )


def _price(runtime: Runtime, target: Target) -> tuple[float, float] | None:
    found = runtime.settings.prices.get(target.full_name)
    if found is not None:
        return found.input, found.output
    return (0.0, 0.0) if target.provider.local else None


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one
