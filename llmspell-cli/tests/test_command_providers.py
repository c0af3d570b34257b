"""`llmspell providers`: what there is, and one real request that tells what is wrong."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import Raw


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_providers_are_listed_with_what_is_missing(llmspell: CommandLine) -> None:
    option = "--set=providers.house.base_url=http://127.0.0.1:9/v1"
    done = llmspell(option, "providers", "list", "--json")
    rows = {row["name"]: row for row in json.loads(done.out)}
    assert rows["house"] == {
        "name": "house",
        "type": "openai",
        "address": "http://127.0.0.1:9/v1",
        "usable": True,
        "problem": "",
    }
    assert not rows["openai"]["usable"]
    assert "set OPENAI_API_KEY" in rows["openai"]["problem"]
    assert rows["ollama"]["address"] == "http://127.0.0.1:11434/v1"


def test_one_real_request_is_made(llmspell: CommandLine) -> None:
    with serving(FakeOpenAI("OK.")) as server:
        option = f"--set=providers.fake.base_url={server.base_url}"
        done = llmspell(option, "providers", "check", "fake/m", "--json")
        assert json.loads(done.out)["answer"] == "OK.", done.err
        assert server.requests[0]["max_tokens"] == 16
        # Without a model the first one that the service offers is asked.
        done = llmspell(option, "providers", "check", "fake")
    assert (done.code, server.requests[1]["model"]) == (0, "fake-model")
    assert done.out.splitlines()[0] == "provider       fake"


def test_what_is_wrong_is_said_at_once(llmspell: CommandLine) -> None:
    with serving(FakeOpenAI(Raw('{"error": {"message": "wrong"}}', 503), key="k")) as server:
        option = f"--set=providers.fake.base_url={server.base_url}"
        done = llmspell(option, "providers", "check", "fake/m")
        assert (done.code, done.out) == (1, "")
        assert done.lines[0].endswith("[provider.auth]")
        assert "set [providers.fake] api_key" in done.err
        key = "--set=providers.fake.api_key=k"
        done = llmspell(option, key, "providers", "check", "fake/m")
        assert done.lines[0] == "error: fake answered (503): wrong  [provider.server]"
        assert len(server.requests) == 2
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        option = f"--set=providers.fake.base_url={address}"
        done = llmspell(option, "providers", "check", "fake/m")
    assert f"nothing answers at {address}" in done.lines[0]


def test_a_provider_without_a_key_or_with_a_wrong_name_is_not_asked(llmspell: CommandLine) -> None:
    done = llmspell("providers", "check", "openai")
    assert done.lines[0] == 'error: provider "openai" has no key  [provider.not_configured]'
    done = llmspell("providers", "check", "opnai")
    assert done.code == 2
    assert 'did you mean "openai"?' in done.err
