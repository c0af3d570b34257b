"""Which model an agent asks, and which ones after it when that one fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_agents.own_keys import require_key
from llmspell_core.pricing import price_of, require_prices

if TYPE_CHECKING:
    from llmspell_agents.config import AgentConfig
    from llmspell_core.account import Account
    from llmspell_core.messages import Usage
    from llmspell_core.provider import Provider
    from llmspell_core.runtime import Runtime


@dataclass(slots=True)
class Target:
    """A provider, a model of it, and the parameters that its alias or the config sets."""

    provider: Provider
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model}"

    def add_cost(self, usage: Usage, runtime: Runtime) -> None:
        """Write into the usage what it cost, in USD; None stays where the price is unknown."""
        if usage.cost_usd is None:
            price = price_of(self.provider, self.model, runtime)
            usage.cost_usd = None if price is None else price.of(usage)


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
    if config.base_url:
        require_key(config.base_url, config.api_key, first.provider.name)
    if config.base_url or config.api_key:
        first.provider = runtime.providers.private(
            first.provider.name,
            base_url=config.base_url or "",
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
    if config.context and config.context.model:
        runtime.resolve_model(config.context.model).provider.check_configured()
    return targets


def check_prices(targets: list[Target], account: Account, runtime: Runtime) -> None:
    """Raise `agent.price_unknown` where money is limited and the price of one is not known."""
    if account.holds_money():
        require_prices([(one.provider, one.model) for one in targets], account, runtime)


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one
