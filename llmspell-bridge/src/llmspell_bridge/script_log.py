"""Log records of scripts, into the same logs as everybody's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from llmspell_bridge.decoding import parse
from llmspell_bridge.values import protocol_error

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
#: Guests send 100 records at most at a time; more is no guest of ours.
MAX_RECORDS = 1000
#: Characters of a message, and of all that comes at once before fields are left out: to write
#: more would keep everybody waiting.
MAX_MESSAGE = 1 << 16
MAX_TEXT = 1 << 20


def emit(text: str, ctx: ExecutionContext) -> None:
    """Write the records a guest sent: `{level, message, logger, fields}` each.

    Raises:
        ScriptError: `script.protocol`, where they are none or too many.
    """
    records = parse(text)
    if not isinstance(records, list) or len(records) > MAX_RECORDS:
        raise protocol_error("the engine sent no log records, or too many at once")
    for record in records:
        if not isinstance(record, dict):
            continue
        level = LEVELS.get(str(record.get("level")), logging.INFO)
        logger = logging.getLogger(_logger_name(record.get("logger")))
        if logger.isEnabledFor(level):
            fields = record.get("fields") if len(text) <= MAX_TEXT else {"fields": "left out"}
            extra = {
                "fields": fields if isinstance(fields, dict) else {},
                "correlation_id": ctx.correlation_id,
            }
            logger.log(level, "%s", _short(record.get("message", "")), extra=extra)


def _short(message: Any) -> str:
    text = str(message)
    more = len(text) - MAX_MESSAGE
    return text if more <= 0 else f"{text[:MAX_MESSAGE]}... ({more} more characters)"


def _logger_name(given: Any) -> str:
    name = str(given or "")[:64]
    if name in ("", "script") or (name not in _names and len(_names) >= MAX_LOGGERS):
        return "llmspell.script"
    _names.add(name)
    return f"llmspell.script.{name}"
