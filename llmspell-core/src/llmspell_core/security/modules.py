"""The gate to modules: what `require` and `import` may load, from where, and by which SHA-256."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmspell_core.errors import LimitError, LLMSpellError, NotFoundError, PolicyError, did_you_mean
from llmspell_core.security.module_pins import SHOWN, Lock, digest
from llmspell_core.security.profile import ModulesPolicy

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog
    from llmspell_core.security.files import FileGate

MAX_MODULE_BYTES = 4 << 20


class ModuleGate:
    """Decides about modules by name, and reads those it allows.

    Args:
        layers: the module rules of each profile of the chain; all must allow a module.
        files: the gate to files beneath which modules lie; without one none can be read.
        project: where relative entries begin.
        cwd: the working directory; messages name what is below it by relative paths.
        audit: where decisions are written.
        profile: the profile's name, for messages.
    """

    def __init__(
        self,
        layers: tuple[ModulesPolicy, ...],
        *,
        files: FileGate | None = None,
        project: Path | None = None,
        cwd: Path | None = None,
        audit: AuditLog | None = None,
        profile: str = "",
    ) -> None:
        self._layers = layers
        self._files = files
        self.project = Path(os.path.abspath(project or "."))  # noqa: PTH100 - links stay
        self._cwd = cwd or self.project
        self._audit = audit
        self._profile = profile

    @property
    def free(self) -> bool:
        """Whether any module may be loaded."""
        return all(layer.mode == "all" for layer in self._layers)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The configured folders, absolute, in their order."""
        entries = (entry for layer in self._layers for entry in layer.paths)
        return tuple(dict.fromkeys(self._absolute(entry) for entry in entries))

    @cached_property
    def locks(self) -> tuple[Lock, ...]:
        """The lock files that must have a module's pin; read once."""
        files = [one.pins for one in self._layers if one.mode == "listed" and one.pins]
        return tuple(Lock.read(Path(self._absolute(one))) for one in dict.fromkeys(files))

    def allowed(self, *names: str) -> bool:
        """Whether a module that goes by any of these names may be loaded, if it is pinned."""
        return all(_allows(layer, names) for layer in self._layers)

    def check_any(self, name: str) -> None:
        """Raise `module.denied` where no module may be loaded at all."""
        if any(layer.mode == "none" for layer in self._layers):
            self._record(name, "deny", "modules.mode")
            raise PolicyError(
                f'module "{name}" may not be loaded: profile {self._profile} loads none',
                code="module.denied",
                hint="put the code into the script, or use a profile that loads modules",
            )

    def check(self, *names: str, entry: str = "") -> None:
        """Raise `module.denied` unless one of a module's names is allowed.

        Args:
            names: by which it goes, the one in the script first
            entry: the name to allow and pin it by, when that is another one
        """
        self.check_any(names[0])
        if self.allowed(*names):
            return
        self._record(names[0], "deny", "modules.allow")
        entries = [one for layer in self._layers if layer.mode == "listed" for one in layer.allow]
        name = entry or names[0]
        near = did_you_mean(name, entries)
        raise PolicyError(
            f'module "{names[0]}" is not named in [security.modules] allow',
            code="module.denied",
            hint=near or f'add "{name}" to it, then: llmspell modules pin {name}',
            details={"module": names[0], "profile": self._profile},
        )

    def is_file(self, path: str) -> bool:
        """Whether there is a file; `policy.file` where this profile reads none."""
        return self._kind(path) is False

    def is_dir(self, path: str) -> bool:
        """Whether there is a folder; `policy.file` where this profile reads none."""
        return self._kind(path) is True

    def shown(self, path: str) -> str:
        """A path as messages and stacks name it."""
        whole = Path(path)
        below = whole.is_relative_to(self._cwd)
        return (whole.relative_to(self._cwd) if below else whole).as_posix()

    def names_in(self, folder: str) -> list[tuple[str, bool]]:
        """What is in a folder, as (name, is a folder); nothing where it cannot be read."""
        try:
            return [(info.name, info.is_dir) for info in self._gate.list(folder)]
        except LLMSpellError:
            return []

    def text(self, path: str, most: int) -> str:
        """A file that describes modules and is none itself (`package.json`)."""
        return self._gate.read_text(path, limit=most)

    def read(self, name: str, path: str) -> bytes:
        """A module's bytes, which are as pinned.

        Raises:
            PolicyError: `module.denied` (not pinned, or outside of what may be read),
                `module.changed`.
            NotFoundError: `module.not_found`.
            LimitError: `limit.module_size`.
        """
        try:
            data = self._gate.read_bytes(path, MAX_MODULE_BYTES)
        except LLMSpellError as error:
            self._record(name, "deny", "modules.files", path)
            raise _unreadable(name, error) from None
        sha256 = digest(data)
        for lock in self.locks:
            pin = lock.find(path)
            if pin is None or pin.sha256 != sha256:
                self._record(name, "deny", "modules.pins", path, sha256)
                raise _not_pinned(name) if pin is None else _changed(name, pin.sha256, sha256)
        rule = "modules.pins" if self.locks else "modules.mode"
        self._record(name, "allow", rule, path, sha256)
        return data

    def refuse(self, name: str, why: str, hint: str, rule: str = "modules.name") -> PolicyError:
        """The refusal of a module for another reason, recorded."""
        self._record(name, "deny", rule)
        return PolicyError(why, code="module.denied", hint=hint)

    @property
    def _gate(self) -> FileGate:
        if self._files is None:
            raise PolicyError("no modules are read here", code="module.denied")
        return self._files

    def _kind(self, path: str) -> bool | None:
        """Whether it is a folder, None when it is nothing."""
        try:
            return self._gate.stat(path).is_dir
        except NotFoundError:
            return None
        except LLMSpellError as error:
            if error.code.startswith("file."):
                return None
            raise

    def _absolute(self, entry: str) -> str:
        return os.path.normpath(self.project / Path(entry).expanduser())

    def _record(self, name: str, verdict: str, rule: str, path: str = "", sha256: str = "") -> None:
        if self._audit is not None:
            more = {"path": path, "module_sha256": sha256}
            more = {key: value for key, value in more.items() if value}
            self._audit.record("modules", name, verdict, rule, **more)


def _allows(layer: ModulesPolicy, names: tuple[str, ...]) -> bool:
    if layer.mode == "all":
        return True
    return layer.mode == "listed" and any(
        _covers(entry, name) for entry in layer.allow for name in names
    )


def _covers(entry: str, name: str) -> bool:
    """Whether an entry is the name, a glob over it, or the library that it belongs to."""
    return fnmatchcase(name, entry) or name.startswith((f"{entry}.", f"{entry}/"))


def _unreadable(name: str, error: LLMSpellError) -> LLMSpellError:
    if error.code == "limit.file_size":
        return LimitError(
            f'module "{name}" is larger than {MAX_MODULE_BYTES >> 20} MiB',
            code="limit.module_size",
        )
    if isinstance(error, NotFoundError):
        return NotFoundError(f'module "{name}" is gone', code="module.not_found")
    return PolicyError(f'module "{name}": {error.message}', code="module.denied", hint=error.hint)


def _not_pinned(name: str) -> PolicyError:
    return PolicyError(
        f'module "{name}" is not pinned',
        code="module.denied",
        hint=f"read it, then: llmspell modules pin {name}",
    )


def _changed(name: str, pinned: str, found: str) -> PolicyError:
    return PolicyError(
        f'module "{name}" is not the pinned one: pinned {pinned[:SHOWN]}, found {found[:SHOWN]}',
        code="module.changed",
        hint=f"if the change is meant: llmspell modules pin {name}",
        details={"module": name, "pinned": pinned, "found": found},
    )
