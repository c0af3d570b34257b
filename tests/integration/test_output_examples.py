"""The examples whose answers are data: on scripted models, and on the one of this machine."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_cli.testing import CommandLine
from llmspell_core.messages import ContentPart
from llmspell_core.provider import Capabilities, ModelResponse
from llmspell_core.testing import ScriptedProvider, chunks

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SUFFIXES = (".lua", ".js")


def play(
    name: str, *replies: Any, args: tuple[str, ...] = (), **options: Any
) -> tuple[list[str], ScriptedProvider]:
    """The lines that an example prints, and the model it has asked."""
    provider = ScriptedProvider(*replies, **options)

    async def main() -> str:
        settings = {
            "default": {"model": f"{provider.name}/{provider.default_model}"},
            "state": {"backend": "memory"},
        }
        streams = CapturedStreams()
        async with ScriptRuntime(settings, engine=Path(name).suffix[1:]) as runtime:
            runtime.add_provider(provider)
            source = ScriptSource((EXAMPLES / name).read_text(encoding="utf-8"), name)
            await runtime.run(source, streams=streams, args=[*args])
        return streams.stdout

    printed = asyncio.run(main()).splitlines()
    provider.assert_all_used()
    return printed, provider


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_classify_shows_the_list_as_it_grows_and_asks_again(suffix: str) -> None:
    twice = '{"value": ["returns", "returns"]}'
    printed, provider = play(
        f"classify{suffix}", twice, chunks('{"value": ["returns"', ', "billing"]}')
    )
    assert printed == [
        'so far\t["returns","returns"]',
        'so far\t["returns"]',
        'so far\t["returns","billing"]',
        "labels\treturns billing",
        "asked\t2",
    ]
    assert "name each label once, not returns again" in provider.requests[1].messages[-1].text


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_look_shows_the_model_a_picture_or_says_that_it_cannot_see(
    suffix: str, tmp_path: Path
) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    drawn = ContentPart(type="image", data="iVBORw0KGgo=", media_type="image/png")
    reply = ModelResponse("A cat.", parts=[drawn])
    name, args = f"look{suffix}", (str(picture),)
    printed, provider = play(name, reply, args=args, capabilities=Capabilities(vision=True))
    assert printed == ["A cat.", "drawn\timage/png\t12"]
    content = provider.requests[0].messages[-1].content
    assert isinstance(content, list)
    assert [(part.type, part.name) for part in content] == [("text", ""), ("image", "cat.png")]
    printed, _ = play(name, args=args)
    assert printed == ["agent.unsupported_part\tscripted/scripted-model takes no images: cat.png"]


def on_this_machine(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    # The model file is the user's own: it is large.
    del made.env["LLMSPELL_SYSTEM__CACHE_DIR"]
    made.env |= {k: v for k, v in os.environ.items() if k == "LLMSPELL_SYSTEM__CACHE_DIR"}
    return made


@pytest.mark.model
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_extract_gives_data_with_the_model_on_this_machine(suffix: str, tmp_path: Path) -> None:
    text = "ship the parcel to Oslo by friday"
    done = on_this_machine(tmp_path)(EXAMPLES / f"extract{suffix}", stdin=text)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert set(found) == {"item", "city", "deadline"}
    assert "Oslo" in found["city"]


@pytest.mark.model
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_classify_gives_labels_with_the_model_on_this_machine(suffix: str, tmp_path: Path) -> None:
    done = on_this_machine(tmp_path)(EXAMPLES / f"classify{suffix}")
    assert done.code == 0, done.err
    named = done.out.splitlines()[-2].removeprefix("labels\t").split()
    assert named
    assert {*named} <= {"billing", "shipping", "returns"}


@pytest.mark.model
@pytest.mark.parametrize("mode", ["native", "grammar", "tool"])
def test_modes_that_hold_the_answer_work_on_this_machine(mode: str, tmp_path: Path) -> None:
    schema = '{type = "object", properties = {city = {type = "string"}}, required = {"city"}}'
    script = f"""
    local a = Agent.new{{
      system_prompt = "Extract what the text says, as JSON.",
      output_mode = "{mode}", output_retries = 4, response_format = {schema},
    }}
    return a:execute("ship the parcel to Oslo").data
    """
    done = on_this_machine(tmp_path)("eval", script, "--engine", "lua", "--json")
    assert done.code == 0, done.err
    assert "Oslo" in done.out
