"""A request as the arguments of litellm's functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmspell_core.chat.wire import request_body
from llmspell_core.errors import ProviderError, did_you_mean
from llmspell_core.provider import ModelRequest
from llmspell_litellm.calls import GEMINI, told_apart

#: What a script may set for one request. Everything else that litellm takes (addresses, keys,
#: headers, callbacks, other models) is for the configuration alone: it could carry a key away.
SETTINGS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "include_server_side_tool_invocations",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "min_p",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "repetition_penalty",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "thinking",
        "tool_choice",
        "top_k",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
#: Services whose models think within a number of tokens; all others are told an effort.
_BUDGETS = (
    *GEMINI,
    "anthropic",
    "azure_ai/claude",
    "bedrock",
    "databricks",
    "openrouter/anthropic",
)


def chat_arguments(
    request: ModelRequest, route: str, *, stream: bool, prompt_cache: bool = True
) -> dict[str, Any]:
    """The arguments of `acompletion` for a request.

    With `prompt_cache`, a service that keeps a prompt only when told to is told so.

    Raises:
        ProviderError: `provider.invalid_request` for a setting that a script may not choose.
    """
    for name in request.settings:
        if name not in SETTINGS:
            raise ProviderError(
                f'"{name}" is no setting of a request through litellm',
                code="provider.invalid_request",
                hint=did_you_mean(name, sorted(SETTINGS))
                or f"what litellm takes beside these stands in the configuration: [providers.…] "
                f"{name}",
            )
    if route.startswith(GEMINI):
        request = replace(request, messages=told_apart(request.messages))
    body = request_body(request, stream=stream)
    body["model"] = route
    if prompt_cache and route.startswith("anthropic/") and _asked_again(request):
        # "Automatic caching": the prompt up to its end, which the next one begins with.
        body["cache_control"] = {"type": "ephemeral"}
    asked = request.reasoning
    if asked is not None and asked.budget_tokens and route.startswith(_BUDGETS):
        # litellm takes the one or the other.
        body.pop("reasoning_effort", None)
        body.setdefault("thinking", {"type": "enabled", "budget_tokens": asked.budget_tokens})
    return body


def _asked_again(request: ModelRequest) -> bool:
    """Whether the next request will likely begin as this one: writing to the cache costs more."""
    return bool(request.tools) or any(one.role == "assistant" for one in request.messages)


def connection_arguments(
    *, api_key: str, base_url: str, headers: dict[str, str], options: dict[str, Any]
) -> dict[str, Any]:
    """Where litellm connects and as whom; its own retries are off, since we try again ourselves."""
    found: dict[str, Any] = {**options, "num_retries": 0, "max_retries": 0}
    if api_key:
        found["api_key"] = api_key
    if base_url:
        found["api_base"] = base_url
    if headers:
        found["extra_headers"] = headers
    return found
