"""What model requests cost: `[prices]` of the configuration, what a provider knows, our table.

`prices.json` beside this module has USD per million tokens of well-known models, and the day they
were taken on. A price that nobody knows is None, never 0: models in this process cost 0, and known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError

if TYPE_CHECKING:
    from llmspell_core.account import Account
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import Usage
    from llmspell_core.provider import Provider
    from llmspell_core.runtime import Runtime

_MILLION = 1_000_000
_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """USD per million tokens.

    `cached_input` (read from the service's prompt cache) and `cache_write` (written to it) are None
    where such tokens cost as much as others. From `long_from` input tokens on, `long` holds for
    the whole request.
    """

    input: float
    output: float
    cached_input: float | None = None
    long_from: int = 0
    long: ModelPrice | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> float:
        """What these tokens cost, in USD."""
        if self.long is not None and usage.input_tokens > self.long_from:
            return self.long.of(usage)
        cached = min(usage.cache_read_tokens, usage.input_tokens)
        written = min(usage.cache_write_tokens, usage.input_tokens - cached)
        taken = (
            (usage.input_tokens - cached - written) * self.input
            + cached * (self.input if self.cached_input is None else self.cached_input)
            + written * (self.input if self.cache_write is None else self.cache_write)
        )
        return (taken + usage.output_tokens * self.output) / _MILLION


FREE = ModelPrice(0.0, 0.0)


def price_of(provider: Provider, model: str, runtime: Runtime) -> ModelPrice | None:
    """What a provider's model costs, or None when nobody knows; `[prices]` decides first."""
    given = runtime.settings.prices.get(f"{provider.name}/{model}")
    if given is not None:
        return ModelPrice(
            given.input, given.output, given.cached_input, cache_write=given.cache_write
        )
    return provider.price(model)


def shipped(service: str, model: str) -> ModelPrice | None:
    """The price in our own table; the date in a model's name is passed over where it must be."""
    table = _table()
    row = table.get(f"{service}/{model}") or table.get(f"{service}/{_DATED.sub('', model)}")
    return _read(row) if row else None


def taken() -> str:
    """The day that the prices of our table were taken on, as YYYY-MM-DD."""
    return str(_whole()["taken"])


def require_prices(models: list[tuple[Provider, str]], account: Account, runtime: Runtime) -> None:
    """With a limit on money every price must be known, or the limit would mean nothing.

    Raises `agent.price_unknown`. Without such a limit no price is looked up.
    """
    if not account.holds_money():
        return
    unknown = [
        f"{provider.name}/{model}"
        for provider, model in models
        if price_of(provider, model, runtime) is None
    ]
    if unknown:
        raise AgentError(
            f"the price of {', '.join(unknown)} is unknown, so cost_usd cannot be held",
            code="agent.price_unknown",
            hint=f'set [prices."{unknown[0]}"] input and output, in USD per million tokens',
            details={"models": unknown},
        )


class Charged:
    """One request beside an agent's: what it uses is counted in the run's account, at its price."""

    def __init__(self, provider: Provider, model: str, ctx: ExecutionContext) -> None:
        self._provider = provider
        self._model = model
        self._ctx = ctx

    def charge(self, usage: Usage) -> None:
        """Count these tokens; what they cost is written into the usage."""
        if usage.cost_usd is None:
            found = price_of(self._provider, self._model, self._ctx.runtime)
            usage.cost_usd = None if found is None else found.of(usage)
        self._ctx.account.charge_usage(usage)


def _read(row: dict[str, Any]) -> ModelPrice:
    long = row.get("long")
    return ModelPrice(
        row["input"],
        row["output"],
        row.get("cached_input"),
        row.get("long_from", 0),
        _read(long) if long else None,
        row.get("cache_write"),
    )


@cache
def _whole() -> dict[str, Any]:
    text = files("llmspell_core").joinpath("prices.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _table() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = _whole()["prices"]
    return found
