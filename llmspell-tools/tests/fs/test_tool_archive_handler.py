from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.fs import _archive
from llmspell_tools.fs.archive_handler import ArchiveHandler

FORMATS = ["zip", "tar", "tar.gz", "tar.zst"]


def run(folder: Path, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        security = {"files": {"read": [str(folder)], "write": [str(folder)]}}
        async with Runtime({"security": security}) as runtime:
            for name in ("archive_path", "source_path", "target_path"):
                if name in params:
                    params[name] = str(folder / params[name])
            return await ArchiveHandler().call(params, runtime.context())

    return asyncio.run(main())


def code_of(folder: Path, **params: Any) -> str:
    with pytest.raises(LLMSpellError) as caught:
        run(folder, **params)
    return caught.value.code


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = tmp_path / "src"
    (source / "sub/empty").mkdir(parents=True)
    (source / "a.txt").write_text("hello")
    (source / "sub/grüße.bin").write_bytes(bytes(range(256)) * 600)
    (source / "sub/b.log").write_text("")
    return tmp_path


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_packed_comes_out_again(tree: Path, kind: str) -> None:
    made = run(tree, operation="create", archive_path=f"a.{kind}", source_path="src")
    names = ["a.txt", "sub/b.log", "sub/grüße.bin"]
    assert (made.result["format"], made.result["files"]) == (kind, names)
    assert made.result["size"] == (tree / f"a.{kind}").stat().st_size
    assert made.text == f"packed 3 files into {tree / f'a.{kind}'}"

    listed = run(tree, operation="list", archive_path=f"a.{kind}")
    assert [one["name"] for one in listed.output if not one["is_dir"]] == names
    assert {one["name"] for one in listed.output if one["is_dir"]} == {"sub", "sub/empty"}
    assert listed.result["total_size"] == 5 + 256 * 600
    assert listed.output[0]["modified"].startswith("20")

    out = run(tree, operation="extract", archive_path=f"a.{kind}", target_path="out")
    assert out.result["files"] == names
    assert (out.result["skipped"], out.result["bytes"]) == ([], 5 + 256 * 600)
    assert (tree / "out/sub/grüße.bin").read_bytes() == bytes(range(256)) * 600
    assert (tree / "out/sub/empty").is_dir()


@pytest.mark.parametrize("kind", FORMATS)
def test_other_programs_read_what_is_packed(tree: Path, kind: str) -> None:
    run(tree, operation="create", archive_path="x", source_path="src", format=kind)
    if kind == "zip":
        with zipfile.ZipFile(tree / "x") as archive:
            assert archive.testzip() is None
            assert archive.read("a.txt") == b"hello"
        return
    data = (tree / "x").read_bytes()
    if kind == "tar.zst":
        data = _archive.load_zstd().decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert "sub/grüße.bin" in tar.getnames()
        tar.extractall(tree / "other", filter="data")
    assert (tree / "other/a.txt").read_text() == "hello"


def test_one_file_as_gz(tree: Path) -> None:
    made = run(tree, operation="create", archive_path="a.txt.gz", source_path="src/a.txt")
    assert made.result["format"] == "gz"
    assert gzip.decompress((tree / "a.txt.gz").read_bytes()) == b"hello"
    listed = run(tree, operation="list", archive_path="a.txt.gz")
    assert listed.result["files"] == [{"name": "a.txt", "size": 5, "is_dir": False}]
    run(tree, operation="extract", input=str(tree / "a.txt.gz"), target_path="out")
    assert (tree / "out/a.txt").read_text() == "hello"
    assert code_of(tree, operation="create", archive_path="b.gz", source_path="src") == (
        "input.invalid"
    )


def test_the_content_says_the_format_where_the_name_does_not(tree: Path) -> None:
    for kind in FORMATS:
        run(tree, operation="create", archive_path="x.bin", source_path="src", format=kind)
        assert run(tree, operation="list", archive_path="x.bin").result["format"] == kind


def test_choosing_by_name_and_glob(tree: Path) -> None:
    made = run(
        tree,
        operation="create",
        archive_path="a.tgz",
        source_path="src",
        files=["sub", "a.txt"],
        exclude=["*.log"],
    )
    assert made.result["files"] == ["a.txt", "sub/grüße.bin"]
    some = run(tree, operation="create", archive_path="b.zip", source_path="src", include="*.txt")
    assert some.result["files"] == ["a.txt"]
    assert run(tree, operation="list", archive_path="a.tgz", files=["a.txt"]).result["count"] == 1
    out = run(tree, operation="extract", archive_path="a.tgz", target_path="out", include=["sub/*"])
    assert out.result["files"] == ["sub/grüße.bin"]
    assert not (tree / "out/a.txt").exists()
    again = run(tree, operation="create", archive_path="src/self.zip", source_path="src")
    assert "self.zip" not in again.result["files"]


def tar_of(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data, more in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def zip_of(*names: str, mode: int = 0, data: bytes = b"x", method: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, method)
    return made.getvalue()


OUT = ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", "C:evil", "//host/evil",
       "a/b/../../../evil", "..", "./../evil", "a\x01b", "x" * 300, "d/" * 70 + "x"]  # fmt: skip


@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_stop_the_extraction_before_it_begins(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of("good.txt", name))
    (tmp_path / "a.tar").write_bytes(tar_of(("good.txt", b"x", {}), (name, b"x", {})))
    for path in ("a.zip", "a.tar"):
        assert code_of(tmp_path, operation="extract", archive_path=path, target_path="out") == (
            "archive.unsafe"
        )
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("evil"))


def test_links_and_devices_are_left_out_and_named(tmp_path: Path) -> None:
    link = {"type": tarfile.SYMTYPE, "linkname": "/etc"}
    (tmp_path / "a.tar").write_bytes(
        tar_of(
            ("door", b"", link),
            ("hard", b"", {"type": tarfile.LNKTYPE, "linkname": "../../secret"}),
            ("pipe", b"", {"type": tarfile.FIFOTYPE}),
            ("disk", b"", {"type": tarfile.BLKTYPE}),
            ("door/passwd", b"mine", {}),
        )
    )
    out = run(tmp_path, operation="extract", archive_path="a.tar", target_path="out")
    assert [one["name"] for one in out.result["skipped"]] == ["door", "hard", "pipe", "disk"]
    # No link was made, so that this one is an ordinary file in an ordinary directory.
    assert (tmp_path / "out/door/passwd").read_text() == "mine"
    assert not (tmp_path / "out/door").is_symlink()

    (tmp_path / "a.zip").write_bytes(zip_of("door", mode=0o120777, data=b"/etc"))
    zipped = run(tmp_path, operation="extract", archive_path="a.zip", target_path="out2")
    assert (zipped.result["files"], len(zipped.result["skipped"])) == ([], 1)


def test_links_that_are_in_the_target_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "beside").mkdir()
    (tmp_path / "out/door").symlink_to("/etc")
    (tmp_path / "out/near").symlink_to(tmp_path / "beside")
    (tmp_path / "a.zip").write_bytes(zip_of("door/x", "near/x", "ok"))
    out = run(tmp_path, operation="extract", archive_path="a.zip", target_path="out")
    assert out.result["files"] == ["ok"]
    assert [one["name"] for one in out.result["skipped"]] == ["door/x", "near/x"]
    assert not (tmp_path / "beside/x").exists()


def test_what_the_policy_denies_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of("llmspell.toml", ".git/hooks/x", ".env", "ok"))
    out = run(tmp_path, operation="extract", archive_path="a.zip", target_path="out")
    assert out.result["files"] == ["ok"]
    assert len(out.result["skipped"]) == 3


def test_setuid_does_not_come_out(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of(("run", b"x", {"mode": 0o6777})))
    run(tmp_path, operation="extract", archive_path="a.tar", target_path="out")
    assert (tmp_path / "out/run").stat().st_mode & 0o7777 == 0o755


def _pax_bomb() -> bytes:
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, 64 * 1024 * 1024
    return gzip.compress(head.tobuf() + bytes(head.size), 1)


def _backwards() -> bytes:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"size": "-1024"}
    return tar_of(("first", b"1" * 2000, {})).rstrip(b"\0") + bytes(1024) + info.tobuf()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zeros.gz": ("limit.archive_size", lambda: gzip.compress(bytes(40_000_000))),
    "zeros.tar.gz": (
        "limit.archive_size",
        lambda: gzip.compress(tar_of(("x", bytes(40_000_000), {}))),
    ),
    "zeros.zip": (
        "limit.archive_size",
        lambda: zip_of("a", data=bytes(40_000_000), method=zipfile.ZIP_DEFLATED),
    ),
    "many.zip": ("limit.archive_size", lambda: zip_of(*map(str, range(10_001)), data=b"")),
    "pax.tar.gz": ("limit.archive_size", _pax_bomb),
    "zeros.tar.zst": (
        "limit.archive_size",
        lambda: _archive.load_zstd().compress(tar_of(("x", bytes(40_000_000), {}))),
    ),
    "lzma.zip": ("archive.unsupported", lambda: zip_of("a", method=zipfile.ZIP_LZMA)),
    "bzip2.zip": ("archive.unsupported", lambda: zip_of("a", method=zipfile.ZIP_BZIP2)),
    "text.zip": ("archive.invalid", lambda: b"no zip at all"),
    "cut.zip": ("archive.invalid", lambda: zip_of("a", "b")[:-10]),
    "cut.tar": ("archive.invalid", lambda: tar_of(("a", b"x" * 5000, {}))[:2000]),
    "cut.tar.gz": ("archive.invalid", lambda: gzip.compress(tar_of(("a", b"x", {})))[:-20]),
    "bad.tar.zst": ("archive.invalid", lambda: b"\x28\xb5\x2f\xfd" + b"\xff" * 50),
    "empty.tar": ("archive.invalid", lambda: b""),
    "crc.zip": ("archive.invalid", lambda: zip_of("a", data=b"hello").replace(b"hello", b"jello")),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_and_damage_end_as_errors(tmp_path: Path, name: str) -> None:
    code, make = BOMBS[name]
    (tmp_path / name).write_bytes(make())
    assert code_of(tmp_path, operation="extract", archive_path=name, target_path="out") == code
    assert not [one for one in tmp_path.rglob("out/*") if one.is_file()]


def test_members_that_lie_about_their_size_do_not_loop(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(_backwards())
    try:
        run(tmp_path, operation="list", archive_path="a.tar")
    except LLMSpellError as error:
        assert error.code == "archive.invalid"  # noqa: PT017 - either is right


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    data = bytearray(zip_of("a"))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + at] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(LLMSpellError, match="is encrypted") as caught:
        run(tmp_path, operation="extract", archive_path="a.zip", target_path="out")
    assert caught.value.code == "archive.unsupported"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "create", "archive_path": "a.zip"}, 'files is required for "create"'),
        ({"operation": "create", "archive_path": "a", "source_path": "src"}, "format is not told"),
        ({"operation": "extract", "archive_path": "b.zip"}, "target_path is required"),
        ({"operation": "list"}, "archive_path is required"),
        ({"operation": "list", "archive_path": "src/a.txt"}, "archive_path is no archive"),
        ({"operation": "burn", "archive_path": "a"}, "operation must be one of create, extract"),
        ({"operation": "list", "archive_path": "a", "format": "rar"}, "format must be one of zip"),
        (
            {"operation": "create", "archive_path": "a.zip", "source_path": "src", "include": "z"},
            "source_path is without anything",
        ),
    ],
)
def test_mistakes_name_the_field(tree: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(tree, **params)


def test_only_allowed_paths_are_packed_and_unpacked(tree: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("s")
    (tree / "src/link").symlink_to(outside)
    made = run(tree, operation="create", archive_path="a.zip", source_path="src")
    assert not [name for name in made.result["files"] if "link" in name]
    for params in (
        {"operation": "create", "archive_path": "b.zip", "files": [str(outside / "secret")]},
        {"operation": "create", "archive_path": "../b.zip", "source_path": "src"},
        {"operation": "extract", "archive_path": "a.zip", "target_path": str(outside)},
    ):
        assert code_of(tree, **params) == "policy.file"
