"""`[workflow_defaults]`: what holds where a workflow says nothing."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key


class WorkflowDefaults(Section):
    """What holds where a workflow says nothing."""

    max_concurrency: int = key(16, "steps at the same time", unit="steps", least=1)
    journal: Literal["memory", "sqlite"] = key("memory", "where runs are recorded")
    keep_runs: int = key(200, "recorded runs kept", unit="runs", least=0)
    keep_days: int = key(30, "how long", unit="days", least=0)
