"""`llm`: a tool that asks the configured model with a prompt made from its parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.errors import ToolFailed
from llmspell_core.messages import Message
from llmspell_core.provider import ModelRequest
from llmspell_core.tool import ToolResult
from llmspell_tools.kinds._base import DescribedConfig, DescribedTool, fill_text

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


class LlmConfig(DescribedConfig):
    """A prompt; texts may have {{name}} for parameters."""

    aliases: ClassVar[dict[str, str]] = {"template": "prompt", "response_format": "output_schema"}

    prompt: str = Field(description="what to ask, {{name}} for parameters")
    system_prompt: str = Field("", description="what goes before it")
    model: str = Field("", description="provider/model, or the configured default")
    temperature: float | None = Field(None, ge=0, description="0 is the most predictable")
    max_tokens: int | None = Field(None, ge=1, description="longest answer")
    output_schema: dict[str, Any] | None = Field(
        None, description="a JSON schema: the answer is a value that fits it"
    )
    timeout_ms: float = Field(120_000, gt=0, description="how long a call may take")


class Llm(DescribedTool):
    """Asks a model, counted in the caller's budget."""

    category = "ai"

    def __init__(self, config: LlmConfig) -> None:
        super().__init__(config, "safe", [config.system_prompt, config.prompt])
        self._config = config

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        config = self._config
        messages = [Message(role="user", content=fill_text(config.prompt, params))]
        if config.system_prompt:
            system = Message(role="system", content=fill_text(config.system_prompt, params))
            messages.insert(0, system)
        response = await ctx.model(
            ModelRequest(
                model=config.model,
                messages=messages,
                temperature=config.temperature,
                max_tokens=config.max_tokens,
                schema=config.output_schema,
            )
        )
        text = response.text
        metadata = {"model": response.model, "usage": response.usage.model_dump()}
        if config.output_schema is None:
            return ToolResult(text, metadata=metadata)
        try:
            value = json.loads(text)
        except ValueError:
            raise ToolFailed(
                f"{self.name}: the model did not answer with JSON", details={"text": text[:1000]}
            ) from None
        return ToolResult(value, text=text, metadata=metadata)


def make(cfg: dict[str, Any]) -> Llm:
    """The tool of a description."""
    return Llm(LlmConfig.model_validate(cfg))
