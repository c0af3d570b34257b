"""Watching directories that the file gate opened, one by one and never through a link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmspell_core.errors import LimitError, LLMSpellError, ToolError
from llmspell_tools._extras import imported

if TYPE_CHECKING:
    from llmspell_core.security.files import FileGate

MOST_DIRECTORIES = 5_000
_MOST_ENTRIES = 200_000
#: Each set of directories that appears while watching costs a thread.
_MOST_LATER = 8
_KINDS = {1: "created", 2: "modified", 3: "deleted"}
_STEP_MS = 20
_READY_MS = 100

#: `created`, `modified` or `deleted`, and the path.
Change = tuple[str, str]


@asynccontextmanager
async def watching(
    files: FileGate, paths: Iterable[str], *, recursive: bool, debounce_ms: int
) -> AsyncIterator[Watch]:
    """A watch that runs, and ends with the block."""
    watch = Watch(files, recursive=recursive, debounce_ms=debounce_ms)
    try:
        await watch.add(paths)
        yield watch
    finally:
        await watch.close()


class Watch:
    """What changes in some directories and files.

    The library would follow links out of the allowed directories, and walk whatever they lead
    to; so each directory is found through the gate and watched for itself.
    """

    def __init__(self, files: FileGate, *, recursive: bool, debounce_ms: int) -> None:
        self._files = files
        self._recursive = recursive
        self._debounce = max(debounce_ms, 1)
        self._queue: asyncio.Queue[list[Change]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        #: Directories all of whose entries are told of, and single files in others.
        self._whole: set[str] = set()
        self._single: set[str] = set()
        self._watched: set[str] = set()
        #: Told already, when the directory that they are in appeared.
        self._told: set[str] = set()
        #: Directories that appeared after too many others had.
        self.missed = 0

    async def add(self, paths: Iterable[str]) -> None:
        """Watch files and directories; they are being watched when it returns."""
        fresh = await asyncio.to_thread(self._find, paths)
        if not fresh:
            return
        ready = asyncio.Event()
        task = asyncio.create_task(self._follow(fresh, ready))
        self._tasks.append(task)
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()

    def _find(self, paths: Iterable[str]) -> list[str]:
        """The directories to watch that are not watched yet."""
        found: list[str] = []
        for path in paths:
            place = self._files.resolve(path)
            if self._files.stat(path).is_dir:
                inside = self._tree(str(place))
                self._whole.update(inside)
                found += inside
            else:
                # A file that is replaced is another one: its directory tells.
                self._single.add(str(place))
                found.append(str(place.parent))
        fresh = [one for one in dict.fromkeys(found) if one not in self._watched]
        self._watched.update(fresh)
        if len(self._watched) > MOST_DIRECTORIES:
            raise _too_many()
        return fresh

    def _tree(self, path: str) -> list[str]:
        found = [path]
        for seen, info in enumerate(self._files.walk(path) if self._recursive else ()):
            if info.is_dir and self._is_itself(info.path):
                found.append(info.path)
            if len(found) > MOST_DIRECTORIES or seen > _MOST_ENTRIES:
                raise _too_many()
        return found

    def _is_itself(self, path: str) -> bool:
        """Whether it is no link: what a link leads to is watched where it is, or not at all."""
        return str(self._files.resolve(path)) == path

    async def _follow(self, directories: list[str], ready: asyncio.Event) -> None:
        library = imported("watchfiles", "file-watcher", "watch")
        changes = library.awatch(
            *directories,
            watch_filter=None,
            debounce=self._debounce,
            step=_STEP_MS,
            rust_timeout=_READY_MS,
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        try:
            async for found in changes:
                ready.set()
                if found:
                    named = [(_KINDS[int(kind)], path) for kind, path in found]
                    self._queue.put_nowait(sorted(named, key=lambda one: (one[1], one[0])))
        except (OSError, RuntimeError) as error:
            raise ToolError(f"file-watcher: cannot watch: {error}", code="tool.failed") from None

    async def next(self) -> list[Change]:
        """The next changes that may be told; waits until there are some."""
        while True:
            waiting = asyncio.ensure_future(self._queue.get())
            try:
                await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    self._raise_failure()
                found = waiting.result()
            finally:
                waiting.cancel()
            told = await asyncio.to_thread(self._tellable, found)
            told += await self._later([path for kind, path in told if kind == "created"])
            if told:
                return told

    def _raise_failure(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
        raise ToolError("file-watcher: watching ended", code="tool.failed")

    def _tellable(self, changes: list[Change]) -> list[Change]:
        return [*filter(self._may_tell, changes)]

    def _may_tell(self, change: Change) -> bool:
        kind, path = change
        folder = path.rpartition("/" if path.startswith("/") else "\\")[0]
        if path not in self._whole | self._single and folder not in self._whole:
            return False
        if kind == "created" and path in self._told:
            self._told.discard(path)
            return False
        try:
            # The policy may hide it, and a link may lead to what it hides.
            self._files.locate(path, "read")
        except LLMSpellError:
            return False
        return True

    async def _later(self, created: list[str]) -> list[Change]:
        """Watch the directories that were made meanwhile; what they have already is new too."""
        if not self._recursive or not created:
            return []
        folders = await asyncio.to_thread(lambda: [*filter(self._is_new_folder, created)])
        if not folders:
            return []
        if len(self._tasks) > _MOST_LATER:
            self.missed += len(folders)
            return []
        await self.add(folders)
        return await asyncio.to_thread(self._content, folders)

    def _is_new_folder(self, path: str) -> bool:
        try:
            folder = self._files.stat(path).is_dir and self._is_itself(path)
        except LLMSpellError:
            return False
        return folder and path not in self._watched

    def _content(self, folders: list[str]) -> list[Change]:
        found = []
        for folder in folders:
            for info in self._files.walk(folder):
                self._told.add(info.path)
                found.append(("created", info.path))
        return found

    async def close(self) -> None:
        """End watching; returns when all of it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _too_many() -> LimitError:
    return LimitError(
        f"file-watcher: there are more than {MOST_DIRECTORIES} directories or {_MOST_ENTRIES} "
        "entries to watch",
        code="limit.watched",
        hint="watch a smaller part, or not recursively",
    )
