"""The built-in hook `cache`: what was asked before is answered without asking again."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import Field

from llmspell_core.context import current
from llmspell_core.hooks.context import HookContext, HookResult
from llmspell_core.messages import Usage
from llmspell_core.names import canonical
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import ToolResult

#: What of a request says nothing about its answer.
_NOT_ASKED = frozenset({"messages", "timeout_ms", "retry", "fallback_left", "wasted", "model"})
_ENDS = ("stop", "tool_calls")


class CacheConfig(ScriptModel):
    """Whether answers of `models` are kept, and results of which `tools`.

    An entry is used for `ttl_seconds`. Beyond `max_entries`, and beyond `max_mb` in all, what was
    not used for longest goes.
    """

    models: bool = True
    tools: list[str] = Field(default_factory=list)
    ttl_seconds: float = Field(3600, gt=0)
    max_entries: int = Field(1000, ge=1)
    max_mb: float = Field(64, gt=0)


@dataclasses.dataclass(slots=True)
class _Entry:
    value: Any
    size: int
    until: float


class CacheHook:
    """Keyed by the whole request: model, messages, tools, settings; or tool, arguments and run.

    An answer that is to be kept is handed out when it is whole. One from the cache has no usage.
    """

    Config = CacheConfig
    #: The last before a call, so that what is looked up is what would be asked.
    priority: ClassVar[float] = 2000
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = False

    def __init__(self, config: CacheConfig) -> None:
        self._config = config
        self._tools = {canonical(name) for name in config.tools}
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._size = 0
        self._hits = 0
        self._misses = 0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        found: list[tuple[str, Callable[[HookContext], Any]]] = []
        if self._config.models:
            found += [("before_llm_call", self._asked), ("after_llm_call", self._answered)]
        if self._tools:
            found += [("before_tool_execution", self._called), ("after_tool_execution", self._gave)]
        return found

    def report(self) -> dict[str, Any]:
        return {
            "hits": self._hits,
            "misses": self._misses,
            "entries": len(self._entries),
            "bytes": self._size,
        }

    def _asked(self, ctx: HookContext) -> HookResult | None:
        key = _request_key(ctx)
        found = self._find(key) if key else None
        if found is None:
            return None
        calls = [call.model_copy() for call in found.tool_calls]
        # Nobody pays for it again.
        answer = dataclasses.replace(found, tool_calls=calls, usage=Usage())
        return HookResult("replace", result=answer)

    def _answered(self, ctx: HookContext) -> None:
        given = ctx.source
        key = _request_key(ctx)
        if not key or not isinstance(given, tuple) or given[1].finish_reason not in _ENDS:
            return
        response: ModelResponse = given[1]
        calls = [call.model_copy() for call in response.tool_calls]
        text = ctx.output if isinstance(ctx.output, str) else response.text
        kept = dataclasses.replace(response, text=text, tool_calls=calls)
        size = len(text) + len(response.reasoning)
        self._keep(key, kept, size + sum(len(str(call.arguments)) for call in calls))

    def _called(self, ctx: HookContext) -> HookResult | None:
        key = self._call_key(ctx)
        found = self._find(key) if key else None
        if found is None:
            return None
        made = copy.deepcopy(found)
        made.metadata["cached"] = True
        return HookResult("replace", result=made)

    def _gave(self, ctx: HookContext) -> None:
        key, result = self._call_key(ctx), ctx.output
        if key and isinstance(result, ToolResult) and result.success:
            kept = copy.deepcopy(result)
            self._keep(key, kept, len(json.dumps(kept.result, default=str)) + len(kept.text))

    def _call_key(self, ctx: HookContext) -> str | None:
        run = current()
        if run is None or canonical(ctx.tool or "") not in self._tools:
            return None
        # What one run may see another may not: each has its own results.
        return _digest(["tool", run.overlay.id, id(run.policy), ctx.tool, ctx.arguments])

    def _find(self, key: str) -> Any:
        found = self._entries.get(key)
        if found is None or found.until < time.monotonic():
            self._misses += 1
            if found is not None:
                self._drop(key)
            return None
        self._hits += 1
        self._entries.move_to_end(key)
        return found.value

    def _keep(self, key: str, value: Any, size: int) -> None:
        most = self._config.max_mb * (1 << 20)
        if size > most:
            return
        if key in self._entries:
            self._drop(key)
        self._entries[key] = _Entry(value, size, time.monotonic() + self._config.ttl_seconds)
        self._size += size
        while self._size > most or len(self._entries) > self._config.max_entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        self._size -= self._entries.pop(key).size


def _request_key(ctx: HookContext) -> str | None:
    """The key of a model request; None where it is not there to be looked at."""
    request = ctx.source[0] if isinstance(ctx.source, tuple) else ctx.source
    if not isinstance(request, ModelRequest) or ctx.messages is None:
        return None
    fields = {
        one.name: getattr(request, one.name)
        for one in dataclasses.fields(request)
        if one.name not in _NOT_ASKED
    }
    # What a message has beside its text is not in `ctx.messages`.
    fields["parts"] = [
        one.model_dump() for one in request.messages if not isinstance(one.content, str)
    ]
    fields["tools"] = [dataclasses.asdict(tool) for tool in request.tools]
    return _digest(["llm", ctx.metadata.get("model"), fields, _same_ids(ctx.messages)])


def _same_ids(messages: list[Any]) -> list[Any]:
    """Messages whose tool calls have numbers for ids: each run makes ids anew."""
    numbers: dict[str, int] = {}
    made = []
    for message in messages:
        one = dict(message)
        if one.get("tool_calls"):
            one["tool_calls"] = [
                {
                    "id": numbers.setdefault(str(call.get("id")), len(numbers)),
                    "name": call.get("name"),
                    "arguments": call.get("arguments"),
                }
                for call in one["tool_calls"]
            ]
        if one.get("tool_call_id") is not None:
            one["tool_call_id"] = numbers.setdefault(str(one["tool_call_id"]), len(numbers))
        made.append(one)
    return made


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
