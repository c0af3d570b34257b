"""Every moment that a plugin can take part in.

Write a function of the same name, mark it with `hookimpl`, and name its module in the
``llmspell.hooks`` entry-point group. Take only the arguments you need::

    from llmspell_core.hookspecs import hookimpl


    @hookimpl
    def llmspell_register_hooks(registry):
        registry.register("before_tool_execution", lambda ctx: print(ctx.tool))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings
    from llmspell_core.hooks import HookRegistry
    from llmspell_core.runtime import Runtime

PROJECT = "llmspell"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def llmspell_configure(settings: Settings) -> None:
    """Called once the settings are read, before anything uses them."""


@hookspec
def llmspell_register_hooks(registry: HookRegistry) -> None:
    """Register hooks that every run goes through: ``registry.register(point, handler)``."""


@hookspec
def llmspell_runtime_started(runtime: Runtime) -> None:
    """Called when a runtime is ready, before the first script."""


@hookspec
def llmspell_runtime_stopping(runtime: Runtime) -> None:
    """Called when a runtime begins to close; everything still works."""
