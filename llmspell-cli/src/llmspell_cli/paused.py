"""Runs of agents that stopped for an approval: told on stderr, with how they go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from llmspell_cli.look import clean, say
from llmspell_core.json_text import read_json

if TYPE_CHECKING:
    from llmspell_core.events import Event, EventBus

MAX_SHOWN = 200


class PausedRuns:
    """Tells at its end which runs of a script stopped and were not resumed by it."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._id = ""
        self._waiting: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._id = self._bus.subscribe("agent.*", self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.unsubscribe(self._id)
        for run in self._waiting.values():
            tell(run["name"], run["pending"])
            say("  the script goes on with agent:resume(output.state, answers)")

    def _heard(self, event: Event) -> None:
        if event.type == "agent.paused":
            self._waiting[event.data["journal"]] = event.data
        elif event.type == "agent.resumed":
            self._waiting.pop(event.data["journal"], None)


def tell(agent: str, pending: list[dict[str, Any]]) -> None:
    """Say what an agent waits for."""
    tools = ", ".join(dict.fromkeys(one["tool"] for one in pending))
    say(clean(f"agent {agent} waits for an approval: {tools}"))
    for one in pending:
        text = json.dumps(one["arguments"], ensure_ascii=False)
        more = "..." if len(text) > MAX_SHOWN else ""
        why = f"  ({one['reason']})" if one.get("reason") else ""
        say(clean(f"  {one['id']}  {one['tool']} {text[:MAX_SHOWN]}{more}{why}"))


def read_paused(path: Path) -> dict[str, Any]:
    """The state in a file: the output of a run that paused, as `--json` prints it, or it alone."""
    try:
        found = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--resume {path}: {error}") from None
    state = found.get("state", found) if isinstance(found, dict) else None
    if not isinstance(state, dict):
        raise click.UsageError(f"--resume {path}: has no state of a paused run")
    return state


def answers_of(approve: tuple[str, ...], deny: tuple[str, ...], *, yes: bool) -> Any:
    """The answers that options give: by the ids of calls or the names of tools."""
    answers: dict[str, Any] = dict.fromkeys(approve, True)
    for one in deny:
        name, _, why = one.partition("=")
        answers[name] = {"deny": why}
    if yes and not answers:
        return True
    if not answers:
        raise click.UsageError("--resume needs answers: --approve, --deny, or --yes for all")
    return answers
