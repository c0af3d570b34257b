"""The tests that every `Journal` passes; a plugin's journal inherits them.

    class TestMyJournal(JournalSuite):
        def open(self, folder):
            return MyJournal(folder / "journal.bin")

`open` is called with an empty folder for each test. A journal that outlives its process sets
`persistent`, and has the same records when it is opened in the same folder again.
"""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from llmspell_core.errors import JournalError
from llmspell_core.journal import VERSION, Journal
from llmspell_core.testing.store_suite import VALUES


class JournalSuite:
    """Inherit from it in a class that pytest collects, and write `open`."""

    persistent = False

    def open(self, folder: Path) -> Journal:
        """A journal of your kind, with whatever it keeps in `folder`."""
        raise TypeError(f"{type(self).__name__} does not say how to open a journal")

    def _run(self, folder: Path, test: Callable[[Journal], Awaitable[None]]) -> None:
        async def main() -> None:
            journal = self.open(folder)
            try:
                await test(journal)
            finally:
                await journal.close()

        asyncio.run(main())

    def test_records_come_back_as_they_were_written_in_their_order(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            assert await journal.records("r") == []
            before = time.time()
            for number, value in enumerate(VALUES, 1):
                made = await journal.append("r", "turn", {"value": value}, key=f"t{number}")
                assert made is not None
                assert (made.sequence, made.version) == (number, VERSION)
            found = await journal.records("r")
            assert [one.data["value"] for one in found] == list(VALUES)
            assert [one.sequence for one in found] == list(range(1, len(VALUES) + 1))
            assert [one.key for one in found] == [f"t{n}" for n in range(1, len(VALUES) + 1)]
            assert all(before - 1 <= one.time <= time.time() for one in found)
            assert {(one.run_id, one.kind, one.version) for one in found} == {
                ("r", "turn", VERSION)
            }

        self._run(tmp_path, test)

    def test_the_same_kind_and_key_is_written_once(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            assert await journal.append("r", "call.started", {"n": 1}, key="c1")
            assert await journal.append("r", "call.started", {"n": 2}, key="c1") is None
            assert await journal.append("r", "call.finished", {"n": 3}, key="c1")
            assert await journal.append("other", "call.started", {"n": 4}, key="c1")
            assert await journal.append("r", "paused", {"n": 5})
            assert await journal.append("r", "paused", {"n": 6})
            assert [one.data["n"] for one in await journal.records("r")] == [1, 3, 5, 6]

        self._run(tmp_path, test)

    def test_of_many_who_write_the_same_one_is_first(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            made = await asyncio.gather(
                *(journal.append("r", "resumed", {"by": n}, key="1") for n in range(20))
            )
            assert sum(one is not None for one in made) == 1
            assert len(await journal.records("r")) == 1

        self._run(tmp_path, test)

    def test_concurrent_records_are_numbered_without_gaps(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            await asyncio.gather(
                *(journal.append(f"r{n % 3}", "turn", {"n": n}, key=str(n)) for n in range(30))
            )
            for run in ("r0", "r1", "r2"):
                found = await journal.records(run)
                assert [one.sequence for one in found] == list(range(1, 11))

        self._run(tmp_path, test)

    def test_runs_are_listed_forgotten_and_pruned(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            await journal.append("a", "run.started", {})
            await asyncio.sleep(0.01)
            await journal.append("b", "run.started", {})
            await asyncio.sleep(0.01)
            await journal.append("a", "paused", {}, key="1")
            found = await journal.runs()
            assert [(one.run_id, one.records, one.last) for one in found] == [
                ("a", 2, "paused"),
                ("b", 1, "run.started"),
            ]
            assert found[0].started < found[0].changed
            assert await journal.prune(found[0].changed) == 1
            assert [one.run_id for one in await journal.runs()] == ["a"]
            assert await journal.delete("a")
            assert not await journal.delete("a")
            assert await journal.records("a") == []
            assert await journal.append("a", "paused", {}, key="1")

        self._run(tmp_path, test)

    def test_what_is_no_json_is_refused_and_leaves_nothing(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            for wrong in (object(), float("nan"), {1, 2}):
                error = await _refused(journal.append("r", "turn", {"value": wrong}, key="t1"))
                assert error.code == "journal.not_json"
                assert "turn" in error.message
            assert await journal.records("r") == []
            assert await journal.append("r", "turn", {}, key="t1")

        self._run(tmp_path, test)

    def test_records_are_copies(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            data = {"list": [1]}
            await journal.append("r", "turn", data)
            data["list"].append(2)
            found = await journal.records("r")
            found[0].data["list"].append(3)
            assert (await journal.records("r"))[0].data == {"list": [1]}

        self._run(tmp_path, test)

    def test_one_has_a_run_at_a_time(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            async with journal.hold("r"):
                async with journal.hold("other"):
                    pass
                error = await _refused(journal.hold("r").__aenter__())
                assert (error.code, error.retryable) == ("journal.held", True)
            async with journal.hold("r"):
                pass

        self._run(tmp_path, test)

    def test_a_closed_journal_says_so(self, tmp_path: Path) -> None:
        async def test(journal: Journal) -> None:
            await journal.close()
            await journal.close()
            assert (await _refused(journal.records("r"))).code == "journal.closed"

        self._run(tmp_path, test)

    def test_a_persistent_journal_has_its_records_when_it_is_opened_again(
        self, tmp_path: Path
    ) -> None:
        async def write(journal: Journal) -> None:
            assert journal.persistent == self.persistent
            await journal.append("r", "run.started", {"input": "x"}, key="run")
            await journal.append("r", "turn", {"text": "y"}, key="t1")

        async def read(journal: Journal) -> None:
            kept = ["run.started", "turn"] if self.persistent else []
            assert [one.kind for one in await journal.records("r")] == kept

        self._run(tmp_path, write)
        self._run(tmp_path, read)


async def _refused(work: Awaitable[Any]) -> JournalError:
    try:
        await work
    except JournalError as error:
        return error
    raise AssertionError("it was not refused")
