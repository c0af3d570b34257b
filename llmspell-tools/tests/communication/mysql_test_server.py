"""A real MariaDB on 127.0.0.1 for tests, where there is one: made in a folder of its own."""

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

SCRIPTS = Path("/usr/share/mysql")
_SETUP = """CREATE USER test@'127.0.0.1' IDENTIFIED BY 'pw';
GRANT ALL ON *.* TO test@'127.0.0.1';
CREATE DATABASE shop;
"""


def program() -> str | None:
    """The server, or None when there is none on this machine."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    return found if (SCRIPTS / "mysql_system_tables.sql").is_file() else None


@contextmanager
def mariadb() -> Iterator[str]:
    """The address of a server whose user `test` may do everything."""
    folder = Path(tempfile.mkdtemp(prefix="llmspell-my-"))
    (folder / "data").mkdir()
    (folder / "setup.sql").write_text(_SETUP)
    tables = "create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n"
    for name in ("mysql_system_tables.sql", "mysql_system_tables_data.sql"):
        tables += (SCRIPTS / name).read_text(encoding="utf-8")
    user = ["--user=root"] if os.geteuid() == 0 else []
    command = [str(program()), "--no-defaults", f"--datadir={folder}/data", *user]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        subprocess.run([*command, "--bootstrap"], input=tables.encode(), check=True, **quiet)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [*command, f"--port={port}", f"--socket={folder}/s", f"--pid-file={folder}/pid",
             "--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={folder}/setup.sql",
             "--secure-file-priv="],
            **quiet,
        )  # fmt: skip
        try:
            _wait(server, port)
            yield f"mysql://test:pw@127.0.0.1:{port}/shop"
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
    raise RuntimeError("MariaDB did not start")
