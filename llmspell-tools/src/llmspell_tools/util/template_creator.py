"""The tool `template-creator`: fills in Jinja2 and Handlebars templates."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, check_size, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_HANDLEBARS = re.compile(r"\{\{[#/^>]|\{\{\{|\{\{else\}\}|\{\{@")


class TemplateParameters(ToolParameters):
    """A template and what to fill in."""

    aliases: ClassVar[dict[str, str]] = {
        "template": "input",
        "variables": "context",
        "values": "context",
    }

    operation: Annotated[Literal["render"], Spelled(create="render", fill="render")] = Field(
        "render", description="render: fill in the template"
    )
    input: str = Field(
        description="The template: Hello {{ name }}!",
        # Workflows leave the bare names in it to this tool.
        json_schema_extra={"format": "template"},
    )
    context: dict[str, Any] = Field(
        default_factory=dict, description="The values of the names in the template"
    )
    engine: Annotated[
        Literal["jinja2", "handlebars"],
        Spelled(jinja="jinja2", tera="jinja2", hbs="handlebars", mustache="handlebars"),
    ] = Field(
        "jinja2",
        description="jinja2: {% for x in xs %}, filters; handlebars: {{#each xs}}, escapes HTML",
    )
    strict: bool = Field(False, description="Fail for a name without a value; else it is empty")


class TemplateCreator(Tool):
    """Fills in templates."""

    name = "template-creator"
    description = "Fills in a text template (Jinja2, or Handlebars) with values."
    category = "util"
    aliases = ("template-engine",)
    Parameters = TemplateParameters
    timeout_ms = 10_000
    examples = (
        ({"input": "Hello {{ name }}!", "context": {"name": "Ada"}}, "Hello Ada!"),
        (
            {
                "template": "{{#each items}}{{@index}}:{{this}} {{/each}}",
                "variables": {"items": ["a", "b"]},
                "engine": "handlebars",
            },
            "0:a 1:b ",
        ),
        (
            {
                "input": "{% for x in xs %}{{ x | upper }}{% endfor %}",
                "context": {"xs": ["a", "b"]},
            },
            "A",
        ),
    )

    async def run_tool(self, params: TemplateParameters, ctx: ToolContext) -> ToolResult:
        check_size(self.name, len(params.input))
        if params.engine == "handlebars":
            rendered = await asyncio.to_thread(self._handlebars, params)
        else:
            rendered = await _jinja2(params, ctx)
        return ToolResult({"rendered": rendered}, output=rendered)

    def _handlebars(self, params: TemplateParameters) -> str:
        from llmspell_tools.util._handlebars import TemplateError
        from llmspell_tools.util._handlebars_run import render

        try:
            return render(params.input, params.context, strict=params.strict)
        except TemplateError as error:
            raise wrong(self.name, "input", str(error)) from None


async def _jinja2(params: TemplateParameters, ctx: ToolContext) -> str:
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.templating import has_statements, render

    try:
        if not has_statements(params.input):
            return render(params.input, params.context, strict=params.strict)
        # Loops can take long: only a process can be stopped in the middle of one.
        rendered: str = await ctx.compute(
            "llmspell_core.templating:render", params.input, params.context, params.strict
        )
    except LLMSpellError as error:
        if error.hint is None and _HANDLEBARS.search(params.input):
            error.hint = 'this looks like a Handlebars template: engine = "handlebars"'
        raise
    return rendered
