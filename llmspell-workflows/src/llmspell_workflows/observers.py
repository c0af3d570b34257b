"""Callbacks that watch a run: `on_start`, `on_step_complete`, ..., and those added later."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

from llmspell_core.errors import error_data
from llmspell_workflows.functions import call, where

log = logging.getLogger("llmspell.workflow")


class Observers:
    """Functions by moment. One that throws is logged once and changes nothing."""

    def __init__(self) -> None:
        self._functions: dict[str, list[Any]] = defaultdict(list)
        self._reported: set[int] = set()

    def add(self, moment: str, function: Any) -> None:
        """Call `function` at this moment; None adds nothing."""
        if function is not None:
            self._functions[moment].append(function)

    async def tell(self, moment: str, *args: Any) -> None:
        """Call all functions of a moment."""
        for function in self._functions.get(moment, ()):
            await self.observe(moment, function, *args)

    async def observe(self, moment: str, function: Any, *args: Any) -> Any:
        """Call one function; None when it throws."""
        try:
            return await call(function, *args)
        except Exception as error:  # noqa: BLE001 - whatever an observer throws, the run goes on
            if id(function) not in self._reported:
                self._reported.add(id(function))
                message = error_data(error)["message"]
                log.warning("%s (%s) failed and is ignored: %s", moment, where(function), message)
            return None
