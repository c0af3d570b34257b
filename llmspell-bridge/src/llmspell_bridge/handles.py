"""The tables of one session: host objects given to the script, functions it has sent."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from llmspell_bridge.values import protocol_error
from llmspell_core.errors import ScriptError
from llmspell_core.script.api import ScriptFunction, ScriptObject

MAX_OBJECTS = 100_000

Invoke = Callable[[int, tuple[Any, ...]], Awaitable[Any]]


class GuestFunction:
    """A function of the script. It is released when nothing on the host holds it any more."""

    __slots__ = ("__weakref__", "_table", "handle", "where")

    def __init__(self, table: HandleTable, handle: int) -> None:
        self._table = table
        self.handle = handle
        self.where = ""

    def __call__(self, *args: Any) -> Awaitable[Any]:
        return self._table.invoke(self.handle, args)

    def __del__(self) -> None:
        self._table.forget(self.handle)


class HandleTable:
    """Handles of one session, in both directions."""

    def __init__(self, invoke: Invoke, release: Callable[[int, int], None]) -> None:
        self._invoke = invoke
        self._release = release
        self._objects: dict[int, ScriptObject] = {}
        self._given: dict[int, int] = {}
        self._next = 0
        self._functions: weakref.WeakValueDictionary[int, GuestFunction] = (
            weakref.WeakValueDictionary()
        )
        #: How often each function was sent since it was last released.
        self._sent: dict[int, int] = {}
        self.closed = False
        #: Finds the object behind a target; set by whoever knows the globals.
        self.indexed: Callable[[str], ScriptObject] = _nothing_indexed

    # -- host objects ------------------------------------------------------------------------

    def give(self, value: ScriptObject) -> int:
        """The handle of a host object, the same for the same object."""
        known = self._given.get(id(value))
        if known is not None:
            return known
        if len(self._objects) >= MAX_OBJECTS:
            raise ScriptError(f"the script holds {MAX_OBJECTS} host objects", code="limit.objects")
        self._next += 1
        self._objects[self._next] = value
        self._given[id(value)] = self._next
        return self._next

    def object(self, handle: int | str) -> ScriptObject:
        """The host object behind a handle, or behind ``Global[name]`` by its target."""
        if isinstance(handle, str):
            return self.indexed(handle)
        try:
            return self._objects[handle]
        except KeyError:
            raise protocol_error(f"the engine used an unknown handle {handle}") from None

    def drop(self, handles: list[int]) -> None:
        """The script can no longer reach these."""
        for handle in handles:
            value = self._objects.pop(handle, None)
            if value is not None:
                self._given.pop(id(value), None)

    # -- functions of the script -------------------------------------------------------------

    def function(self, handle: int) -> ScriptFunction:
        """A function of the script by its handle."""
        self._sent[handle] = self._sent.get(handle, 0) + 1
        found = self._functions.get(handle)
        if found is None:
            found = self._functions[handle] = GuestFunction(self, handle)
        return found

    def owned(self, value: Any) -> int | None:
        """The handle of a function of this session; None for anything else."""
        if isinstance(value, GuestFunction) and value._table is self:
            return value.handle
        return None

    def invoke(self, handle: int, args: tuple[Any, ...]) -> Awaitable[Any]:
        """Call a function of the script."""
        return self._invoke(handle, args)

    def forget(self, handle: int) -> None:
        """A GuestFunction was collected, on whatever thread."""
        if not self.closed:
            self._release(handle, self._sent.pop(handle, 1))

    def close(self) -> None:
        """The session is over: nothing is released any more."""
        self.closed = True
        self._objects.clear()
        self._given.clear()


def _nothing_indexed(target: str) -> ScriptObject:
    raise protocol_error(f"the engine used an unknown handle {target[:40]!r}")
