"""`PluginManager`: calls the moments of `hookspecs` on the installed ``llmspell.hooks`` plugins."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ExtensionError
from llmspell_core.extensions import Extension, Extensions, PluginFailure

if TYPE_CHECKING:
    import pluggy

_log = logging.getLogger("llmspell.plugins")


class PluginManager:
    """The plugins that take part in moments, loaded at the first `call`.

    A plugin that does not load, or fails while it is called, is named in a warning and in
    `failures`, and costs only itself.
    """

    def __init__(self, extensions: Extensions | None = None) -> None:
        self.failures: list[PluginFailure] = []
        self._extensions = extensions
        self._manager: pluggy.PluginManager | None = None
        self._loaded = False

    def call(self, moment: str, **arguments: Any) -> list[Any]:
        """Call one moment (`configure` or `llmspell_configure`) on every plugin.

        Gives what they returned, without None. Never raises for a plugin's failure.
        """
        manager = self._load()
        if manager is None:
            return []
        name = moment if moment.startswith("llmspell_") else f"llmspell_{moment}"
        caller = getattr(manager.hook, name)
        try:
            answers: list[Any] = caller(**arguments)
        except Exception as error:  # noqa: BLE001 - a wrapper that fails must not end the run
            _log.warning("a plugin failed in %s: %s: %s", name, type(error).__name__, error)
            return []
        return answers

    def _load(self) -> pluggy.PluginManager | None:
        if not self._loaded:
            self._loaded = True
            extensions = Extensions("hooks") if self._extensions is None else self._extensions
            # Without plugins pluggy, 18 ms of CPU, need not be imported.
            if extensions:
                self._manager = self._create(extensions)
        return self._manager

    def _create(self, extensions: Extensions) -> pluggy.PluginManager:
        import pluggy

        from llmspell_core import hookspecs

        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        plugins, failures = extensions.load_all()
        for failure in failures:
            self._failed(failure.extension, failure.error)
        for name, plugin in plugins.items():
            try:
                manager.register(plugin, name=name)
                # One plugin at a time, so that a misspelt hook costs only its own plugin.
                manager.check_pending()
            except pluggy.PluginValidationError as error:
                manager.unregister(name=name)
                self._failed(extensions[name], _broken(extensions[name], error))
            else:
                self._guard(manager, extensions[name], plugin)
        return manager

    def _guard(self, manager: pluggy.PluginManager, ext: Extension, plugin: Any) -> None:
        """Wrap the plugin's functions: pluggy would stop all others at the first failure."""
        for caller in manager.get_hookcallers(plugin) or []:
            for impl in caller.get_hookimpls():
                if impl.plugin is plugin and not (impl.wrapper or impl.hookwrapper):
                    # Final to type checkers, but the one place to catch a single plugin's failure.
                    guarded = self._guarded(ext, caller.name, impl.function)
                    impl.function = guarded  # type: ignore[misc]

    def _guarded(
        self, ext: Extension, moment: str, function: Callable[..., Any]
    ) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            try:
                answer = function(*args)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whose it is, is what matters
                self._failed(ext, _broken(ext, error, moment))
                return None
            if inspect.iscoroutine(answer):
                answer.close()
                self._failed(ext, _broken(ext, TypeError("it must not be async"), moment))
                return None
            return answer

        return call

    def _failed(self, ext: Extension, error: ExtensionError) -> None:
        self.failures.append(PluginFailure(ext, error))
        _log.warning("%s", error)


def _broken(ext: Extension, error: BaseException, moment: str = "") -> ExtensionError:
    where = f" in {moment}" if moment else ""
    return ExtensionError(
        f"plugin {ext.distribution} ({ext.target}) failed{where}: {type(error).__name__}: {error}",
        code="plugin.broken",
        hint=f"update {ext.distribution}, or uninstall it",
        details={"distribution": ext.distribution, "target": ext.target},
    )
