"""A real PostgreSQL on 127.0.0.1 for tests: made in a folder of its own, stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "s3cret-of-the-test"


def binaries() -> Path | None:
    """Where the server's programs are, or None when there is none on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a server whose user `test` is its superuser."""
    place = binaries()
    if place is None:
        raise FileNotFoundError("no PostgreSQL on this machine")
    # The server refuses to run as root.
    user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="llmspell-pg-"))
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, **user}
        subprocess.run(
            [place / "initdb", "-D", folder / "data", "-U", "test", "-A", "scram-sha-256",
             "--pwfile", folder / "password", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, **quiet,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [place / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port),
             "-k", folder, "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stderr=subprocess.DEVNULL, **quiet,
        )  # fmt: skip
        try:
            _wait(server, port)
            yield f"postgresql://test:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")
