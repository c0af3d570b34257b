from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.fs.file_watcher import FileWatcher


def watch(folder: Path, change: Callable[[], Any] | None = None, **params: Any) -> ToolResult:
    """Watch, and change something as soon as watching has begun."""

    async def main() -> ToolResult:
        files = {"read": [str(folder)], "write": []}
        async with Runtime({"security": {"files": files}}) as runtime:
            given = {"input": str(folder), "timeout_ms": 5000, "debounce_ms": 20, **params}
            ctx = runtime.context()
            begun = asyncio.create_task(ctx.events.wait_for("tool.progress", 20_000))
            await asyncio.sleep(0)
            task = asyncio.create_task(FileWatcher().call(given, ctx))
            await asyncio.wait([begun, task], return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()
            if change is not None:
                await asyncio.to_thread(change)
            return await task

    return asyncio.run(main())


def names(result: ToolResult, folder: Path) -> list[tuple[str, str]]:
    return [(one["kind"], str(Path(one["path"]).relative_to(folder))) for one in result.output]


def test_a_new_file_is_told_and_ends_the_watch(tmp_path: Path) -> None:
    started = time.monotonic()
    result = watch(tmp_path, lambda: (tmp_path / "a.txt").write_text("x"), max_events=1)
    assert time.monotonic() - started < 4
    assert names(result, tmp_path) == [("created", "a.txt")]
    assert (result.result["count"], result.result["timed_out"]) == (1, False)
    assert result.output[0]["time"].endswith("Z")
    assert result.text == f"created {tmp_path / 'a.txt'}"


def test_nothing_happens_until_the_time_is_up(tmp_path: Path) -> None:
    result = watch(tmp_path, timeout_ms=400)
    assert result.result["events"] == []
    assert result.result["timed_out"] is True
    assert result.text == "no changes"


def test_changes_and_deletions_that_match_the_pattern(tmp_path: Path) -> None:
    for name in ("a.log", "b.txt", "c.log"):
        (tmp_path / name).write_text("x")

    def change() -> None:
        (tmp_path / "a.log").write_text("more")
        (tmp_path / "b.txt").unlink()
        (tmp_path / "c.log").unlink()

    result = watch(tmp_path, change, pattern="*.log", max_events=2)
    assert set(names(result, tmp_path)) == {("modified", "a.log"), ("deleted", "c.log")}


def test_directories_made_meanwhile_are_watched_too(tmp_path: Path) -> None:
    def change() -> None:
        (tmp_path / "new/deep").mkdir(parents=True)
        (tmp_path / "new/deep/a.txt").write_text("x")
        time.sleep(0.4)
        (tmp_path / "new/deep/b.txt").write_text("x")

    result = watch(tmp_path, change, pattern="*.txt", max_events=2)
    assert names(result, tmp_path) == [("created", "new/deep/a.txt"), ("created", "new/deep/b.txt")]


def test_not_recursive(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()

    def change() -> None:
        (tmp_path / "sub/a.txt").write_text("x")
        (tmp_path / "b.txt").write_text("x")

    result = watch(tmp_path, change, recursive=False, max_events=1, timeout_ms=800)
    assert names(result, tmp_path) == [("created", "b.txt")]


def test_one_file_that_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def change() -> None:
        (tmp_path / "b.txt").write_text("new")
        (tmp_path / "b.txt").replace(target)

    result = watch(tmp_path, change, input=[str(target)], timeout_ms=700)
    assert {one["path"] for one in result.output} == {str(target)}


def test_links_do_not_lead_out_and_hidden_files_stay_hidden(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "sub").mkdir()
    (tmp_path / "door").symlink_to(outside)
    (tmp_path / "root").symlink_to("/")

    def change() -> None:
        (outside / "secret.txt").write_text("x")
        (outside / "sub/secret.txt").write_text("x")
        (tmp_path / ".env").write_text("x")
        (tmp_path / "later").symlink_to(outside)
        (outside / "again.txt").write_text("x")
        (tmp_path / "seen.txt").write_text("x")

    result = watch(tmp_path, change, timeout_ms=900)
    assert {name for _, name in names(result, tmp_path)} == {"seen.txt"}


def test_only_allowed_paths_are_watched(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "door").symlink_to("/etc")
    outside = tmp_path_factory.mktemp("outside")
    for path in ("/etc", "/proc", str(outside), str(tmp_path / "door"), str(tmp_path / "..")):
        with pytest.raises(LLMSpellError) as caught:
            watch(tmp_path, input=path)
        assert caught.value.code == "policy.file"
    with pytest.raises(LLMSpellError) as caught:
        watch(tmp_path, input=str(tmp_path / "missing"))
    assert caught.value.code == "file.not_found"


def test_too_many_directories_are_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmspell_tools.fs._watch.MOST_DIRECTORIES", 3)
    for name in "abcd":
        (tmp_path / name).mkdir()
    with pytest.raises(LLMSpellError) as caught:
        watch(tmp_path)
    assert caught.value.code == "limit.watched"
    assert watch(tmp_path, recursive=False, timeout_ms=50).result["count"] == 0


def test_cancelling_ends_the_watch(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime({"security": {"files": {"read": [str(tmp_path)]}}}) as runtime:
            given = {"input": str(tmp_path), "timeout_ms": 60_000}
            task = asyncio.create_task(FileWatcher().call(given, runtime.context()))
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_config_tells_defaults_and_limits(tmp_path: Path) -> None:
    result = watch(tmp_path, operation="config")
    assert result.result["defaults"]["max_events"] == 100
    assert result.result["limits"]["timeout_ms"] == 600_000


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"input": []}, "input is required"),
        ({"input": {}}, "input is required"),
        ({"timeout_ms": 0}, "timeout_ms must be greater than 0"),
        ({"max_events": 0}, "max_events must be greater"),
        ({"operation": "stare"}, "operation must be one of watch, config"),
    ],
)
def test_mistakes_name_the_field(tmp_path: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        watch(tmp_path, **params)
