"""What surrounds a change of state: limits before it, the `state_change` hooks, the event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from llmspell_core.errors import HookError, LimitError
from llmspell_core.hooks.context import HookContext
from llmspell_core.state.store import BENEATH, DELETE, KEEP, MISSING, StateStore

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

_POINT = "state_change"
_MIB = 1024 * 1024

#: For each store: scope -> at most so many bytes, as far as this process knows.
_sizes: WeakKeyDictionary[StateStore, dict[str, int]] = WeakKeyDictionary()


class Changes:
    """The rules for the changes that one run makes in one scope."""

    __slots__ = ("_ctx", "_scope", "_store")

    def __init__(self, store: StateStore, scope: str, ctx: ExecutionContext | None) -> None:
        self._store = store
        self._scope = scope
        self._ctx = ctx

    @property
    def watched(self) -> bool:
        """Whether hooks look at changes, so that the old value must be known."""
        return self._ctx is not None and self._ctx.hooks.active(_POINT)

    async def approve(self, key: str, old: Any, new: Any) -> Any:
        """The value to store, DELETE, or KEEP where a hook answered `replace`.

        Raises ``limit.value_size``, ``limit.value_depth``, ``limit.state_size``,
        ``hook.cancelled``, ``hook.failed``.
        """
        if self.watched:
            new = await self._ask_hooks(key, old, new)
        if self._ctx is not None and new is not DELETE and new is not KEEP:
            await self._check_limits(self._ctx, key, new)
        return new

    def announce(self, key: str, value: Any) -> None:
        """Tell that a key was changed."""
        if self._ctx is not None and value is not KEEP:
            operation = "delete" if value is DELETE else "set"
            self._ctx.events.emit(
                "state.changed",
                {"scope": self._scope, "key": key, "operation": operation},
                correlation_id=self._ctx.correlation_id,
                language=self._ctx.language,
            )

    async def _ask_hooks(self, key: str, old: Any, new: Any) -> Any:
        ctx = self._ctx
        if ctx is None:
            return new
        deleting = new is DELETE
        seen = HookContext(
            _POINT,
            component=self._scope,
            operation="delete" if deleting else "set",
            input=None if deleting else new,
            correlation_id=ctx.correlation_id,
            language=ctx.language,
            state={
                "scope": self._scope,
                "key": key,
                "old_value": None if old is MISSING else old,
                "new_value": None if deleting else new,
            },
        )
        result = await ctx.hooks.run(_POINT, seen)
        if result.kind == "cancel":
            raise HookError(
                f'the change of "{key}" was cancelled: {result.reason or "by a hook"}',
                details={"scope": self._scope, "key": key},
            )
        if result.kind == "replace":
            return KEEP
        if result.kind == "modified" and "input" in result.data:
            return DELETE if seen.input is None else seen.input
        return new

    async def _check_limits(self, ctx: ExecutionContext, key: str, value: Any) -> None:
        from llmspell_core.security.limits import check_value

        limits = ctx.policy.profile.limits
        if not (limits.value_mb or limits.value_depth or limits.state_mb):
            return
        size = check_value(value, limits) + len(key)
        if limits.state_mb:
            await self._reserve(size, limits.state_mb)

    async def _reserve(self, size: int, most_mb: int) -> None:
        """Count what is written here, and ask the store only when that might be too much."""
        root = self._scope.partition(BENEATH)[0]
        known = _sizes.setdefault(self._store, {})
        most = most_mb * _MIB
        used = known.get(root)
        if used is None or used + size > most:
            used = await self._store.size(root)
        if used + size > most:
            known.pop(root, None)
            raise LimitError(
                f"the state of {root} is larger than {most_mb} MiB",
                code="limit.state_size",
                hint="delete keys that are not needed, or keep large data in files",
            )
        known[root] = used + size
