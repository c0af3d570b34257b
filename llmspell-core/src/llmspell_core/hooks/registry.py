"""`HookRegistry`: which hooks run at which point, in what order; layers over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.hooks.context import CONTINUE, HookContext, HookResult
from llmspell_core.hooks.hook import DEFAULT_TIMEOUT_MS, Handler, Hook, priority_number
from llmspell_core.hooks.points import point_name
from llmspell_core.hooks.running import call_hook, entered

if TYPE_CHECKING:
    from llmspell_core.hooks.builtins import Builtin
    from llmspell_core.telemetry import Tracer

MAX_HOOKS = 1000


class _Epoch:
    """Counts changes in a tree of layers, so that each layer knows when its cache is old."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        self.changes = 0


class HookRegistry:
    """The hooks of one layer, run together with those of its parents.

    Scripts register in their run's own layer; plugins, configuration and Python in the base.
    """

    def __init__(self, parent: HookRegistry | None = None, *, limit: int = MAX_HOOKS) -> None:
        self.parent = parent
        self.limit = limit
        self._hooks: dict[str, Hook] = {}
        self._builtins: dict[str, tuple[Builtin, list[Hook]]] = {}
        self._epoch: _Epoch = parent._epoch if parent is not None else _Epoch()
        self._seen = -1
        self._merged: dict[str, tuple[Hook, ...]] = {}
        self._own_tracer: Tracer | None = None
        self._tracer: Tracer | None = None

    def register(
        self,
        point: str,
        handler: Handler,
        *,
        name: str = "",
        priority: float | str = 0,
        language: str = "python",
        tags: tuple[str, ...] = (),
        guard: bool = False,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        condition: Handler | str | None = None,
        version: str = "1.0.0",
        observes: bool = False,
    ) -> Hook:
        """Run `handler(ctx)`, sync or async, whenever `point` is reached.

        Raises ``hook.unknown_point``, ``input.invalid`` and ``limit.hooks``.
        """
        if len(self._hooks) >= self.limit:
            raise LimitError(
                f"more than {self.limit} hooks",
                code="limit.hooks",
                hint="unregister hooks that are not needed any more",
            )
        if not callable(handler):
            raise ValidationError("the handler of a hook must be a function")
        if timeout_ms <= 0:
            raise ValidationError("timeout_ms must be more than 0")
        hook = Hook(
            point_name(point),
            handler,
            name=name,
            priority=priority,
            language=language,
            tags=tuple(tags),
            guard=guard,
            timeout_ms=timeout_ms,
            condition=condition,
            version=version,
            observes=observes,
        )
        self._hooks[hook.id] = hook
        self._epoch.changes += 1
        return hook

    def unregister(self, hook: Hook | str) -> bool:
        """Forget a hook of this layer; whether it was there."""
        found = self._hooks.pop(hook if isinstance(hook, str) else hook.id, None)
        self._epoch.changes += 1
        return found is not None

    def find(self, hook_id: str) -> Hook | None:
        """The hook of this id, in this layer or above it."""
        found = self._hooks.get(hook_id)
        return found if found or self.parent is None else self.parent.find(hook_id)

    @property
    def tracer(self) -> Tracer | None:
        """Who traces what runs in this layer: its own tracer, and those above it."""
        if self._seen != self._epoch.changes:
            self._merge()
        return self._tracer

    def trace(self, tracer: Tracer | None) -> None:
        """Trace what runs in this layer and below it; None: no more."""
        self._own_tracer = tracer
        self._epoch.changes += 1

    def active(self, point: str) -> bool:
        """Whether anything would run at a point (its snake_case name). Costs a dict look-up."""
        if self._seen != self._epoch.changes:
            self._merge()
        return point in self._merged

    def decided(self, point: str) -> bool:
        """Whether anything would run at a point that may change something there."""
        return self.active(point) and any(not one.observes for one in self._merged[point])

    async def run(self, point: str, ctx: HookContext) -> HookResult:
        """Run all hooks of a point in order; `ctx` has the modifications when it returns.

        The first `cancel`, `replace`, `redirect` or `retry` ends it and is returned, else
        `modified` with all changes together, else `continue`. Raises ``hook.failed``.
        """
        if self._seen != self._epoch.changes:
            self._merge()
        hooks = self._merged.get(point)
        if hooks is None:
            return CONTINUE
        inside = entered.get()
        changes: dict[str, Any] = {}
        for hook in hooks:
            if not hook.enabled or hook.id in inside:
                continue
            result = await call_hook(hook, ctx)
            if result is not CONTINUE:
                if result.kind == "modified":
                    ctx.apply(result.data)
                    changes.update(result.data)
                elif result.kind != "continue":
                    return result
            elif not hook.enabled:
                self._epoch.changes += 1
        return HookResult("modified", changes) if changes else CONTINUE

    def list(self, filter: str | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Hooks of this layer and those above, in the order they run.

        `filter` is a point, or has `hook_point`, `priority`, `language`, `tag`.
        """
        wanted = {"hook_point": filter} if isinstance(filter, str) else dict(filter or {})
        tests = _tests(wanted)
        return [
            hook.describe()
            for hook in sorted(self._all(), key=_by_turn)
            if all(test(hook) for test in tests)
        ]

    def stats(self) -> dict[str, Any]:
        """How many hooks there are, how often they ran and failed, by point and in all."""
        points: dict[str, dict[str, int]] = {}
        for hook in self._all():
            one = points.setdefault(hook.point, {"hooks": 0, "calls": 0, "errors": 0})
            one["hooks"] += 1
            one["calls"] += hook.calls
            one["errors"] += hook.errors
        return {
            "hooks": sum(one["hooks"] for one in points.values()),
            "calls": sum(one["calls"] for one in points.values()),
            "errors": sum(one["errors"] for one in points.values()),
            "switched_off": sum(not hook.enabled for hook in self._all()),
            "points": points,
            "builtin": self._reports(),
        }

    def enable(self, name: str, config: Mapping[str, Any] | None = None) -> Sequence[Hook]:
        """Switch a built-in hook on, or give it another configuration.

        Raises ``hook.unknown_builtin`` and ``input.invalid``.
        """
        from llmspell_core.hooks.builtins import builtin_name, make_builtin

        name = builtin_name(name)
        made = make_builtin(name, config or {})
        self.disable(name)
        hooks = [
            self.register(
                point,
                handler,
                name=name,
                priority=made.priority,
                tags=("builtin",),
                guard=made.guard,
                timeout_ms=getattr(made, "timeout_ms", DEFAULT_TIMEOUT_MS),
                observes=made.observes,
            )
            for point, handler in made.handlers()
        ]
        self._builtins[name] = (made, hooks)
        self._epoch.changes += 1
        return hooks

    def disable(self, name: str) -> bool:
        """Switch a built-in hook of this layer off; whether it was on."""
        from llmspell_core.hooks.builtins import builtin_name

        found = self._builtins.pop(builtin_name(name), None)
        for hook in found[1] if found else ():
            self.unregister(hook)
        self._epoch.changes += 1
        return found is not None

    def close(self) -> None:
        """Forget every hook of this layer."""
        self._hooks.clear()
        self._builtins.clear()
        self._own_tracer = None
        self._epoch.changes += 1

    def _all(self) -> Sequence[Hook]:
        above = self.parent._all() if self.parent is not None else []
        return [*above, *self._hooks.values()]

    def _reports(self) -> dict[str, Any]:
        above = self.parent._reports() if self.parent is not None else {}
        return {**above, **{name: made.report() for name, (made, _) in self._builtins.items()}}

    def _merge(self) -> None:
        self._seen = self._epoch.changes
        merged: dict[str, list[Hook]] = {}
        for hook in sorted(self._all(), key=_by_turn):
            if hook.enabled:
                merged.setdefault(hook.point, []).append(hook)
        self._merged = {point: tuple(hooks) for point, hooks in merged.items()}
        self._tracer = self._merged_tracer()

    def _merged_tracer(self) -> Tracer | None:
        above = self.parent.tracer if self.parent is not None else None
        made = (getattr(builtin, "tracer", None) for builtin, _ in self._builtins.values())
        own = [one for one in (self._own_tracer, *made) if one is not None]
        if not own:
            return above
        from llmspell_core.telemetry.both import joined

        return reduce(joined, own, above)


def _by_turn(hook: Hook) -> tuple[float, int]:
    return hook.priority, hook.order


def _tests(wanted: dict[str, Any]) -> list[Any]:
    tests: list[Any] = []
    if wanted.get("hook_point") is not None:
        point = point_name(wanted["hook_point"])
        tests.append(lambda hook: hook.point == point)
    if wanted.get("priority") is not None:
        priority = priority_number(wanted["priority"])
        tests.append(lambda hook: hook.priority == priority)
    if wanted.get("language") is not None:
        tests.append(lambda hook: hook.language == wanted["language"])
    if wanted.get("tag") is not None:
        tests.append(lambda hook: wanted["tag"] in hook.tags)
    return tests
