"""The target of the preludes' `require`, `dofile` and `loadfile`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmspell_core.script.api import ScriptGlobal, script_method

if TYPE_CHECKING:
    from llmspell_bridge.modules.loader import ModuleLoader
    from llmspell_core.context import ExecutionContext


class Modules(ScriptGlobal):
    """Sources of modules and script files as `{name, source}`; `name` is for messages."""

    name = "modules"

    def __init__(self, ctx: ExecutionContext, loader: ModuleLoader) -> None:
        super().__init__(ctx)
        self._loader = loader

    @script_method
    async def load(self, name: str, caller: str | None = None) -> dict[str, str]:
        """A module by the name it has in the calling file, checked against its pin."""
        found = await asyncio.to_thread(self._loader.load, name, caller or "")
        return found.to_dict()

    @script_method
    async def file(self, path: str, caller: str | None = None) -> dict[str, str]:
        """A script file by its path from the calling file, through the file gate."""
        found = await asyncio.to_thread(self._loader.file, path, caller or "")
        return found.to_dict()
