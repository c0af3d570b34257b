"""Work of a command that needs a Runtime with its model providers, and nothing after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_cli.signals import run_until_signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_cli.options import Common
    from llmspell_core.runtime import Runtime


def with_providers(common: Common, work: Callable[[Runtime], Awaitable[Any]]) -> Any:
    """What `work` gives, done in a Runtime that is closed after it."""
    from llmspell_core import lifecycle
    from llmspell_core.runtime import Runtime

    async def main() -> Any:
        init = lifecycle.SelectiveInit.custom("providers")
        made = Runtime(common.load(), init=init)
        common.log_for(made)
        async with made as runtime:
            return await work(runtime)

    return run_until_signal(main())
