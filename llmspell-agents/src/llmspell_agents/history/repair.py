"""`repaired`: a history as every service takes it, whatever was cut out of it.

What services agree on (OpenAI chat completions, Anthropic messages, Gemini contents): the first
message is a user's, the last one a user's or a result; every call has its one result right after
it, in the order of the calls; ids are unique; nothing is empty.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from llmspell_agents.wire_names import wire_name
from llmspell_core.messages import Message, ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspell_core.messages import ContentPart

#: The result of a call whose own result is not there.
INTERRUPTED = "interrupted: the run ended before this call did"
#: Stands before an answer that nothing is left of what it answers.
LEFT_OUT = "(What was said before is left out.)"
#: Stands after an answer that nothing follows.
GO_AHEAD = "Go ahead."
#: Key of arguments that are no JSON object.
INVALID = "INVALID_JSON"

#: OpenAI takes ids of 40 characters at most, Anthropic these letters only.
_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}\Z")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_LONGEST_ID = 40

#: Index of a message, and of one of its calls.
_Slot = tuple[int, int]


def repaired(messages: list[Message]) -> list[Message]:
    """The history as it can be sent; the very same list when it already can be.

    Missing results are added as interrupted, results without a call, second results, empty
    messages and repeated calls are left out, ids that were used before get a number. What comes
    out depends on what stands before it only, so that a history that grows keeps its beginning.
    The given messages stay as they are.
    """
    count, used = _sendable(messages)
    if count is None:
        return messages
    before = messages[:count]
    if any(one.content == INTERRUPTED for one in before):
        # The result itself may have come later.
        count, used, before = 0, set(), []
    return _Rebuilt(messages, before, used).all()


def is_sendable(messages: list[Message]) -> bool:
    """Whether every service takes the history as it is."""
    return _sendable(messages)[0] is None


def _sendable(messages: list[Message]) -> tuple[int | None, set[str]]:
    """(how many messages at the beginning can be sent, None: all; the ids of their calls)."""
    seen: set[str] = set()
    calls: Sequence[ToolCall] = ()
    at = begun = 0
    last = ""
    for index, message in enumerate(messages):
        role = message.role
        if role == "tool":
            if at >= len(calls) or message.tool_call_id != calls[at].id:
                break
            at += 1
            last = role
            continue
        if at < len(calls) or not _sound(message):
            break
        begun = index
        if role == "system":
            continue
        calls, at = (), 0
        if role == "assistant":
            if not last:
                break
            calls = message.tool_calls
            if calls and not _sound_calls(calls, seen):
                calls = ()
                break
        last = role
    else:
        if at >= len(calls) and last in ("user", "tool"):
            return None, seen
        begun = len(messages) if at >= len(calls) else begun
        index = begun
    count = begun if at < len(calls) else index
    return count, seen.difference(one.id for one in calls) if at < len(calls) else seen


def _sound_calls(calls: Sequence[ToolCall], seen: set[str]) -> bool:
    """Whether these calls can be sent behind calls with the ids `seen`; adds theirs if so."""
    ids = {call.id for call in calls}
    if len(ids) < len(calls) or not seen.isdisjoint(ids) or not all(map(_sound_call, calls)):
        return False
    seen |= ids
    return True


def _sound(message: Message) -> bool:
    """Whether nothing in the message is empty."""
    content = message.content
    if isinstance(content, str):
        if content and not content.isspace():
            return True
        return not content and bool(message.tool_calls)
    return bool(content) and not any(map(_empty, content))


def _empty(part: ContentPart) -> bool:
    return part.type == "text" and not part.text.strip()


def _sound_call(call: ToolCall) -> bool:
    return (
        call.raw_arguments is None
        and _ID.match(call.id) is not None
        and _NAME.match(call.name) is not None
    )


class _Rebuilt:
    """One history on its way to being sendable; `made` is the part of it that already is."""

    def __init__(self, messages: list[Message], made: list[Message], used: set[str]) -> None:
        self._given = messages[len(made) :]
        self._results = _results(self._given)
        self._made = made
        self._last = next((one.role for one in reversed(made) if one.role != "system"), "")
        self._used = used
        #: How often an id was used again.
        self._again: dict[str, int] = {}

    def all(self) -> list[Message]:
        """The messages."""
        for index, message in enumerate(self._given):
            role = message.role
            if role == "tool":
                continue
            if message.tool_calls:
                if not self._repeated(index):
                    self._called(index, message)
                continue
            left = _without_empty(message)
            if left is None:
                continue
            if role == "assistant":
                self._answered(left)
            else:
                self._made.append(left)
                self._last = self._last if role == "system" else "user"
        if self._last not in ("user", "tool"):
            self._made.append(Message(role="user", content=GO_AHEAD))
        return self._made

    def _answered(self, message: Message) -> None:
        if not self._last:
            self._made.append(Message(role="user", content=LEFT_OUT))
        self._made.append(message)
        self._last = "assistant"

    def _called(self, index: int, message: Message) -> None:
        """A message with calls, and behind it the result of each."""
        calls = [self._call(call) for call in message.tool_calls]
        changes: dict[str, Any] = {}
        if calls != message.tool_calls:
            changes["tool_calls"] = calls
        if message.content and not _sound(message):
            left = _without_empty(message)
            changes["content"] = left.content if left else ""
        self._answered(message.model_copy(update=changes) if changes else message)
        for number, call in enumerate(calls):
            found = self._results.get((index, number))
            if found is None:
                found = Message(role="tool", content=INTERRUPTED, tool_call_id=call.id)
            elif found.tool_call_id != call.id:
                found = found.model_copy(update={"tool_call_id": call.id})
            self._made.append(found)
        self._last = "tool"

    def _repeated(self, index: int) -> bool:
        """Whether the same message follows at once: the last of them has the results."""
        after = index + 1
        if after == len(self._given) or not self._given[after].tool_calls:
            return False
        return self._given[after] == self._given[index]

    def _call(self, call: ToolCall) -> ToolCall:
        id_ = self._id(call.id)
        if id_ == call.id and call.raw_arguments is None and _NAME.match(call.name):
            return call
        changes: dict[str, Any] = {"id": id_, "name": wire_name(call.name)}
        if call.raw_arguments is not None:
            changes["arguments"] = {INVALID: call.raw_arguments}
            changes["raw_arguments"] = None
        return call.model_copy(update=changes)

    def _id(self, given: str) -> str:
        """The id where it can be sent and is new, else one made from it."""
        id_ = given
        fits = _ID.match(given)
        if not fits:
            plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", given)[: _LONGEST_ID - 9]
            id_ = f"{plain or 'call'}_{sha256(given.encode('utf-8', 'replace')).hexdigest()[:8]}"
        while id_ in self._used:
            number = self._again[given] = self._again.get(given, 1) + 1
            mark = f"_{number}"
            id_ = f"{(given if fits else id_)[: _LONGEST_ID - len(mark)]}{mark}"
        self._used.add(id_)
        return id_


def _results(messages: list[Message]) -> dict[_Slot, Message]:
    """The result of each call that has one, wherever it stands behind the call.

    An id that is used again means the newer call from there on.
    """
    found: dict[_Slot, Message] = {}
    meant: dict[str, list[_Slot]] = {}
    for index, message in enumerate(messages):
        if message.role == "tool":
            for slot in meant.get(message.tool_call_id or "", ()):
                if slot not in found or found[slot].content == INTERRUPTED:
                    found[slot] = message
                    break
        elif message.tool_calls:
            calls = message.tool_calls
            if len(calls) == 1:
                meant[calls[0].id] = [(index, 0)]
                continue
            fresh: dict[str, list[_Slot]] = {}
            for number, call in enumerate(calls):
                fresh.setdefault(call.id, []).append((index, number))
            meant.update(fresh)
    return found


def _without_empty(message: Message) -> Message | None:
    """The message without empty parts; None when nothing is left."""
    if _sound(message):
        return message
    if isinstance(message.content, str):
        return None
    left = [part for part in message.content if not _empty(part)]
    return message.model_copy(update={"content": left}) if left else None
