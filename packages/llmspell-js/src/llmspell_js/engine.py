"""`JsEngine`: what the bridge knows of this engine before it starts a session."""

from __future__ import annotations

from importlib.util import find_spec

from llmspell_core.script.engine import EngineInfo


class JsEngine:
    """JavaScript (ES2023 and more) on quickjs-ng. Every host method gives a Promise."""

    info = EngineInfo(
        name="js",
        language="js",
        level="ES2023",
        extensions=(".js", ".mjs"),
        guest="llmspell_js.guest",
        requires=("_quickjs", "llmspell_js"),
        async_style="promises",
        limits=("memory", "cpu", "instructions", "tasks"),
        in_process=True,
        preference=10,
        module_table=True,
    )

    def available(self) -> str | None:
        if find_spec("_quickjs") is None:
            return "quickjs-ng is not installed: pip install 'llmspell[js]'"
        if problem := _wrong_distribution():
            return problem
        try:
            import _quickjs
        except ImportError as error:
            return f"quickjs-ng cannot be loaded: {error}"
        return None if hasattr(_quickjs, "Context") else "quickjs-ng has no contexts"

    def complete(self, source: str) -> bool:
        from llmspell_js.scan import complete

        return complete(source)


def _wrong_distribution() -> str | None:
    """`quickjs` and `quickjs-ng` install the same modules, and the older one may win."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("quickjs")
    except PackageNotFoundError:
        return None
    return (
        f"the distribution quickjs {found} stands in the way of quickjs-ng, which has the same "
        "modules: pip uninstall quickjs, then pip install --force-reinstall quickjs-ng"
    )
