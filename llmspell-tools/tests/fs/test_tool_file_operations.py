from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.fs.file_operations import FileOperations

Run = Callable[..., Awaitable[ToolResult]]


def within(folder: Path, work: Callable[[Run], Awaitable[None]]) -> None:
    async def main() -> None:
        settings = {"security": {"files": {"read": [str(folder)], "write": [str(folder)]}}}
        async with Runtime(settings) as runtime:

            async def run(operation: str, **params: Any) -> ToolResult:
                for name in ("path", "source_path", "target_path"):
                    if name in params:
                        params[name] = str(folder / params[name])
                return await FileOperations().call(
                    {"operation": operation, **params}, runtime.context()
                )

            await work(run)

    asyncio.run(main())


def test_a_file_is_written_read_and_removed(tmp_path: Path) -> None:
    async def work(run: Run) -> None:
        path = str(tmp_path / "new/dir/a.txt")
        written = await run("write", path="new/dir/a.txt", input="Grüße\r\n")
        assert written.result == {"path": path, "bytes": 9}
        assert written.text == f"wrote 9 bytes to {path}"
        read = await run("read", path="new/dir/a.txt")
        assert read.result == {"text": "Grüße\r\n", "path": path, "size": 9}
        assert read.output == read.text == "Grüße\r\n"
        appended = await run("append", path="new/dir/a.txt", content="more")
        assert appended.text == f"appended 4 bytes to {path}"
        assert (await run("read", path="new/dir/a.txt")).text == "Grüße\r\nmore"
        exists = await run("exists", path="new/dir/a.txt")
        assert exists.result == {"exists": True}
        assert (exists.output, exists.text) == (True, "true")
        deleted = await run("delete", path="new/dir/a.txt")
        assert "deleted" in deleted.text
        assert (await run("exists", path="new/dir/a.txt")).output is False

    within(tmp_path, work)


def test_directories_are_made_listed_and_removed(tmp_path: Path) -> None:
    async def work(run: Run) -> None:
        assert "made the directory" in (await run("mkdir", path="d/e")).text
        await run("write", path="d/b.txt", text="12")
        await run("write", path="d/e/c.txt", data=3)
        listed = await run("ls", path="d")
        assert [one["name"] for one in listed.output] == ["b.txt", "e"]
        assert listed.result["count"] == 2
        first = listed.result["files"][0]
        assert first.keys() == {"name", "path", "size", "is_dir", "modified"}
        assert (first["size"], first["is_dir"]) == (2, False)
        assert listed.text == "b.txt  2 bytes\ne/"
        every = await run("list", path="d", recursive=True)
        assert [one["name"] for one in every.output] == ["b.txt", "e", "c.txt"]
        info = await run("stat", path="d")
        assert info.result["is_dir"] is True
        assert "directory" in info.text
        assert "file of 2 bytes" in (await run("metadata", path="d/b.txt")).text
        with pytest.raises(LLMSpellError):
            await run("delete", path="d")
        await run("delete", path="d", recursive=True)
        assert not (tmp_path / "d").exists()

    within(tmp_path, work)


def test_files_are_copied_and_moved(tmp_path: Path) -> None:
    async def work(run: Run) -> None:
        await run("write", path="a.txt", input="x")
        copied = await run("cp", source_path="a.txt", target_path="b/c.txt")
        assert copied.result["files_copied"] == 1
        assert "copied" in copied.text
        moved = await run("rename", path="a.txt", target_path="z.txt")
        assert "moved" in moved.text
        assert moved.result.keys() == {"source_path", "target_path"}
        with pytest.raises(LLMSpellError):
            await run("copy", source_path="b", target_path="c")
        await run("copy", source_path="b", target_path="c", recursive=True)
        assert sorted(p.name for p in tmp_path.rglob("*.txt")) == ["c.txt", "c.txt", "z.txt"]

    within(tmp_path, work)


def test_a_backup_keeps_what_was_there(tmp_path: Path) -> None:
    async def work(run: Run) -> None:
        first = await run("write", path="a.txt", input="1", backup=True)
        assert "backup_path" not in first.result
        second = await run("write", path="a.txt", input="2", backup=True)
        assert Path(second.result["backup_path"]).read_text() == "1"
        assert (tmp_path / "a.txt").read_text() == "2"

    within(tmp_path, work)


def test_encodings(tmp_path: Path) -> None:
    async def work(run: Run) -> None:
        raw = bytes(range(256))
        await run("write", path="b", input=base64.b64encode(raw).decode(), encoding="base64")
        assert (tmp_path / "b").read_bytes() == raw
        assert base64.b64decode((await run("read", path="b", encoding="base64")).output) == raw
        await run("write", path="raw", input=raw)
        assert (tmp_path / "raw").read_bytes() == raw
        await run("write", path="l", input="é", encoding="latin-1")
        assert (tmp_path / "l").read_bytes() == b"\xe9"
        assert (await run("read", path="l", encoding="latin-1")).output == "é"
        (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfx")
        assert (await run("read", path="bom")).output == "x"
        for params, message in (
            ({"operation": "read", "path": "l"}, "is no utf-8 text"),
            ({"operation": "read", "path": "l", "encoding": "utf-9"}, "encoding is unknown"),
            (
                {"operation": "write", "path": "l", "input": "€", "encoding": "latin-1"},
                "input is not writable",
            ),
            (
                {"operation": "write", "path": "l", "input": "*", "encoding": "base64"},
                "input is not writable",
            ),
            (
                {"operation": "write", "path": "l", "input": "x", "encoding": "no"},
                "encoding is unkn",
            ),
        ):
            with pytest.raises(ValidationError, match=message):
                await run(**params)

    within(tmp_path, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "read"}, 'path is required for "read"'),
        ({"operation": "write", "path": "a"}, 'input is required for "write"'),
        (
            {"operation": "write", "path": "a", "input": {"x": 1}},
            "input must be a string, not a table",
        ),
        ({"operation": "copy"}, "source_path is required"),
        ({"operation": "copy", "path": "a"}, 'target_path is required for "copy"'),
        ({"operation": "reed", "path": "a"}, 'did you mean "read"?'),
        ({"path": "a"}, "operation is required"),
        ({"operation": "read", "path": "a", "recursve": True}, 'did you mean "recursive"?'),
    ],
)
def test_mistakes_name_the_field(tmp_path: Path, params: dict[str, Any], message: str) -> None:
    async def main() -> None:
        async with Runtime({"security": {"files": {"read": [str(tmp_path)]}}}) as runtime:
            with pytest.raises(ValidationError) as caught:
                await FileOperations().call(params, runtime.context())
            assert message in caught.value.message

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "../outside.txt", "\0", ""])
@pytest.mark.parametrize("operation", ["read", "write", "append", "delete", "ls", "exists", "stat"])
def test_nothing_outside_is_reached(tmp_path: Path, operation: str, path: str) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "outside.txt").write_text("secret")

    async def main() -> None:
        settings = {"security": {"files": {"read": [str(inside)], "write": [str(inside)]}}}
        async with Runtime(settings) as runtime:
            params = {"operation": operation, "path": path, "input": "x"}
            if path.startswith("../"):
                params["path"] = str(inside / path)
            with pytest.raises(LLMSpellError) as caught:
                await FileOperations().call(params, runtime.context())
            assert "secret" not in caught.value.message

    asyncio.run(main())
    assert (tmp_path / "outside.txt").read_text() == "secret"
