"""`file_processor`: a tool that reads a file, runs a function on its text, and may write."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PlainValidator

from llmspell_core.errors import LLMSpellError, ToolFailed
from llmspell_core.schema import describe
from llmspell_core.script.api import ScriptFunction
from llmspell_core.tool import Permissions, ToolResult, as_text
from llmspell_tools._parameters import MAX_SIZE
from llmspell_tools.kinds._base import DescribedConfig, DescribedTool
from llmspell_tools.script_tool import _function, as_result, raise_signal

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_PATHS: dict[str, dict[str, Any]] = {
    "path": {"type": "string", "description": "the file to read", "required": True},
    "target_path": {
        "type": "string",
        "description": "where to write the result; left out, it is only given back",
    },
}


class FileProcessorConfig(DescribedConfig):
    """What to do with the text of a file."""

    aliases: ClassVar[dict[str, str]] = {"execute": "process", "handler": "process"}

    process: Annotated[ScriptFunction, PlainValidator(_function)] = Field(
        description="called with the text and the parameters; returns the new text or a value"
    )
    encoding: str = Field("utf-8", description="the encoding of the files")


class FileProcessor(DescribedTool):
    """Reads a file, runs a function on its text and may write what it returns."""

    category = "fs"
    permissions = Permissions(files="read and write the paths given")
    destructive = True

    def __init__(self, config: FileProcessorConfig) -> None:
        super().__init__(config, "restricted", [], _PATHS)
        self._config = config

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        config, path = self._config, params.get("path", "")
        text = await asyncio.to_thread(ctx.files.read_text, path, config.encoding, MAX_SIZE)
        try:
            value = config.process(text, params)
            if inspect.isawaitable(value):
                value = await value
        except LLMSpellError as error:
            raise_signal(error)
        result = as_result(self.name, value)
        target = params.get("target_path")
        if target is None:
            return result
        if not isinstance(result.output, (str, dict, list, int, float)):
            raise ToolFailed(f"{self.name}: {describe(result.output)} cannot be written to a file")
        written = as_text(result.output)
        size = await asyncio.to_thread(
            ctx.files.write_bytes, target, written.encode(config.encoding, "replace")
        )
        data = {"path": path, "target_path": target, "bytes": size}
        return ToolResult(data, output=result.output, text=f"wrote {size} bytes to {target}")


def make(cfg: dict[str, Any]) -> FileProcessor:
    """The tool of a description."""
    return FileProcessor(FileProcessorConfig.model_validate(cfg))
