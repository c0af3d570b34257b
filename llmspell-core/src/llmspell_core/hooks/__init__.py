"""Hooks: functions that see, change, replace or refuse what a run does at its hook points."""

from llmspell_core.hooks.builtins import enable
from llmspell_core.hooks.context import CHANGEABLE, CONTINUE, HookContext, HookResult
from llmspell_core.hooks.hook import PRIORITIES, Hook
from llmspell_core.hooks.points import POINT_ALIASES, POINTS, point_name
from llmspell_core.hooks.registry import HookRegistry

__all__ = [
    "CHANGEABLE",
    "CONTINUE",
    "POINTS",
    "POINT_ALIASES",
    "PRIORITIES",
    "Hook",
    "HookContext",
    "HookRegistry",
    "HookResult",
    "enable",
    "point_name",
]
