"""The prelude's files, and their compiled forms: this process compiles each once.

The files are read when this module is imported: later a sandboxed worker can open none.
"""

from __future__ import annotations

#: The files of the prelude; most are loaded when a script first needs them.
PRELUDE = (
    "boot",
    "primordials",
    "errors",
    "spelling",
    "encode",
    "decode",
    "functions",
    "calls",
    "scheduler",
    "natives",
    "proxies",
    "globals",
    "builders",
    "output",
    "input",
    "inspect",
    "timers",
    "sandbox",
    "session",
    "random",
    "async",
    "tasks",
    "gather",
    "queues",
    "objects",
    "logging",
    "logger",
    "debug",
    "encoding",
    "url",
    "url_host",
    "url_parse",
    "search_params",
    "clone",
    "abort",
)
#: Without file names, the prelude is told from the script by its line numbers: see errors.js.
PADDING = 99_999


def read_prelude() -> dict[str, str]:
    """The files by name."""
    folder = __file__[: -len("sources.py")] + "prelude/"
    found = {}
    for name in PRELUDE:
        with open(f"{folder}{name}.js", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
            found[name] = file.read()
    return found


_sources = read_prelude()
_compiled: dict[str, bytes] = {}
#: Each file's number, by which the prelude asks for it.
INDEX = "({__proto__:null," + ",".join(f'"{name}":{i}' for i, name in enumerate(PRELUDE)) + "})"


def source(name: str) -> bytes:
    """The text of a file."""
    return _sources[name].encode()


def compiled(name: str) -> bytes | None:
    """A file as this process has compiled it before."""
    return _compiled.get(name)


def remember(name: str, code: bytes) -> None:
    """Keep the compiled form of a file for the next session."""
    if code:
        _compiled[name] = code


def whole() -> str:
    """All files in one text that starts the prelude, for a context without the C API."""
    files = ",".join(f'"{name}":{text}' for name, text in _sources.items() if name != "boot")
    boot = _sources["boot"].strip()
    return "\n" * PADDING + f"({boot}\n)(undefined,{{__proto__:null,{files}}})"
