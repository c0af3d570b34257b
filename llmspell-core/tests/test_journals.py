"""Journals: the suite, files that only their owner reads, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmspell_core.errors import JournalError
from llmspell_core.journal import Journal
from llmspell_core.journal.memory import MemoryJournal
from llmspell_core.journal.sqlite import SqliteJournal
from llmspell_core.runtime import Runtime
from llmspell_core.testing.journal_suite import JournalSuite


class TestMemoryJournal(JournalSuite):
    def open(self, folder: Path) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(JournalSuite):
    persistent = True

    def open(self, folder: Path) -> Journal:
        return SqliteJournal(folder / "journal.db")


_WRITER = """
import asyncio, sys
from pathlib import Path
from llmspell_core.journal.sqlite import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    async with journal.hold("r"):
        done = len(await journal.records("r"))
        while True:
            done += 1
            await journal.append("r", "turn", {"n": done, "text": "x" * 2000}, key=f"t{done}")
            # What stands here was told to somebody: it must be there whatever happens.
            print(done, flush=True)

asyncio.run(main())
"""


def test_a_killed_process_loses_no_record_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    chance = random.Random(7)
    told = 0
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(chance.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.wait()
        writer.stdout.close()
        told = max([told, *(int(one) for one in lines if one.strip())])

        async def check(least: int) -> None:
            journal = SqliteJournal(path)
            found = await journal.records("r")
            numbers = [one.data["n"] for one in found]
            assert numbers == list(range(1, len(numbers) + 1))
            assert [one.sequence for one in found] == numbers
            assert len(numbers) >= least
            # The killed one does not have the run any more.
            async with journal.hold("r"):
                pass
            await journal.close()

        asyncio.run(check(told))
    assert told > 6


def test_a_run_is_held_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    writer.stdout.readline()

    async def hold() -> None:
        async with SqliteJournal(path).hold("r"):
            pass

    try:
        with pytest.raises(JournalError, match="in another process"):
            asyncio.run(hold())
    finally:
        writer.kill()
        writer.communicate()
    asyncio.run(hold())
    assert list((tmp_path / "journal.locks").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_the_files_are_their_owners_only(tmp_path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(tmp_path / "data" / "journal.db")
        await journal.append("r", "turn", {})
        for one in (tmp_path / "data").iterdir():
            assert one.stat().st_mode & 0o077 == 0, one
        await journal.close()

    asyncio.run(main())


def test_a_damaged_file_and_one_of_a_newer_llmspell_are_named(tmp_path: Path) -> None:
    broken, newer = tmp_path / "broken.db", tmp_path / "newer.db"
    broken.write_bytes(b"no database at all, but long enough for a header" * 40)
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")

    async def read(path: Path) -> None:
        await SqliteJournal(path).records("r")

    with pytest.raises(JournalError) as damaged:
        asyncio.run(read(broken))
    assert damaged.value.code == "journal.damaged"
    with pytest.raises(JournalError) as future:
        asyncio.run(read(newer))
    assert future.value.code == "journal.version"


def test_a_record_of_a_newer_llmspell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def write() -> None:
        journal = SqliteJournal(path)
        await journal.append("r", "turn", {})
        await journal.close()

    asyncio.run(write())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET version = 99")
    with pytest.raises(JournalError) as error:
        asyncio.run(SqliteJournal(path).records("r"))
    assert error.value.code == "journal.version"


def test_the_runtime_keeps_its_journal_where_state_is(tmp_path: Path) -> None:
    async def kind(settings: dict[str, object]) -> str:
        async with Runtime({"system": {"data_dir": str(tmp_path)}, **settings}) as runtime:
            return type(runtime.journal()).__name__

    assert asyncio.run(kind({})) == "SqliteJournal"
    assert asyncio.run(kind({"state": {"backend": "memory"}})) == "MemoryJournal"
    assert asyncio.run(kind({"journal": {"backend": "memory"}})) == "MemoryJournal"
