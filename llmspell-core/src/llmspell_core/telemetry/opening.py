"""Telemetry for as long as a Runtime is open: set up, and sent off at the end."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmspell_core.errors import ExtensionError
from llmspell_core.telemetry.content import Content

if TYPE_CHECKING:
    from llmspell_core.hooks import HookRegistry
    from llmspell_core.security.redact import Redactor
    from llmspell_core.telemetry.otel import OtelTracer
    from llmspell_core.telemetry.switch import Plan

#: How long the end of a Runtime may wait for what is still to be sent, in seconds.
FLUSH_S = 2.0
_POLL_S = 0.01
#: The libraries' own loggers, which would fill the terminal where a server is down.
_NOISY = "opentelemetry"

log = logging.getLogger("llmspell.telemetry")


@asynccontextmanager
async def exporting(plan: Plan, hooks: HookRegistry, redactor: Redactor) -> AsyncIterator[None]:
    """Export what passes these hooks. Raises `extension.unavailable` where the extra is missing.

    Where only a variable asks for it, which other programs read as well, that is a warning.
    """
    content = None if plan.content == "none" else Content(redactor, plan.content)
    try:
        from llmspell_core.telemetry.otel import OneWarning, OtelTracer
    except ModuleNotFoundError as error:
        if plan.asked:
            raise ExtensionError(
                f"telemetry needs {error.name}, which is not installed",
                hint="install it with:  pip install 'llmspell[otel]'",
            ) from None
        log.warning("nothing is traced: pip install 'llmspell[otel]', or set OTEL_SDK_DISABLED")
        yield
        return
    noisy, once = logging.getLogger(_NOISY), OneWarning()
    told, noisy.propagate = noisy.propagate, False
    noisy.addHandler(once)
    try:
        tracer = OtelTracer(plan, content, importlib.metadata.version("llmspell-core"))
        hooks.trace(tracer)
        try:
            yield
        finally:
            hooks.trace(None)
            if not await _flush(tracer) and not once.said:
                log.warning("telemetry was not sent within %g s and is lost", FLUSH_S)
    finally:
        noisy.propagate = told
        noisy.removeHandler(once)


async def _flush(tracer: OtelTracer) -> bool:
    """Wait for the exporters, not for one that hangs; whether all has been sent."""
    threads = tracer.close()
    until = time.monotonic() + FLUSH_S
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until:
        await asyncio.sleep(_POLL_S)
    return not any(thread.is_alive() for thread in threads)
