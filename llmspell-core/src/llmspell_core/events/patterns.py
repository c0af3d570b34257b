"""Patterns of event types: `agent.*` (one segment), `*.error`, `workflow.**` (any number)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmspell_core.errors import ValidationError

MAX_LENGTH = 256


class Pattern:
    """A parsed pattern. Matching takes time proportional to both lengths, whatever they say."""

    __slots__ = ("_segments", "exact", "text")

    def __init__(self, text: str) -> None:
        self.text = check_name(text, "pattern")
        self.exact = "*" not in text
        self._segments = text.split(".")

    def matches(self, event_type: str) -> bool:
        """Whether an event of this type is meant."""
        if self.exact:
            return self.text == event_type
        return _glob(self._segments, event_type.split("."), "**", _segment_matches)


def check_name(text: str, what: str) -> str:
    """A type or pattern as it is, or ``input.invalid``."""
    if not isinstance(text, str) or not text or len(text) > MAX_LENGTH:
        raise ValidationError(
            f"the event {what} must be a text of 1 to {MAX_LENGTH} characters",
            hint='for example "order.created"' if what == "type" else 'for example "order.*"',
        )
    return text


def _segment_matches(pattern: str, segment: str) -> bool:
    if pattern in ("*", segment):
        return True
    return "*" in pattern and _glob(pattern, segment, "*", str.__eq__)


def _glob(
    pattern: Sequence[str], items: Sequence[str], star: str, same: Callable[[str, str], bool]
) -> bool:
    """Match with `star` for any number of items, going back to the last star only."""
    at = item = 0
    back: tuple[int, int] | None = None
    while item < len(items):
        if at < len(pattern) and pattern[at] == star:
            back = (at, item)
            at += 1
        elif at < len(pattern) and same(pattern[at], items[item]):
            at += 1
            item += 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            at, item = back[0] + 1, back[1]
        else:
            return False
    return all(rest == star for rest in pattern[at:])
