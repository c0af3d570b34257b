"""Results of a tool that are given again: `cache` of a tool, `metadata.cached` of its results."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

from llmspell_core.script.model import Also, ScriptModel
from llmspell_core.tool import ToolResult

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.policy import Policy


class CacheOptions(ScriptModel):
    """How long a tool's results hold, and how many are kept."""

    ttl_s: float = Field(300, gt=0, description="seconds for which a result holds")
    max_entries: int = Field(128, ge=1, description="the least used is dropped beyond it")


def _short(value: Any) -> Any:
    """`true`, or seconds, for the table."""
    if value is True:
        return {}
    if value is False:
        return None
    return {"ttl_s": value} if isinstance(value, (int, float)) else value


#: A `cache` field: true, seconds, or the table.
CacheField = Annotated[
    CacheOptions | None, BeforeValidator(_short), Also("boolean"), Also("number")
]


def cache_options(value: Any) -> CacheOptions | None:
    """The options of a `cache` field's value; pydantic's `ValidationError` for another one."""
    found: CacheOptions | None = TypeAdapter[Any](CacheField).validate_python(value)
    return found


class ToolCache:
    """The results of one tool. Failures are not kept.

    A result is for who may what it was made with: each policy has results of its own, and as
    scripts have a policy each, no spell is given what another one asked for.
    """

    def __init__(self, options: CacheOptions) -> None:
        self.options = options
        self._of: WeakKeyDictionary[Policy, OrderedDict[str, tuple[float, ToolResult]]]
        self._of = WeakKeyDictionary()

    @classmethod
    def of(cls, options: CacheOptions | None) -> ToolCache | None:
        """A cache with these options; none without."""
        return cls(options) if options else None

    async def result(
        self, params: Any, ctx: ExecutionContext, work: Callable[[], Awaitable[Any]]
    ) -> ToolResult:
        """The result for these checked parameters: an earlier one, or what `work` gives now."""
        key = _key(params)
        if key is None:
            return ToolResult.of(await work())
        kept = self._of.setdefault(ctx.policy, OrderedDict())
        if (found := kept.get(key)) is not None:
            if found[0] > time.monotonic():
                kept.move_to_end(key)
                result = found[1].copy()
                result.metadata["cached"] = True
                return result
            del kept[key]
        result = ToolResult.of(await work())
        if result.success:
            kept[key] = time.monotonic() + self.options.ttl_s, result.copy()
            kept.move_to_end(key)
            while len(kept) > self.options.max_entries:
                kept.popitem(last=False)
        result.metadata["cached"] = False
        return result


def _key(params: Any) -> str | None:
    """The parameters as one text; None for what has none, as functions in them."""
    data = params.model_dump(mode="json") if isinstance(params, BaseModel) else params
    try:
        return json.dumps(data, sort_keys=True)
    except (TypeError, ValueError):
        return None
