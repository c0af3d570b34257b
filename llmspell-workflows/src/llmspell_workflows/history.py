"""What a workflow remembers of its runs: the latest one and the totals."""

from __future__ import annotations

from typing import Any

from llmspell_workflows.run import Run


class History:
    """The latest run, and figures over all of them."""

    def __init__(self) -> None:
        self.latest: Run | None = None
        self.active = 0
        self.total = 0
        self.failed = 0
        self.steps = 0
        self._ended = 0
        self._sum_ms = 0.0
        self._last_ms = 0.0

    def begin(self, run: Run) -> None:
        """A run starts."""
        self.latest = run
        self.active += 1
        self.total += 1

    def end(self, run: Run, *, success: bool) -> None:
        """A run is over, one way or another."""
        self.active -= 1
        self.failed += not success
        self.steps += sum(not one.skipped for one in run.steps)
        self._ended += 1
        self._last_ms = run.elapsed_ms()
        self._sum_ms += self._last_ms

    def outputs(self) -> dict[str, Any]:
        """The outputs of the latest run by step name."""
        if self.latest is None:
            return {}
        found = self.latest.results.values()
        return {one.name: one.output for one in found if one.success and not one.skipped}

    def metrics(self) -> dict[str, Any]:
        """The figures; times are ms."""
        return {
            "runs_total": self.total,
            "runs_failed": self.failed,
            "runs_active": self.active,
            "steps_executed": self.steps,
            "average_ms": self._sum_ms / self._ended if self._ended else 0.0,
            "last_ms": self._last_ms,
        }
