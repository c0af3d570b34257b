"""`DuktapeEngine`: what the bridge knows of this engine before it starts a session."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from llmspell_core.script.engine import EngineInfo

_MODERN = "the modern JavaScript engine runs here: pip install 'llmspell[js]'"


class DuktapeEngine:
    """JavaScript ES5.1 on Duktape, always in a worker. Calls look synchronous, as in Lua."""

    info = EngineInfo(
        name="duktape",
        language="js",
        level="ES5.1",
        extensions=(".js",),
        guest="llmspell_duktape.guest",
        requires=("pyduktape2", "llmspell_duktape"),
        async_style="coroutines",
        # The engine has no limits of its own: these hold its process, which is killed.
        limits=("memory (process)", "cpu (process)", "tasks"),
        in_process=False,
        preference=-10,
    )

    def available(self) -> str | None:
        if find_spec("pyduktape2") is None:
            if sys.version_info >= (3, 14):
                return f"pyduktape2 has no build for Python 3.14 and later; {_MODERN}"
            return "pyduktape2 is not installed: pip install 'llmspell[duktape]'"
        try:
            import pyduktape2
        except ImportError as error:
            return f"pyduktape2 cannot be loaded: {error}"
        return None if hasattr(pyduktape2, "DuktapeContext") else "pyduktape2 has no contexts"

    def complete(self, source: str) -> bool:
        """Duktape names the end of the text in the error when more lines could help."""
        from llmspell_duktape.complete import complete

        return complete(source)
