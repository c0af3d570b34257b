"""Removing, copying and moving files and whole directories through the file gate."""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH118, PTH119

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmspell_core.security.beneath import Escape
from llmspell_core.security.fileaccess import FileError, Place, refused

if TYPE_CHECKING:
    from llmspell_core.security.beneath import Directory
    from llmspell_core.security.files import FileGate, StrPath

_CHUNK = 1024 * 1024


def remove(gate: FileGate, place: Place, *, recursive: bool) -> None:
    """Remove what is at an allowed place; never an allowed directory itself."""
    if gate.is_root(place.path):
        raise refused(place.given, "write")
    with gate.parent(place, "write") as folder:
        name = os.path.basename(place.path)
        status = folder.stat(name)
        if not stat.S_ISDIR(status.st_mode):
            if not stat.S_ISLNK(status.st_mode):
                _ordinary(gate, place, status)
            os.unlink(folder.at(name), dir_fd=folder.fd)
        elif recursive:
            _nothing_hidden(gate, place)
            _remove_tree(folder, name)
        else:
            os.rmdir(folder.at(name), dir_fd=folder.fd)


def copy(gate: FileGate, source: StrPath, target: StrPath, *, recursive: bool) -> int:
    """Copy a file or a directory; what the policy hides stays behind."""
    info = gate.stat(source)
    if not info.is_dir:
        with gate.open(source, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            gate.write_chunks(target, _chunks(file), mode)
        return 1
    if not recursive:
        raise FileError(
            f'"{os.fspath(source)}" is a directory', code="file.is_directory", hint="recursive=true"
        )
    start = gate.locate(source, "read").path
    goal = gate.locate(target, "write").path
    if goal == start or goal.startswith(start + os.sep):
        raise FileError(f'"{os.fspath(target)}" is inside of what is copied', code="file.exists")
    copied = 0
    gate.mkdir(target)
    for entry in gate.walk(source):
        there = os.path.join(goal, os.path.relpath(entry.path, start))
        if entry.is_dir:
            gate.mkdir(there)
        else:
            copied += copy(gate, entry.path, there, recursive=False)
    return copied


def move(gate: FileGate, source: StrPath, target: StrPath) -> None:
    """Move a file or directory, by renaming where the file system can."""
    here = gate.locate(source, "write", follow=False)
    there = gate.locate(target, "write", follow=False)
    if gate.is_root(here.path):
        raise refused(here.given, "write")
    with gate.parent(here, "write") as old, gate.parent(there, "write", make=True) as new:
        status = old.stat(os.path.basename(here.path))
        if stat.S_ISDIR(status.st_mode):
            _nothing_hidden(gate, here)
        elif not stat.S_ISLNK(status.st_mode):
            _ordinary(gate, here, status)
        _check_target(gate, there, new)
        try:
            os.replace(
                old.at(os.path.basename(here.path)),
                new.at(os.path.basename(there.path)),
                src_dir_fd=old.fd,
                dst_dir_fd=new.fd,
            )
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return
    copy(gate, here.path, there.path, recursive=True)
    remove(gate, here, recursive=True)


def _remove_tree(folder: Directory, name: str) -> None:
    """Remove a whole directory. With a descriptor rmtree is safe against links put in its way."""
    try:
        shutil.rmtree(folder.at(name), dir_fd=folder.fd)
    except OSError as error:
        # rmtree tells of a link with an error that has no number, and rmdir says it of what
        # has become one after it was emptied.
        if error.errno in (None, errno.ENOTDIR, errno.ELOOP):
            raise Escape from None
        raise


def _check_target(gate: FileGate, place: Place, folder: Directory) -> None:
    try:
        status = folder.stat(os.path.basename(place.path))
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    gate.check_status(place, status, "write")


def _ordinary(gate: FileGate, place: Place, status: os.stat_result) -> None:
    # Removing one of several links leaves the content alone, so only the kind counts.
    gate.check_status(place, status, "read")


def _nothing_hidden(gate: FileGate, place: Place) -> None:
    """Denied files must not go, or move out of their pattern, together with their directory."""
    if place.free:
        return
    for folder, directories, files in os.walk(place.path):
        for name in (*directories, *files):
            if gate.hides(os.path.join(folder, name)):
                raise refused(place.given, "write")


def _chunks(file: object) -> Iterator[bytes]:
    read = file.read  # type: ignore[attr-defined]
    while chunk := read(_CHUNK):
        yield chunk
