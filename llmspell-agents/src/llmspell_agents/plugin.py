"""The agents of `[agents.NAME]`: found by name in every run, made when somebody asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_core.agent import Agent
    from llmspell_core.runtime import Runtime


@hookimpl
def llmspell_runtime_started(runtime: Runtime) -> None:
    """Register the configured agents, without making any."""
    if "agents" not in runtime.init.kinds:
        return
    for name, fields in runtime.settings.agents.items():
        runtime.base.agents.add_lazy(
            name,
            _maker(name, fields),
            source="configuration",
            summary=str(fields.get("description", "")),
        )


def _maker(name: str, fields: dict[str, Any]) -> Callable[[], Agent]:
    def make() -> Agent:
        from llmspell_agents.agent import Agent as Made

        return Made({**fields, "name": name})

    return make
