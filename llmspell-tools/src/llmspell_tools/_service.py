"""What `[tools.NAME]` says about the services that a tool asks: addresses, keys, options."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ConfigError, ToolError
from llmspell_core.schema import describe
from llmspell_core.security.net import NetworkError
from llmspell_tools._parameters import Spelled

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

_KINDS = {str: "a string", bool: "true or false", int: "a whole number", list: "a list"}
_TOO_MANY = 429
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_SHOWN = 300


class ServiceName(Spelled):
    """For an annotated `Literal`: neither case nor anything between letters counts (`OpenAlex`)."""

    def _plain(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        name = "".join(char for char in value.lower() if char.isalnum())
        return self.aliases.get(name, name)


def configured(ctx: ToolContext, service: str = "") -> dict[str, Any]:
    """`[tools.NAME]`, or `[tools.NAME.SERVICE]`; empty when nothing is set."""
    name = ctx.tool.name
    tables = ctx.settings.tools
    found = tables.get(name) or tables.get(name.replace("-", "_"))
    table: Any = (found.model_extra or {}) if found is not None else {}
    if service:
        table = table.get(service, {})
        if not isinstance(table, dict):
            raise ConfigError(f"[tools.{name}] {service} must be a table")
    return dict(table)


def option(ctx: ToolContext, service: str, name: str, default: Any) -> Any:
    """One setting of a service, of the type of its default.

    Raises:
        ConfigError: it is set to another type.
    """
    value = configured(ctx, service).get(name, default)
    if type(value) is not type(default):
        where = f"[tools.{ctx.tool.name}{'.' * bool(service)}{service}] {name}"
        raise ConfigError(f"{where} must be {_KINDS[type(default)]}, not {describe(value)}")
    return value


def base_url(ctx: ToolContext, default: str, service: str = "") -> str:
    """Where a service is: `base_url` of its table, else the public one; no `/` at the end."""
    return str(option(ctx, service, "base_url", default)).rstrip("/")


def key_of(ctx: ToolContext, secret: str, service: str = "", *others: str) -> str | None:
    """The key of a service: a secret of one of these names, else `api_key` of its table."""
    found = next(filter(None, map(ctx.secret, (secret, *others))), None)
    if not found:
        found = option(ctx, service, "api_key", "") or None
        # A key of the tool's own table is as secret as one of the secret store.
        ctx.policy.redactor.add(found)
    return found


def needed_key(ctx: ToolContext, secret: str, service: str = "", *others: str) -> str:
    """The key of a service, or `tool.not_configured` saying where to put it."""
    found = key_of(ctx, secret, service, *others)
    if found:
        return found
    raise not_configured(ctx, secret, service)


def not_configured(ctx: ToolContext, secret: str, service: str = "") -> ToolError:
    """`tool.not_configured`: the service has no key."""
    table = f"tools.{ctx.tool.name}{'.' * bool(service)}{service}"
    variable = f"{secret.upper().replace('-', '_')}_API_KEY"
    return ToolError(
        f"{ctx.tool.name}: {secret} has no key",
        code="tool.not_configured",
        hint=f"set {variable}, or api_key in [{table}]",
    )


@contextmanager
def documented(service: str) -> Iterator[None]:
    """Read an answer: one of another form than the service documents is `tool.bad_answer`."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise ToolError(
            f"{service} did not answer in the form that it documents", code="tool.bad_answer"
        ) from None


def json_object(response: HttpResponse, service: str) -> dict[str, Any]:
    """The JSON object of an answer. Errors do not name its address, which may have a key in it."""
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict):
        return answer
    raise ToolError(f"{service} did not answer with a JSON object", code="tool.bad_answer")


def check_status(response: HttpResponse, what: str) -> None:
    """Raise `network.status` for an answer that is an error: 4xx and 5xx.

    Args:
        response: the answer
        what: who answered, for a person
    """
    if response.status < _CLIENT_ERROR:
        return
    words = " ".join(response.text[: 4 * _SHOWN].split())[:_SHOWN]
    raise NetworkError(
        f"{what} answered with HTTP {response.status}{': ' * bool(words)}{words}",
        code="network.status",
        retryable=response.status == _TOO_MANY or response.status >= _SERVER_ERROR,
        details={"status": response.status},
    )
