"""Deciding about a path and opening it: what every operation of the file gate is made of."""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH103, PTH118, PTH119, PTH120, PTH206

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from llmspell_core.errors import LimitError, LLMSpellError, NotFoundError, PolicyError
from llmspell_core.security.beneath import Directory, Escape, open_directory
from llmspell_core.security.patterns import windows_problem
from llmspell_core.security.roots import Layer, Root, beneath, most_bytes

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog

FileMode = Literal["read", "write"]
#: Their files are doors into the kernel and other processes, whatever directory was allowed.
_SYSTEM = ("/proc", "/sys", "/dev")
_CODES = {
    errno.EEXIST: ("file.exists", "already exists"),
    errno.EISDIR: ("file.is_directory", "is a directory"),
    errno.ENOTDIR: ("file.not_directory", "has a file where a directory is needed"),
    errno.ENOTEMPTY: ("file.not_empty", "is not empty"),
    errno.EACCES: ("file.no_permission", "may not be opened by this user"),
    errno.EPERM: ("file.no_permission", "may not be changed by this user"),
    errno.ENOSPC: ("file.no_space", "cannot be written: no space left"),
    errno.EROFS: ("file.no_permission", "is on a read-only file system"),
    errno.ENAMETOOLONG: ("file.name_too_long", "has a name that is too long"),
}


class FileError(LLMSpellError):
    """An allowed file operation failed: `file.exists`, `file.is_directory`, ..."""

    code = "file.failed"


@dataclass(frozen=True, slots=True)
class Place:
    """A path that the policy allows: `parts` beneath `root`, both free of links."""

    given: str
    path: str
    root: str
    parts: tuple[str, ...]
    shared: bool
    max_bytes: int
    free: bool = False
    #: It is an allowed directory or file itself, seen from the directory that it is in.
    whole: bool = False

    @property
    def name(self) -> str:
        """The last component."""
        return self.parts[-1] if self.parts else ""

    @property
    def directory(self) -> tuple[str, ...]:
        """The components of the directory it is in."""
        return self.parts[:-1]


class BoundedFile(io.FileIO):
    """A file that refuses to become larger than `limit` bytes; 0 is no limit."""

    limit = 0

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.limit and self.tell() + size > self.limit:
            raise too_large(str(self.name), self.limit)
        return super().write(data)


class FileAccess:
    """The rules about files, and the two ways to a descriptor: a directory and a file.

    Args:
        layers: the rules of each profile of the chain; all must allow a path.
        cwd: where relative paths begin.
    """

    def __init__(
        self, layers: Sequence[Layer], *, cwd: Path, audit: AuditLog | None = None
    ) -> None:
        self._layers = tuple(layers)
        self._cwd = os.fspath(cwd)
        self._audit = audit
        self._free = all(layer.free for layer in layers)
        self.max_bytes = most_bytes(self._layers)

    def locate(self, path: str | os.PathLike[str], mode: FileMode, *, follow: bool = True) -> Place:
        """Check a path.

        Args:
            path: absolute, or relative to the working directory.
            mode: what is wanted.
            follow: go on to what a link at the end points to; False means the link itself.

        Raises:
            PolicyError: `policy.file`; the same for files that exist and files that do not.
        """
        given = os.fspath(path)
        plain = self._absolute(given, mode)
        if self._free:
            return Place(given, plain, "", (), False, self.max_bytes, free=True)
        try:
            real = _without_links(plain, follow)
        except OSError:
            # A folder on the way may not be searched by this user; that is none of ours.
            raise refused(given, mode) from None
        rule, root = self._rule(plain, real, mode)
        if self._audit is not None:
            self._audit.record(f"files.{mode}", plain, "allow" if root else "deny", rule)
        if root is None:
            raise refused(given, mode)
        parts = root.parts_of(real) or ()
        if parts or real == os.path.dirname(real):
            return Place(given, real, root.path, parts, root.shared, self.max_bytes)
        folder, name = os.path.split(real)
        return Place(given, real, folder, (name,), root.shared, self.max_bytes, whole=True)

    def _absolute(self, given: str, mode: FileMode) -> str:
        if "\0" in given or not given:
            raise refused(given, mode)
        try:
            os.fsencode(given)
        except UnicodeEncodeError:
            # No file can have such a name.
            raise refused(ascii(given), mode) from None
        plain = os.path.normpath(os.path.join(self._cwd, given))
        if os.name == "nt" and not self._free:
            drive, rest = os.path.splitdrive(plain)
            parts = [part for part in rest.split(os.sep) if part]
            if drive.startswith("\\\\") or windows_problem(parts):
                raise refused(given, mode)
        return plain

    def _rule(self, plain: str, real: str, mode: FileMode) -> tuple[str, Root | None]:
        if os.name == "posix" and any(
            beneath(path, place) for path in (plain, real) for place in _SYSTEM
        ):
            return "system", None
        chosen: Root | None = None
        for layer in self._layers:
            if layer.free:
                continue
            if layer.deny.matches(real) or layer.deny.matches(plain):
                return "files.deny", None
            root = _root_for(layer.roots, real, mode)
            if root is None:
                return f"files.{mode}", None
            chosen = chosen or root
        return f"files.{mode}", chosen

    def hides(self, path: str) -> bool:
        """Whether an entry of an allowed directory must not be shown."""
        return any(layer.deny.matches(path) for layer in self._layers)

    def is_root(self, path: str) -> bool:
        """Whether this is an allowed directory itself, which cannot be removed or moved."""
        return any(root.path == path for layer in self._layers for root in layer.roots)

    @contextlib.contextmanager
    def parent(self, place: Place, mode: FileMode, *, make: bool = False) -> Iterator[Directory]:
        """The open directory that an allowed path is in."""
        with self.errors(place, mode):
            if place.free:
                folder = os.path.dirname(place.path)
                if make:
                    os.makedirs(folder, exist_ok=True)
                yield Directory(folder, None, confirm=False)
                return
            check = own_only if place.shared else None
            with open_directory(place.root, place.directory, make=make, check=check) as found:
                yield found

    def descriptor(
        self, place: Place, directory: Directory, flags: int, *, truncate: bool = False
    ) -> int:
        """Open an allowed file in its directory: never a device, a pipe or a link.

        Raises:
            PolicyError: it is one of those, or is to be written and has more than one hard link.
            LimitError: `limit.file_size`: it is to be read and too large.
        """
        name = os.path.basename(place.path)
        mode: FileMode = "write" if flags & (os.O_WRONLY | os.O_RDWR) else "read"
        with contextlib.suppress(FileNotFoundError):
            self.check_status(place, directory.stat(name), mode)
        fd = directory.open(name, flags)
        try:
            status = os.fstat(fd)
            self.check_status(place, status, mode)
            if truncate:
                os.ftruncate(fd, 0)
            elif place.max_bytes and status.st_size > place.max_bytes:
                raise too_large(place.given, place.max_bytes)
            if os.name == "posix":
                os.set_blocking(fd, True)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def check_status(self, place: Place, status: os.stat_result, mode: FileMode) -> None:
        """Refuse what is no ordinary file, or not this user's in a shared directory."""
        if place.free:
            return
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise Escape
        if place.shared:
            own_only(status)
        if mode == "write" and status.st_nlink > 1:
            raise PolicyError(
                f'"{place.given}" has more than one hard link and is not written',
                code="policy.file",
                hint="write it under another name: the other link may be outside",
                details={"path": place.given, "mode": mode},
            )

    @contextlib.contextmanager
    def errors(self, place: Place, mode: FileMode) -> Iterator[None]:
        """Errors of the system in llmspell's words."""
        try:
            yield
        except Escape:
            raise refused(place.given, mode) from None
        except FileNotFoundError:
            raise NotFoundError(
                f'no such file or directory: "{place.given}"', code="file.not_found"
            ) from None
        except OSError as error:
            code, text = _CODES.get(error.errno or 0, ("file.failed", f"failed: {error.strerror}"))
            raise FileError(f'"{place.given}" {text}', code=code) from None


def _without_links(plain: str, follow: bool) -> str:
    if follow:
        return os.path.realpath(plain)
    parent, name = os.path.split(plain)
    return os.path.join(os.path.realpath(parent), name)


def _root_for(roots: Sequence[Root], path: str, mode: FileMode) -> Root | None:
    """The root that allows it. The temporary directory yields to what is configured inside it."""
    fitting = [root for root in roots if beneath(path, root.path)]
    inner = [
        root for root in fitting
        if not root.shared and any(
            other.shared and root.path != other.path and beneath(root.path, other.path)
            for other in fitting
        )
    ]  # fmt: skip
    for root in inner or fitting:
        if mode == "read" or root.writable:
            return root
    return None


def own_only(status: os.stat_result) -> None:
    """Refuse what belongs to another user."""
    if status.st_uid != os.geteuid():
        raise Escape


def refused(given: str, mode: FileMode) -> PolicyError:
    """`policy.file`: says nothing about whether the path exists."""
    verb = "reading" if mode == "read" else "writing"
    return PolicyError(
        f'{verb} "{given}" is not allowed under this security profile',
        code="policy.file",
        hint=f"allowed paths are set by [security.files] {mode}; "
        "`llmspell security explain` shows them",
        details={"path": given, "mode": mode},
    )


def too_large(given: str, limit: int) -> LimitError:
    """`limit.file_size` for a file above the gate's `max_bytes`."""
    return LimitError(
        f'"{given}" is larger than {limit} bytes',
        code="limit.file_size",
        hint="[security.files] max_bytes sets the limit",
    )


def buffered(fd: int, mode: str, limit: int, encoding: str, name: str) -> IO[Any]:
    """A Python file over a descriptor; `mode` as for `open`."""
    raw_mode = mode.replace("b", "").replace("t", "").replace("w", "r+" if "+" in mode else "w")
    raw = BoundedFile(fd, raw_mode.replace("x", "w").replace("++", "+"))
    raw.limit = limit
    raw.name = name
    made: Any
    if "+" in mode:
        made = io.BufferedRandom(raw)
    else:
        made = io.BufferedReader(raw) if mode.startswith("r") else io.BufferedWriter(raw)
    if "b" in mode:
        return made  # type: ignore[no-any-return]
    return io.TextIOWrapper(made, encoding=encoding, newline="" if "r" not in mode else None)
