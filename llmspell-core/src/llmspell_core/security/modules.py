"""The gate to modules: what `require` and `import` may load, and by which SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from llmspell_core.errors import PolicyError
from llmspell_core.security.profile import ModulesPolicy

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog


class ModuleGate:
    """Decides about modules by name, and checks a loaded one against its pin.

    Args:
        layers: the module rules of each profile of the chain.
        pins: module name -> SHA-256 in hex, from the pin file.
    """

    def __init__(
        self,
        layers: tuple[ModulesPolicy, ...],
        *,
        pins: Mapping[str, str] | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self._layers = layers
        self._pins = dict(pins or {})
        self._audit = audit

    def allowed(self, name: str) -> bool:
        """Whether a module of this name may be loaded."""
        return all(_allows(layer, name) for layer in self._layers)

    def check(self, name: str, source: bytes | None = None) -> None:
        """Raise `module.denied` unless the module may be loaded and its source is as pinned."""
        rule = "modules"
        allowed = self.allowed(name)
        if allowed and source is not None and not self._free():
            pinned = self._pins.get(name, "")
            rule = "modules.pins"
            allowed = pinned == hashlib.sha256(source).hexdigest()
        if self._audit is not None:
            self._audit.record("modules", name, "allow" if allowed else "deny", rule)
        if not allowed:
            changed = rule == "modules.pins"
            raise PolicyError(
                f'module "{name}" is not the pinned one' if changed
                else f'module "{name}" may not be loaded under this security profile',
                code="module.denied",
                hint="llmspell modules pin" if changed else "name it in [security.modules] allow",
            )  # fmt: skip

    def _free(self) -> bool:
        return all(layer.mode == "all" for layer in self._layers)


def _allows(layer: ModulesPolicy, name: str) -> bool:
    if layer.mode == "all":
        return True
    return layer.mode == "listed" and any(fnmatchcase(name, entry) for entry in layer.allow)
