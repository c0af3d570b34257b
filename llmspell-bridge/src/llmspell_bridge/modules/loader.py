"""`ModuleLoader`: the modules of one run, each read and checked once."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_bridge.engines import MAX_SOURCE_BYTES
from llmspell_bridge.modules.packages import EcmaFinder
from llmspell_bridge.modules.search import Finder, Located, LuaFinder, decoded
from llmspell_core.errors import LimitError, PolicyError

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_core.security.policy import Policy

MAX_MODULES = 1000
MAX_TOTAL_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Module:
    """A module's source; `name` is what errors and stacks call its file."""

    name: str
    source: str
    path: str

    @property
    def folder(self) -> str:
        """Where its own relative names begin."""
        return os.path.dirname(self.path)  # noqa: PTH120 - lexical

    def to_dict(self) -> dict[str, str]:
        """What an engine gets."""
        return {"name": self.name, "source": self.source}


class ModuleLoader:
    """Finds, checks and reads the modules of one run. May be used from several threads.

    Args:
        policy: the run's policy: its gates to modules and files
        source: the main script
        language: the engine's; ``lua`` has modules of its own kind
    """

    def __init__(self, policy: Policy, source: ScriptSource, language: str) -> None:
        self._policy = policy
        self._gate = policy.modules
        start = policy.cwd if source.path is None else policy.cwd / source.path.parent
        self.folder = os.path.normpath(start)
        is_lua = language == "lua"
        self.finder: Finder = (
            LuaFinder(self._gate, self.folder) if is_lua else EcmaFinder(self._gate)
        )
        #: The file that an engine names as the calling one -> its folder.
        self._folders = {source.name: self.folder}
        self._modules: dict[str, Module] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def load(self, name: str, caller: str = "") -> Module:
        """The module that a name means in a file.

        Args:
            name: as written in the script
            caller: the calling file, as it was named to the engine; the script when unknown

        Raises:
            PolicyError: `module.denied`, `module.changed`
            NotFoundError: `module.not_found`
            LimitError: `limit.module_size`, `limit.modules`
        """
        return self.read(self.finder.locate(name, self._folder_of(caller)))

    def read(self, found: Located) -> Module:
        """A located module's source, as pinned."""
        with self._lock:
            module = self._modules.get(found.path)
            if module is None:
                data = self._gate.read(found.name, found.path)
                self._count(found.name, len(data))
                text = decoded(self._gate, found, data)
                module = Module(self._gate.shown(found.path), text, found.path)
                self._modules[found.path] = module
                self._folders[module.name] = module.folder
        return module

    def file(self, path: str, caller: str = "") -> Module:
        """A script file for `dofile`, relative to the calling file, through the file gate."""
        whole = os.path.normpath(os.path.join(self._folder_of(caller), path))  # noqa: PTH118
        name = self._gate.shown(whole)
        text = self._policy.files.read_text(name if path else "", "utf-8-sig", MAX_SOURCE_BYTES)
        if "\0" in text or text.startswith("\x1b"):
            raise PolicyError(
                f'"{path}" is not source text', code="script.binary", hint="scripts are UTF-8 text"
            )
        module = Module(name, text, whole)
        self._folders[module.name] = module.folder
        return module

    def _folder_of(self, caller: str) -> str:
        return self._folders.get(caller, self.folder)

    def _count(self, name: str, size: int) -> None:
        self._bytes += size
        if len(self._modules) >= MAX_MODULES or self._bytes > MAX_TOTAL_BYTES:
            raise LimitError(
                f'module "{name}" is one too many: a script may load {MAX_MODULES}, '
                f"and {MAX_TOTAL_BYTES >> 20} MiB of them",
                code="limit.modules",
            )
