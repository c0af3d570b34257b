"""The files of the prelude, as the one text that makes a session. Standard library only."""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps

#: Compiled at every start.
EAGER = (
    "primordials",
    "states",
    "sources",
    "spelling",
    "stacks",
    "errors",
    "encode",
    "results",
    "decode",
    "functions",
    "tasks",
    "threads",
    "calls",
    "scheduler",
    "proxies",
    "globals",
    "output",
    "sandbox",
    "compile",
    "arrays",
    "session",
)
#: Compiled when a script first needs them.
LATE = (
    "options_check",
    "builders",
    "promises",
    "async",
    "gather",
    "queues",
    "input",
    "console",
    "inspect",
    "objects",
    "logger",
    "debug_timers",
    "debug",
    "timers",
    "random",
    "modules",
    "tokens",
    "syntax",
    "repl",
)
FOLDER = __file__[: -len("prelude.py")] + "prelude/"

_text: list[str] = []


def source(name: str) -> str:
    """One file."""
    # `open`, since pathlib is slow to import in a worker.
    with open(f"{FOLDER}{name}.js", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


def bootstrap() -> str:
    """An expression whose value is the function that serves a session."""
    if not _text:
        files = [f'"{name}": (\n{source(name)})' for name in EAGER]
        files += [f'"{name}": {dumps(source(name))}' for name in LATE]
        _text.append(f"(\n{source('boot')})({{{', '.join(files)}}})")
    return _text[0]
