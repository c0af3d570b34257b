"""What a script gives back, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.script.api import ScriptObject

if TYPE_CHECKING:
    from llmspell_core.messages import Usage


class ScriptResult:
    """How a run ended.

    `value` is JSON-like data; `exit_code` is what `os.exit` was given, else None. `unhandled`
    are the errors of tasks that nobody waited for, `unhandled_more` how many more than these
    there were. `stdout` and `stderr` hold what was captured.
    """

    def __init__(
        self,
        *,
        value: Any = None,
        exit_code: int | None = None,
        unhandled: Sequence[LLMSpellError] = (),
        unhandled_more: int = 0,
        usage: Usage | None = None,
        duration_ms: float = 0.0,
        host_calls: int = 0,
        stdout: str = "",
        stderr: str = "",
    ) -> None:
        self.value = value
        self.exit_code = exit_code
        self.unhandled = [*unhandled]
        self.unhandled_more = unhandled_more
        self.duration_ms = duration_ms
        self.host_calls = host_calls
        self.stdout = stdout
        self.stderr = stderr
        self._usage = usage

    @property
    def usage(self) -> Usage:
        """Tokens and money of the whole run."""
        if self._usage is None:
            from llmspell_core.messages import Usage

            self._usage = Usage()
        return self._usage

    def __repr__(self) -> str:
        return f"ScriptResult(value={self.value!r}, exit_code={self.exit_code!r})"


def plain(value: Any) -> Any:
    """Data for people and JSON: host objects as `{type, name, id}`, functions left out."""
    if isinstance(value, ScriptObject):
        fields = value.script_fields()
        return {"type": value.type_name, "name": fields.get("name"), "id": fields.get("id")}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if not _is_function(one)}
    if isinstance(value, list):
        return [plain(one) for one in value if not _is_function(one)]
    if _is_function(value):
        return None
    return value


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, ScriptObject)
