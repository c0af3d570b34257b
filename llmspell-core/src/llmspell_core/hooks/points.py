"""The hook points: their names, their aliases, and every way to write them."""

from __future__ import annotations

from typing import Final

from llmspell_core.errors import NotFoundError, did_you_mean

POINTS: Final = (
    "system_startup",
    "system_shutdown",
    "before_agent_init",
    "after_agent_init",
    "before_agent_execution",
    "after_agent_execution",
    "agent_error",
    "before_agent_shutdown",
    "after_agent_shutdown",
    "before_agent_handoff",
    "after_agent_handoff",
    "before_llm_call",
    "after_llm_call",
    "llm_error",
    "before_tool_execution",
    "after_tool_execution",
    "tool_error",
    "before_workflow_start",
    "before_workflow_stage",
    "after_workflow_stage",
    "after_workflow_complete",
    "workflow_error",
    "workflow_checkpoint",
    "before_script",
    "after_script",
    "state_change",
    "session_start",
    "session_end",
)

POINT_ALIASES: Final = {
    "pre_llm": "before_llm_call",
    "post_llm": "after_llm_call",
    "pre_tool": "before_tool_execution",
    "post_tool": "after_tool_execution",
    "pre_workflow": "before_workflow_start",
    "post_workflow": "after_workflow_complete",
}


def _squeeze(text: str) -> str:
    return text.replace("_", "").replace("-", "").lower()


_BY_LETTERS = {_squeeze(name): name for name in POINTS} | {
    _squeeze(alias): name for alias, name in POINT_ALIASES.items()
}


def point_name(text: str) -> str:
    """The snake_case name of a point written in snake_case, kebab-case or PascalCase.

    Raises ``hook.unknown_point``, which names the nearest.
    """
    name = _BY_LETTERS.get(_squeeze(text)) if isinstance(text, str) else None
    if name is None:
        raise NotFoundError(
            f'unknown hook point "{text}"',
            code="hook.unknown_point",
            hint=did_you_mean(str(text), [*POINTS, *POINT_ALIASES]),
        )
    return name
