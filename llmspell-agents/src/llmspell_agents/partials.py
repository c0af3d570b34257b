"""`Partials`: the parts of a structured answer that are there while it is still streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.structured import FINAL_TOOL
from llmspell_core.partial_json import PartialJson

if TYPE_CHECKING:
    from llmspell_agents.structured import AnswerSchema
    from llmspell_core.provider import CallDelta, ModelDelta
    from llmspell_core.run_events import RunEvents

#: A long answer is read again after this share of it has come anew: all of it costs the more.
_SHARE = 0.02


class Partials:
    """Reads the pieces of one answer, and tells each new partial value once."""

    def __init__(self, schema: AnswerSchema) -> None:
        self._schema = schema
        self._by_tool = schema.mode == "tool"
        #: Which calls give the answer; the first one counts here.
        self._finals: list[int] = []
        self._reader = PartialJson(schema.opens)
        self._read = 0
        self._fresh = 0
        self._last: Any = None
        self._any = False

    def owns(self, piece: CallDelta) -> bool:
        """Whether a piece of a call belongs to an answer, and is no tool's."""
        if self._by_tool and piece.name == FINAL_TOOL and piece.index not in self._finals:
            self._finals.append(piece.index)
        return piece.index in self._finals

    def tell(self, delta: ModelDelta, events: RunEvents) -> None:
        """Read a piece, and tell the value where there is more of it than before."""
        found, value = self.feed(self._piece(delta))
        if found:
            events.output_partial(value)

    def feed(self, piece: str) -> tuple[bool, Any]:
        """(whether there is more than before, the partial value)."""
        if not piece:
            return False, None
        self._reader.feed(piece)
        self._fresh += len(piece)
        if self._fresh < self._read * _SHARE:
            return False, None
        self._read, self._fresh = self._read + self._fresh, 0
        found, value = self._reader.value()
        if found:
            found, value = self._schema.part(value)
        if not found or (self._any and value == self._last):
            return False, None
        self._any, self._last = True, value
        return True, value

    def _piece(self, delta: ModelDelta) -> str:
        if not self._by_tool:
            return delta.text
        call = delta.call
        if call is None or not self.owns(call) or call.index != self._finals[0]:
            return ""
        return call.arguments
