"""Unpacking members of an archive below one directory, through the file gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from llmspell_core.errors import PolicyError
from llmspell_tools.fs._archive import Member

if TYPE_CHECKING:
    from llmspell_core.security.files import FileGate
    from llmspell_tools.fs._archive_read import Chunks


class Extracted:
    """What has been unpacked so far."""

    def __init__(self, target: str, files: FileGate) -> None:
        self._target, self._gate = target.rstrip("/") or "/", files
        self._root = files.resolve(target, "write")
        self.files: list[str] = []
        self.skipped: list[dict[str, str]] = []
        self.bytes = 0

    def put(self, member: Member, content: Chunks, alive: Callable[[], None]) -> None:
        """Write one member, where that is allowed."""
        if member.kind not in ("file", "directory"):
            self._skip(member, "links and devices are not extracted")
            return
        path = f"{self._target}/{member.name}"
        try:
            place = self._gate.resolve(path, "write")
        except PolicyError:
            self._skip(member, "the security profile does not allow to write it")
            return
        if not place.is_relative_to(self._root):
            self._skip(member, "a link in the target leads out of it")
        elif member.kind == "directory":
            self._gate.mkdir(path)
        else:
            mode = 0o755 if member.executable else None
            self.bytes += self._gate.write_chunks(path, _watched(content(), alive), mode)
            self.files.append(member.name)

    def _skip(self, member: Member, reason: str) -> None:
        self.skipped.append({"name": member.name, "reason": reason})


def _watched(chunks: Iterator[bytes], alive: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        alive()
        yield chunk
