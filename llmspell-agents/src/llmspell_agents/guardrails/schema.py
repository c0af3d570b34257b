"""`schema`: a value must fit a JSON schema; a text is read as JSON first."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from llmspell_agents.structured import find_json
from llmspell_core.errors import LLMSpellError
from llmspell_core.guardrail import GuardContext, Guardrail, Verdict
from llmspell_core.schema import check_schema, mistakes_text, schema_mistakes, short_form
from llmspell_core.script.model import ScriptModel

#: What only a JSON schema has; without any of them it is the short form.
_KEYWORDS = frozenset(
    {"$ref", "allOf", "anyOf", "const", "enum", "items", "not", "oneOf", "properties", "type"}
)


class SchemaOptions(ScriptModel):
    """The options of `schema`."""

    aliases: ClassVar[dict[str, str]] = {"schema": "schema_"}

    # As a field, `schema` would hide pydantic's own.
    schema_: dict[str, Any] = Field(
        alias="schema", description="JSON schema, or {name = type}, that the value must fit"
    )
    action: Literal["retry", "block"] = Field(
        "retry", description="tell the model its mistakes, or end the run"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        try:
            if not _KEYWORDS & self.schema_.keys():
                self.schema_ = short_form(self.schema_)
            check_schema(self.schema_, "schema")
        except LLMSpellError as error:
            raise PydanticCustomError("schema", "{why}", {"why": error.message}) from None
        return self


class FitsSchema(Guardrail):
    """Lets pass what fits the schema, and says what does not."""

    name: ClassVar[str] = "schema"
    Options: ClassVar[type[ScriptModel]] = SchemaOptions

    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        schema = self.options.schema_
        mistakes = self._mistakes(schema, value)
        if not mistakes:
            return Verdict.passed()
        why = f"it does not fit the schema: {mistakes_text(mistakes)}"
        return Verdict.retry(why) if self.options.action == "retry" else Verdict.block(why)

    @staticmethod
    def _mistakes(schema: dict[str, Any], value: Any) -> list[dict[str, str]]:
        if not isinstance(value, str) or schema.get("type") == "string":
            return schema_mistakes(schema, value)
        try:
            return schema_mistakes(schema, find_json(value))
        except ValueError:
            return [{"field": "", "message": "it is no JSON"}]
