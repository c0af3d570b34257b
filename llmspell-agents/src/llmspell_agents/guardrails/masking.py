"""`Masking`: a guardrail that finds things in texts, and hides them or blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from llmspell_core.guardrail import GuardContext, Guardrail, Verdict, map_texts
from llmspell_core.script.model import ScriptModel

#: Characters from which on looking through a text takes longer than handing it to a thread.
LONG = 20_000


class Finding(NamedTuple):
    """A place in a text and what stands there."""

    start: int
    end: int
    kind: str


class MaskOptions(ScriptModel):
    """The options of guardrails that hide what they find."""

    action: Literal["mask", "block"] = Field("mask", description="hide it, or end the run")


class Masking(Guardrail):
    """Finds things by their shape; `[EMAIL]` and the like stand for what was found."""

    Options: ClassVar[type[ScriptModel]] = MaskOptions

    @abstractmethod
    def find(self, text: str) -> Iterable[Finding]:
        """What is in a text. Of those that overlap, the first in this order counts."""

    def masked(self, text: str, found: set[str]) -> str:
        """The text without what was found; the kinds are added to `found`."""
        kept = _apart(self.find(text))
        if not kept:
            return text
        parts, done = [], 0
        for start, end, kind in kept:
            found.add(kind)
            parts += [text[done:start], f"[{kind.upper()}]"]
            done = end
        return "".join([*parts, text[done:]])

    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        found: set[str] = set()
        made = await self.mapped(value, lambda text: self.masked(text, found))
        if not found:
            return Verdict.passed() if made is value else Verdict.block("the value is too deep")
        kinds = ", ".join(sorted(found))
        if self.options.action == "block":
            return Verdict.block(f"it has {kinds}")
        return Verdict.rewrite(made, f"hid {kinds}")

    @staticmethod
    async def mapped(value: Any, change: Callable[[str], str]) -> Any:
        """`map_texts`; for a long text in a thread, so that others go on meanwhile."""
        if isinstance(value, str) and len(value) <= LONG:
            return change(value)
        import asyncio

        return await asyncio.to_thread(map_texts, value, change)


def _apart(found: Iterable[Finding]) -> list[Finding]:
    """Those that do not overlap with an earlier one of the list, by their place."""
    import bisect

    kept: list[Finding] = []
    for one in found:
        at = bisect.bisect_left(kept, one)
        clear_before = at == 0 or kept[at - 1].end <= one.start
        if clear_before and (at == len(kept) or one.end <= kept[at].start):
            kept.insert(at, one)
    return kept
