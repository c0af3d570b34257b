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

#: A logger is never forgotten, so a script can make only so many.
MAX_LOGGERS = 256
_names: set[str] = set()


def emit(records: Any, ctx: ExecutionContext) -> None:
    """Write the records a guest sent: `{level, message, logger, fields}` each."""
    if not isinstance(records, list):
        return
    for record in records:
        if not isinstance(record, dict):
            continue
        level = LEVELS.get(str(record.get("level")), logging.INFO)
        logger = logging.getLogger(_logger_name(record.get("logger")))
        if logger.isEnabledFor(level):
            fields = record.get("fields")
            extra = {
                "fields": fields if isinstance(fields, dict) else {},
                "correlation_id": ctx.correlation_id,
            }
            logger.log(level, "%s", record.get("message", ""), extra=extra)


def _logger_name(given: Any) -> str:
    name = str(given or "")[:64]
    if name in ("", "script") or (name not in _names and len(_names) >= MAX_LOGGERS):
        return "llmspell.script"
    _names.add(name)
    return f"llmspell.script.{name}"
