"""The files of the prelude, as the texts that make a session. Standard library only."""

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


def source(name: str) -> str:
    """One file."""
    # `open`, since pathlib is slow to import in a worker.
    with open(f"{FOLDER}{name}.js", encoding="ascii") as file:  # noqa: PTH123
        return file.read()


def bare(name: str) -> str:
    """One file without comments and indentation, which the compiler would read as well."""
    lines = map(str.strip, source(name).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def bootstrap() -> tuple[str, str]:
    """An expression whose value is the function that serves a session, and the first it is told."""
    files = ", ".join(f'"{name}": {bare(name)}' for name in EAGER)
    late = dumps({name: bare(name) for name in LATE})
    return f"{bare('boot')}({{{files}}})", late
