"""The examples in which several agents make one thing, on scripted models."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import LLMSpellError
from llmspell_core.provider import ModelRequest
from llmspell_core.testing import ScriptedProvider

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SUFFIXES = (".lua", ".js")


def play(name: str, answer: Any) -> tuple[str, list[ModelRequest]]:
    """What an example prints when `answer` stands in for the model, and what it was asked."""
    provider = ScriptedProvider(default=answer)
    streams = CapturedStreams()

    async def main() -> None:
        settings = {
            "default": {"model": f"{provider.name}/{provider.default_model}"},
            "state": {"backend": "memory"},
        }
        engine = Path(name).suffix[1:]
        async with ScriptRuntime(settings, engine=engine, isolation="process") as runtime:
            runtime.add_provider(provider)
            source = ScriptSource((EXAMPLES / name).read_text(encoding="utf-8"), name)
            await runtime.run(source, streams=streams)

    asyncio.run(main())
    return streams.stdout, provider.requests


def system(request: ModelRequest) -> str:
    return request.messages[0].text


def claims(**facts: str) -> str:
    return json.dumps({"claims": [{"fact": key, "value": one} for key, one in facts.items()]})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_arbiter_decides_where_researchers_contradict_each_other(suffix: str) -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: ModelRequest) -> str:
        if "annual dinner" in system(request):
            return claims(employees="40", sold="900")
        if "founded 1987" in system(request):
            return claims(employees="38", sold="900", founded="1987")
        asked.append(json.loads(request.messages[-1].text))
        return json.dumps({"value": "38", "because": "the register counts"})

    printed, requests = play(f"research_team{suffix}", answer)
    assert printed.splitlines() == [
        "employees: 38 (the register counts)",
        "sold: 900",
        "founded: 1987",
    ]
    # Only what is contradicted is asked about, with who says what.
    assert len(requests) == 3
    assert asked == [
        {
            "fact": "employees",
            "claims": [
                {"source": "press", "value": "40"},
                {"source": "register", "value": "38"},
            ],
        }
    ]


class Newsroom:
    """Models of the content pipeline; the reviewer refuses so many times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.drafts = 0

    def __call__(self, request: ModelRequest) -> str:
        if "List three facts" in system(request):
            return "Kettles boil water."
        if "Write one paragraph" in system(request):
            self.drafts += 1
            return f"Draft {self.drafts}."
        self.refusals -= 1
        return json.dumps({"good": self.refusals < 0, "remarks": "too short"})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_the_reviewer_refuses_is_written_again(suffix: str) -> None:
    printed, requests = play(f"content_pipeline{suffix}", Newsroom(refusals=2))
    assert printed.splitlines() == ["round 1: too short", "round 2: too short", "Draft 3."]
    shown = "\n".join(one.text for one in requests[-2].messages)
    for part in ("Kettles boil water.", "Write it again: too short", "Draft 2."):
        assert part in shown


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_reviewer_who_is_never_content_ends_the_pipeline(suffix: str) -> None:
    with pytest.raises(LLMSpellError, match="never content"):
        play(f"content_pipeline{suffix}", Newsroom(refusals=9))
