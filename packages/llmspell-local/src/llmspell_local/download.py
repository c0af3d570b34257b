"""Fetching a file over HTTP: goes on where it stopped, kept only when it is what it must be."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmspell_core.errors import ProviderError
from llmspell_core.provider import Progress
from llmspell_local.lock import process_lock
from llmspell_local.remote import Remote

if TYPE_CHECKING:
    import httpx

log = logging.getLogger("llmspell.local")

ATTEMPTS = 5
PAUSE_S = 1.0
_PART = ".part-"
_MAGIC = b"GGUF"
_OK, _PARTIAL, _BEYOND = 200, 206, 416
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class _Begun:
    """What is here of a file, and of which version of it."""

    path: Path
    url: str = ""
    version: str = ""

    @classmethod
    def of(cls, folder: Path, remote: Remote) -> _Begun:
        begun = cls(folder / f"{_PART}{remote.file_name}", remote.url)
        try:
            noted = json.loads(begun._note.read_text(encoding="utf-8"))
            same = noted["url"] == remote.url
            begun.version = str(noted["version"]) if same else ""
        except (OSError, ValueError, KeyError, TypeError):
            begun.version = ""
        if not begun.version:
            begun.drop()
        return begun

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def restart(self, version: str) -> None:
        self.drop()
        self.version = version
        if version:
            noted = json.dumps({"url": self.url, "version": version})
            self._note.write_text(noted, encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def keep(self, target: Path) -> None:
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


async def download(
    remote: Remote,
    folder: Path,
    client: httpx.AsyncClient,
    progress: Progress | None = None,
    pause_s: float = PAUSE_S,
) -> Path:
    """The file in `folder`. What an earlier, interrupted call fetched is not fetched again.

    Args:
        remote: which file, and its SHA-256 where it is known.
        folder: where it is kept; made when missing.
        client: follows redirects.
        progress: told of bytes done and in all (0 while unknown) and the file's name.
        pause_s: seconds before the connection is tried again, doubling.

    Raises:
        ProviderError: `provider.model_missing` when it cannot be had or is not what it must be.
    """
    tell = progress or (lambda _done, _total, _text: None)
    target = folder / remote.file_name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = f"{remote.file_name} (another process fetches it)"
        async with process_lock(folder / ".lock", lambda: tell(0, 0, waiting)):
            if target.is_file():
                return await _as_it_is(target, remote)
            begun = _Begun.of(folder, remote)
            expected = await _fetched(remote, begun, client, tell, pause_s)
            await asyncio.to_thread(_check, begun, remote, expected)
            begun.keep(target)
    except OSError as error:
        raise _missing(remote, f"{error.strerror or error} ({error.filename or folder})") from None
    return target


async def _as_it_is(target: Path, remote: Remote) -> Path:
    """A file of this name that is here already: the same one, or an error."""
    if remote.sha256 and await asyncio.to_thread(_digest, target) != remote.sha256:
        raise _missing(
            remote,
            f"another file is here under this name: {target}",
            hint=f"llmspell models remove {target.stem}",
        )
    return target


async def _fetched(
    remote: Remote, begun: _Begun, client: httpx.AsyncClient, tell: Progress, pause_s: float
) -> str:
    """Fetch the rest, in several attempts; the SHA-256 that it must have, "" when unknown."""
    import httpx

    for attempt in range(1, ATTEMPTS + 1):
        before = begun.size
        try:
            return await _once(remote, begun, client, tell)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            if attempt == ATTEMPTS:
                raise _missing(
                    remote,
                    f"{reason}; {begun.size} bytes are here, the rest is fetched next time",
                    hint="check the network, then try again",
                    passes=True,
                ) from None
            log.info("%s: %s; going on at byte %d", remote.source, reason, begun.size)
        # Whoever gets somewhere each time is not waited for longer and longer.
        await asyncio.sleep(pause_s if begun.size > before else pause_s * 2 ** (attempt - 1))
    raise AssertionError("the last attempt returns or raises")


async def _once(remote: Remote, begun: _Begun, client: httpx.AsyncClient, tell: Progress) -> str:
    import httpx

    start = begun.size
    headers = {"accept-encoding": "identity"}
    if start:
        headers |= {"range": f"bytes={start}-", "if-range": begun.version}
    async with client.stream("GET", remote.url, headers=headers) as response:
        status = response.status_code
        if status in _MAY_PASS:
            raise httpx.TransportError(f"the server answered {status}")
        expected = remote.sha256 or _announced(response)
        if status == _BEYOND and start and _total(response.headers) == start:
            return expected
        if status not in (_OK, _PARTIAL):
            begun.drop()
            raise _missing(remote, f"the server answered {status}")
        if status == _OK:
            begun.restart(_version(response.headers))
            start = 0
        total = _total(response.headers) or 0
        with begun.path.open("ab") as out:
            async for chunk in response.aiter_bytes():
                out.write(chunk)
                start += len(chunk)
                tell(start, total, remote.file_name)
        if total and start != total:
            raise httpx.RemoteProtocolError(f"{start} of {total} bytes came")
        return expected


def _announced(response: httpx.Response) -> str:
    """The SHA-256 that a hub says the file has: its own answer carries it, before a redirect."""
    for one in (*response.history, response):
        tag = str(one.headers.get("x-linked-etag", "")).strip('"').lower()
        if len(tag) == hashlib.sha256().digest_size * 2:
            return tag
    return ""


def _version(headers: Mapping[str, str]) -> str:
    """What tells this version of the file from another; "" when a rest could be of another."""
    tag = headers.get("etag", "")
    return "" if tag.startswith("W/") else tag or headers.get("last-modified", "")


def _total(headers: Mapping[str, str]) -> int | None:
    """The size of the whole file."""
    whole = headers.get("content-range", "").rpartition("/")[2] or headers.get("content-length", "")
    return int(whole) if whole.isdigit() else None


def _check(begun: _Begun, remote: Remote, expected: str) -> None:
    with begun.path.open("rb") as file:
        os.fsync(file.fileno())
        is_model = file.read(len(_MAGIC)) == _MAGIC
    if not is_model:
        begun.drop()
        raise _missing(remote, "what came is no GGUF file")
    digest = _digest(begun.path)
    if not expected:
        log.warning("%s: nobody said its SHA-256; it is %s", remote.source, digest)
    elif digest != expected:
        begun.drop()
        raise _missing(remote, f"the file's SHA-256 is {digest}, not {expected}: not kept")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _missing(
    remote: Remote, why: str, *, hint: str | None = None, passes: bool = False
) -> ProviderError:
    return ProviderError(
        f"the model {remote.source} could not be fetched: {why}",
        code="provider.model_missing",
        hint=hint,
        details={"model": remote.source, "url": remote.url},
        retryable=passes,
    )
