"""Logging: the standard library's, below the logger `llmspell`, to stderr or a file.

`setup` installs one handler. Lines are for people (`log_format = "pretty"`) or one JSON object
each; secrets are removed and control characters escaped in both. stdout is never written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings
    from llmspell_core.security.redact import Redactor

ROOT = "llmspell"
#: Finer than DEBUG.
TRACE = 5
LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_NAMES = {TRACE: "trace", 10: "debug", 20: "info", 30: "warn", 40: "error", 50: "error"}
_COLOURS = {"trace": "2", "debug": "2", "info": "36", "warn": "33", "error": "31"}
_DEEPEST = 8
_LATIN = 0xFF

logging.addLevelName(TRACE, "TRACE")
# Without `setup`, in a program that only imports llmspell, its logging is the program's affair.
logging.getLogger(ROOT).addHandler(logging.NullHandler())


def setup(
    settings: Settings | None = None,
    stream: TextIO | None = None,
    *,
    level: str | None = None,
    format: Literal["pretty", "json"] | None = None,
    colour: bool | None = None,
    redactor: Redactor | None = None,
) -> logging.Logger:
    """Send the logs where the settings say; calling it again replaces what was there.

    Args:
        settings: `[system] log_level`, `log_format` and `log_file`
        stream: instead of stderr; a log file has precedence
        level: instead of the settings' (the option `--log-level`)
        format: instead of the settings' (`--log-format`)
        colour: default: when the stream is a terminal and NO_COLOR is not set
        redactor: removes secrets from every line

    Raises:
        ConfigError: `config.log_file`, when the file cannot be opened.
    """
    system = settings.system if settings else None
    handler = _handler(system.log_file if system else "", stream)
    chosen = format or (system.log_format if system else "pretty")
    if chosen == "json":
        handler.setFormatter(JsonFormatter(redactor))
    else:
        coloured = _is_coloured(handler) if colour is None else colour
        handler.setFormatter(PrettyFormatter(redactor, colour=coloured))
    root = logging.getLogger(ROOT)
    close()
    root.addHandler(handler)
    root.setLevel(level_number(level or (system.log_level if system else "warn")))
    # The program's own root logger must not print what is printed here.
    root.propagate = False
    if settings is not None and settings.scripts.log_level:
        logging.getLogger(f"{ROOT}.script").setLevel(level_number(settings.scripts.log_level))
    return root


def close() -> None:
    """Take away what `setup` installed: the logs go to the program's handlers again."""
    root = logging.getLogger(ROOT)
    for handler in root.handlers[:]:
        if isinstance(handler, logging.StreamHandler):
            root.removeHandler(handler)
            handler.close()
    root.propagate = True
    root.setLevel(logging.NOTSET)
    logging.getLogger(f"{ROOT}.script").setLevel(logging.NOTSET)


def get(name: str = "") -> logging.Logger:
    """The logger `llmspell.<name>`."""
    return logging.getLogger(f"{ROOT}.{name}" if name else ROOT)


def level_number(name: str) -> int:
    """A level by its name: trace, debug, info, warn, error. Raises `config.log_level`."""
    from llmspell_core.errors import ConfigError

    try:
        return LEVELS[name.lower()]
    except KeyError:
        raise ConfigError(
            f'unknown log level "{name}"',
            code="config.log_level",
            hint="one of trace, debug, info, warn, error",
        ) from None


def level_name(number: int) -> str:
    """The name of a level, the nearest one below for numbers between."""
    return next((_NAMES[one] for one in sorted(_NAMES, reverse=True) if number >= one), "trace")


def write(
    logger: logging.Logger, level: str, message: str, fields: Mapping[str, Any] | None = None
) -> None:
    """Log a message with fields; JSON lines keep them as data."""
    number = LEVELS[level]
    if logger.isEnabledFor(number):
        logger.log(number, "%s", message, extra={"fields": dict(fields)} if fields else None)


def escaped(text: str) -> str:
    """The text with its control characters spelled out: what is logged cannot fake lines."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(sign: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    number = ord(sign)
    return known.get(sign) or (f"\\x{number:02x}" if number <= _LATIN else f"\\u{number:04x}")


class _Formatter(logging.Formatter):
    def __init__(self, redactor: Redactor | None = None) -> None:
        super().__init__()
        self._redactor = redactor

    def redacted(self, text: str) -> str:
        return self._redactor.text(text) if self._redactor else text

    def message(self, record: logging.LogRecord) -> str:
        """The message and what was raised: the type and text, the stack at debug level only."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            text += f": {type(error).__name__}: {error}"
            if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
                text += "\n" + self.formatException(record.exc_info)
        return text


class PrettyFormatter(_Formatter):
    """`12:30:01 warn  llmspell.runtime: message  key=value`, one line a record."""

    def __init__(self, redactor: Redactor | None = None, *, colour: bool = False) -> None:
        super().__init__(redactor)
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = level_name(record.levelno)
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = escaped(self.redacted(self.message(record)))
        for name, value in _fields(record).items():
            shown = value if isinstance(value, str) else _json(value)
            text += f"  {escaped(self.redacted(f'{name}={shown}'))}"
        word = f"{level:<5}"
        if self._colour:
            word = f"\x1b[{_COLOURS[level]}m{word}\x1b[0m"
        return f"{clock} {word} {escaped(record.name)}: {text}"


class JsonFormatter(_Formatter):
    """One JSON object a line: `time level logger message` and `fields` where there are some."""

    def format(self, record: logging.LogRecord) -> str:
        milliseconds = int(record.msecs)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        data: dict[str, Any] = {
            "time": f"{stamp}.{milliseconds:03d}Z",
            "level": level_name(record.levelno),
            "logger": record.name,
            "message": self.redacted(self.message(record)),
        }
        if fields := _fields(record):
            data["fields"] = self._redactor.value(fields) if self._redactor else fields
        return _json(data)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found = getattr(record, "fields", None)
    return found if isinstance(found, dict) else {}


def _json(value: Any) -> str:
    """Anything as JSON on one line: what is no JSON value, or nests too deep, as its text."""
    return json.dumps(_plain(value), ensure_ascii=True, separators=(", ", ": "))


def _plain(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        # NaN and infinities have no JSON.
        return value if value - value == 0 else str(value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(name): _plain(one, depth + 1) for name, one in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one, depth + 1) for one in value]
    return str(value)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a reader that is gone (`| head`) ends the logs, not the program."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handleError(record)


class _StderrHandler(_Handler):
    """Looks `sys.stderr` up for each line: programs and tests replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _FileHandler(_Handler):
    def close(self) -> None:
        self.stream.close()
        super().close()


def _handler(file: str, stream: TextIO | None) -> logging.StreamHandler[TextIO]:
    if not file:
        return _Handler(stream) if stream is not None else _StderrHandler()
    from llmspell_core.errors import ConfigError

    opener: Callable[[str, int], int] = lambda path, flags: os.open(path, flags, 0o600)  # noqa: E731
    try:
        opened = open(file, "a", encoding="utf-8", errors="backslashreplace", opener=opener)  # noqa: SIM115
    except OSError as error:
        raise ConfigError(
            f"the log file cannot be opened: {error.strerror}",
            code="config.log_file",
            hint=f"{file}, named in [system] log_file",
        ) from None
    return _FileHandler(opened)


def _is_coloured(handler: logging.StreamHandler[TextIO]) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(handler.stream, "isatty", lambda: False)())
