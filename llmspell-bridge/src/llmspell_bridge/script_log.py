"""Log records of scripts, into the same logs as everybody's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


def emit(records: Any, ctx: ExecutionContext) -> None:
    """Write the records a guest sent: `{level, message, logger, fields}` each."""
    if not isinstance(records, list):
        return
    for record in records:
        if not isinstance(record, dict):
            continue
        level = LEVELS.get(str(record.get("level")), logging.INFO)
        name = str(record.get("logger") or "script")
        logger = logging.getLogger(f"llmspell.script.{name}" if name != "script" else name_of())
        if logger.isEnabledFor(level):
            fields = record.get("fields")
            extra = {
                "fields": fields if isinstance(fields, dict) else {},
                "correlation_id": ctx.correlation_id,
            }
            logger.log(level, "%s", record.get("message", ""), extra=extra)


def name_of() -> str:
    """The logger of scripts that name none."""
    return "llmspell.script"
