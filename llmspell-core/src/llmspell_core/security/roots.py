"""The directories that a profile opens, found once when a policy is made."""

# Descriptors of directories work with `os` only; mixing it with pathlib would hide which is which.
# ruff: noqa: PTH111, PTH118, PTH120, PTH206

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from llmspell_core.records import Record
from llmspell_core.security.patterns import DenyList
from llmspell_core.security.profile import FilesPolicy


class Root(Record):
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


class Layer(Record):
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


def open_roots(layer: Layer) -> dict[str, Sequence[str]]:
    """The allowed directories of one profile: `{read, write}`."""
    return {
        "read": [*dict.fromkeys(root.path for root in layer.roots)],
        "write": [*dict.fromkeys(root.path for root in layer.roots if root.writable)],
    }


def most_bytes(layers: Sequence[Layer]) -> int:
    """The largest file that all profiles of a chain allow; 0: any."""
    return min((layer.max_bytes for layer in layers if layer.max_bytes), default=0)


def _root_of(entry: str, project: Path, cwd: Path, *, writable: bool) -> Root | None:
    if entry == "*":
        return Root(os.path.realpath(os.sep), writable)
    if entry == "$temp":
        return Root(os.path.realpath(temporary()), writable, shared=os.name == "posix")
    if entry in ("$project", "$cwd"):
        place = os.path.realpath(project if entry == "$project" else cwd)
        return None if _too_wide(place) else Root(place, writable)
    if entry == "$output":
        # A link planted under this name would let a script write where it points.
        place = os.path.join(os.path.realpath(cwd), "output")
        return Root(place, writable) if os.path.realpath(place) == place else None
    return _named_root(entry, project, writable=writable)


def temporary() -> str:
    """`tempfile.gettempdir()`; where the answer is plain, without the modules that it imports."""
    usual = "/tmp"  # noqa: S108 - the platform's, and nothing is made there
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    plain = os.name == "posix" and not named and "tempfile" not in sys.modules
    if plain and os.access(usual, os.W_OK | os.X_OK):
        return usual
    import tempfile

    return tempfile.gettempdir()


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
