"""`${NAME}`, `${NAME:-default}` and `${secret:NAME}`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.config.interpolate import has_reference, interpolate, names_in
from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.config.sources import Loaded, load

ENV = {"A": "one", "EMPTY": "", "SPACE": "a b"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${A}", "one"),
        ("x ${A}-${SPACE}", "x one-a b"),
        ("${MISSING:-two}", "two"),
        ("${EMPTY:-three}", "three"),
        ("${MISSING:-}", ""),
        ("${EMPTY}", ""),
        ("${secret:key}", "s3cret"),
        ("$${A}", "${A}"),
        ("$A {A} ${} ${1A} $", "$A {A} ${} ${1A} $"),
    ],
)
def test_references_become_what_they_name(text: str, meant: str) -> None:
    assert interpolate(text, ENV, {"key": "s3cret"}.get) == meant


def test_lists_and_tables_are_searched() -> None:
    value = {"a": ["${A}", 1, None], "b": {"c": "${A}"}}
    assert has_reference(value)
    assert interpolate(value, ENV, ENV.get) == {"a": ["one", 1, None], "b": {"c": "one"}}
    assert not has_reference({"a": ["$${A}", "$A"]})
    assert names_in("${A}${B:-x}${secret:c-d}$${E}") == ["A", "B", "secret:c-d"]


@given(st.text(st.sampled_from("${}:-secrtA x"), max_size=30))
def test_no_text_breaks_the_search_for_references(text: str) -> None:
    full = dict.fromkeys(names_in(text), "v")
    result = interpolate(text, full, lambda _: "v")
    assert isinstance(result, str)
    if "${" not in text:
        assert result == text


def loaded(tmp_path: Path, text: str, **env: str) -> Loaded:
    file = tmp_path / "own.toml"
    file.write_text(text)
    variables = {"LLMSPELL_CONFIG_DIR": str(tmp_path), **env}
    return load(
        cwd=tmp_path,
        env=variables,
        config_file=file,
        home=tmp_path,
        system_file=tmp_path / "none.toml",
    )


def test_an_unset_name_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        loaded(
            tmp_path,
            '[default]\nmodel = "${MODEL_NAME}"\ntimeout_ms = "${MS}"\n'
            '[providers.a]\napi_key = "${secret:nobody}"\n',
        )
    assert [str(one) for one in caught.value.mistakes] == [
        "own.toml:2   default.model: the variable MODEL_NAME is not set, "
        "set it, or write ${NAME:-default}",
        "own.toml:3   default.timeout_ms: the variable MS is not set, "
        "set it, or write ${NAME:-default}",
        'own.toml:5   providers.a.api_key: the secret "nobody" is not set, '
        "set it, or write ${NAME:-default}",
    ]


def test_an_overridden_reference_need_not_be_set(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, '[default]\nmodel = "${MODEL_NAME}"\n', LLMSPELL_DEFAULT__MODEL="a/${B}"
    )
    assert found.settings.default.model == "a/${B}"


def test_a_reference_has_the_type_of_its_key(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        '[default]\ntimeout_ms = "${MS}"\nmodel = "${NUMBER}"\n[events]\nshare = ["${A}.*"]\n'
        '[security]\nenforce = "${YES:-true}"\n[prompts]\ncost = "$${A}"\n',
        MS="500",
        NUMBER="5",
        A="agent",
    )
    assert found.settings.default.timeout_ms == 500
    assert found.settings.default.model == "5"
    assert found.settings.events.share == ["agent.*"]
    assert found.settings.security.enforce is True
    assert found.settings.prompts["cost"] == "${A}"


def test_secrets_come_from_variables_or_the_command_and_are_known_to_the_redactor(
    tmp_path: Path,
) -> None:
    script = tmp_path / "store.py"
    script.write_text("import sys\nprint({'b': 'from-the-command'}.get(sys.argv[-1], ''))\n")
    command = f'"{sys.executable}" "{script}" show'
    found = loaded(
        tmp_path,
        f"[secrets]\ncommand = '{command}'\n"
        '[providers.x]\napi_key = "${secret:a}"\n[providers.y]\napi_key = "${secret:b}"\n',
        A_API_KEY="from-a-variable",
    )
    assert found.settings.providers["x"].api_key == "from-a-variable"
    assert found.settings.providers["y"].api_key == "from-the-command"
    assert found.secrets == {"from-a-variable", "from-the-command"}
    assert "from-the-command" not in repr(found)
