"""A database server that a test has started: a free port, waited for, stopped at the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 30


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    *,
    ready: Callable[[], bool] = lambda: True,
    stop: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Iterator[None]:
    """Run a server, from when it listens on `port` and is `ready` until the end of the block."""
    server = subprocess.Popen([*command], stderr=subprocess.DEVNULL, **options)
    try:
        until = time.monotonic() + PATIENCE_S
        while not (_listens(port) and ready()):
            if time.monotonic() > until or server.poll() is not None:
                raise RuntimeError(f"{Path(command[0]).name} did not start")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(stop)
        server.wait(timeout=20)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
