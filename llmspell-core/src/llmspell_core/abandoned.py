"""`Abandoned`: the tools of a Runtime that did not end when their runs did."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.run_call import Call

log = logging.getLogger("llmspell.runner")


class Abandoned:
    """How many there were, in all and below each component."""

    def __init__(self) -> None:
        self.total = 0
        self._below: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """A tool call was left alone: nobody waits for it any more."""
        self.total += 1
        self._below.update(set(call.ctx.lineage))
        log.warning(
            "tool %s did not end within %g s of its cancellation, and is left alone",
            call.component.name,
            call.grace,
        )
        call.emit("tool.abandoned", duration_ms=call.elapsed_ms())

    def below(self, component_id: str) -> int:
        """How many of them were called by this component, or by what it called."""
        return self._below[component_id]
