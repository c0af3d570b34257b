"""What keeps a worker on macOS from the machine: a `sandbox-exec` profile that denies by default.

The profile holds from the worker's first instruction, so it lets the interpreter read itself and
the folders that the engine lies in, and nothing else. Standard library only.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM = "/usr/bin/sandbox-exec"


def wrapped(command: list[str], folders: Iterable[str]) -> list[str]:
    """A worker's command under a profile that lets it read these folders."""
    places = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *folders]
    # Rules see paths without symbolic links.
    real = dict.fromkeys(os.path.realpath(one) for one in places)
    return [PROGRAM, "-p", profile(os.path.realpath(command[0]), real), *command]


def profile(program: str, folders: Iterable[str]) -> str:
    """The profile's text. `system.sb` has what every process needs to be loaded."""
    readable = " ".join(f"(subpath {_quoted(one)})" for one in folders)
    return "\n".join(
        (
            "(version 1)",
            "(deny default)",
            '(import "system.sb")',
            "(deny network*)",
            "(deny process-fork)",
            "(deny signal)",
            "(allow signal (target self))",
            f"(allow process-exec (literal {_quoted(program)}) {readable})",
            f"(allow file-read* (literal {_quoted(program)}) {readable})",
            "(allow file-read-metadata)",
        )
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_force() -> list[str]:
    """The name of this layer when this process is under a profile."""
    try:
        import _ctypes
        import posix

        library = _ctypes.dlopen("/usr/lib/libSystem.dylib", 0)
        check = _ctypes.dlsym(library, "sandbox_check")
        held = _ctypes.call_function(check, (posix.getpid(), None, 0))
    except (ImportError, AttributeError, OSError):
        return []
    return ["sandbox-exec"] if held == 1 else []
