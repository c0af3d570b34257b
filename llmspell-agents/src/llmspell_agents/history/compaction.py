"""`Compaction`: one pass that makes a history smaller, step by step until it is small enough.

What it never touches: the first message of a user and the newest one, the last turns
(`keep_turns` of them in the first three steps, one in the last), and the bond between a call and
its result. A turn is a message of a user with all that follows it; of the newest one, which may
go on for long, each round of calls with their results is a turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from llmspell_agents.history.sizes import size_of
from llmspell_core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHORTEN, DROP_REASONING, SUMMARIZE, DROP_TURNS = (
    "shorten_results",
    "drop_reasoning",
    "summarize",
    "drop_turns",
)
SUMMARY = "[Summary of what was said and done before this]\n"
#: A result of more characters is shortened to its beginning and its end.
_LONG, _BEGIN, _END = 600, 300, 150
#: Bytes of a message that stands for what was left out, its summary aside.
_MARK = 120


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands where messages are left out: how many, and a summary if there is one."""

    left_out: int = 0
    summary: str = ""

    def message(self, after: str) -> Message:
        """As the model is shown it; user and assistant go on by turns, whoever comes after it."""
        text = SUMMARY + self.summary if self.summary else f"[{self.left_out} messages left out]"
        if self.summary and self.left_out:
            text += f"\n[after it, {self.left_out} messages left out]"
        return Message(role="assistant" if after == "user" else "user", content=text)


@dataclass(slots=True)
class Compaction:
    """A history on its way to at most `goal` bytes.

    Args:
        said: the messages without system texts, fit to be sent
        sizes: their bytes, as `size_of` counts them
        gap: what an earlier pass has put into it
        goal: bytes
        keep_turns: newest turns that the first steps leave alone
    """

    said: list[Message]
    sizes: list[int]
    gap: Gap | None
    goal: int
    keep_turns: int
    #: The steps that have changed something.
    steps: list[str] = field(default_factory=list)
    size: int = 0
    #: Where each turn begins.
    _starts: list[int] = field(default_factory=list)
    _kept: set[int] = field(default_factory=set)
    _first: Message | None = None

    def __post_init__(self) -> None:
        roles = [one.role for one in self.said]
        self._starts = turn_starts(self.said, roles)
        if "user" in roles:
            self._first = self.said[roles.index("user")]
            self._kept = {id(self._first), id(self.said[_newest(roles)])}
        if "system" in roles:
            self._kept.update(id(one) for one in self.said if one.role == "system")
        self.said, self.sizes = [*self.said], [*self.sizes]
        self.size = sum(self.sizes) + _size_of_gap(self.gap)

    @property
    def done(self) -> bool:
        """Whether it is small enough."""
        return self.size <= self.goal

    def shorten_results(self) -> None:
        """Leave the beginning and the end of old results of tools."""
        sizes = self.sizes
        self._change(SHORTEN, _shortened, [i for i in range(self._old()) if sizes[i] > _LONG])

    def drop_reasoning(self) -> None:
        """Leave out what was thought in old turns."""
        old = enumerate(self.said[: self._old()])
        thinking = [index for index, one in old if one.reasoning is not None]
        self._change(DROP_REASONING, _thoughtless, thinking)

    def to_summarize(self) -> list[Message]:
        """The old messages that a summary would stand for; empty when it is not worth one."""
        old = [index for index in range(self._old()) if id(self.said[index]) not in self._kept]
        worth = sum(self.sizes[index] for index in old) > len(SUMMARY) + _LONG
        return [self.said[index] for index in old] if worth else []

    def summarized(self, text: str) -> None:
        """Put a summary in the place of `to_summarize`, unless it is no shorter."""
        gap = Gap(0, text.strip())
        if not gap.summary or not self.to_summarize():
            return
        old = self._old()
        freed = self._size_free(0, old)
        if freed + _size_of_gap(self.gap) <= _size_of_gap(gap):
            return
        self.size += _size_of_gap(gap) - _size_of_gap(self.gap) - freed
        self.gap = gap
        self._leave_out(old)
        self.steps.append(SUMMARIZE)

    def drop_turns(self) -> None:
        """Leave out whole turns, the oldest first."""
        before = self.gap or Gap()
        left = self.size + _size_of_gap(before) - _size_of_gap(self.gap)
        end = 0
        for start, after in pairwise(self._starts):
            if left <= self.goal:
                break
            left -= sum(self.sizes[start:after])
            left += sum(
                self.sizes[i] for i in range(start, after) if id(self.said[i]) in self._kept
            )
            end = after
        count = self._leave_out(end)
        if count:
            self.size = left
            self.gap = Gap(before.left_out + count, before.summary)
            self.steps.append(DROP_TURNS)

    def result(self) -> tuple[list[Message], Message | None]:
        """The messages that are left, and which of them stands for those that are not."""
        left = self.said
        if self.gap is None:
            return left, None
        place = next((i for i, one in enumerate(left, 1) if one is self._first), 0)
        mark = self.gap.message(left[place].role if place < len(left) else "")
        return [*left[:place], mark, *left[place:]], mark

    def _old(self) -> int:
        """How many messages are in old turns."""
        kept = max(1, self.keep_turns)
        return self._starts[-kept] if len(self._starts) > kept else 0

    def _size_free(self, start: int, end: int) -> int:
        """Bytes of what may be left out among these messages."""
        kept = self._kept
        return sum(self.sizes[i] for i in range(start, end) if id(self.said[i]) not in kept)

    def _leave_out(self, end: int) -> int:
        """Take all but what is never touched out of the first messages; how many that were."""
        left = [index for index in range(end) if id(self.said[index]) in self._kept]
        count = end - len(left)
        if count:
            self.sizes = [*(self.sizes[i] for i in left), *self.sizes[end:]]
            self.said = [*(self.said[i] for i in left), *self.said[end:]]
            self._starts = turn_starts(self.said, [one.role for one in self.said])
        return count

    def _change(self, step: str, change: Callable[[Message], Message], worth: list[int]) -> None:
        """Change these messages, the oldest first, until it is enough."""
        changed = False
        for index in worth:
            if self.done:
                break
            message = self.said[index]
            other = change(message)
            if other is not message:
                size = size_of(other)
                self.size += size - self.sizes[index]
                self.said[index], self.sizes[index] = other, size
                changed = True
        if changed:
            self.steps.append(step)


def _size_of_gap(gap: Gap | None) -> int:
    return 0 if gap is None else _MARK + len(gap.summary)


def turn_starts(said: list[Message], roles: Sequence[str]) -> list[int]:
    """Where each turn of a history that can be sent begins."""
    asked = _newest(roles)
    starts = [0] if roles else []
    last = ""
    for index, role in enumerate(roles):
        if role == "user":
            begins = last != "user"
        else:
            begins = index > asked and last == "tool" and bool(said[index].tool_calls)
        if begins and index:
            starts.append(index)
        last = role
    return starts


def _newest(roles: Sequence[str]) -> int:
    """Where the newest question stands."""
    return next((i for i in range(len(roles) - 1, -1, -1) if roles[i] == "user"), 0)


def _shortened(message: Message) -> Message:
    if message.role != "tool" or not isinstance(message.content, str):
        return message
    text = message.content
    if len(text) <= _LONG:
        return message
    gone = len(text) - _BEGIN - _END
    short = f"{text[:_BEGIN]}\n[{gone} characters left out]\n{text[-_END:]}"
    return message.model_copy(update={"content": short})


def _thoughtless(message: Message) -> Message:
    return message.model_copy(update={"reasoning": None})
