"""Where a module is: from a name in `require` or `import` to a file beneath the gate."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llmspell_core.errors import NotFoundError, PolicyError, did_you_mean
from llmspell_core.security.modules import ModuleGate

MAX_NAME = 200
_LUA_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class Located:
    """A module's file: `name` is what rules and pins call it, `path` is absolute."""

    name: str
    path: str


class Finder(Protocol):
    """How one language names its modules."""

    def locate(self, name: str, folder: str) -> Located:
        """The file that a name means in a file of this folder.

        Raises:
            PolicyError: `module.denied`.
            NotFoundError: `module.not_found`.
        """
        ...


class LuaFinder:
    """`a.b` is `a/b.lua` or `a/b/init.lua`.

    It is looked for beside the calling file, beside the main script (libraries name their own
    parts so), and in the configured paths.
    """

    def __init__(self, gate: ModuleGate, main: str) -> None:
        self._gate = gate
        self._main = main

    def locate(self, name: str, folder: str) -> Located:
        if not _LUA_NAME.fullmatch(name) or len(name) > MAX_NAME:
            raise bad_name(
                self._gate, name, 'names are words with dots between them: require("lib.util")'
            )
        self._gate.check_any(name)
        stem = os.path.join(*name.split("."))  # noqa: PTH118 - lexical, as everywhere here
        roots = [*dict.fromkeys((folder, self._main, *self._gate.paths))]
        candidates = [Path(root, stem + end) for root in roots for end in (".lua", "/init.lua")]
        found = first_file(self._gate, name, candidates)
        if found is not None:
            exact = lua_name(self._gate, found)
            self._gate.check(name, exact, entry=exact)
            return Located(exact, found)
        # In this order: whether there is a module that may not be loaded is not told.
        self._gate.check(name)
        raise not_found(self._gate, name, roots, self._names(roots))

    def _names(self, roots: Iterable[str]) -> list[str]:
        found = []
        for root in roots:
            for name, is_dir in self._gate.names_in(root):
                if is_dir or name.endswith(".lua"):
                    found.append(name.removesuffix(".lua"))
        return found


def file_name(gate: ModuleGate, path: str) -> str:
    """What rules and pins call a file: its path in a configured folder, else in the project."""
    whole = Path(path)
    for root in sorted(map(Path, gate.paths), key=lambda one: -len(str(one))):
        if whole.is_relative_to(root):
            inside = whole.relative_to(root)
            is_package = has(gate.is_file, root / "package.json")
            return (package_name(root) / inside if is_package else inside).as_posix()
    if whole.is_relative_to(gate.project):
        return whole.relative_to(gate.project).as_posix()
    return whole.as_posix()


def lua_name(gate: ModuleGate, path: str) -> str:
    """The same for a Lua file: `lib/util.lua` is `lib.util`."""
    name = file_name(gate, path).removesuffix(".lua").removesuffix("/init")
    return name if name.startswith("/") else name.replace("/", ".")


def package_name(root: Path) -> Path:
    """The name of a package that a configured folder is itself: `@scope/name` or `name`."""
    return Path(root.parent.name, root.name) if root.parent.name[:1] == "@" else Path(root.name)


def has(what: Callable[[str], bool], path: Path) -> bool:
    """Whether it is there; what may not be read is not."""
    with contextlib.suppress(PolicyError):
        return what(str(path))
    return False


def first_file(gate: ModuleGate, name: str, candidates: Iterable[Path]) -> str | None:
    """The first that is a file. When there is none and some may not be read, a refusal."""
    refused: PolicyError | None = None
    for path in candidates:
        try:
            if gate.is_file(str(path)):
                return str(path)
        except PolicyError as error:
            refused = refused or error
    if refused is not None:
        raise gate.refuse(
            name,
            f'module "{name}" is not in a folder that modules are read from',
            "put it beside the script in the project, or name its folder in "
            "[security.modules] paths",
            "modules.files",
        )
    return None


def bad_name(gate: ModuleGate, name: str, hint: str) -> PolicyError:
    """What is no name of a module at all, whatever is on the disk."""
    shown = repr(name[:60] + ("..." if len(name) > 60 else ""))[1:-1]  # noqa: PLR2004
    return gate.refuse(shown, f'"{shown}" is no name of a module', hint)


def not_found(
    gate: ModuleGate, name: str, roots: Sequence[str], known: Iterable[str]
) -> NotFoundError:
    """`module.not_found`, naming the nearest that may be loaded, or where it was looked for."""
    near = did_you_mean(name, [one for one in known if gate.allowed(one)])
    where = ", ".join(gate.shown(root) for root in roots)
    return NotFoundError(
        f'no module "{name}"',
        code="module.not_found",
        hint=near or f"looked in {where or 'no folder'}",
        details={"module": name},
    )


def decoded(gate: ModuleGate, found: Located, data: bytes) -> str:
    """A module's text; byte code and other binary files are refused."""
    try:
        if b"\0" in data or data.startswith(b"\x1b"):
            raise UnicodeDecodeError("utf-8", data, 0, 1, "binary")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise gate.refuse(
            found.name,
            f'module "{found.name}" is not UTF-8 text',
            "modules are source text, never byte code",
            "modules.text",
        ) from None
