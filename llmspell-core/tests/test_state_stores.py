"""The stores that core brings."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmspell_core.errors import StateError
from llmspell_core.state import StateStore
from llmspell_core.state.memory import MemoryStore
from llmspell_core.state.sqlite import SqliteStore
from llmspell_core.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    def open(self, folder: Path) -> StateStore:
        return MemoryStore()


class TestSqliteStore(StoreSuite):
    persistent = True

    def open(self, folder: Path) -> StateStore:
        return SqliteStore(folder / "deep" / "state.db")


def test_nothing_is_opened_before_the_first_call(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "state.db")
        await store.flush()
        await store.close()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "own" / "state.db")
        await store.set("s", "k", 1)
        for path in (tmp_path / "own").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
        await store.close()

    asyncio.run(main())


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore(tmp_path / "state.db")
        await store.set("s", "k", 1)
        await store.close()
        with pytest.raises(StateError, match="closed"):
            await store.get("s", "k")

    asyncio.run(main())


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database at all, but it is long enough" * 50)

    async def main() -> None:
        store = SqliteStore(path)
        with pytest.raises(StateError) as caught:
            await store.get("s", "k")
        assert caught.value.code == "state.damaged"
        assert str(path) in caught.value.message
        await store.close()

    asyncio.run(main())


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    async def main() -> None:
        store = SqliteStore(path)
        with pytest.raises(StateError) as caught:
            await store.set("s", "k", 1)
        assert caught.value.code == "state.version"
        await store.close()

    asyncio.run(main())


_COUNTER = """
import asyncio, sys
from pathlib import Path
from llmspell_core.state import StateView
from llmspell_core.state.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    view = StateView(store, "s")
    for _ in range(50):
        await view.increment("n")
    await store.close()

asyncio.run(main())
"""


def test_processes_share_a_file_without_losing_updates(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    command = [sys.executable, "-c", _COUNTER, str(path)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]

    async def main() -> None:
        store = SqliteStore(path)
        assert (await store.get("s", "n"))[0] == 150
        await store.close()

    asyncio.run(main())


_WRITER = """
import asyncio, sys
from pathlib import Path
from llmspell_core.state.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    for number in range(1, 1_000_000):
        await store.compare_and_set("s", {"a": (None, number), "b": (None, number)})
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    answered = 0
    end = time.monotonic() + 60
    while answered < 20 and time.monotonic() < end:
        answered = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.stdout.close()
    writer.wait()
    answered = rest[-1] if rest else answered

    async def main() -> None:
        store = SqliteStore(path)
        found = await store.all("s")
        assert found["a"] == found["b"] >= answered
        await store.close()

    asyncio.run(main())
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
