"""The reference of keys, the JSON schema, and settings as they are shown."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from llmspell_core.config.profiles import BUILT_IN
from llmspell_core.config.schema import find, is_text, json_schema, keys
from llmspell_core.config.settings import SECTIONS, Settings
from llmspell_core.config.view import is_secret, value_at
from llmspell_core.security.presets import PROFILES


def test_every_key_says_what_it_is() -> None:
    found = {".".join(one.path): one for one in keys()}
    assert {path.partition(".")[0] for path in found} == {"version", *SECTIONS}
    for path, one in found.items():
        assert one.doc, path
        assert one.type, path
    memory = found["security.limits.memory_mb"]
    assert (memory.type, memory.unit, memory.default) == ("whole number", "MiB", None)
    assert found["system.log_level"].type == "trace | debug | info | warn | error"
    assert found["providers.*.models"].type == "list of text"
    assert found["security.profiles.*.files.read"].type == "list of text"
    assert found["providers.*.api_key"].secret
    assert found["system.log_file"].restart


def test_a_key_is_found_by_the_path_of_a_value() -> None:
    for path, text in {
        ("system", "log_level"): True,
        ("default", "timeout_ms"): False,
        ("providers", "my.own", "api_key"): True,
        ("providers", "x", "headers", "Authorization"): True,
        ("security", "profiles", "p", "limits", "cpu_s"): False,
        ("security", "files", "read"): False,
    }.items():
        found = find(path)
        assert found is not None, path
        assert is_text(found[1]) is text, path
    for unknown in (("agents", "x", "y"), ("providers", "x", "nothing"), ("nothing",), ()):
        assert find(unknown) is None


def test_the_json_schema_accepts_what_settings_accept() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = {
        "version": 1,
        "providers": {"a": {"base_url": "x", "own": 1}},
        "prompts": {"p": "text", "q": {"template": "x"}},
        "security": {"limits": {"memory_mb": 64}, "profiles": {"a": {"base": "high"}}},
        "agents": {"a": {"model": "x"}},
    }
    Settings.model_validate(good)
    assert [*validator.iter_errors(good)] == []
    assert [*validator.iter_errors(Settings.model_validate(good).model_dump())] == []
    wrong: tuple[dict[str, Any], ...] = (
        {"sytem": {}},
        {"events": {"history": -1}},
        {"system": {"log_level": "loud"}},
    )
    for bad in wrong:
        assert [*validator.iter_errors(bad)]


def test_the_names_of_profiles_are_those_of_the_policy() -> None:
    assert {*BUILT_IN} == {*PROFILES, "custom"}


def test_shown_values_have_their_secrets_masked() -> None:
    settings = Settings.model_validate(
        {
            "providers": {
                "a": {"api_key": "k", "headers": {"X": "v"}, "models": ["m"], "token": "t"}
            },
            "plugins": {"acme": {"password": "p", "depth": 3, "passwords": {}}},
            "tools": {"mail": {"auth_token": ["x", "y"], "host": "h"}},
        }
    )
    assert value_at(settings, ("providers", "a", "api_key")) == "***"
    assert value_at(settings, ("providers", "a", "headers")) == {"X": "***"}
    assert value_at(settings, ("providers", "a", "token")) == "***"
    assert value_at(settings, ("providers", "a", "models")) == ["m"]
    assert value_at(settings, ("plugins", "acme")) == {
        "password": "***",
        "depth": 3,
        "passwords": {},
    }
    assert value_at(settings, ("tools", "mail", "auth_token")) == ["***", "***"]
    assert value_at(settings, ("tools", "mail"))["host"] == "h"
    assert value_at(settings, ("version",)) == 1
    assert value_at(settings, ("events", "history")) == 1000


@pytest.mark.parametrize(
    "path", [(), ("no",), ("events", "no"), ("events", "history", "no"), ("providers", "b")]
)
def test_an_unknown_path_gives_the_default(path: tuple[str, ...]) -> None:
    assert value_at(Settings(), path, "default") == "default"


def test_secret_keys_are_the_declared_ones_and_those_named_like_one() -> None:
    assert is_secret(("providers", "x", "api_key"))
    assert is_secret(("state", "url"))
    assert is_secret(("plugins", "x", "client_secret"))
    assert not is_secret(("default", "model"))
