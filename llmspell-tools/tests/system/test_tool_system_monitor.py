from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.system.system_monitor import SystemMonitor


def run(folder: Path | None = None, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        files = {"read": [str(folder)] if folder else [], "write": []}
        async with Runtime({"security": {"files": files}}) as runtime:
            return await SystemMonitor().call(params, runtime.context())

    return asyncio.run(main())


def test_everything_but_processes_is_what_is_obvious(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert list(result.output) == ["cpu", "memory", "disk", "system"]
    assert result.output["cpu"]["cores"] == os.cpu_count()
    assert 0 <= result.output["cpu"]["percent"] <= 100
    assert result.output["memory"]["total"] > 16 * 1024 * 1024
    assert result.output["disk"][0]["path"] == str(tmp_path)
    assert result.output["system"]["uptime_seconds"] > 0
    assert [line.partition(":")[0] for line in result.text.splitlines()] == [
        "cpu",
        "memory",
        "disk",
    ]


def test_the_most_important_numbers_in_one_table(tmp_path: Path) -> None:
    found = run(tmp_path, operation="summary").output
    assert 0 < found["memory_percent"] < 100
    assert 0 <= found["disk_percent"] <= 100
    assert found["process_count"] >= 1
    assert not any(isinstance(value, (dict, list)) for value in found.values())


def test_metrics_choose_fields() -> None:
    found = run(operation="memory", metrics=["percent", "swap.used"]).result
    assert list(found) == ["percent", "swap.used"]
    assert run(operation="cpu", metrics="load.1m").result["load.1m"] >= 0


def test_disks_are_those_of_allowed_paths_only(tmp_path: Path) -> None:
    found = run(tmp_path, operation="disk").result
    assert found["count"] == 1
    assert found["disks"][0]["free"] > 0
    nothing = run(operation="disk")
    assert nothing.result == {"disks": [], "count": 0}
    assert nothing.text == "no disk may be seen"
    assert run(tmp_path / "missing", operation="disk").result["count"] == 0


def test_the_busiest_process_comes_first_and_command_lines_are_not_told() -> None:
    code = "import time\nwhile True: pass # secret-argument"
    with subprocess.Popen([sys.executable, "-c", code]) as busy:
        try:
            time.sleep(0.1)
            result = run(operation="processes", limit=1_000)
        finally:
            busy.kill()
    mine = next(one for one in result.result["processes"] if one["pid"] == busy.pid)
    assert mine["cpu_percent"] > 5
    assert mine["memory"] > 1024 * 1024
    assert mine["started"].endswith("Z")
    shares = [one["cpu_percent"] for one in result.result["processes"]]
    assert shares == sorted(shares, reverse=True)
    assert "secret-argument" not in str(result.to_dict())


def test_processes_in_other_orders() -> None:
    by_memory = run(operation="processes", sort_by="memory", limit=2).result
    sizes = [one["memory"] or 0 for one in by_memory["processes"]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= 2 <= by_memory["count"]
    pids = [one["pid"] for one in run(operation="ps", sort_by="pid").result["processes"]]
    assert pids == sorted(pids)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "gpu"}, "operation must be one of all, stats, cpu"),
        ({"operation": "cpu", "metrics": ["heat"]}, 'metrics must name fields .* not "heat"'),
        ({"operation": "cpu", "metrics": ["percent.x"]}, "metrics must name fields"),
        ({"operation": "processes", "limit": 0}, "limit must be greater"),
        ({"operation": "processes", "sort_by": "age"}, "sort_by must be one of cpu"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)
