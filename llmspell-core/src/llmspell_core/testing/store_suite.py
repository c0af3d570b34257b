"""The tests that every `StateStore` passes; a plugin's store inherits them.

    class TestMyStore(StoreSuite):
        def open(self, folder):
            return MyStore(folder / "state.bin")

`open` is called with an empty folder for each test. A store that outlives its process sets
`persistent`, and gives the same state when it is opened in the same folder again.
"""
# ruff: noqa: S101, PLR2004 - these are tests

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from llmspell_core.errors import StateError
from llmspell_core.state import DELETE, KEEP, MISSING, StateStore, StateView

#: Everything JSON can say, and text that is awkward to store.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**53 + 1,
    2**62,
    1.0,
    -2.5e-9,
    "",
    "text",
    "line\nbreak \0 end",
    "ünïcödé 漢字 😀",
    "\ud800 a lone surrogate",
    [],
    {},
    [1, [2, [3]], {"a": None}],
    {"": 1, "a.b": 2, "nested": {"list": [{}, []]}},
)
_KEYS = ("a", "a.b", "a/b", "A", "ä", "漢", "%", "_", "a\0b", " ", "\ud800", "$", "'; DROP TABLE")


class StoreSuite:
    """Inherit from it in a class that pytest collects, and write `open`."""

    persistent = False

    def open(self, folder: Path) -> StateStore:
        """A store of your kind, with whatever it keeps in `folder`."""
        raise TypeError(f"{type(self).__name__} does not say how to open a store")

    def _run(self, folder: Path, test: Callable[[StateStore], Awaitable[None]]) -> None:
        async def main() -> None:
            store = self.open(folder)
            try:
                await test(store)
            finally:
                await store.close()

        asyncio.run(main())

    def test_every_json_value_comes_back_unchanged(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            for value in VALUES:
                await store.set("s", "k", value)
                found, version = await store.get("s", "k")
                assert found == value
                assert type(found) is type(value)
                assert version != 0

        self._run(tmp_path, test)

    def test_a_missing_key_has_version_0(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            assert await store.get("s", "k") == (MISSING, 0)

        self._run(tmp_path, test)

    def test_values_are_copies(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            value = {"list": [1]}
            await store.set("s", "k", value)
            value["list"].append(2)
            found, _ = await store.get("s", "k")
            found["list"].append(3)
            assert await store.all("s") == {"k": {"list": [1]}}

        self._run(tmp_path, test)

    def test_what_is_no_json_is_refused(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            cycle: list[Any] = []
            cycle.append(cycle)
            for value in (object(), {1: 2}, float("nan"), float("inf"), b"x", {"a": {3}}, cycle):
                await _refused(store.set("s", "k", value))
                await _refused(store.compare_and_set("s", {"k": (0, value)}))
            assert await store.keys("s") == []

        self._run(tmp_path, test)

    def test_keys_are_opaque(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            for number, key in enumerate(_KEYS):
                await store.set("s", key, number)
            assert sorted(await store.keys("s")) == sorted(_KEYS)
            assert await store.all("s") == {key: number for number, key in enumerate(_KEYS)}

        self._run(tmp_path, test)

    def test_keys_are_found_by_their_exact_prefix(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            for key in ("user.1", "user.2", "users", "user%", "USER.3", "z"):
                await store.set("s", key, 1)
            assert await store.keys("s", "user.") == ["user.1", "user.2"]
            assert await store.keys("s", "user%") == ["user%"]
            assert await store.keys("s", "none") == []
            assert len(await store.keys("s", "")) == 6

        self._run(tmp_path, test)

    def test_scopes_do_not_see_each_other(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            for scope in ("s", "s#agent:a", "S", "s2", "%"):
                await store.set(scope, "k", scope)
            assert await store.all("s") == {"k": "s"}
            assert await store.clear("s") == 1
            assert await store.all("s") == {}
            assert await store.all("s#agent:a") == {"k": "s#agent:a"}

        self._run(tmp_path, test)

    def test_delete_says_whether_the_key_was_there(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            await store.set("s", "k", 1)
            assert await store.delete("s", "k")
            assert not await store.delete("s", "k")
            assert await store.get("s", "k") == (MISSING, 0)

        self._run(tmp_path, test)

    def test_the_version_changes_with_every_change(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            seen = set()
            for value in (1, 1, 2):
                await store.set("s", "k", value)
                seen.add((await store.get("s", "k"))[1])
            await store.delete("s", "k")
            await store.set("s", "k", 1)
            seen.add((await store.get("s", "k"))[1])
            assert len(seen) == 4

        self._run(tmp_path, test)

    def test_compare_and_set_makes_all_changes_or_none(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            await store.set("s", "a", 1)
            await store.set("s", "b", 1)
            _, a = await store.get("s", "a")
            _, b = await store.get("s", "b")
            assert await store.compare_and_set(
                "s", {"a": (a, 2), "b": (b, DELETE), "c": (0, 3), "d": (None, 4)}
            )
            assert await store.all("s") == {"a": 2, "c": 3, "d": 4}
            for stale in ({"c": (None, 9), "a": (a, 9)}, {"d": (None, DELETE), "c": (0, 9)}):
                assert not await store.compare_and_set("s", stale)
            assert not await store.compare_and_set("s", {"b": (b, KEEP), "d": (None, 9)})
            assert await store.all("s") == {"a": 2, "c": 3, "d": 4}
            assert await store.compare_and_set("s", {"b": (0, KEEP), "d": (None, 5)})
            assert await store.all("s") == {"a": 2, "c": 3, "d": 5}

        self._run(tmp_path, test)

    def test_size_counts_a_scope_and_those_beneath_it(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            assert await store.size("s") == 0
            await store.set("s", "k", "x" * 1000)
            await store.set("s#agent:a", "k", "x" * 1000)
            await store.set("s2", "k", "x" * 1000)
            assert 2000 <= await store.size("s") < 2100

        self._run(tmp_path, test)

    def test_concurrent_updates_are_all_counted(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            view = StateView(store, "s")
            await asyncio.gather(*(view.increment("n") for _ in range(50)))
            assert await view.get("n") == 50

        self._run(tmp_path, test)

    def test_flush_and_close_may_be_called_at_any_time(self, tmp_path: Path) -> None:
        async def test(store: StateStore) -> None:
            await store.flush()
            await store.set("s", "k", 1)
            await store.flush()
            await store.close()
            await store.close()

        self._run(tmp_path, test)

    def test_what_was_stored_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        async def write(store: StateStore) -> None:
            await store.set("s", "k", {"a": 1})

        async def read(store: StateStore) -> None:
            expected = {"k": {"a": 1}} if self.persistent else {}
            assert await store.all("s") == expected

        self._run(tmp_path, write)
        self._run(tmp_path, read)


async def _refused(call: Awaitable[Any]) -> None:
    code = ""
    try:
        await call
    except StateError as error:
        code = error.code
    assert code == "state.not_json", "a value that is no JSON was stored"
