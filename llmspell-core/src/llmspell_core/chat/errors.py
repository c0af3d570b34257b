"""What went wrong with a model service, in one classification and in a user's words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from llmspell_core.chat.overflow import overflow_numbers
from llmspell_core.errors import ProviderError
from llmspell_core.json_text import read_json

#: A longer Retry-After is reported instead of being waited for.
LONGEST_RETRY_AFTER_MS = 30_000
#: Characters of a service's own words that an error repeats.
LONGEST_TEXT = 300
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum context|too many tokens|prompt is too long"
    r"|exceeds? the (available )?context|reduce the length",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Service:
    """Who was asked: what error texts need to name it and to say what to do."""

    name: str
    base_url: str
    key_variable: str = ""
    program: str = ""
    api_key: str = ""

    def scrub(self, text: str) -> str:
        """A text of the service without the key, control characters, or its tail."""
        if self.api_key:
            text = text.replace(self.api_key, "***")
        text = re.sub(r"\b(sk|gsk|key)-[\w-]{8,}", "***", text)
        text = re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()
        return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "..."

    @property
    def set_key(self) -> str:
        """How to give it a key."""
        table = f"[providers.{self.name}] api_key"
        return f"set {self.key_variable} or {table}" if self.key_variable else f"set {table}"


def http_error(
    service: Service, status: int, headers: Mapping[str, str], body: str, model: str
) -> ProviderError:
    """The error for an answer whose status is not a success."""
    detail = error_text(body)
    code = _code(status, detail, body)
    details: dict[str, Any] = {"status": status, "provider": service.name, "model": model}
    if code == "provider.context_length":
        details.update(overflow_numbers(body))
    retryable = code != "provider.context_length" and (
        status in _RETRIED or (status >= _SERVER_FAULT and status != HTTPStatus.NOT_IMPLEMENTED)
    )
    hint = _hint(service, code, status, model)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = retry_after_ms(headers)
        if wait is not None:
            details["retry_after_ms"] = wait
        if "insufficient_quota" in body:
            retryable, hint = False, "the account has no credit left: see the service's billing"
    said = f": {service.scrub(detail)}" if detail else ""
    what = _WORDS.get(code, "{service} answered").format(service=service.name, model=model)
    return ProviderError(
        f"{what} ({status}){said}", code=code, hint=hint, details=details, retryable=retryable
    )


_RETRIED = frozenset({408, 409, 429})
_SERVER_FAULT = 500
_CODES = {
    401: "provider.auth",
    403: "provider.auth",
    408: "provider.timeout",
    409: "provider.server",
    429: "provider.rate_limit",
}
_WORDS = {
    "provider.auth": "{service} rejected the key",
    "provider.rate_limit": "{service}: too many requests",
    "provider.context_length": "{service}: the conversation is too long for {model}",
    "provider.model_missing": '{service} has no model "{model}"',
    "provider.timeout": "{service} gave up waiting",
}


def _code(status: int, detail: str, body: str) -> str:
    if status in _CODES:
        return _CODES[status]
    if status >= _SERVER_FAULT:
        return "provider.server"
    if status == HTTPStatus.NOT_FOUND and "model" in detail.lower():
        return "provider.model_missing"
    if _TOO_LONG.search(body):
        return "provider.context_length"
    return "provider.invalid_request"


def _hint(service: Service, code: str, status: int, model: str) -> str | None:
    if code == "provider.auth":
        wrong = "the key was rejected" if service.api_key else "it wants a key"
        return f"{wrong}: {service.set_key}"
    if status == HTTPStatus.NOT_FOUND and code == "provider.invalid_request":
        where = f" ({service.base_url})" if service.base_url else ""
        return f"check base_url{where}; most services end in /v1"
    return {
        "provider.model_missing": _model_hint(service, model),
        "provider.context_length": "shorten the input, or set memory.max_messages or context",
        "provider.rate_limit": "wait, or send fewer requests at once",
        "provider.server": "the service has a problem: try again later",
    }.get(code)


def _model_hint(service: Service, model: str) -> str:
    if service.program == "ollama":
        return f"fetch it:  ollama pull {model}"
    return "check the model's name in the service's list of models"


def answer_error(service: Service, error: Any, model: str) -> ProviderError:
    """The error for a successful status whose body, or a chunk of it, is an error."""
    body = json.dumps({"error": error}, ensure_ascii=False)
    code = error.get("code") if isinstance(error, dict) else None
    kind = str(error.get("type") or code or "") if isinstance(error, dict) else ""
    status = _status_of(code, kind)
    if status:
        return http_error(service, status, {}, body, model)
    return bad_response(service, error_text(body) or "an error without a text")


_ERROR_STATUS = range(400, 600)


def _status_of(code: Any, kind: str) -> int | None:
    if str(code).isdigit() and int(code) in _ERROR_STATUS:
        return int(code)
    words = {
        "rate_limit": 429,
        "insufficient_quota": 429,
        "authentication": 401,
        "invalid_api_key": 401,
        "context_length": 400,
        "invalid_request": 400,
        "server_error": 500,
        "overloaded": 503,
    }
    text = f"{code or ''} {kind}"
    return next((status for word, status in words.items() if word in text), None)


def bad_response(service: Service, what: str) -> ProviderError:
    """`provider.bad_response`: the answer is not what the protocol says."""
    return ProviderError(
        f"{service.name} gave an answer that cannot be used: {service.scrub(what)}",
        code="provider.bad_response",
        hint=f"is {service.base_url} the address of an OpenAI-compatible API (…/v1)?"
        if service.base_url
        else "ask again, or ask another model",
    )


def connection_error(service: Service, reason: str, *, refused: bool = False) -> ProviderError:
    """`provider.connection`: no connection, or one that broke."""
    message = f"nothing answers at {service.base_url or service.name}"
    if not refused:
        where = f"{service.name} ({service.base_url})" if service.base_url else service.name
        message = f"the connection to {where} failed: {service.scrub(reason)}"
    hint = f"is {service.program} running?" if service.program else "check base_url and the network"
    return ProviderError(message, code="provider.connection", hint=hint, retryable=True)


def timeout_error(service: Service, timeout_ms: float) -> ProviderError:
    """`provider.timeout`: no whole answer in time."""
    return ProviderError(
        f"{service.name} did not answer within {timeout_ms:g} ms",
        code="provider.timeout",
        hint="raise timeout_ms of the agent or of [default], or ask for a shorter answer",
        retryable=True,
    )


def error_text(body: str) -> str:
    """What a service says is wrong, out of the shapes that services use; "" when nothing."""
    try:
        data = read_json(body)
    except ValueError:
        return _page_title(body) if looks_like_html(body) else body.strip()
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        return str(data)
    found = data.get("error", data)
    if isinstance(found, dict):
        for key in ("message", "detail", "error", "title"):
            if found.get(key):
                value = found[key]
                return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return json.dumps(found, ensure_ascii=False) if found else ""
    return str(found)


def looks_like_html(body: str) -> bool:
    """Whether a body is a web page rather than an answer."""
    start = body.lstrip()[:100].lower()
    return start.startswith(("<!doctype", "<html", "<head", "<body"))


def _page_title(body: str) -> str:
    match = re.search(r"<title[^>]*>([^<]{1,200})", body[:10_000], re.IGNORECASE)
    return f'a web page titled "{match[1].strip()}"' if match else "a web page"


def retry_after_ms(headers: Mapping[str, str]) -> float | None:
    """How long the service asks to wait: `retry-after-ms`, or `retry-after` as seconds or date."""
    exact = headers.get("retry-after-ms")
    given = headers.get("retry-after")
    try:
        if exact:
            return max(0.0, float(exact))
        if given:
            return max(0.0, float(given) * 1000)
    except ValueError:
        return _until(given)
    return None


def _until(date: str | None) -> float | None:
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds() * 1000)
