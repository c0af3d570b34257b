"""The directories that a profile opens, found once when a policy is made."""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH111, PTH118, PTH120, PTH206

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmspell_core.security.patterns import DenyList
from llmspell_core.security.profile import FilesPolicy


@dataclass(frozen=True, slots=True)
class Root:
    """One allowed directory or file: `path` is absolute and free of links.

    `shared`: everybody may write there (the temporary directory), so that what belongs to
    another user is refused.
    """

    path: str
    writable: bool
    shared: bool = False

    def parts_of(self, path: str) -> tuple[str, ...] | None:
        """The components of an absolute path below this root, or None when it is outside."""
        if not beneath(path, self.path):
            return None
        rest = path[len(self.path) :].strip(os.sep)
        return tuple(rest.split(os.sep)) if rest else ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What one profile of the chain says about files."""

    roots: tuple[Root, ...]
    deny: DenyList
    max_bytes: int
    #: Everything is allowed, nothing is checked.
    free: bool = False


def layer_of(
    files: FilesPolicy,
    *,
    project: Path,
    cwd: Path,
    extra: Sequence[str] = (),
    protected: Sequence[str] = (),
) -> Layer:
    """The roots and denials of one profile.

    Args:
        files: the profile's rules.
        project: where relative entries begin, and `$project`.
        cwd: the working directory.
        extra: paths named on the command line: readable whatever the profile's roots are.
        protected: absolute paths that are always denied: llmspell's own.
    """
    if "*" in files.read and "*" in files.write:
        denied = DenyList(files.deny)
        everything = Root(os.path.realpath(os.sep), writable=True)
        return Layer((everything,), denied, files.max_bytes, free=not files.deny)
    found: list[Root] = []
    for entries, writable in ((files.write, True), (files.read, False)):
        for entry in entries:
            root = _root_of(entry, project, cwd, writable=writable)
            if root is not None:
                found.append(root)
    found.extend(Root(os.path.realpath(cwd / entry), writable=False) for entry in extra)
    # The deepest first: it is the one to open from.
    found.sort(key=lambda root: (-len(root.path), not root.writable))
    return Layer(tuple(found), DenyList(files.deny, protected), files.max_bytes)


def _root_of(entry: str, project: Path, cwd: Path, *, writable: bool) -> Root | None:
    if entry == "*":
        return Root(os.path.realpath(os.sep), writable)
    if entry == "$temp":
        import tempfile

        return Root(os.path.realpath(tempfile.gettempdir()), writable, shared=os.name == "posix")
    if entry in ("$project", "$cwd"):
        place = os.path.realpath(project if entry == "$project" else cwd)
        return None if _too_wide(place) else Root(place, writable)
    if entry == "$output":
        # A link planted under this name would let a script write where it points.
        place = os.path.join(os.path.realpath(cwd), "output")
        return Root(place, writable) if os.path.realpath(place) == place else None
    return _named_root(entry, project, writable=writable)


def _named_root(entry: str, project: Path, *, writable: bool) -> Root | None:
    """A configured root; None when a link inside the project leads it out of the project."""
    start = os.path.normpath(project)
    plain = os.path.normpath(os.path.join(start, os.path.expanduser(entry)))
    real = os.path.realpath(plain)
    if beneath(plain, start) and not beneath(real, os.path.realpath(start)):
        return None
    return Root(real, writable)


def _too_wide(place: str) -> bool:
    """`/`, the home directory and what contains it are never roots by themselves."""
    home = os.path.realpath(os.path.expanduser("~"))
    return place == os.path.dirname(place) or beneath(home, place)


def beneath(path: str, root: str) -> bool:
    """Whether a path is the root or below it, by name."""
    path, root = os.path.normcase(path), os.path.normcase(root)
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
