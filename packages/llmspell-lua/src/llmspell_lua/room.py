"""Room in Lua's memory for what is handed to it.

lupa hands values to Lua outside of protected calls. Where Lua then has no memory left it does not
throw: it ends the process. So there has to be room before, whatever a script has used up.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmspell_lua.link import Budget

#: For names and frames that lupa itself makes, in bytes.
MARGIN = 1 << 16


class Room:
    """Sees to room below a memory limit. A script that leaves none is over.

    Args:
        lua: the state
        limit: bytes it may use; None is no limit
        budget: what is stopped where the limit is not enough
    """

    def __init__(self, lua: Any, limit: int | None, budget: Budget) -> None:
        self._lua = lua
        self._limit = limit or 0
        self._budget = budget
        self._raised = False

    def make(self, size: int) -> None:
        """See that a value of so many bytes can be handed to Lua."""
        limit = self._limit
        if not limit:
            return
        wanted = size + MARGIN
        if self._lua.get_memory_used() + wanted <= limit and not self._raised:
            return  # nearly always
        self._lua.gccollect()
        used = self._lua.get_memory_used()
        self._raised = used + wanted > limit
        self._lua.set_max_memory(used + wanted if self._raised else limit)
        if self._raised and not self._budget.stop:
            self._budget.stop = "script.memory_limit"

    def given(self, value: Any) -> Any:
        """The value of a host function, once there is room for it."""
        if type(value) is bytes:
            self.make(len(value))
        elif type(value) is tuple:
            self.make(len(value[1]))
        return value
