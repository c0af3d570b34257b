"""Where a hostile case takes place: a project, what lies outside, a link that comes and goes."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from tool_border_cases import CANARY, Case
from tool_border_files import make


class Place:
    """A project, what lies outside of it, a home and a temporary directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project, self.outside = root / "project", root / "outside"
        self.home = root / "home"
        for folder in (self.project, self.outside / "inner", self.home / ".ssh", root / "temp"):
            folder.mkdir(parents=True)
        for path in (
            self.outside / "secret.txt",
            self.outside / "inner/deep.txt",
            self.home / ".ssh/id_rsa",
            self.home / "notes.txt",
        ):
            path.write_text(CANARY)

    def build(self, case: Case) -> None:
        """What the case needs."""
        for name in case.folders:
            (self.project / name).mkdir(parents=True, exist_ok=True)
        for name, text in case.files.items():
            self._new(name).write_bytes(text.encode("utf-8", "surrogateescape"))
        for name, told in case.made.items():
            self._new(name).write_bytes(make(told))
        for name, target in case.links.items():
            self._new(name).symlink_to(target)
        for name, target in case.hard_links.items():
            self._new(name).hardlink_to(target)
        for name in case.fifos:
            os.mkfifo(self._new(name))

    def _new(self, name: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def beyond(self) -> dict[str, bytes]:
        """All files outside of the project."""
        return {
            str(path): path.read_bytes()
            for folder in (self.outside, self.home)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def words(self, port: int) -> dict[str, str]:
        """What the words of the cases stand for."""
        return {
            "PROJECT": str(self.project),
            "OUTSIDE": str(self.outside),
            "HOME": str(self.home),
            "CANARY": CANARY,
            "SERVER": f"http://127.0.0.1:{port}",
            "PORT": str(port),
        }


@contextlib.contextmanager
def swapping(case: Case, place: Place) -> Iterator[None]:
    """While it lasts, a name is by turns a file of the project and a link."""
    if not case.swap:
        yield
        return
    path, target = place.project / case.swap["name"], case.swap["target"]
    good, link = path.with_name("swap-good"), path.with_name("swap-link")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            if Path(target).is_dir():
                good.mkdir(exist_ok=True)
                (good / "deep.txt").write_text("harmless")
            else:
                good.write_text("harmless")
            _exchange(good, path)
            link.symlink_to(target)
            _exchange(link, path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _exchange(new: Path, path: Path) -> None:
    """Put `new` where `path` is; a folder has to make room first."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    # The tool works on the same names meanwhile.
    with contextlib.suppress(OSError):
        if path.is_symlink() or (path.exists() and new.is_dir()):
            path.unlink()
        new.replace(path)
    if new.is_symlink():
        new.unlink()
