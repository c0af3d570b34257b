"""What `llmspell modules` does with the lock file. The person who pins reads any file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmspell_bridge.modules.packages import EcmaFinder
from llmspell_bridge.modules.search import (
    Finder,
    Located,
    LuaFinder,
    decoded,
    file_name,
    lua_name,
)
from llmspell_bridge.modules.specifiers import ecma_imports, lua_requires
from llmspell_core.errors import LLMSpellError, NotFoundError
from llmspell_core.security.module_pins import Lock, Pin, digest
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile, merged
from llmspell_core.security.select import profile_for

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded

ENDINGS = (".lua", ".js", ".mjs")
#: Folders that nobody means when they name the one above.
_SKIPPED = frozenset({"__pycache__", "output"})


@dataclass(slots=True)
class Pinned:
    """What pinning came to: `rows` of (pin, state), and what was named and not found."""

    rows: list[tuple[Pin, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class ModulePins:
    """The lock file of a project, and how the modules in it are found.

    Args:
        loaded: the settings that name paths and lock file
    """

    def __init__(self, loaded: Loaded) -> None:
        profile = profile_for(loaded)
        self.gate = Policy(profile, project=loaded.project, cwd=loaded.cwd).modules
        own = merged(SecurityProfile.none(), {"modules": {"paths": self.gate.paths}})
        self.warnings = loaded.warnings
        self._free = Policy(own, project=loaded.project, cwd=loaded.cwd).modules
        self._folders = [*dict.fromkeys((str(loaded.cwd), str(self._free.project)))]
        self._finders: tuple[Finder, ...] = (
            LuaFinder(self._free, self._folders[-1]),
            EcmaFinder(self._free),
        )
        self._allow = profile.modules.allow
        self.lock = Lock.read(self._free.project / Path(profile.modules.pins).expanduser())

    def states(self) -> list[tuple[Pin, str]]:
        """Each pin as `ok`, `changed` or `missing`."""
        return [(pin, self._state(pin)) for pin in self.lock.pins]

    def pin(self, words: tuple[str, ...]) -> Pinned:
        """Pin these modules, files and folders, and what they import; all known without any.

        Raises:
            NotFoundError: `module.not_found`: a word is none of them.
        """
        done = Pinned()
        waiting = [found for word in words for found in self._meant(word)]
        if not words:
            waiting = [*self._known(done)]
        seen: set[str] = set()
        while waiting:
            found = waiting.pop()
            if found.path not in seen:
                seen.add(found.path)
                waiting += self._pin(found, done)
        self.lock.write()
        done.rows.sort(key=lambda row: row[0].path)
        return done

    def allowed(self, pin: Pin) -> bool:
        """Whether the profile in force lets scripts load a pinned module."""
        package = "/".join(pin.name.split("/")[: 2 if pin.name.startswith("@") else 1])
        return self.gate.allowed(pin.name, package)

    def _pin(self, found: Located, done: Pinned) -> list[Located]:
        """Pin one file; what it imports."""
        data = self._free.read(found.name, found.path)
        text = decoded(self._free, found, data)
        before = self.lock.find(found.path)
        pin = self.lock.add(self._named(Path(found.path)).name, found.path, digest(data))
        same = before is not None and before.sha256 == pin.sha256
        done.rows.append((pin, "unchanged" if same else "changed" if before else "new"))
        is_lua = found.path.endswith(".lua")
        finder = self._finders[0 if is_lua else 1]
        folder = os.path.dirname(found.path)  # noqa: PTH120 - lexical
        more = []
        for name in lua_requires(text) if is_lua else ecma_imports(text):
            if name == "llmspell":
                continue
            try:
                more.append(finder.locate(name, folder))
            except LLMSpellError as error:
                done.notes.append(f"{found.name} imports {name}: {error.message}")
        return more

    def _known(self, done: Pinned) -> Iterator[Located]:
        """What is pinned already, and what the settings name; what is gone is dropped."""
        for pin in self.lock.pins:
            path = self.lock.path_of(pin)
            if path.is_file():
                yield Located(pin.name, str(path))
            else:
                self.lock.remove(pin)
                done.rows.append((pin, "removed"))
        for entry in self._allow:
            if any(c in entry for c in "*?["):
                done.notes.append(f'name the modules or folders that "{entry}" stands for')
                continue
            try:
                yield from self._meant(entry)
            except LLMSpellError as error:
                done.notes.append(error.message)

    def _meant(self, word: str) -> list[Located]:
        path = Path(self._folders[0], word)
        if path.is_file():
            return [self._named(path)]
        try:
            return [self._by_name(word)]
        except NotFoundError:
            if path.is_dir():
                return [self._named(one) for one in _scripts(path)]
            raise

    def _by_name(self, word: str) -> Located:
        missing: LLMSpellError | None = None
        for finder in self._finders:
            for name in (word, f"./{word}") if finder is self._finders[1] else (word,):
                for folder in self._folders:
                    try:
                        return finder.locate(name, folder)
                    except LLMSpellError as error:
                        missing = missing if isinstance(missing, NotFoundError) else error
        raise NotFoundError(
            f'no module, file or folder "{word}"',
            code="module.not_found",
            hint=missing.hint if missing else None,
        )

    def _named(self, path: Path) -> Located:
        """A file under the name that scripts beside the project's configuration have for it."""
        whole = os.path.normpath(path)
        name_of = lua_name if whole.endswith(".lua") else file_name
        return Located(name_of(self._free, whole), whole)

    def _state(self, pin: Pin) -> str:
        try:
            data = self.lock.path_of(pin).read_bytes()
        except OSError:
            return "missing"
        return "ok" if digest(data) == pin.sha256 else "changed"


def _scripts(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            one for one in folders if one not in _SKIPPED and not one.startswith(".")
        )
        yield from (Path(root, one) for one in sorted(files) if one.endswith(ENDINGS))
