"""A real MariaDB on 127.0.0.1 for tests, where there is one: made in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from started_server import free_port, running

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
        port = free_port()
        server = [
            *command, f"--port={port}", f"--socket={folder}/s", f"--pid-file={folder}/pid",
            "--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={folder}/setup.sql",
            "--secure-file-priv=",
        ]  # fmt: skip
        with running(server, port, stdout=subprocess.DEVNULL):
            yield f"mysql://test:pw@127.0.0.1:{port}/shop"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
