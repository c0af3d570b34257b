"""The tool `diff-calculator`: what changed between two texts, files or JSON values."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import MAX_SIZE, Spelled, Text, check_size, needed, wrong
from llmspell_tools.util import _changes

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_TIME_MS = 10_000
#: Comparing takes up to the square of the lines and more: beyond this it must be stoppable.
_FEW = 40_000
_SHORT = 20_000


class DiffParameters(ToolParameters):
    """Two texts, values or files."""

    type: Annotated[Literal["text", "json"], Spelled(lines="text")] | None = Field(
        None,
        description="text: compare line by line; json: compare values. Left out: json where "
        "`old_json` or `new_json` is given, else text",
    )
    old_text: Text | None = Field(None, description="The text before")
    new_text: Text | None = Field(None, description="The text after")
    old_json: Any = Field(None, description="json: the value before, as JSON text or as it is")
    new_json: Any = Field(None, description="json: the value after, as JSON text or as it is")
    old_file: str | None = Field(None, description="Path of a file with the text or JSON before")
    new_file: str | None = Field(None, description="Path of a file with the text or JSON after")
    format: (
        Annotated[
            Literal["unified", "context", "simple", "changes"],
            Spelled(json="changes", structured="changes", inline="simple", text="unified"),
        ]
        | None
    ) = Field(
        None,
        description="unified, context: as `diff` writes them; simple: only what is removed and "
        "added; changes: a list with `op` (add, remove, replace), place, `old` and `new`. Left "
        "out: unified for text, changes for json",
    )
    context_lines: int = Field(
        3, ge=0, le=1_000, description="unified, context: unchanged lines around each change"
    )

    aliases: ClassVar[dict[str, str]] = {
        "diff_type": "type",
        "old": "old_text",
        "new": "new_text",
        "old_path": "old_file",
        "new_path": "new_file",
        "style": "format",
    }


class DiffCalculator(Tool):
    """Compares texts, files and JSON values."""

    name = "diff-calculator"
    description = (
        "Compares two texts or files line by line, or two JSON values, and tells what was added, "
        "removed and changed."
    )
    category = "util"
    permissions = Permissions(files="read the files given")
    Parameters = DiffParameters
    timeout_ms = 30_000
    examples = (
        (
            {"old_text": "a\nb\nc\n", "new_text": "a\nB\nc\n", "format": "simple"},
            "- b\n+ B",
        ),
        ({"old_text": "one\ntwo\n", "new_text": "one\ntwo\nthree\n"}, "a unified diff"),
        (
            {"old_json": {"a": 1, "b": [1, 2]}, "new_json": '{"a": 2, "b": [0, 1, 2]}'},
            "~ /a: 1 -> 2\n+ /b/0: 0",
        ),
    )

    async def run_tool(self, params: DiffParameters, ctx: ToolContext) -> ToolResult:
        is_json = params.type == "json" or (
            params.type is None and bool(params.model_fields_set & {"old_json", "new_json"})
        )
        sides = ("old", "new")
        read = self._json if is_json else self._text
        missing = {
            f"{side}_{'json' if is_json else 'text'}": self._given(params, side, is_json)
            for side in sides
        }
        needed(self.name, "json" if is_json else "text", **missing)
        old, new = [await asyncio.to_thread(read, params, side, ctx) for side in sides]
        if is_json:
            style = params.format or "changes"
            found = await self._compare(
                "values", _is_short(old, new), ctx, old, new, style, params.context_lines
            )
        else:
            style = params.format or "unified"
            names = [params.old_file or "old", params.new_file or "new"]
            found = await self._compare(
                "texts", _is_short(old, new), ctx, old, new, style, names, params.context_lines
            )
        return self._result(found, is_json)

    @staticmethod
    def _given(params: DiffParameters, side: str, is_json: bool) -> Any:
        names = [f"{side}_text", f"{side}_file", *([f"{side}_json"] if is_json else [])]
        # null is a JSON value like any other.
        return True if params.model_fields_set & set(names) else None

    def _text(self, params: DiffParameters, side: str, ctx: ToolContext) -> str:
        text, path = getattr(params, f"{side}_text"), getattr(params, f"{side}_file")
        if text is None:
            needed(self.name, "text", **{f"{side}_text": path})
            text = self._decoded(ctx.files.read_bytes(path, MAX_SIZE), side)
        check_size(self.name, len(text), f"{side}_text")
        return str(text)

    def _decoded(self, data: bytes, side: str) -> str:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise wrong(
                self.name,
                f"{side}_file",
                "is no UTF-8 text",
                hint="file-converter converts other encodings",
            ) from None

    def _json(self, params: DiffParameters, side: str, ctx: ToolContext) -> str:
        """The value as JSON text, checked: what goes to a helper process is text."""
        field = f"{side}_json"
        given: Any = getattr(params, field)
        if field not in params.model_fields_set:
            field = (
                f"{side}_text" if getattr(params, f"{side}_text") is not None else f"{side}_file"
            )
            given = self._text(params, side, ctx)
        try:
            value = (
                json.loads(given, parse_constant=_no_constant) if isinstance(given, str) else given
            )
            text = json.dumps(value, allow_nan=False)
        except json.JSONDecodeError as error:
            where = f"{error.msg} at line {error.lineno}, column {error.colno}"
            raise wrong(self.name, field, f"is no JSON: {where}") from None
        except RecursionError:
            raise LimitError(
                f"{self.name}: {field} is nested too deep", code="limit.value_depth"
            ) from None
        except (TypeError, ValueError) as error:
            raise wrong(self.name, field, f"is no JSON: {error}") from None
        check_size(self.name, len(text), field)
        return text

    async def _compare(self, how: str, short: bool, ctx: ToolContext, *args: Any) -> dict[str, Any]:
        if short:
            made: dict[str, Any] = await asyncio.to_thread(getattr(_changes, how), *args)
            return made
        function = f"llmspell_tools.util._changes:{how}"
        found: dict[str, Any] = await bounded(
            ctx, "comparing", function, *args, timeout_ms=_TIME_MS
        )
        return found

    def _result(self, found: dict[str, Any], is_json: bool) -> ToolResult:
        diff = found["diff"]
        counts = {name: found[name] for name in ("added", "removed", "changed")}
        equal = not any(counts.values())
        if isinstance(diff, str):
            text = diff
        elif is_json:
            text = "\n".join(map(_changes.change_text, diff))
        else:
            text = "\n".join(map(_block_text, diff))
        check_size(self.name, len(text), "the result")
        result = {"diff": diff, **counts, "equal": equal}
        return ToolResult(result, output=diff, text="no differences" if equal else text)


def _block_text(one: dict[str, Any]) -> str:
    counts = (
        f"line {one['old_line']}: {one['op']}",
        *(f"- {line}" for line in one["old"].splitlines()),
        *(f"+ {line}" for line in one["new"].splitlines()),
    )
    return "\n".join(counts)


def _is_short(old: str, new: str) -> bool:
    lines = (old.count("\n") + 1) * (new.count("\n") + 1)
    return len(old) + len(new) <= _SHORT and lines <= _FEW


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
