"""The tool `file-watcher`: waits for changes of files and tells them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Names, Spelled, wrong
from llmspell_tools.fs._watch import MOST_DIRECTORIES, Change, Watch, watching

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MOST_EVENTS = 10_000
_LONGEST_MS = 600_000
#: Left of a deadline for the answer.
_MARGIN_MS = 200


class WatchParameters(ToolParameters):
    """What to watch, and for how long."""

    operation: Annotated[
        Literal["watch", "config"], Spelled(start="watch", wait="watch", settings="config")
    ] = Field(
        "watch",
        description="watch: wait for changes and give them; config: the defaults and limits",
    )
    input: Names = Field(default_factory=list, description="Files and directories to watch")
    recursive: bool = Field(True, description="Also the directories inside")
    pattern: Names = Field(
        default_factory=list, description="Only names that match one of these globs: *.txt"
    )
    debounce_ms: int = Field(
        100, ge=0, le=10_000, description="Changes within this time are told together"
    )
    timeout_ms: float = Field(
        10_000, gt=0, le=_LONGEST_MS, description="How long to watch, in milliseconds"
    )
    max_events: int = Field(
        100, ge=1, le=_MOST_EVENTS, description="End as soon as there are so many changes"
    )

    aliases: ClassVar[dict[str, str]] = {
        "path": "input",
        "paths": "input",
        "patterns": "pattern",
        "debounce": "debounce_ms",
        "limit": "max_events",
    }


class FileWatcher(Tool):
    """Waits for changes of files."""

    name = "file-watcher"
    description = (
        "Watches files and directories and gives what was created, modified or deleted, until a "
        "number of changes or a time is reached."
    )
    category = "fs"
    security_level = "restricted"
    permissions = Permissions(files="watch the paths given")
    Parameters = WatchParameters
    timeout_ms = _LONGEST_MS + 60_000
    extra = "watch"
    examples = (
        (
            {"input": "logs", "pattern": "*.log", "max_events": 1, "timeout_ms": 300},
            "the first change of a log, or none after 300 ms",
        ),
        ({"operation": "config"}, "the defaults and limits"),
    )

    async def run_tool(self, params: WatchParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "config":
            return _config()
        if not params.input:
            raise wrong(self.name, "input", "is required: the paths to watch")
        events: list[dict[str, Any]] = []
        started = time.monotonic()
        async with watching(
            ctx.files,
            params.input,
            recursive=params.recursive,
            debounce_ms=params.debounce_ms,
        ) as watch:
            ctx.progress(0, params.max_events, "watching")
            timed_out = await self._collect(watch, params, ctx, events)
        result = {
            "events": events,
            "count": len(events),
            "timed_out": timed_out,
            "watched_ms": round((time.monotonic() - started) * 1000),
        }
        if watch.missed:
            # Not everything was seen: say so rather than look complete.
            result["directories_missed"] = watch.missed
        text = "\n".join(f"{one['kind']} {one['path']}" for one in events)
        return ToolResult(result, output=events, text=text or "no changes")

    async def _collect(
        self, watch: Watch, params: WatchParameters, ctx: ToolContext, events: list[dict[str, Any]]
    ) -> bool:
        """Fill `events`; whether the time was up before there were enough."""
        remaining = ctx.remaining_ms()
        wait = params.timeout_ms
        if remaining is not None:
            wait = min(wait, max(remaining - _MARGIN_MS, 0))
        try:
            async with asyncio.timeout(wait / 1000):
                while len(events) < params.max_events:
                    found = [one for one in await watch.next() if _wanted(one, params.pattern)]
                    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
                    room = params.max_events - len(events)
                    events += [{"kind": k, "path": p, "time": now} for k, p in found[:room]]
                    ctx.progress(len(events), params.max_events, "changes")
        except TimeoutError:
            return True
        return False


def _wanted(change: Change, patterns: list[str]) -> bool:
    path = change[1].replace("\\", "/")
    name = path.rpartition("/")[2]
    return not patterns or any(fnmatchcase(name, one) or fnmatchcase(path, one) for one in patterns)


def _config() -> ToolResult:
    fields = WatchParameters.model_fields
    names = ("recursive", "debounce_ms", "timeout_ms", "max_events")
    return ToolResult(
        {
            "defaults": {name: fields[name].default for name in names},
            "limits": {
                "timeout_ms": _LONGEST_MS,
                "max_events": _MOST_EVENTS,
                "directories": MOST_DIRECTORIES,
            },
            "kinds": ["created", "modified", "deleted"],
        }
    )
