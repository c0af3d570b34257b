"""The chunks of a streamed chat completion, put together to one response."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from llmspell_core.chat.answer import (
    ThoughtSplitter,
    finish_reason,
    refusal_of,
    text_of,
    tool_calls_of,
)
from llmspell_core.chat.errors import Service, answer_error, bad_response, connection_error
from llmspell_core.chat.media_parts import MediaParts
from llmspell_core.chat.reasoning import SignatureParts, call_signature, reasoning_of
from llmspell_core.chat.usage import usage_of
from llmspell_core.json_text import read_json
from llmspell_core.messages import Usage
from llmspell_core.provider import CallDelta, ModelDelta, ModelRequest, ModelResponse


@dataclass(slots=True)
class _Call:
    """A tool call that is still coming."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    number: int = 0
    #: How much of the arguments was given on; None: not even the name.
    given: int | None = None
    signature: dict[str, Any] = field(default_factory=dict)

    def piece(self) -> CallDelta | None:
        """What has come since the last piece; None when that is nothing, or has no name yet."""
        begins, before = self.given is None, self.given or 0
        if not self.name or (not begins and len(self.arguments) <= before):
            return None
        self.given = len(self.arguments)
        name = self.name if begins else ""
        return CallDelta(self.number, name, self.id if begins else "", self.arguments[before:])


@dataclass(slots=True)
class StreamedAnswer:
    """Collects the chunks of one answer; `feed` gives the text that each one brings."""

    service: Service
    model: str
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    reason: Any = None
    id: str = ""
    finished: bool = False
    refused: bool = False
    #: Whether the response has been made: whoever has it counts what was used.
    given: bool = False
    _thoughts: ThoughtSplitter = field(default_factory=ThoughtSplitter)
    _signature: SignatureParts = field(default_factory=SignatureParts)
    _media: MediaParts = field(default_factory=MediaParts)
    _last: int = -1
    #: Number given by the service -> the call it means now, where a number is used twice.
    _means: dict[int, int] = field(default_factory=dict)

    def feed(self, event: str) -> list[ModelDelta]:
        """The deltas of one event's data."""
        if event.strip() == "[DONE]":
            self.finished = True
            return []
        deltas: list[ModelDelta] = []
        for chunk in self._decode(event):
            deltas.extend(self.chunk(chunk))
        return deltas

    @contextmanager
    def watched(self, request: ModelRequest) -> Iterator[None]:
        """Keep what was used by then, as far as the service said so, when the answer breaks."""
        try:
            yield
        except BaseException:
            if self.usage.total_tokens and not self.given:
                request.wasted.append(self.usage)
            raise

    def end(self) -> list[ModelDelta]:
        """The last deltas, the whole response among them.

        Raises `provider.connection` when the stream was cut: nothing said that it was over.
        """
        if not self.finished and self.reason is None:
            raise connection_error(self.service, "the answer was cut off")
        deltas = self._pieces(*self._thoughts.end())
        calls = tool_calls_of({"tool_calls": [self._whole(call) for call in self._in_order()]})
        response = ModelResponse(
            text="".join(self.text),
            tool_calls=calls,
            finish_reason=finish_reason("content_filter" if self.refused else self.reason, calls),
            usage=self.usage,
            model=self.model,
            reasoning="".join(self.reasoning),
            signature=self._signature.whole([call.signature for call in self._in_order()]),
            id=self.id,
            parts=self._media.found(),
        )
        self.given = True
        return [*deltas, ModelDelta(response=response)]

    def _decode(self, event: str) -> list[Any]:
        try:
            return [read_json(event)]
        except ValueError:
            pass
        try:
            # Some services leave out the blank line between events.
            return [read_json(line) for line in event.splitlines() if line.strip() != "[DONE]"]
        except ValueError:
            raise bad_response(self.service, f"a chunk that is no JSON: {event[:100]}") from None

    def chunk(self, chunk: Any) -> list[ModelDelta]:
        """The deltas of one chunk, decoded."""
        if not isinstance(chunk, dict):
            raise bad_response(self.service, f"a chunk that is no object: {str(chunk)[:100]}")
        if chunk.get("error"):
            raise answer_error(self.service, chunk["error"], self.model)
        if chunk.get("usage"):
            self.usage = usage_of(chunk["usage"])
        if chunk.get("model"):
            self.model = str(chunk["model"])
        self.id = self.id or str(chunk.get("id") or "")
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return []
        if choices[0].get("finish_reason"):
            self.reason = choices[0]["finish_reason"]
        # A service that does not stream sends the whole message in one chunk.
        delta = choices[0].get("delta") or choices[0].get("message")
        return self._delta(delta) if isinstance(delta, dict) else []

    def _delta(self, delta: dict[str, Any]) -> list[ModelDelta]:
        self._signature.add(delta)
        given = delta.get("tool_calls")
        parts = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        old_form = delta.get("function_call")
        if isinstance(old_form, dict):
            parts.append({"index": 0, "function": old_form})
        calls = [ModelDelta(call=piece) for part in parts if (piece := self._tool_part(part))]
        words = self._media.add(delta)
        text, thought = self._thoughts.feed(text_of(delta.get("content")) or words)
        refusal = refusal_of(delta)
        self.refused = self.refused or bool(refusal)
        return [*self._pieces(text + refusal, reasoning_of(delta) + thought), *calls]

    def _pieces(self, text: str, reasoning: str) -> list[ModelDelta]:
        if text:
            self.text.append(text)
        if reasoning:
            self.reasoning.append(reasoning)
        return [ModelDelta(text, reasoning)] if text or reasoning else []

    def _tool_part(self, part: dict[str, Any]) -> CallDelta | None:
        """Take a piece of a call; what it brings once the call has a name, else None."""
        function = part.get("function")
        function = function if isinstance(function, dict) else {}
        index = self._index(part, str(function.get("name") or ""))
        self._last = index
        call = self.calls.setdefault(index, _Call(number=len(self.calls)))
        call.id = call.id or str(part.get("id") or "")
        call.name = call.name or str(function.get("name") or "")
        call.signature.update(call_signature(part))
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.arguments += arguments
        elif arguments is not None:
            call.arguments = json.dumps(arguments)
        return call.piece()

    def _index(self, part: dict[str, Any], name: str) -> int:
        """Which call a piece belongs to, where services number them wrongly or not at all."""
        given, id_ = part.get("index"), str(part.get("id") or "")
        index = self._means.get(given, given) if isinstance(given, int) else self._last
        known = self.calls.get(index)
        starts = bool(id_ and known and known.id and known.id != id_)
        if not isinstance(given, int):
            # Without an index a name begins a call, except when it is repeated for the same id.
            starts = starts or (bool(name) and not (known and id_ and known.id == id_))
        if not starts and index >= 0:
            return index
        index = max(self.calls, default=-1) + 1
        if isinstance(given, int):
            self._means[given] = index
        return index

    def _in_order(self) -> list[_Call]:
        return [self.calls[index] for index in sorted(self.calls)]

    @staticmethod
    def _whole(call: _Call) -> dict[str, Any]:
        return {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
