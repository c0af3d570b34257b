"""From a guest's call to a host method: find the target, check the arguments, call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_bridge.binding import BINDINGS
from llmspell_bridge.values import protocol_error
from llmspell_core.errors import LLMSpellError, NotFoundError
from llmspell_core.extensions import Extensions
from llmspell_core.script.api import ScriptGlobal, ScriptObject

if TYPE_CHECKING:
    from llmspell_bridge.handles import HandleTable
    from llmspell_core.context import ExecutionContext

#: Makes a target that is no plugin's global: the engine's own host needs (`io`, timers).
Internal = Callable[["ExecutionContext"], ScriptGlobal]

#: How many objects behind ``Global[name]`` are kept for their next call.
MAX_INDEXED = 1000


class Dispatcher:
    """The targets of one session. A global's component is imported at its first call."""

    def __init__(
        self,
        ctx: ExecutionContext,
        handles: HandleTable,
        internal: dict[str, Internal],
        allowed: frozenset[str],
    ) -> None:
        self._ctx = ctx
        self._handles = handles
        self._internal = internal
        self._allowed = allowed
        self._globals: dict[str, ScriptGlobal] = {}
        self._indexed: dict[tuple[str, str], ScriptObject] = {}

    def call(self, target: Any, method: Any, args: list[Any]) -> Any:
        """The method's value, or a coroutine of it."""
        if not isinstance(method, str):
            raise protocol_error("a method name is a string")
        found = self._target(target)
        bound = BINDINGS.method(found, method)
        if bound.mark.guest:
            raise NotFoundError(f"{bound.call_name} is answered by the engine")
        return bound.call(found, args)

    def indexed(self, target: str) -> ScriptObject:
        """The object behind ``Global[name]``, where a script hands it back."""
        found = self._target(target)
        if not isinstance(found, ScriptObject):
            raise protocol_error("a global is no object")
        return found

    def _target(self, target: Any) -> ScriptGlobal | ScriptObject:
        if isinstance(target, int) and not isinstance(target, bool):
            return self._handles.object(target)
        if not isinstance(target, str):
            raise protocol_error("a call's target is a name or a handle")
        name, at, index = target.partition("\0")
        if not at:
            return self._globals.get(name) or self._make(name)
        key = (name, index)
        found = self._indexed.get(key)
        if found is None:
            owner = self._globals.get(name) or self._make(name)
            try:
                found = owner.index(index)
            except KeyError:
                raise protocol_error(f"{name} cannot be indexed") from None
            if len(self._indexed) >= MAX_INDEXED:
                self._indexed.clear()  # a cache: they are made again
            self._indexed[key] = found
        return found

    def _make(self, name: str) -> ScriptGlobal:
        if name in self._internal:
            made = self._internal[name](self._ctx)
        elif name in self._allowed:
            cls = Extensions("globals").load(name)
            if not (isinstance(cls, type) and issubclass(cls, ScriptGlobal)):
                raise LLMSpellError(
                    f"the plugin behind the global {name} declares no ScriptGlobal",
                    code="plugin.broken",
                )
            made = cls(self._ctx)
        else:
            raise protocol_error(f"the engine called an unknown global {name[:40]!r}")
        self._globals[name] = made
        return made
