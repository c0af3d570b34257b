"""Layers become settings: trust, enforcement, overrides, and every mistake with its line."""

from __future__ import annotations

import copy
from typing import Any

from llmspell_core.config import outside, overrides, paths, values
from llmspell_core.config.layers import Keys, Layer, Merged, leaves, nested
from llmspell_core.config.mistakes import ConfigMistakes, Mistake, shown
from llmspell_core.config.settings import Settings
from llmspell_core.config.sources import Loaded, Request

#: So many ignored keys are named in the warning; the rest is a number.
_MOST_NAMED = 50


class Assembly:
    """One `load`, step by step. `full` has everything, `trusted` what may widen."""

    def __init__(self, request: Request, layers: list[Layer], mistakes: list[Mistake]) -> None:
        self.request = request
        self.layers = layers
        self.mistakes = mistakes
        self.warnings: list[str] = []
        self.full = Merged()
        self.trusted = Merged()
        #: The `[security]` table that the user or the system enforces.
        self.enforced: dict[str, Any] | None = None
        self.override: overrides.OverrideUse | None = None

    def loaded(self) -> Loaded:
        """The settings with all that is known about them, or `ConfigMistakes`."""
        self._add_files()
        self._add_overrides()
        self._add_outside()
        self.warnings += values.literal_keys(self.full)
        resolver = values.Resolver(self.request.env, self.trusted.get(("secrets",), {}))
        if self._has_untrusted():
            self.mistakes += resolver.resolve(self.trusted)
        self.mistakes += [one for one in resolver.resolve(self.full) if one not in self.mistakes]
        settings = self._checked()
        return Loaded(
            settings,
            self.request.project,
            self.request.cwd,
            warnings=self.warnings,
            files=[layer.path for layer in self.layers if layer.path],
            security_tables=self._security_tables(settings),
            secrets=frozenset(resolver.secrets),
            trusted=not self._has_untrusted(),
            override=self.override,
            merged=self.full,
        )

    def _checked(self) -> Settings:
        settings, wrong = Settings.check(self.full.data)
        wrong += overrides.mistakes_in(self.full)
        if not wrong and {"security", "script_overrides"} & self.full.data.keys():
            from llmspell_core.config import profiles

            trusted = self.trusted.get(("security",))
            wrong += profiles.mistakes_in(settings, trusted if isinstance(trusted, dict) else {})
        self.mistakes += values.located(wrong, self.full, self.mistakes)
        if self._has_untrusted():
            # An untrusted file's values may lie over what is wrong in the user's own.
            _, hidden = Settings.check(self.trusted.data)
            self.mistakes += values.located(hidden, self.trusted, self.mistakes)
        if self.mistakes:
            raise ConfigMistakes(sorted(self.mistakes, key=self._position))
        return settings

    def _position(self, mistake: Mistake) -> tuple[int, str, int]:
        label, _, line = mistake.where.rpartition(":")
        if not line.isdigit():
            label, line = mistake.where, "0"
        order = [layer.label for layer in self.layers]
        return (order.index(label) if label in order else len(order), label, int(line))

    # -- layers ------------------------------------------------------------------------------

    def _add_files(self) -> None:
        ignored: list[str] = []
        for written in self.layers:
            layer = written.model_copy(update={"data": paths.resolved(written.data, written.base)})
            if layer.trusted:
                self._add(layer)
            else:
                self._add_untrusted(layer, ignored)
            if layer.kind in {"system", "user"}:
                self._note_enforced()
        if ignored:
            more = len(ignored) - _MOST_NAMED
            rest = f" and {more:,} more" if more > 0 else ""
            self.warnings.append(
                "the folder is not trusted, so these keys are ignored: "
                f"{', '.join(ignored[:_MOST_NAMED])}{rest} "
                f"(to trust it: llmspell trust {self.request.project})"
            )

    def _add_untrusted(self, layer: Layer, ignored: list[str]) -> None:
        from llmspell_core.config import untrusted

        project, cwd = self.request.project, self.request.cwd
        kept, left_out = untrusted.split(layer, self.trusted.data, project, cwd, self.request.env)
        ignored += [f"{layer.where(path)} {shown(path)}" for path in left_out]
        self.full.add(layer.model_copy(update={"data": kept}))

    def _add(self, layer: Layer) -> None:
        """Add a layer that may widen, unless a file of the user's or the system's forbids it."""
        layer = self._held(layer)
        self.full.add(layer)
        self.trusted.add(layer)

    def _note_enforced(self) -> None:
        security = self.trusted.get(("security",))
        if isinstance(security, dict):
            by_profile = security.get("profile") == "production" and "enforce" not in security
            if security.get("enforce") is True or by_profile:
                self.enforced = copy.deepcopy(security)

    def _held(self, layer: Layer) -> Layer:
        """The layer without what would widen an enforced profile: that is a mistake."""
        if self.enforced is None or "security" not in layer.data:
            return layer
        from llmspell_core.config.widening import Widening

        widening = Widening(self.enforced, self.request.project, self.request.cwd)
        kept: dict[Keys, Any] = {}
        for path, value in leaves(layer.data):
            inside = path[0] == "security" and path[1:] != ()
            held = widening.narrowed(path[1:], value) if inside else value
            if held is not None:
                kept[path] = held
                continue
            by = self.trusted.where(("security", "enforce"))
            wrong = Mistake(path, "may only be tightened", f"{by} enforces it", layer.where(path))
            if wrong not in self.mistakes:
                self.mistakes.append(wrong)
        return layer.model_copy(update={"data": nested(kept)})

    def _add_overrides(self) -> None:
        script = self.request.script
        if script is None:
            return
        for merged in (self.trusted, self.full):
            layer, self.override = overrides.layer_for(
                merged, script.absolute(), self.request.project
            )
            if layer is not None:
                merged.add(self._held(layer))

    def _add_outside(self) -> None:
        request = self.request
        env = request.env or {}
        for layer in (
            outside.environment_name(env, request.cwd),
            outside.variables(env, self.full.data, request.cwd, self.mistakes),
            outside.options(request.overrides, request.profile, request.cwd, self.mistakes),
        ):
            if layer is not None:
                self._add(layer)

    def _security_tables(self, settings: Settings) -> list[dict[str, Any]]:
        full = settings.data().get("security", {})
        trusted = self.trusted.get(("security",), {}) if self._has_untrusted() else None
        tables = [self.enforced, trusted, full]
        return [one for n, one in enumerate(tables) if one is not None and one not in tables[:n]]

    def _has_untrusted(self) -> bool:
        return not all(layer.trusted for layer in self.layers)
