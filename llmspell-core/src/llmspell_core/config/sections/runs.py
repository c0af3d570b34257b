"""`[events]`, `[state]`, `[workflow_defaults]` and `[repl]`: what runs keep, and how much."""

from __future__ import annotations

from typing import Literal

from llmspell_core.config.sections.base import Section, key


class Events(Section):
    """The event bus."""

    history: int = key(1000, "events kept", unit="events", least=0)
    queue: int = key(1024, "events a slow subscriber may lag behind", unit="events", least=1)
    share: list[str] = key([], "patterns of events that runs may see of each other")


class State(Section):
    """Where `State` is kept."""

    backend: str = key("sqlite", "memory, sqlite, postgresql or a plugin's", restart=True)
    url: str = key("", "of postgresql; sqlite: a file in data_dir when empty", secret=True)


class WorkflowDefaults(Section):
    """What holds where a workflow says nothing."""

    max_concurrency: int = key(16, "steps at the same time", unit="steps", least=1)
    journal: Literal["memory", "sqlite"] = key("memory", "where runs are recorded")
    keep_runs: int = key(200, "recorded runs kept", unit="runs", least=0)
    keep_days: int = key(30, "how long", unit="days", least=0)


class Repl(Section):
    """The interactive shell."""

    prompt: str = key("{engine}> ", "what stands before the input")
    history_size: int = key(10_000, "lines kept", unit="lines", least=0)
