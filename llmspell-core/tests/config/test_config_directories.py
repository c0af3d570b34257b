"""Where configuration, data and cache are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from llmspell_core.config.directories import (
    cache_dir,
    data_dir,
    own_places,
    private_dir,
    system_config_file,
    user_config_dir,
    user_config_file,
)
from llmspell_core.config.settings import Settings


@pytest.mark.parametrize("value", [None, "", "/a/b", "relative", "/one:/two", ":/two"])
def test_the_quick_answers_are_those_of_platformdirs(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    for name in names:
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    if value != "/one:/two":
        assert user_config_dir({}) == platformdirs.user_config_path("llmspell", appauthor=False)
        assert data_dir(env={}) == platformdirs.user_data_path("llmspell", appauthor=False)
        assert cache_dir(env={}) == platformdirs.user_cache_path("llmspell", appauthor=False)
    site = platformdirs.site_config_path("llmspell", appauthor=False)
    assert system_config_file() == site / "config.toml"


def test_variables_and_settings_name_other_folders(tmp_path: Path) -> None:
    assert user_config_file({"LLMSPELL_CONFIG_DIR": str(tmp_path)}) == tmp_path / "config.toml"
    env = {"LLMSPELL_SYSTEM__DATA_DIR": str(tmp_path / "d"), "LLMSPELL_SYSTEM__CACHE_DIR": "/c"}
    assert data_dir(env=env) == tmp_path / "d"
    assert cache_dir(env=env) == Path("/c")
    settings = Settings.model_validate({"system": {"data_dir": "/x/data"}})
    assert data_dir(settings, env) == Path("/x/data")
    assert {user_config_dir(env), Path("/x/data")} <= {*own_places(settings, env)}
    assert cache_dir(settings, {}) == platformdirs.user_cache_path("llmspell", appauthor=False)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_private_folder_is_its_owners_alone(tmp_path: Path) -> None:
    made = private_dir(tmp_path / "a" / "b")
    assert os.stat(made).st_mode & 0o777 == 0o700  # noqa: PTH116
    assert private_dir(made) == made
