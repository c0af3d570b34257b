"""From what is written to what is meant: references, types of referenced values, paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from llmspell_core.config import outside, paths
from llmspell_core.config.interpolate import UnsetError, has_reference, interpolate
from llmspell_core.config.layers import Keys, Layer, Merged
from llmspell_core.config.mistakes import Mistake
from llmspell_core.config.settings import Settings
from llmspell_core.secrets import Secrets

_CREDENTIAL = re.compile(r"key|token|secret|password|authorization|cookie", re.IGNORECASE)
_MOST_WARNINGS = 20
_HINT = "set it, or write ${NAME:-default}"


class Resolver:
    """Resolves the values of merged layers, and remembers the secrets that it met."""

    def __init__(self, env: Mapping[str, str] | None, secret_store: Mapping[str, Any]) -> None:
        self._env = os.environ if env is None else env
        self._store = secret_store
        self._found: Secrets | None = None
        self.secrets: set[str] = set()
        self.mistakes: list[Mistake] = []

    def resolve(self, merged: Merged) -> list[Mistake]:
        """Rewrite every value; the mistakes are references without a value."""
        self.mistakes = []
        merged.rewrite(self._value)
        return self.mistakes

    def _value(self, path: Keys, value: Any, layer: Layer) -> Any:
        # What comes from a variable or an option was resolved by the shell.
        written = layer.kind not in {"env", "set"}
        if written and "${" in str(value):
            value = self._referenced(path, value, layer)
        elif path[-1] == "api_key":
            self._remember(path, value)
        return paths.absolute(value, layer.base) if paths.holds_paths(path) else value

    def _referenced(self, path: Keys, value: Any, layer: Layer) -> Any:
        refers = has_reference(value)
        try:
            found = interpolate(value, self._env, self._secret)
        except UnsetError as unset:
            self.mistakes.append(Mistake(path, str(unset), _HINT, layer.where(path)))
            # Anything would be a second mistake where a number is wanted.
            return None
        if refers:
            self._remember(path, found)
        return outside.parse_text(found, path) if refers and isinstance(found, str) else found

    def _remember(self, path: Keys, value: Any) -> None:
        if isinstance(value, str) and value and any(_CREDENTIAL.search(part) for part in path[1:]):
            self.secrets.add(value)

    def _secret(self, name: str) -> str | None:
        if self._found is None:
            settings, mistakes = Settings.check({"secrets": self._store})
            self._found = Secrets(Settings() if mistakes else settings, env=self._env)
        found = self._found.get(name)
        if found:
            self.secrets.add(found)
        return found


def literal_keys(merged: Merged) -> list[str]:
    """A warning for each key that is written out in a project file."""
    found = []
    for path, layer in merged.origin.items():
        if layer.kind != "project" or path[0] != "providers" or path[2:] != ("api_key",):
            continue
        value = merged.get(path)
        if isinstance(value, str) and value and not has_reference(value):
            name = path[1]
            found.append(
                f"{layer.where(path)}: a key is written out in a project file, where others may "
                f'read it: write "${{secret:{name}}}" instead'
            )
    if len(found) > _MOST_WARNINGS:
        found[_MOST_WARNINGS:] = [f"and {len(found) - _MOST_WARNINGS:,} more such keys"]
    return found


def located(mistakes: list[Mistake], merged: Merged, known: list[Mistake]) -> list[Mistake]:
    """The mistakes with their places, without those about values that could not be resolved."""
    paths_known = {one.path for one in known}
    return [
        one.model_copy(update={"where": one.where or merged.where(one.path)})
        for one in mistakes
        if one.path not in paths_known
    ]
