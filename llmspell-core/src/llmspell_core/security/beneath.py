"""Opening files beneath a directory without ever following a link out of it.

Paths that come here are already free of links (`files.py` resolves them); these functions make
that true at the moment of opening. Linux: `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
RESOLVE_NO_MAGICLINKS)`. Other POSIX systems: one `openat(O_NOFOLLOW)` a component. Elsewhere:
the path is compared again after opening.
"""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH103, PTH112, PTH118

from __future__ import annotations

import contextlib
import errno
import functools
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

HAS_DIR_FD = os.open in os.supports_dir_fd and os.name == "posix"
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
# O_PATH needs no right to read the directory; where it is missing O_RDONLY does.
_WALK = _DIRECTORY | _NOFOLLOW | _CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
#: A device or pipe must not block us before it is recognised and refused.
_CAREFUL = (
    _CLOEXEC | _NOFOLLOW
    | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip

_SYS_OPENAT2 = 437  # the same on every architecture but alpha
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_ESCAPES = (errno.EXDEV, errno.ELOOP, errno.EMLINK)


class Escape(Exception):  # noqa: N818 - what the path tried
    """The path leaves its root, or changed into a link while it was opened."""


@dataclass(slots=True)
class Directory:
    """An open directory: `os` functions take `at(name)` and `dir_fd=fd`."""

    path: str
    fd: int | None
    #: Where there are no descriptors of directories: compare the path again after opening.
    confirm: bool = True

    def at(self, name: str) -> str:
        """The name as `os` functions want it."""
        return name if self.fd is not None else os.path.join(self.path, name)

    def stat(self, name: str) -> os.stat_result:
        """The status of an entry, of a link itself."""
        return os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)

    def scan(self) -> list[os.DirEntry[str]]:
        """Its entries, by name."""
        with os.scandir(self.path if self.fd is None else self.fd) as entries:
            return sorted(entries, key=lambda entry: entry.name)

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """A descriptor of an entry that is no link; `Escape` when it is one."""
        if name in ("", ".", "..") or "/" in name:
            raise Escape
        if not self.confirm:
            return os.open(self.at(name), flags | _CLOEXEC, mode)
        fd = _translate(lambda: os.open(self.at(name), flags | _CAREFUL, mode, dir_fd=self.fd))
        if self.fd is None:
            try:
                _confirm(self.path, self.at(name))
            except BaseException:
                os.close(fd)
                raise
        return fd


@contextlib.contextmanager
def open_directory(
    root: str,
    parts: Sequence[str],
    *,
    make: bool = False,
    check: Callable[[os.stat_result], None] | None = None,
) -> Iterator[Directory]:
    """The directory at `parts` beneath `root`.

    Args:
        root: a directory, absolute and free of links.
        parts: the components below it.
        make: create what is missing.
        check: called with the status of each directory on the way; may raise.
    """
    path = os.path.join(root, *parts)
    if not HAS_DIR_FD:
        if make:
            os.makedirs(path, exist_ok=True)
        _confirm(root, path)
        yield Directory(path, None)
        return
    if make and not os.path.isdir(root):
        os.makedirs(root, exist_ok=True)
    with _root(root) as root_fd:
        if make or check:
            fd = _walk(root_fd, parts, make=make, check=check)
        else:
            fd = _opener()(root_fd, parts or ["."], os.O_RDONLY | _DIRECTORY | _CAREFUL)
    try:
        yield Directory(path, fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _root(root: str) -> Iterator[int]:
    fd = _translate(lambda: os.open(root, _WALK))
    try:
        yield fd
    finally:
        os.close(fd)


def _translate(call: Callable[[], int]) -> int:
    """Links and exits reach the caller as one exception, whatever the system calls them."""
    try:
        return call()
    except OSError as error:
        if error.errno in _ESCAPES:
            raise Escape from None
        raise


def _walk(
    root_fd: int,
    parts: Sequence[str],
    *,
    make: bool,
    check: Callable[[os.stat_result], None] | None,
) -> int:
    """Component by component, making and checking each; the last one is readable."""
    fd = os.dup(root_fd)
    try:
        for part in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=fd)
            fd = _step(fd, part, _WALK)
            if check:
                check(os.fstat(fd))
        return _step(fd, ".", os.O_RDONLY | _DIRECTORY | _CAREFUL)
    except BaseException:
        os.close(fd)
        raise


def _step(fd: int, name: str, flags: int) -> int:
    """Open one component and close the directory it was in."""
    if name == ".." or "/" in name:
        raise Escape
    try:
        deeper = os.open(name, flags, dir_fd=fd)
    except NotADirectoryError:
        # Linux says ENOTDIR for a link opened as a directory with O_NOFOLLOW.
        if _is_link(name, fd):
            raise Escape from None
        raise
    except OSError as error:
        if error.errno in _ESCAPES:
            raise Escape from None
        raise
    os.close(fd)
    return deeper


def _is_link(name: str, fd: int) -> bool:
    import stat

    return stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)


Opener = Callable[[int, Sequence[str], int], int]


@functools.cache
def _opener() -> Opener:
    """The kernel's own beneath-resolution where it works here, else the walk."""
    if sys.platform == "linux":
        try:
            opener = _openat2_function()
            fd = os.open("/", _WALK)
            try:
                os.close(opener(fd, ["."], _WALK))
            finally:
                os.close(fd)
        except (OSError, Escape, AttributeError, ImportError):
            # An old kernel, a seccomp filter, or a build without ctypes.
            return open_by_walk
        return opener
    return open_by_walk


def open_by_walk(fd: int, parts: Sequence[str], flags: int) -> int:
    """`openat` with O_NOFOLLOW for each component."""
    current = os.dup(fd)
    try:
        for position, part in enumerate(parts):
            last = position == len(parts) - 1
            current = _step(current, part, flags if last else _WALK)
    except BaseException:
        os.close(current)
        raise
    return current


def _openat2_function() -> Opener:
    import ctypes

    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    resolve = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS

    def openat2(fd: int, parts: Sequence[str], flags: int) -> int:
        path = os.fsencode("/".join(parts))
        how = struct.pack("QQQ", flags, 0, resolve)
        while True:
            found = syscall(_SYS_OPENAT2, fd, path, how, ctypes.c_size_t(len(how)))
            if found >= 0:
                return int(found)
            code = ctypes.get_errno()
            # EAGAIN: something was renamed meanwhile, and the kernel could not be sure.
            if code not in (errno.EAGAIN, errno.EINTR):
                break
        if code in _ESCAPES:
            raise Escape
        raise OSError(code, os.strerror(code))

    return openat2


def _confirm(root: str, path: str) -> None:
    """Raise Escape unless the path is what it says: free of links, beneath the root."""
    real = os.path.normcase(os.path.realpath(path))
    if real != os.path.normcase(path):
        raise Escape
    base = os.path.normcase(root)
    if real != base and not real.startswith(os.path.join(base, "")):
        raise Escape
