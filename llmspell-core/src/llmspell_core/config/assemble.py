"""Layers become settings: trust, overrides, references, paths, and every mistake with its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmspell_core.config.interpolate import Unset, has_reference, interpolate
from llmspell_core.config.layers import Keys, Layer, Merged, leaves, nested
from llmspell_core.config.mistakes import ConfigMistakes, Mistake, dotted
from llmspell_core.config.overrides import OverrideUse, layer_for, without_reason
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded

_CREDENTIAL = re.compile(r"key|token|secret|password|authorization|cookie", re.IGNORECASE)


class Assembly:
    """One `load`, step by step. `full` has everything, `trusted` what may widen."""

    def __init__(
        self,
        layers: list[Layer],
        project: Path,
        cwd: Path,
        env: Mapping[str, str] | None,
        script: Path | None,
        mistakes: list[Mistake],
    ) -> None:
        self.layers = layers
        self.project = project
        self.cwd = cwd
        self.env = env
        self.script = script.absolute() if script else None
        self.mistakes = mistakes
        self.warnings: list[str] = []
        self.full = Merged()
        self.trusted = Merged()
        self.enforced: dict[str, Any] | None = None
        self.override: OverrideUse | None = None
        self.secrets: set[str] = set()

    def loaded(self, overrides: Iterable[str], profile: str | None) -> Loaded:
        """The settings with all that is known about them, or `ConfigMistakes`."""
        self._add_files()
        self._add_overrides()
        self._add_outside(overrides, profile)
        self._warn_of_keys()
        self._resolve()
        settings, wrong = Settings.check(self.full.data)
        self.mistakes += [replace(one, where=self.full.where(one.path)) for one in wrong]
        self.mistakes += without_reason(self.full)
        if not wrong:
            self._check_profiles(settings)
        if self.mistakes:
            raise ConfigMistakes(sorted(self.mistakes, key=self._position))
        return Loaded(
            settings,
            self.project,
            self.cwd,
            warnings=self.warnings,
            files=[layer.path for layer in self.layers if layer.path],
            security_tables=self._tables(settings),
            secrets=frozenset(self.secrets),
            trusted=all(layer.trusted for layer in self.layers),
            override=self.override,
            merged=self.full,
        )

    # -- layers ------------------------------------------------------------------------------

    def _add_files(self) -> None:
        ignored: dict[str, list[str]] = {}
        for layer in self.layers:
            if layer.kind == "project" and not layer.trusted:
                self._add_untrusted(layer, ignored)
            else:
                self._add(layer)
            if layer.kind in {"system", "user"}:
                self._note_enforced()
        if ignored:
            files = " and ".join(ignored)
            names = ", ".join(dict.fromkeys(name for some in ignored.values() for name in some))
            self.warnings.append(
                f"{files}: the folder is not trusted, so these keys are ignored: {names} "
                f"(to trust it: llmspell trust {self.project})"
            )

    def _add_untrusted(self, layer: Layer, ignored: dict[str, list[str]]) -> None:
        from llmspell_core.config import paths, untrusted

        layer = replace(layer, data=paths.resolved(layer.data, layer.base))
        kept, left_out = untrusted.split(layer, self.trusted.data, self.project, self.cwd)
        if left_out:
            ignored[layer.label] = [dotted(path) for path in left_out]
        self.full.add(replace(layer, data=kept))

    def _add(self, layer: Layer) -> None:
        """Add a layer that may widen, unless a file of the user's or the system's forbids it."""
        if self.enforced is not None and layer.kind not in {"system", "user"}:
            layer = self._held(layer)
        self.full.add(layer)
        self.trusted.add(layer)

    def _note_enforced(self) -> None:
        security = self.trusted.get(("security",))
        if isinstance(security, dict):
            by_profile = security.get("profile") == "production" and "enforce" not in security
            if security.get("enforce") is True or by_profile:
                self.enforced = {**security}

    def _held(self, layer: Layer) -> Layer:
        """The layer without what would widen an enforced profile: that is a mistake."""
        from llmspell_core.config.widening import Widening

        widening = Widening(self.enforced or {}, self.project, self.cwd)
        kept: dict[Keys, Any] = {}
        for path, value in leaves(layer.data):
            held = value
            if path[0] == "security" and len(path) > 1:
                held = widening.narrowed(path[1:], value)
            if held is None and value is not None:
                self.mistakes.append(
                    Mistake(
                        path,
                        "may only be tightened",
                        f"{self.trusted.where(('security', 'enforce'))} enforces the profile",
                        layer.where(path),
                    )
                )
            else:
                kept[path] = held
        return replace(layer, data=nested(kept))

    def _add_overrides(self) -> None:
        if self.script is None:
            return
        for merged in (self.trusted, self.full):
            layer, self.override = layer_for(merged, self.script, self.project)
            if layer is not None:
                merged.add(self._held(layer) if self.enforced is not None else layer)

    def _add_outside(self, overrides: Iterable[str], profile: str | None) -> None:
        from llmspell_core.config import outside

        env = self.env or {}
        for layer in (
            outside.environment_name(env, self.cwd),
            outside.variables(env, self.full.data, self.cwd, self.mistakes),
            outside.options(overrides, profile, self.cwd, self.mistakes),
        ):
            if layer is not None:
                self._add(layer)

    # -- values ------------------------------------------------------------------------------

    def _warn_of_keys(self) -> None:
        for path, layer in self.full.origin.items():
            value = self.full.get(path)
            if layer.kind == "project" and path[0] == "providers" and path[2:] == ("api_key",):
                if isinstance(value, str) and value and not has_reference(value):
                    self.warnings.append(
                        f"{layer.where(path)}: a key stands in a project file: rather write "
                        f'"${{secret:{path[1]}}}", or set {path[1].upper()}_API_KEY'
                    )

    def _resolve(self) -> None:
        """Replace references, turn what they gave into the key's type, make paths absolute."""
        self.full.rewrite(self._value)
        if len(self.trusted.origin) != len(self.full.origin) or not self._all_trusted():
            quiet, self.mistakes = self.mistakes, []
            self.trusted.rewrite(self._value)
            self.mistakes = quiet

    def _all_trusted(self) -> bool:
        return all(layer.trusted for layer in self.full.origin.values())

    def _value(self, path: Keys, value: Any, layer: Layer) -> Any:
        from llmspell_core.config import outside, paths

        if has_reference(value) and layer.kind not in {"env", "set"}:
            try:
                found = interpolate(value, self._variables(), self._secret)
            except Unset as unset:
                self.mistakes.append(
                    Mistake(
                        path, str(unset), "set it, or write ${NAME:-default}", layer.where(path)
                    )
                )
                return value
            self._remember(path, found)
            value = outside.parse_text(found, path) if isinstance(found, str) else found
        elif isinstance(value, str) and path[-1] == "api_key":
            self._remember(path, value)
        elif isinstance(value, str):
            value = value.replace("$${", "${") if layer.path else value
        return paths.absolute(value, layer.base) if paths.holds_paths(path) else value

    def _variables(self) -> Mapping[str, str]:
        return os.environ if self.env is None else self.env

    def _remember(self, path: Keys, value: Any) -> None:
        if isinstance(value, str) and value and any(_CREDENTIAL.search(part) for part in path[1:]):
            self.secrets.add(value)

    def _secret(self, name: str) -> str | None:
        from llmspell_core.secrets import Secrets

        settings, _ = Settings.check({"secrets": self.trusted.get(("secrets",), {})})
        if settings.secrets is None:
            return None
        found = Secrets(settings, env=self._variables()).get(name)
        if found:
            self.secrets.add(found)
        return found

    # -- the profile -------------------------------------------------------------------------

    def _check_profiles(self, settings: Settings) -> None:
        from llmspell_core.config.profiles import mistakes_in

        trusted = self.trusted.get(("security", "profiles"), {})
        for one in mistakes_in(settings, trusted):
            where = self.full.where(one.path)
            self.mistakes.append(replace(one, where=where))

    def _tables(self, settings: Settings) -> list[dict[str, Any]]:
        full = settings.data().get("security", {})
        tables = [self.enforced or None, self.trusted.get(("security",), {}), full]
        found: list[dict[str, Any]] = []
        for table in tables:
            if table is not None and table not in found:
                found.append(table)
        return found

    def _position(self, mistake: Mistake) -> tuple[int, str, int]:
        label, _, line = mistake.where.rpartition(":")
        if not line.isdigit():
            label, line = mistake.where, "0"
        order = [layer.label for layer in self.layers]
        return (order.index(label) if label in order else len(order), label, int(line))
