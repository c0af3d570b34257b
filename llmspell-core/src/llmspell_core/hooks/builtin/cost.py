"""The built-in hook `cost`: a budget of money that no model request goes beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from weakref import WeakSet, finalize

from pydantic import Field

from llmspell_core.context import current
from llmspell_core.hooks.context import HookContext, HookResult
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.account import Account


class CostConfig(ScriptModel):
    """`max_usd`, USD of each `run` and all that is nested in it, or of all together (`total`).

    A model whose price nobody knows is refused (`unknown` = "refuse"), or asked as if it cost
    nothing ("allow").
    """

    max_usd: float = Field(ge=0)
    scope: Literal["run", "total"] = "run"
    unknown: Literal["refuse", "allow"] = "refuse"


class CostHook:
    """Refuses a model request once the budget is used up. Requests under way still end."""

    Config = CostConfig
    priority: ClassVar[float] = -1000
    guard: ClassVar[bool] = True
    observes: ClassVar[bool] = False

    def __init__(self, config: CostConfig) -> None:
        self._config = config
        self._refused = 0
        self._live: WeakSet[Account] = WeakSet()
        #: What runs that are over have spent, USD.
        self._over = 0.0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [("before_llm_call", self._check)]

    def report(self) -> dict[str, Any]:
        return {
            "max_usd": self._config.max_usd,
            "spent_usd": self._total(),
            "refused": self._refused,
        }

    def _check(self, ctx: HookContext) -> HookResult | None:
        run = current()
        if run is None:
            raise RuntimeError("the cost hook was asked outside of a run")
        account = _top(run.account)
        self._note(account)
        most = self._config.max_usd
        spent = account.spent_usd if self._config.scope == "run" else self._total()
        if spent >= most:
            return self._refuse(f"the budget of {most:g} USD is used up: {spent:.6g} USD")
        if self._config.unknown == "refuse" and not _price_known(ctx):
            model = ctx.metadata.get("model")
            return self._refuse(f'the price of {model} is unknown: set [prices."{model}"]')
        return None

    def _refuse(self, reason: str) -> HookResult:
        self._refused += 1
        return HookResult("cancel", reason=reason)

    def _note(self, account: Account) -> None:
        if account in self._live:
            return
        self._live.add(account)
        # By its attributes, which outlive it: it is charged after it was last seen here.
        finalize(account, self._ended, account.__dict__).atexit = False

    def _ended(self, attributes: dict[str, Any]) -> None:
        self._over += attributes["spent_usd"]

    def _total(self) -> float:
        return self._over + sum(account.spent_usd for account in [*self._live])


def _top(account: Account) -> Account:
    while account.parent is not None:
        account = account.parent
    return account


def _price_known(ctx: HookContext) -> bool:
    """Whether the price of the model that is about to be asked is known."""
    from llmspell_core.pricing import price_of

    run = current()
    name = str(ctx.metadata.get("model") or "")
    provider, _, model = name.partition("/")
    return run is None or price_of(run.runtime.provider(provider), model, run.runtime) is not None
