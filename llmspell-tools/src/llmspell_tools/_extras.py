"""Libraries behind an extra of `llmspell-tools`: imported on first use, named when missing."""

from __future__ import annotations

import importlib
from typing import Any

from llmspell_core.errors import ExtensionError


def imported(module: str, tool: str, extra: str) -> Any:
    """The module, or `extension.unavailable` naming the extra that brings it.

    Args:
        module: its full name, like `PIL.Image`
        tool: the tool that needs it
        extra: the extra of `llmspell-tools`
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        # A library that is there and cannot load says why: one of its own files is missing.
        top = module.partition(".")[0]
        missing = isinstance(error, ModuleNotFoundError) and error.name in (top, module)
        what = f"{top}, which is not installed" if missing else f"{top}: {error}"
        raise ExtensionError(
            f"{tool} needs {what}", hint=f"pip install 'llmspell-tools[{extra}]'"
        ) from None
