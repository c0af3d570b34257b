"""The hooks that come with llmspell, switched on by name; each is imported when it is."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from llmspell_core.errors import NotFoundError, ValidationError, did_you_mean

if TYPE_CHECKING:
    from llmspell_core.hooks.context import HookContext
    from llmspell_core.hooks.registry import HookRegistry
    from llmspell_core.script.model import ScriptModel

#: Name -> module:class.
BUILTINS: dict[str, str] = {
    "audit": "llmspell_core.hooks.builtin.audit:AuditHook",
    "cache": "llmspell_core.hooks.builtin.cache:CacheHook",
    "cost": "llmspell_core.hooks.builtin.cost:CostHook",
    "debug": "llmspell_core.hooks.builtin.debug:DebugHook",
    "logging": "llmspell_core.hooks.builtin.logging:LoggingHook",
    "metrics": "llmspell_core.hooks.builtin.metrics:MetricsHook",
    "rate_limit": "llmspell_core.hooks.builtin.rate_limit:RateLimitHook",
    "redact": "llmspell_core.hooks.builtin.redact:RedactHook",
    "retry": "llmspell_core.hooks.builtin.retry:RetryHook",
    "tracing": "llmspell_core.hooks.builtin.tracing:TracingHook",
}
_ALIASES = {"debugging": "debug"}


class Builtin(Protocol):
    """One built-in hook: made with its `Config`, it says what it does at which point."""

    Config: ClassVar[type[ScriptModel]]
    #: When among the others it runs, and whether its failure refuses the operation.
    priority: ClassVar[float]
    guard: ClassVar[bool]
    #: Whether it only looks on, so that nothing has to wait for what it decides.
    observes: ClassVar[bool]

    def __init__(self, config: Any) -> None: ...

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        """Point and handler, for each point it takes part in."""
        ...

    def report(self) -> dict[str, Any]:
        """What it has to say in `Hook.get_stats()`."""
        ...


def enable(registry: HookRegistry, name: str, config: Mapping[str, Any] | None = None) -> None:
    """Switch a built-in hook on in a registry, as ``[hooks.NAME]`` does."""
    registry.enable(name, config)


def builtin_name(name: str) -> str:
    """The name of a built-in hook without aliases; ``hook.unknown_builtin`` names the nearest."""
    found = _ALIASES.get(name, name).replace("-", "_")
    if found not in BUILTINS:
        raise NotFoundError(
            f'unknown built-in hook "{name}"',
            code="hook.unknown_builtin",
            hint=did_you_mean(name, list(BUILTINS)) or f"there are {', '.join(sorted(BUILTINS))}",
        )
    return found


def make_builtin(name: str, config: Mapping[str, Any]) -> Builtin:
    """A built-in hook with this configuration; ``input.invalid`` names each wrong field."""
    from pydantic import ValidationError as PydanticError

    from llmspell_core.schema import mistakes_text, pydantic_mistakes

    module, _, attribute = BUILTINS[name].partition(":")
    cls: type[Builtin] = getattr(importlib.import_module(module), attribute)
    try:
        parsed = cls.Config.model_validate(dict(config))
    except PydanticError as error:
        mistakes = pydantic_mistakes(error)
        raise ValidationError(
            f"hook {name}: {mistakes_text(mistakes)}", details={"errors": mistakes}
        ) from None
    return cls(parsed)
