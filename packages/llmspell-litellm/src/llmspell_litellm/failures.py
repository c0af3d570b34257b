"""litellm's exceptions in the one classification of provider errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from llmspell_core.chat.errors import (
    Service,
    bad_response,
    connection_error,
    http_error,
    timeout_error,
)
from llmspell_core.errors import ProviderError, did_you_mean
from llmspell_litellm.services import SERVICES

_CONNECT = frozenset(
    {"ConnectError", "ConnectTimeout", "ClientConnectorError", "ConnectionRefusedError", "gaierror"}
)
_BROKEN = frozenset(
    {
        "ClientPayloadError",
        "ReadError",
        "RemoteProtocolError",
        "ServerDisconnectedError",
        "WriteError",
    }
)
_NO_KEY = re.compile(
    r"missing .{0,40}(key|credential)|(key|credential)s? (option )?must be set|default credentials",
    re.IGNORECASE,
)
#: `litellm.RateLimitError: RateLimitError: OpenAIException - slow down`
_PREFIX = re.compile(r"^(litellm\.)?\w+(Error|Exception|Timeout): ")
_SERVICE_PREFIX = re.compile(r"^\w*Exception - ")
_AFTER = re.compile(
    r"\s+Traceback \(most recent|\n\nThis looks like a bug|\.? Handle with `litellm|"
    r" Original exception: "
)


def failure(error: Exception, service: Service, model: str, timeout_ms: float) -> ProviderError:
    """The error for anything that litellm raised."""
    names = {type(one).__name__ for one in _chain(error)}
    said = words_of(error)
    if names & {"Timeout", "APITimeoutError", "TimeoutError"} and not names & _CONNECT:
        return timeout_error(service, timeout_ms)
    if names & _CONNECT:
        return connection_error(service, said, refused=True)
    if _NO_KEY.search(said) and _answer(error)[0] is None:
        return ProviderError(
            f'provider "{service.name}" has no key: {service.scrub(said)}',
            code="provider.not_configured",
            hint=service.set_key,
        )
    if "LLM Provider NOT provided" in said:
        head = model.partition("/")[0]
        return ProviderError(
            f'litellm knows no service "{head}"',
            code="provider.unknown_model",
            hint=did_you_mean(head, sorted(SERVICES)) or "write it as service/model",
        )
    return _answered(error, names, said, service, model)


def _answered(
    error: Exception, names: set[str], said: str, service: Service, model: str
) -> ProviderError:
    status, headers = _answer(error)
    if names & _BROKEN:
        return connection_error(service, said)
    if "ContextWindowExceededError" in names:
        # Recognised by litellm in the words of a hundred services.
        said = f"context length: {said}"
    if status is None:
        # litellm's own check of the request, or a failure of litellm that it calls a 500.
        own = getattr(error, "status_code", None)
        status = own if own in _CLIENT_FAULTS else None
    if status is None or status < _CLIENT_FAULTS.start:
        return bad_response(service, said)
    return http_error(service, status, headers, said, model)


_CLIENT_FAULTS = range(400, 500)


def words_of(error: Exception) -> str:
    """What the service said, without what litellm puts before and after it."""
    said = _AFTER.split(str(error), maxsplit=1)[0].strip()
    while found := _PREFIX.match(said):
        said = said[found.end() :]
    return _SERVICE_PREFIX.sub("", said)


def _answer(error: Exception) -> tuple[int | None, Mapping[str, str]]:
    """(status, headers) of what the service answered; (None, {}) when nothing was.

    litellm gives its exceptions a status also where nobody answered; headers it makes up never.
    """
    chain = [*_chain(error)]
    for one in [*(getattr(one, "response", None) for one in chain), *chain]:
        headers, status = getattr(one, "headers", None), getattr(one, "status_code", None)
        if headers and isinstance(status, int):
            return status, headers
    return None, {}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
