"""Parameters and checks of requests, which the tools that send them share."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from llmspell_core.schema import describe
from llmspell_core.security.request_headers import header_problem
from llmspell_tools._parameters import wrong


def _body(value: Any) -> Any:
    if isinstance(value, (str, bytes, dict, list)):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"must be a string or a table, not {describe(value)}")


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


#: Text or bytes as they are, or a table, which is sent as JSON.
Body = Annotated[
    Any, PlainValidator(_body), WithJsonSchema({"type": ["string", "object", "array"]})
]
Method = Annotated[
    Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"], BeforeValidator(_upper)
]


def check_headers(tool: str, headers: dict[str, str]) -> None:
    """Raise `input.invalid` for a header that the network gate would not send."""
    for name, value in headers.items():
        problem = header_problem(name, value)
        if problem is not None:
            raise wrong(tool, f"headers.{ascii(name)[1:-1][:40]}", problem)


def as_json(tool: str, field: str, value: Any) -> bytes:
    """A value as JSON, or `input.invalid` naming its field."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise wrong(tool, field, f"is nothing that JSON can hold: {error}") from None
    return text.encode("utf-8", "surrogatepass")


def add_json_type(headers: dict[str, str]) -> None:
    """Say that the body is JSON, unless the headers say what it is."""
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
