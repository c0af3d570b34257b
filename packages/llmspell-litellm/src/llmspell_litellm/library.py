"""litellm itself: imported once, on first use, with everything off that it does unasked."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from typing import Any

#: It would fetch prices, read a `.env` of the working directory into this process, and print a
#: link to its tracker; it reads these as it is imported, and some of them with each request.
_ENVIRONMENT = {
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",
    "LITELLM_LOCAL_BLOG_POSTS": "true",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "true",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_DISABLE_BUG_REPORT_LINK": "true",
}
_LISTS = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "service_callback",
    "_async_input_callback",
    "_async_success_callback",
    "_async_failure_callback",
)
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")


async def library() -> Any:
    """The module. Importing it takes seconds, so a thread does it while the event loop goes on."""
    found = loaded()
    return found if found is not None else await asyncio.to_thread(_import)


def loaded() -> Any:
    """The module when it has been imported here, else None."""
    return sys.modules.get("litellm") if _State.ready else None


class _State:
    """Whether what is imported has been set up."""

    ready = False


def _import() -> Any:
    ours = "litellm" not in sys.modules
    os.environ.update(_ENVIRONMENT)
    found: Any = importlib.import_module("litellm")
    if ours:
        # A program that uses litellm itself keeps the callbacks that it set.
        for name in _LISTS:
            getattr(found, name, []).clear()
    found.suppress_debug_info = True
    found.set_verbose = False
    found.num_retries = 0
    found.drop_params = True
    found.disable_streaming_logging = True
    for name in _LOGGERS:
        log = logging.getLogger(name)
        # Its handlers write to stderr, beside our own reports of the same errors.
        log.handlers[:] = [logging.NullHandler()]
        log.propagate = False
    _State.ready = True
    return found
