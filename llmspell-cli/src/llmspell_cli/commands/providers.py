"""`llmspell providers list | check`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import say
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import show
from llmspell_cli.with_providers import with_providers

if TYPE_CHECKING:
    from llmspell_core.provider import Provider
    from llmspell_core.providers import ResolvedModel
    from llmspell_core.runtime import Runtime

_QUESTION = "Answer with the single word OK."
_ANSWER_TOKENS = 16


@click.group(
    cls=Group,
    examples=("llmspell providers list", "llmspell providers check openai"),
)
@common_options
def providers() -> None:
    """List the model providers, and try one."""


@providers.command("list", examples=("llmspell providers list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the providers: type, address, and what is missing. Asks none of them."""

    async def work(runtime: Runtime) -> list[dict[str, Any]]:
        return [_row(runtime, name) for name in runtime.providers.names()]

    rows = with_providers(common_of(ctx), work)
    if not rows and not as_json:
        say("no provider: pip install llmspell-agents")
    show(rows, as_json=as_json)


def _row(runtime: Runtime, name: str) -> dict[str, Any]:
    from llmspell_core.errors import LLMSpellError

    row = {"name": name, "type": "", "address": "", "usable": False, "problem": ""}
    try:
        provider = runtime.provider(name)
        row |= {"type": provider.config.type, "address": provider.address}
        provider.check_configured()
    except LLMSpellError as error:
        return row | {"problem": f"{error.message}: {error.hint}" if error.hint else error.message}
    return row | {"usable": True}


@providers.command(
    examples=("llmspell providers check", "llmspell providers check openai/gpt-4o-mini --json")
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the answer.",
)
@common_options
@click.pass_context
def check(ctx: click.Context, name: str | None, as_json: bool, seconds: float) -> None:
    """Make one real request to NAME and say what came, or what is wrong.

    NAME is a provider, provider/model or an alias; without it the default model is asked.
    The request is a few tokens long, and is not repeated when it fails.
    """

    async def work(runtime: Runtime) -> dict[str, Any]:
        return await _check(runtime, name, seconds * 1000)

    show(with_providers(common_of(ctx), work), as_json=as_json)


async def _check(runtime: Runtime, name: str | None, timeout_ms: float) -> dict[str, Any]:
    from llmspell_core.messages import Message
    from llmspell_core.provider import ModelRequest, RetryPolicy

    found = _find(runtime, name)
    found.provider.check_configured()
    model = found.model or await _first(found.provider)
    request = ModelRequest(
        model,
        [Message(role="user", content=_QUESTION)],
        max_tokens=_ANSWER_TOKENS,
        settings=found.settings,
        timeout_ms=timeout_ms,
        retry=RetryPolicy(max_attempts=1),
    )
    started = time.perf_counter()
    response = await found.provider.complete(request, runtime.context())
    return {
        "provider": found.provider.name,
        "model": response.model or model,
        "address": found.provider.address,
        "answer": response.text.strip(),
        "duration_ms": round((time.perf_counter() - started) * 1000),
        "input_tokens": response.usage.input_tokens,
        "output_tokens": response.usage.output_tokens,
    }


def _find(runtime: Runtime, name: str | None) -> ResolvedModel:
    """A bare name is a provider here, unless it is an alias."""
    if name is None or "/" in name or name in runtime.settings.models:
        return runtime.resolve_model(name)
    return runtime.resolve_model(None, name)


async def _first(provider: Provider) -> str:
    """The first model that a provider without a default one offers."""
    from llmspell_core.errors import ProviderError

    offered = await provider.list_models()
    if not offered:
        raise ProviderError(
            f'provider "{provider.name}" offers no model to ask',
            code="provider.model_missing",
            hint=f"name one: llmspell providers check {provider.name}/MODEL",
        )
    return offered[0].name
