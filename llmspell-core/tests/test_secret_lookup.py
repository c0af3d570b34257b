"""Finding secrets: variables, configuration, the user's command."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from llmspell_core.config.settings import Settings
from llmspell_core.errors import ConfigError
from llmspell_core.secrets import Secrets, variables_of
from llmspell_core.security.redact import Redactor

STORE = (
    "import sys\n"
    "name = sys.argv[-1]\n"
    "open(sys.argv[1], 'a').write(name + ' ')\n"
    "print({'cmd': '  printed-secret \\nsecond line'}.get(name, ''))\n"
    "sys.exit(name == 'failing')\n"
)


def store(tmp_path: Path, **providers: dict[str, str]) -> Settings:
    script = tmp_path / "store.py"
    script.write_text(STORE)
    command = shlex.join([sys.executable, str(script), str(tmp_path / "asked")])
    return Settings.model_validate({"secrets": {"command": command}, "providers": providers})


def test_a_variable_wins_over_the_configuration_and_that_over_the_command(tmp_path: Path) -> None:
    settings = store(tmp_path, openai={"api_key": "configured"}, cmd={})
    env = {"OPENAI_API_KEY": "from-env", "GITHUB_TOKEN": "token"}
    secrets = Secrets(settings, env=env)
    assert secrets.get("openai") == "from-env"
    assert secrets.get("GITHUB_TOKEN") == "token"
    assert secrets.origin("openai") == "OPENAI_API_KEY"
    del env["OPENAI_API_KEY"]
    assert secrets.get("openai") == "configured"
    assert secrets.origin("openai") == "configuration"
    assert secrets.get("cmd") == "printed-secret"
    assert secrets.origin("cmd") == "command"
    assert secrets.get("nothing") is None
    assert secrets.origin("nothing") is None
    assert secrets.get("failing") is None
    assert secrets.get("--help") is None
    assert (tmp_path / "asked").read_text().split() == ["cmd", "nothing", "failing"]


def test_what_was_found_is_redacted_from_then_on(tmp_path: Path) -> None:
    redactor = Redactor()
    secrets = Secrets(store(tmp_path), redactor, env={"MY_SERVICE": "abcdef123"})
    assert redactor.text("abcdef123") == "abcdef123"
    assert secrets.get("my-service") == "abcdef123"
    assert redactor.text("abcdef123") == "***"


def test_a_command_that_cannot_run_says_where_it_is_set() -> None:
    settings = Settings.model_validate({"secrets": {"command": "/no/such/program get"}})
    with pytest.raises(ConfigError) as caught:
        Secrets(settings, env={}).get("x")
    assert caught.value.code == "config.secret_command"
    assert "/no/such/program" in caught.value.message
    assert caught.value.hint == "see [secrets] command"


def test_names_become_variables() -> None:
    assert variables_of("my.service-x") == ("MY_SERVICE_X_API_KEY", "MY_SERVICE_X")


def test_the_key_of_a_tool_may_stand_in_its_table() -> None:
    settings = Settings.model_validate({"tools": {"weather": {"api_key": "k7"}}})
    redactor = Redactor()
    secrets = Secrets(settings, redactor, env={})
    assert secrets.get("weather") == "k7"
    assert secrets.origin("weather") == "configuration"
    assert secrets.get("other") is None
    assert "k7" not in redactor.text("the key is k7.") or len("k7") < 8
