"""`llmspell models` with a provider of model files that a plugin brings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI

PROVIDER = """
from pathlib import Path

from llmspell_core.config.directories import cache_dir
from llmspell_core.errors import ProviderError
from llmspell_core.provider import ModelInfo, Provider


class Shelf(Provider):
    local = True
    default_model = "small"

    def _file(self, model: str) -> Path:
        if model not in ("small", "large"):
            raise ProviderError(f'no model "{model}"', code="provider.model_missing")
        return cache_dir(self.runtime.settings) / f"{model}.gguf"

    async def list_models(self):
        return [
            ModelInfo(name, size, self._file(name).exists(), f"the {name} one")
            for name, size in (("small", 98_000_000), ("large", 4_000_000_000))
        ]

    async def pull(self, model, progress=None):
        path = self._file(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        for done in (0, 50, 100):
            progress(done, 100, model)
        path.write_bytes(b"GGUF")
        return path

    async def path(self, model):
        path = self._file(model)
        if not path.exists():
            raise ProviderError(f"{model} is not here", code="provider.model_missing",
                                hint=f"llmspell models pull shelf/{model}")
        return path

    async def remove(self, model):
        (await self.path(model)).unlink()

    async def complete(self, request, ctx):
        raise ProviderError("asked")

    def stream(self, request, ctx):
        raise ProviderError("asked")
"""


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.plugin("acme-shelf", PROVIDER, providers={"shelf": "Shelf"})
    made.env["LLMSPELL_DEFAULT__MODEL"] = "shelf/small"
    return made


def test_a_model_is_fetched_found_and_removed(llmspell: CommandLine) -> None:
    done = llmspell("models", "list", "--provider", "shelf")
    assert [line.split() for line in done.out.splitlines()] == [
        ["shelf/small", "-", "98", "MB", "the", "small", "one"],
        ["shelf/large", "-", "4000", "MB", "the", "large", "one"],
    ]
    done = llmspell("models", "path")
    assert done.code == 1
    assert done.lines == [
        "error: small is not here  [provider.model_missing]",
        "  llmspell models pull shelf/small; all models: llmspell models list",
    ]
    file = llmspell.home / "cache" / "small.gguf"
    done = llmspell("models", "pull")
    assert (done.code, done.out, done.err) == (0, f"{file}\n", "fetching small ...\n")
    assert llmspell("models", "path", "shelf/small").out == f"{file}\n"
    rows = json.loads(llmspell("models", "list", "--provider", "shelf", "--json").out)
    assert [row["here"] for row in rows] == ["here", "-"]
    assert llmspell("models", "remove", "shelf/small").err == "removed shelf/small\n"
    assert not file.exists()


def test_mistakes_are_named(llmspell: CommandLine) -> None:
    expected = {
        ("models", "pull", "shelf/huge"): 'no model "huge"',
        ("models", "pull", "shelv/small"): 'unknown provider "shelv"',
        ("models", "list", "--provider", "shelv"): 'unknown provider "shelv"',
        ("models", "pull", "openai/gpt-4o-mini"): "has no model files to pull",
    }
    for args, message in expected.items():
        done = llmspell(*args)
        assert (done.code, done.out) == (2 if "shelv" in message else 1, "")
        assert message in done.lines[0]


def test_a_model_of_a_hub_is_the_local_providers(llmspell: CommandLine) -> None:
    hub = "--set=providers.local.hub=http://127.0.0.1:1"
    done = llmspell(hub, "models", "pull", "hf:o/r")
    assert done.code == 1
    assert done.lines[0].startswith("error: http://127.0.0.1:1 cannot be asked")
    done = llmspell("models", "pull", "shelf/small", "--sha256", "00")
    assert done.code == 2
    assert "--sha256 goes with an hf: model or a URL" in done.err


def test_a_remote_provider_is_asked_on_request(llmspell: CommandLine) -> None:
    with serving(FakeOpenAI()) as server:
        option = f"--set=providers.fake.base_url={server.base_url}"
        done = llmspell(option, "models", "list", "--provider", "fake")
    assert done.out.startswith("fake/fake-model"), done.err
