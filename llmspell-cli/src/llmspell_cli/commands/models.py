"""`llmspell models list | pull | path | remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import say
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import show
from llmspell_cli.with_providers import with_providers

if TYPE_CHECKING:
    from llmspell_core.provider import ModelInfo, Provider
    from llmspell_core.runtime import Runtime


@click.group(
    cls=Group,
    examples=(
        "llmspell models list",
        "llmspell models pull local/smollm2-135m",
        "llmspell models remove smollm2-135m",
    ),
)
@common_options
def models() -> None:
    """List, fetch and remove local models."""


def _find(runtime: Runtime, name: str | None) -> tuple[Provider, str]:
    """A model named as `provider/model`, or by its bare name among the local ones."""
    bare = name and (_is_remote(name) or "/" not in name)
    if bare and "local" in runtime.providers.names():
        name = f"local/{name}"
    found = runtime.resolve_model(name)
    return found.provider, found.model


def _is_remote(name: str | None) -> bool:
    """Whether a model is named by where it can be fetched."""
    return name is not None and (name.startswith("hf:") or "://" in name)


@models.command("list", examples=("llmspell models list --provider openai",))
@click.option("--provider", help="Ask this provider, also a remote one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, provider: str | None, as_json: bool) -> None:
    """List the models on this machine, and those that can be fetched."""

    async def work(runtime: Runtime) -> list[dict[str, Any]]:
        names = [provider] if provider else _local_providers(runtime)
        rows = []
        for name in names:
            rows += [_row(name, one) for one in await runtime.provider(name).list_models()]
        return rows

    rows = with_providers(common_of(ctx), work)
    if not rows and not as_json:
        say("no local models: pip install 'llmspell[local]'")
    show(rows, as_json=as_json)


def _local_providers(runtime: Runtime) -> list[str]:
    from llmspell_core.extensions import Extensions

    installed = Extensions("providers")
    declared = runtime.settings.providers
    found = {name for name, table in declared.items() if table.type == "local"}
    return sorted({*found, *(["local"] if "local" in installed else [])})


def _row(provider: str, model: ModelInfo) -> dict[str, Any]:
    return {
        "model": f"{provider}/{model.name}",
        "here": "here" if model.present else "-",
        "size": _size(model.size),
        "description": model.description,
    }


def _size(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB" if size else ""


@models.command(
    examples=(
        "llmspell models pull local/smollm2-135m",
        "llmspell models pull hf:OWNER/REPO/FILE.gguf",
    )
)
@click.argument("name", required=False)
@click.option("--sha256", metavar="HEX", help="What the file must be.")
@common_options
@click.pass_context
def pull(ctx: click.Context, name: str | None, sha256: str | None) -> None:
    """Fetch a model's file and check it; the default model without NAME.

    NAME is a model of the catalogue, hf:OWNER/REPO/FILE.gguf of the Hugging Face hub, or the URL
    of a .gguf file. An interrupted download goes on where it stopped. The file is then
    local/FILE, without .gguf.
    """
    from llmspell_cli.progress import Bar

    if sha256 and not _is_remote(name):
        raise click.UsageError("--sha256 goes with an hf: model or a URL")
    bar = Bar()

    async def work(runtime: Runtime) -> Any:
        provider, model = _find(runtime, name)
        wanted = f"{model}#sha256={sha256}" if sha256 else model
        return await provider.pull(wanted, bar.update)

    try:
        path = with_providers(common_of(ctx), work)
    finally:
        bar.close()
    click.echo(str(path))


@models.command("path", examples=("llmspell models path smollm2-135m",))
@click.argument("name", required=False)
@common_options
@click.pass_context
def path_(ctx: click.Context, name: str | None) -> None:
    """Print where a model's file lies."""

    async def work(runtime: Runtime) -> Any:
        provider, model = _find(runtime, name)
        return await provider.path(model)

    click.echo(str(with_providers(common_of(ctx), work)))


@models.command(examples=("llmspell models remove smollm2-135m",))
@click.argument("name")
@common_options
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Delete a model's file."""

    async def work(runtime: Runtime) -> None:
        provider, model = _find(runtime, name)
        await provider.remove(model)

    with_providers(common_of(ctx), work)
    say(f"removed {name}")
