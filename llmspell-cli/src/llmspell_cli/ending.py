"""The end of the process: streams that nobody reads, threads that nobody feeds."""

from __future__ import annotations

import os
import sys
import threading

#: How long threads that are about to end get, in seconds.
LAST_S = 0.1


def leave(code: int) -> int:
    """End the process with this code, even when a thread waits for input that never comes."""
    compute = sys.modules.get("llmspell_core.compute")
    if compute is not None:
        # Else its threads would be waited for: only the interpreter's own end tells them.
        compute.close_helpers()
    others = [
        one
        for one in threading.enumerate()
        if one is not threading.current_thread() and not one.daemon
    ]
    for one in others:
        one.join(LAST_S)
    if any(one.is_alive() for one in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def quiet_stdout() -> None:
    """Whoever read stdout has gone: the interpreter, which flushes it at exit, must not care."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tolerant_streams() -> None:
    """A character that a stream cannot write is escaped there; UTF-8 where nobody chose."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            piped = sys.platform == "win32" and not stream.isatty()
            encoding = "utf-8" if piped and "PYTHONIOENCODING" not in os.environ else None
            reconfigure(encoding=encoding, errors="backslashreplace")
