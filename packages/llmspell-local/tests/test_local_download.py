"""Models fetched from a hub and from URLs: a real server on this machine, cut in all places."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.runtime import Runtime
from llmspell_local.download import download
from llmspell_local.remote import Remote, find, is_remote

CONTENT = b"GGUF" + bytes(range(256)) * 4096
SUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Shelf:
    """What the server has, how it fails, and what it was asked."""

    content: bytes = CONTENT
    etag: str = '"v1"'
    linked: str = SUM
    files: tuple[str, ...] = ("m.gguf",)
    #: Bytes after which an answer is cut, one a request; then whole answers.
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shelf: ClassVar[Shelf]

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/"):
            rows = [{"rfilename": one} for one in ("README.md", *self.shelf.files)]
            return self._send(200, json.dumps({"siblings": rows}).encode(), {})
        if "/resolve/" in self.path:
            headers = {"location": "/blob/m.gguf", "x-linked-etag": f'"{self.shelf.linked}"'}
            return self._send(302, b"", headers)
        self.shelf.ranges.append(self.headers["range"])
        if self.shelf.statuses:
            return self._send(self.shelf.statuses.pop(0), b"", {})
        return self._file()

    def _file(self) -> None:
        start, status = 0, 200
        headers = {"etag": self.shelf.etag}
        if self.headers["range"] and self.headers["if-range"] == self.shelf.etag:
            start, status = int(re.findall(r"\d+", self.headers["range"])[0]), 206
            size = len(self.shelf.content)
            headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
            if start >= size:
                return self._send(416, b"", {"content-range": f"bytes */{size}"})
        return self._send(status, self.shelf.content[start:], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if status in (200, 206) and "etag" in headers and self.shelf.cuts:
            self.wfile.write(body[: self.shelf.cuts.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(body)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Shelved", (Handler,), {"shelf": made}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(remote: Remote, folder: Path, told: list[Any] | None = None) -> Path:
    async def main() -> Path:
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as client:
            tell: Callable[..., None] = (told if told is not None else []).append
            report = None if told is None else (lambda *row: tell(row))
            return await download(remote, folder, client, report, pause_s=0.001)

    return asyncio.run(main())


def file_of(shelf: Shelf, sha256: str = SUM) -> Remote:
    return Remote("m", f"{shelf.url}/m.gguf", "m.gguf", sha256)


def test_a_file_is_fetched_and_the_second_time_not_asked_for(shelf: Shelf, tmp_path: Path) -> None:
    told: list[Any] = []
    path = fetch(file_of(shelf), tmp_path, told)
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT), "m.gguf")
    assert fetch(file_of(shelf), tmp_path) == path
    assert shelf.ranges == [None]
    assert sorted(one.name for one in tmp_path.iterdir()) == [".lock", "m.gguf"]


def test_a_connection_that_breaks_again_and_again_costs_nothing_twice(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.cuts = [1000, 1, 500_000]
    assert fetch(file_of(shelf), tmp_path).read_bytes() == CONTENT
    assert shelf.ranges == [None, "bytes=1000-", "bytes=1001-", "bytes=501001-"]


def test_another_call_goes_on_where_one_was_given_up(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts = [1000] * 5
    with pytest.raises(ProviderError, match="5000 bytes are here") as caught:
        fetch(file_of(shelf), tmp_path)
    assert caught.value.retryable
    assert fetch(file_of(shelf), tmp_path).read_bytes() == CONTENT
    assert shelf.ranges[-1] == "bytes=5000-"


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.cuts = [1000] * 5
    with pytest.raises(ProviderError):
        fetch(file_of(shelf), tmp_path)
    shelf.content, shelf.etag = CONTENT + b"more", '"v2"'
    found = fetch(file_of(shelf, hashlib.sha256(shelf.content).hexdigest()), tmp_path)
    assert found.read_bytes() == shelf.content


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.statuses = [503, 429]
    assert fetch(file_of(shelf), tmp_path).is_file()
    shelf.statuses = [404, 404]
    with pytest.raises(ProviderError, match="answered 404"):
        fetch(Remote("n", f"{shelf.url}/n.gguf", "n.gguf"), tmp_path)
    assert shelf.statuses == [404]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", b"<html>Sign in</html>"])
def test_a_file_that_is_not_what_it_must_be_is_not_kept(
    shelf: Shelf, tmp_path: Path, content: bytes
) -> None:
    shelf.content = content
    with pytest.raises(ProviderError, match=r"SHA-256|no GGUF") as caught:
        fetch(file_of(shelf), tmp_path)
    assert caught.value.code == "provider.model_missing"
    assert [one.name for one in tmp_path.iterdir()] == [".lock"]


def test_another_file_of_the_name_is_not_written_over(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF mine")
    with pytest.raises(ProviderError, match="another file") as caught:
        fetch(file_of(shelf), tmp_path)
    assert caught.value.hint == "llmspell models remove m"
    assert (tmp_path / "m.gguf").read_bytes() == b"GGUF mine"


def test_without_a_known_sum_the_sum_is_told(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.linked = ""
    assert fetch(file_of(shelf, ""), tmp_path).is_file()
    assert f"nobody said its SHA-256; it is {SUM}" in caplog.text


def pulled(shelf: Shelf, cache: Path, name: str) -> Path:
    async def main() -> Path:
        settings = {
            "providers": {"local": {"hub": shelf.url}},
            "system": {"cache_dir": str(cache)},
            "state": {"backend": "memory"},
        }
        async with Runtime(settings) as runtime:
            provider = runtime.provider("local")
            path = await provider.pull(name)
            assert path.stem in [one.name for one in await provider.list_models()]
            return path

    return asyncio.run(main())


@pytest.mark.parametrize("name", ["hf:o/r/m.gguf", "hf:o/r", "hf:o/r@abc/sub/m.gguf"])
def test_a_file_of_the_hub_is_checked_against_what_the_hub_says(
    shelf: Shelf, tmp_path: Path, name: str
) -> None:
    path = pulled(shelf, tmp_path, name)
    assert path == tmp_path / "models" / "m.gguf"
    assert path.read_bytes() == CONTENT


def test_a_hub_that_announces_another_sum_is_not_believed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.linked = "0" * 64
    with pytest.raises(ProviderError, match="not kept"):
        pulled(shelf, tmp_path, "hf:o/r/m.gguf")


def test_a_repository_of_several_files_lists_them(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files = ("q4.gguf", "q8.gguf")
    with pytest.raises(ProviderError, match=r"name one of its files: q4\.gguf, q8\.gguf"):
        pulled(shelf, tmp_path, "hf:o/r")


def test_a_script_fetches_only_through_the_network_gate(shelf: Shelf, tmp_path: Path) -> None:
    async def main() -> None:
        from llmspell_core.context import context_for

        settings = {"system": {"cache_dir": str(tmp_path)}, "state": {"backend": "memory"}}
        async with Runtime(settings) as runtime, context_for(runtime.context()):
            with pytest.raises(LLMSpellError) as caught:
                await runtime.provider("local").pull(f"{shelf.url}/m.gguf")
            assert caught.value.code == "policy.network"

    asyncio.run(main())
    assert shelf.ranges == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("hf:o", "OWNER/REPO"),
        ("hf:o/r/../x.gguf", "OWNER/REPO"),
        ("hf:o/r/model.bin", "no name of a .gguf file"),
        ("https://example.com/.gguf", "no name of a .gguf file"),
        ("https://example.com/a%2f..%2f.gguf", "no name of a .gguf file"),
        ("https://example.com/smollm2-135m.gguf", "of the catalogue"),
        ("http://example.com/m.gguf", "over http"),
        ("ftp://example.com/m.gguf", "only http"),
        ("https://example.com/m.gguf#sha256=12", "64 hexadecimal digits"),
    ],
)
def test_names_that_cannot_be_fetched_say_why(name: str, why: str) -> None:
    async def main() -> None:
        assert is_remote(name)
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(ProviderError, match=why) as caught:
                await find(name, "http://127.0.0.1:9", client)
            assert caught.value.code == "provider.invalid_request"

    asyncio.run(main())
