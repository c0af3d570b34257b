"""Threads, options and the engine's edges that need no model."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import Cancelled, ConfigError, PolicyError, ProviderError
from llmspell_core.messages import Message
from llmspell_core.provider import ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_local.answers import provider_error
from llmspell_local.cores import physical_cores, threads_to_use
from llmspell_local.engine import Engine, EngineError
from llmspell_local.native import LoadOptions, grammar_of, import_native


def test_a_busy_machine_gets_one_thread_fewer() -> None:
    assert threads_to_use(load=0.1, cores=4) == 4
    assert threads_to_use(load=3.5, cores=4) == 3
    assert threads_to_use(load=9.0, cores=1) == 1
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)


def test_importing_the_engine_leaves_the_environment_alone() -> None:
    before = dict(os.environ)
    import_native()
    assert dict(os.environ) == before


def test_a_schema_that_cannot_be_held_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert grammar_of({"type": "object", "properties": {"a": {"type": "string"}}})
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_file_that_llama_cannot_load_is_an_error_and_says_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF" + bytes(100))

    async def main() -> None:
        engine = Engine(path, LoadOptions(context=256, parallel=1, threads=1))
        with pytest.raises(ProviderError, match="cannot load") as caught:
            async for _ in engine.chat({"messages": []}):
                pass
        assert caught.value.code == "provider.model_missing"
        await engine.close()
        with pytest.raises(Cancelled):
            await anext(engine.chat({"messages": []}))

    asyncio.run(main())
    assert capfd.readouterr().err == ""


def test_a_full_context_is_told_with_numbers() -> None:
    data = {"type": "exceed_context_size_error", "n_prompt_tokens": 9031, "n_ctx": 4096}
    error = provider_error(EngineError(data), "m")
    assert error.code == "provider.context_length"
    assert error.message == "the messages take 9031 tokens, the local model m has 4096"
    assert error.details["max_context_tokens"] == 4096


def settings(tmp_path: Path, **local: Any) -> dict[str, Any]:
    return {"system": {"cache_dir": str(tmp_path)}, "providers": {"local": local}}


def test_options_out_of_range_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(settings(tmp_path, parallel=0)) as runtime:
            with pytest.raises(ConfigError, match="parallel"):
                runtime.provider("local")

    asyncio.run(main())


def test_names_and_paths_that_are_not_there_are_model_missing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(settings(tmp_path, models=["q=/nowhere/q.gguf"])) as runtime:
            provider, ctx = runtime.provider("local"), runtime.context()
            messages = [Message(role="user", content="hi")]
            for name in ("unknown", "q"):
                with pytest.raises(ProviderError) as caught:
                    await provider.complete(ModelRequest(name, messages), ctx)
                assert caught.value.code == "provider.model_missing", name
            # A script's own path goes through the file gate, which does not say what exists.
            with pytest.raises(PolicyError):
                await provider.complete(ModelRequest("/nowhere/no.gguf", messages), ctx)
            with pytest.raises(ProviderError, match="not on this machine"):
                await provider.path("smollm2-135m")
            assert provider.capabilities("unknown").max_context_tokens == 4096

    asyncio.run(main())
