"""Where things are on this platform: configuration files, data, cache.

`LLMSPELL_CONFIG_DIR` names the folder of the user's configuration instead of the platform's;
`[system] data_dir` and `cache_dir` (`LLMSPELL_SYSTEM__DATA_DIR`, ...) name the other two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings

_APP = "llmspell"
#: Every start asks for all of these. Where the XDG rules hold, the answer is one line, and
#: importing platformdirs costs more than all else here; a test compares the two.
_XDG = sys.platform == "linux" and "ANDROID_DATA" not in os.environ


def user_config_dir(env: Mapping[str, str] | None = None) -> Path:
    """The folder of the user's `config.toml` and of the list of trusted folders."""
    named = (os.environ if env is None else env).get("LLMSPELL_CONFIG_DIR")
    if named:
        return Path(named).expanduser()
    if _XDG:
        return _xdg("XDG_CONFIG_HOME", "~/.config")
    import platformdirs

    return platformdirs.user_config_path(_APP, appauthor=False)


def user_config_file(env: Mapping[str, str] | None = None) -> Path:
    """The user's configuration file, whether or not it exists."""
    return user_config_dir(env) / "config.toml"


def system_config_file() -> Path:
    """The configuration file of the whole machine, whether or not it exists."""
    if _XDG:
        named_dirs = os.environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep)
        first = next((one for one in named_dirs if one.startswith("/")), "/etc/xdg")
        return Path(first, _APP, "config.toml")
    import platformdirs

    return platformdirs.site_config_path(_APP, appauthor=False) / "config.toml"


def data_dir(settings: Settings | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Where state, history and recorded runs are kept; not made here."""
    named = settings.system.data_dir if settings else _named("DATA_DIR", env)
    if named:
        return Path(named).expanduser()
    if _XDG:
        return _xdg("XDG_DATA_HOME", "~/.local/share")
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False)


def cache_dir(settings: Settings | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Where things are kept that can be made or fetched again; not made here."""
    named = settings.system.cache_dir if settings else _named("CACHE_DIR", env)
    if named:
        return Path(named).expanduser()
    if _XDG:
        return _xdg("XDG_CACHE_HOME", "~/.cache")
    import platformdirs

    return platformdirs.user_cache_path(_APP, appauthor=False)


def own_places(
    settings: Settings | None = None, env: Mapping[str, str] | None = None
) -> list[Path]:
    """The folders of llmspell itself, which no script or tool may touch but under `none`."""
    return [
        user_config_dir(env),
        system_config_file().parent,
        data_dir(settings, env),
        cache_dir(settings, env),
    ]


def _xdg(variable: str, default: str) -> Path:
    named = os.environ.get(variable, "")
    return Path(named if named.startswith("/") else default).expanduser() / _APP


def _named(what: str, env: Mapping[str, str] | None) -> str:
    return (os.environ if env is None else env).get(f"LLMSPELL_SYSTEM__{what}", "")


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner may enter; one that exists stays as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
