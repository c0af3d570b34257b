"""Names of models and where their files lie; the head of a GGUF file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from llmspell_core.errors import ConfigError, ProviderError
from llmspell_local.files import ModelFiles, configured_paths, is_path
from llmspell_local.gguf import read_head


def gguf(*pairs: tuple[str, int | str]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    made = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs))
    for key, value in pairs:
        made += text(key)
        if isinstance(value, str):
            made += struct.pack("<I", 8) + text(value)
        else:
            made += struct.pack("<II", 4, value)
    return made


def test_models_come_from_the_catalogue_the_cache_and_the_settings(tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"x")
    (tmp_path / "big.gguf").write_bytes(b"12345")
    files = ModelFiles(tmp_path, configured={"qwen": tmp_path / "big.gguf"})
    rows = {one.name: one for one in files.list()}
    assert sorted(rows) == ["big", "own", "qwen", "smollm2-135m"]
    assert (rows["qwen"].size, rows["qwen"].present) == (5, True)
    assert (rows["smollm2-135m"].present, rows["smollm2-135m"].default) == (False, True)


def test_an_unknown_name_gets_the_nearest_one(tmp_path: Path) -> None:
    error = ModelFiles(tmp_path).unknown("smollm2-135")
    assert error.code == "provider.model_missing"
    assert str(error.hint).startswith('did you mean "smollm2-135m"?')


def test_only_files_of_the_cache_are_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"x")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "old.gguf").write_bytes(b"x")
    files = ModelFiles(cache, configured={"mine": mine})
    files.remove("old")
    assert list(cache.iterdir()) == []
    with pytest.raises(ProviderError, match="a file of yours"):
        files.remove("mine")
    assert mine.exists()
    with pytest.raises(ProviderError, match="is not on this machine"):
        files.remove("smollm2-135m")
    with pytest.raises(ProviderError, match="no local model"):
        files.remove("../mine")


def test_entries_of_the_settings_are_names_with_paths() -> None:
    found = configured_paths(["a=/x/y.gguf", "/z/other.gguf", "smollm2-135m"])
    assert found == {"a": Path("/x/y.gguf"), "other": Path("/z/other.gguf")}
    with pytest.raises(ConfigError, match="neither name=path nor a known model"):
        configured_paths(["smollm"])


@pytest.mark.parametrize("name", ["a.gguf", "./a", "x\\y", "~/m.gguf", "/m"])
def test_a_path_is_told_from_a_name(name: str) -> None:
    assert is_path(name)
    assert not is_path("smollm2-135m")


def test_the_head_of_a_file_tells_context_and_size(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(
        gguf(("general.architecture", "llama"), ("llama.context_length", 8192), ("tokenizer.x", 1))
    )
    head = read_head(path)
    assert (head.context, head.size, head.small) == (8192, path.stat().st_size, True)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04 no model", gguf(("a", 1))[:-2]])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(ProviderError, match=r"m\.gguf is no model file") as caught:
        read_head(path)
    assert caught.value.hint == "local models are single GGUF files"
