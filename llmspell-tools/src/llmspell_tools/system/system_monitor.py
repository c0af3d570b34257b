"""The tool `system-monitor`: use of processors, memory and disks, and the busiest processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import ToolError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._extras import imported
from llmspell_tools._parameters import Names, Spelled, wrong
from llmspell_tools.system import _usage

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MIB = 1024 * 1024


class MonitorParameters(ToolParameters):
    """What to measure."""

    operation: Annotated[
        Literal["all", "stats", "cpu", "memory", "disk", "processes"],
        Spelled(
            summary="stats",
            system="all",
            ram="memory",
            mem="memory",
            disks="disk",
            storage="disk",
            ps="processes",
            top="processes",
            process="processes",
        ),
    ] = Field(
        "all",
        description="all: everything but processes; stats: the most important numbers; or one of "
        "cpu, memory, disk, processes",
    )
    metrics: Names = Field(
        default_factory=list,
        description="Only these fields of the result: percent, swap.used, cpu.load",
    )
    limit: int = Field(10, ge=1, le=1_000, description="processes: how many to give")
    sort_by: Annotated[
        Literal["cpu", "memory", "name", "pid"], Spelled(mem="memory", cpu_percent="cpu")
    ] = Field("cpu", description="processes: the order; most use first")

    aliases: ClassVar[dict[str, str]] = {
        "input": "operation",
        "metric": "metrics",
        "fields": "metrics",
        "order_by": "sort_by",
        "top_n": "limit",
    }


class SystemMonitor(Tool):
    """Measures what the machine does."""

    name = "system-monitor"
    description = (
        "Measures the use of processors, memory and disks of this machine, and lists its busiest "
        "processes."
    )
    category = "system"
    security_level = "restricted"
    permissions = Permissions(
        files="the free space where files are allowed", processes="their names and use, read only"
    )
    Parameters = MonitorParameters
    timeout_ms = 15_000
    extra = "system"
    examples = (
        ({"operation": "stats"}, "cpu_percent, memory_percent, disk_percent, load, uptime"),
        ({"operation": "memory", "metrics": ["percent", "swap.used"]}, "two numbers"),
        (
            {"operation": "processes", "sort_by": "memory", "limit": 3},
            "the three largest processes",
        ),
        ({}, "cpu, memory, disk and system"),
    )

    async def run_tool(self, params: MonitorParameters, ctx: ToolContext) -> ToolResult:
        found, text = await asyncio.to_thread(self._measure, params, ctx)
        if params.metrics:
            found = self._chosen(found, params.metrics)
            text = "\n".join(f"{name}: {value}" for name, value in found.items())
        return ToolResult(found, text=text)

    def _measure(self, params: MonitorParameters, ctx: ToolContext) -> tuple[dict[str, Any], str]:
        psutil = imported("psutil", self.name, "system")
        try:
            return _MEASURED[params.operation](psutil, params, ctx)
        except (psutil.Error, OSError, NotImplementedError) as error:
            raise ToolError(
                f"{self.name}: this system does not tell it: {error}", code="tool.unsupported"
            ) from None

    def _chosen(self, found: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
        chosen = {}
        for name in metrics:
            value: Any = found
            for part in name.split("."):
                value = value.get(part, found) if isinstance(value, dict) else found
                if value is found:
                    raise wrong(
                        self.name,
                        "metrics",
                        f'must name fields of the result, not "{name[:60]}"',
                        hint=f"there are {', '.join(found)}",
                    )
            chosen[name] = value
        return chosen


def _cpu(psutil: Any, _: MonitorParameters, __: ToolContext) -> tuple[dict[str, Any], str]:
    found = _usage.cpu(psutil)
    load = found["load"]["1m"]
    return found, f"{found['percent']} % of {found['cores']} cores in use, load {load:.2f}"


def _memory(psutil: Any, _: MonitorParameters, __: ToolContext) -> tuple[dict[str, Any], str]:
    found = _usage.memory(psutil)
    free, total = (found[name] // _MIB for name in ("available", "total"))
    return found, f"{found['percent']} % in use, {free} of {total} MiB available"


def _disk(psutil: Any, _: MonitorParameters, ctx: ToolContext) -> tuple[dict[str, Any], str]:
    # Where files are allowed, and no others: which disks there are is nobody's business.
    disks = _usage.disk(psutil, ctx.files.roots()["read"])
    lines = [
        f"{one['path']}: {one['percent']} % in use, {one['free'] // _MIB} MiB free" for one in disks
    ]
    return {"disks": disks, "count": len(disks)}, "\n".join(lines) or "no disk may be seen"


def _processes(
    psutil: Any, params: MonitorParameters, _: ToolContext
) -> tuple[dict[str, Any], str]:
    found = _usage.processes(psutil, params.sort_by, params.limit)
    lines = [
        f"{one['pid']}  {one['name']}  {one['cpu_percent']} %  {(one['memory'] or 0) // _MIB} MiB"
        for one in found["processes"]
    ]
    return found, "\n".join(lines)


def _stats(psutil: Any, params: MonitorParameters, ctx: ToolContext) -> tuple[dict[str, Any], str]:
    cpu, memory, system = _usage.cpu(psutil), _usage.memory(psutil), _usage.system(psutil)
    disks = _disk(psutil, params, ctx)[0]["disks"]
    found = {
        "cpu_percent": cpu["percent"],
        "cpu_count": cpu["cores"],
        "load_1m": cpu["load"]["1m"],
        "memory_percent": memory["percent"],
        "memory_available": memory["available"],
        "memory_total": memory["total"],
        "swap_percent": memory["swap"]["percent"],
        "disk_percent": max((one["percent"] for one in disks), default=None),
        "process_count": system["process_count"],
        "uptime_seconds": system["uptime_seconds"],
    }
    return found, "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items())


def _all(psutil: Any, params: MonitorParameters, ctx: ToolContext) -> tuple[dict[str, Any], str]:
    parts = {name: _MEASURED[name](psutil, params, ctx) for name in ("cpu", "memory", "disk")}
    found: dict[str, Any] = {name: part for name, (part, _) in parts.items()}
    found["disk"] = found["disk"]["disks"]
    found["system"] = _usage.system(psutil)
    return found, "\n".join(f"{name}: {text}" for name, (_, text) in parts.items())


Measure = Callable[[Any, MonitorParameters, "ToolContext"], tuple[dict[str, Any], str]]
_MEASURED: dict[str, Measure] = {
    "all": _all,
    "stats": _stats,
    "cpu": _cpu,
    "memory": _memory,
    "disk": _disk,
    "processes": _processes,
}
