"""The script global `Hook` (= `Hooks`): see, change or refuse what a run does."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from llmspell_core.errors import LLMSpellError, NotFoundError, did_you_mean
from llmspell_core.hooks.hook import DEFAULT_TIMEOUT_MS, Hook
from llmspell_core.hooks.registry import HookRegistry
from llmspell_core.script.api import (
    Result,
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    script_method,
)
from llmspell_core.script.model import ScriptModel


class HookOptions(ScriptModel):
    """A hook: its handler and how it runs."""

    handler: ScriptFunction = Field(
        description="called with ctx; returns nothing, a changed ctx, or {type = ...}"
    )
    priority: float | str = Field(
        default=0, description="lower runs first; or highest, high, normal, low, lowest"
    )
    condition: ScriptFunction | str | None = Field(
        default=None,
        description="the hook runs only when this, a function or expression of ctx, is true",
    )
    name: str = Field(default="", description="its name in lists and messages")
    timeout_ms: float = Field(
        default=DEFAULT_TIMEOUT_MS, gt=0, description="how long it may take, ms"
    )
    tags: list[str] = Field(default_factory=list, description="to find it again with list")
    guard: bool = Field(
        default=False,
        description="when it fails, the operation is refused; it is never switched off",
    )


class HookFilter(ScriptModel):
    """Which hooks to list; a field left out means any."""

    aliases: ClassVar[dict[str, str]] = {"point": "hook_point"}

    hook_point: str | None = None
    priority: float | str | None = None
    language: str | None = None
    tag: str | None = None


class HookHandle(ScriptObject):
    """A registered hook."""

    type_name = "hook"

    def __init__(self, registry: HookRegistry, hook: Hook) -> None:
        self.registry = registry
        self.hook = hook

    @script_method
    def id(self) -> str:
        """Its id, which `Hook.unregister` accepts."""
        return self.hook.id

    @script_method
    def name(self) -> str:
        """Its name: the one given, else its id."""
        return self.hook.name

    @script_method
    def hook_point(self) -> str:
        """The point it runs at, in snake_case."""
        return self.hook.point

    @script_method
    def unregister(self) -> bool:
        """Take it away; whether it was still there."""
        return self.registry.unregister(self.hook)


class HookGlobal(ScriptGlobal):
    """Functions that run at the hook points of agents, models, tools, workflows and state.

    A handler gets `ctx` and returns nothing, a changed ctx, or what should happen instead:
    `{type = "modified", data = {...}}`, `{type = "cancel", reason}`, `{type = "replace",
    result}`, `{type = "redirect", target}`, `{type = "retry", delay_ms}`.
    """

    name = "Hook"
    aliases = ("Hooks",)
    objects = (HookHandle,)

    @script_method
    def register(
        self,
        point: str,
        handler: ScriptFunction | HookOptions,
        priority: float | str | None = None,
    ) -> HookHandle:
        """Run a function whenever a hook point is reached.

        Args:
            point: the hook point, such as before_tool_execution
            handler: the function, or a table with the function and options
            priority: lower runs first; or highest, high, normal, low, lowest
        """
        options = (
            handler
            if isinstance(handler, HookOptions)
            else HookOptions.model_construct(handler=handler)
        )
        hook = self.ctx.hooks.register(
            point,
            options.handler,
            name=options.name,
            priority=options.priority if priority is None else priority,
            language=self.ctx.language,
            tags=tuple(options.tags),
            guard=options.guard,
            timeout_ms=options.timeout_ms,
            condition=options.condition,
        )
        return HookHandle(self.ctx.hooks, hook)

    @script_method
    def unregister(self, hook: HookHandle | str) -> bool:
        """Take a hook of this script away; whether it was still there.

        Args:
            hook: what register returned, or a hook's id
        """
        if isinstance(hook, HookHandle):
            return hook.unregister()
        found = self.ctx.hooks.find(hook)
        if found is None:
            known = [one["id"] for one in self.ctx.hooks.list()]
            raise NotFoundError(
                f'unknown hook "{hook}"', code="hook.not_found", hint=did_you_mean(hook, known)
            )
        if not self.ctx.hooks.unregister(hook):
            raise LLMSpellError(
                f"hook {found.name} does not belong to this script",
                code="hook.reserved",
                hint="it comes from the configuration or a plugin",
            )
        return True

    @script_method(name="list")
    def list_(self, filter: str | HookFilter | None = None) -> list[dict[str, Any]]:
        """The registered hooks in the order they run.

        Args:
            filter: a hook point, or {hook_point, priority, language, tag}
        """
        wanted = filter.model_dump() if isinstance(filter, HookFilter) else filter
        return [Result(one) for one in self.ctx.hooks.list(wanted)]  # type: ignore[misc]

    @script_method
    def get_stats(self) -> dict[str, Any]:
        """How many hooks there are, and how often they ran and failed, by point and in all."""
        return Result(self.ctx.hooks.stats())  # type: ignore[return-value]

    @script_method
    def enable(self, name: str, config: dict[str, Any] | None = None) -> None:
        """Switch a built-in hook on for this run.

        Args:
            name: logging, metrics, tracing, debug, cost, cache, rate_limit, retry, redact or audit
            config: its options
        """
        self.ctx.hooks.enable(name, config)

    @script_method
    def disable(self, name: str) -> bool:
        """Switch a built-in hook of this run off; whether it was on.

        Args:
            name: the name it was enabled with
        """
        return self.ctx.hooks.disable(name)
