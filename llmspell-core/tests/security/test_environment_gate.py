from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, PolicyError, ValidationError
from llmspell_core.security.env import MASK, EnvGate, looks_secret
from llmspell_core.security.profile import SecurityProfile
from llmspell_core.security.redact import Redactor

SURROUNDING = {
    "HOME": "/home/me",
    "LANG": "C",
    "OPENAI_API_KEY": "sk-0123456789abcdef0123",
    "DATABASE": "postgres://me:hunter22@db/x",
    "OTHER": "1",
}


def gate(*names: str, redactor: Redactor | None = None) -> EnvGate:
    return EnvGate((names,), environ=SURROUNDING, redactor=redactor)


def test_only_named_variables_are_seen() -> None:
    env = gate("HOME", "MISSING")
    assert env.get("HOME") == "/home/me"
    assert env.get("OTHER") is None
    assert env.get("OTHER", "d") == "d"
    assert env.get("MISSING") is None
    assert env.names() == ["HOME"]


def test_the_profile_none_masks_nothing_and_high_shows_nothing() -> None:
    everything = EnvGate((SecurityProfile.none().environment,), environ=SURROUNDING)
    assert everything.get("OPENAI_API_KEY") == SURROUNDING["OPENAI_API_KEY"]
    nothing = EnvGate((SecurityProfile.high().environment,), environ=SURROUNDING)
    assert nothing.names() == []


def test_secrets_are_masked_though_named() -> None:
    env = gate("OPENAI_API_KEY", "DATABASE", "OTHER", redactor=Redactor())
    assert env.get("OPENAI_API_KEY") == MASK
    assert env.is_masked("OPENAI_API_KEY")
    assert "hunter22" not in (env.get("DATABASE") or "")
    assert env.for_process().get("OPENAI_API_KEY") is None
    assert env.for_process()["OTHER"] == "1"


def test_globs_name_many_and_layers_narrow() -> None:
    assert gate("O*").names() == ["OPENAI_API_KEY", "OTHER"]
    both = EnvGate((("*",), ("HOME",)), environ=SURROUNDING)
    assert both.names() == ["HOME"]


def test_setting_lasts_for_the_run_and_leaves_the_process_alone() -> None:
    env = gate("HOME")
    env.set("MINE", "1")
    assert env.get("MINE") == "1"
    assert "MINE" in env.names()
    assert "MINE" not in SURROUNDING


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "PYTHONPATH", "git_ssh_command", "ENV"])
def test_what_makes_programs_load_others_cannot_be_set(name: str) -> None:
    env = gate("HOME", "PATH")
    with pytest.raises(PolicyError) as caught:
        env.set(name, "/tmp/evil")
    assert caught.value.code == "policy.environment"
    assert name not in env.for_process()
    EnvGate((SecurityProfile.none().environment,), environ={}).set(name, "1")


def test_what_can_be_set_is_bounded() -> None:
    env = gate("HOME")
    for name, value in (("", "x"), ("A=B", "x"), ("A", "x\0y"), ("A\0", "x")):
        with pytest.raises(ValidationError):
            env.set(name, value)
    with pytest.raises(LimitError):
        env.set("LARGE", "x" * 40_000)
    for number in range(1_000):
        env.set(f"V{number}", "x")
    env.set("V7", "y")
    with pytest.raises(LimitError):
        env.set("ONE_MORE", "x")


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "mypassword", "X_AUTH",
     "PGPASSWORD", "NPM_CONFIG_TOKEN", "SESSION_COOKIE", "PRIVATE_KEY"],
)  # fmt: skip
def test_names_of_secrets_are_recognised(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["HOME", "PATH", "MONKEY", "AUTHOR", "KEYBOARD", "COMPASS", "LANG"]
)
def test_ordinary_names_are_not_secrets(name: str) -> None:
    assert not looks_secret(name)


@given(st.text(max_size=30))
def test_no_name_that_is_not_listed_gives_a_value(name: str) -> None:
    env = gate("HOME")
    if name != "HOME":
        assert env.get(name) is None
