"""A real PostgreSQL on 127.0.0.1 for tests: made in a folder of its own, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from started_server import free_port, running

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
        port = free_port()
        server: list[str | Path] = [
            place / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port),
            "-k", folder, "-c", "fsync=off", "-c", "shared_buffers=16MB",
        ]  # fmt: skip
        # It listens before it can answer; and SIGTERM would wait for its last client.
        asked: list[str | Path] = [place / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        with running(
            server,
            port,
            ready=lambda: subprocess.run(asked, check=False).returncode == 0,
            stop=signal.SIGINT,
            **quiet,
        ):
            yield f"postgresql://test:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
