"""`load`: the settings of one run, out of every place that may set them.

Later wins, key by key: defaults, the system's file, the user's, the project's,
`llmspell.<environment>.toml`, `llmspell.local.toml`, what differs for the script, variables of
the environment, options. Only these functions read files: `load(data={...})` reads none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.config.layers import Keys, Layer, Merged
from llmspell_core.config.mistakes import ConfigMistakes, Mistake, dotted
from llmspell_core.config.settings import Settings
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.config.overrides import OverrideUse


class Loaded:
    """Settings, and where each of them comes from.

    Args:
        settings: the settings
        project: the folder of the project file, else the one that the search for it began in
        cwd: the working directory
        warnings: to be shown to the user once
        files: those that were read, in order
        security_tables: `[security]` tables, set keys only. All of them hold: the last is the
            effective one, those before it are what it has to stay within.
        secrets: values that came from the secret store, for the redactor
        trusted: whether the project's files may widen and redirect
        override: the `[script_overrides]` security that is in use, for the audit log
        merged: every key with where it was set
    """

    def __init__(
        self,
        settings: Settings,
        project: Path,
        cwd: Path,
        *,
        warnings: list[str] | None = None,
        files: list[Path] | None = None,
        security_tables: list[dict[str, Any]] | None = None,
        secrets: frozenset[str] = frozenset(),
        trusted: bool = True,
        override: OverrideUse | None = None,
        merged: Merged | None = None,
    ) -> None:
        self.settings = settings
        self.project = project
        self.cwd = cwd
        self.warnings = warnings or []
        self.files = files or []
        self.security_tables = security_tables or []
        self.secrets = secrets
        self.trusted = trusted
        self.override = override
        self.merged = merged or Merged()

    @classmethod
    def of(cls, settings: Settings, project: Path | None = None) -> Loaded:
        """Settings that a program made."""
        cwd = Path.cwd()
        data = settings.data()
        return cls(settings, project or cwd, cwd, security_tables=[data.get("security", {})])

    @cached_property
    def origins(self) -> dict[str, str]:
        """Dotted key -> `llmspell.toml:3`, a variable, `--set key`; absent: the default."""
        return {dotted(path): layer.where(path) for path, layer in self.merged.origin.items()}

    def origin(self, path: str | Keys) -> str:
        """Where one key was set, or "default"."""
        if isinstance(path, str):
            from llmspell_core.config.files import toml_keys

            path = tuple(toml_keys(path))
        return self.merged.where(path)


def load(
    script: Path | None = None,
    *,
    cwd: Path | None = None,
    config_file: Path | None = None,
    overrides: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
    profile: str | None = None,
    data: Mapping[str, Any] | None = None,
    home: Path | None = None,
    system_file: Path | None = None,
) -> Loaded:
    """The settings for a script, or for a command that runs none.

    Args:
        script: the script's file, where there is one: the search for the project begins there
        cwd: the working directory; default: the process's
        config_file: used instead of the project's files, and trusted
        overrides: `section.key=value`, over everything but `profile`
        env: variables; default: the process's. Not read when `data` is given, unless named.
        profile: the security profile, as by `--profile`
        data: the configuration itself: no file is read
        home: where the search for the project ends; default: the user's
        system_file: instead of the platform's

    Raises:
        ConfigMistakes: everything that is wrong, in all places.
        ConfigError: `config.not_found`, `config.trust_list`, `config.secret_command`.
    """
    here = (cwd or Path.cwd()).absolute()
    start = script.absolute().parent if script else here
    if data is not None:
        layers = [Layer("data", "the given settings", data, here)]
        return _made(Request(here, here, env, script, [*overrides], profile), layers, [])
    variables = os.environ if env is None else env
    found = _Files(here, variables)
    file, project = found.project(start, home)
    found.read_base(system_file)
    if config_file is not None:
        found.read_named(config_file)
    else:
        found.read_project(file, project)
    request = Request(here, project, variables, script, [*overrides], profile)
    return _made(request, found.layers, found.mistakes)


class Request(Record):
    """What `load` was asked for."""

    cwd: Path
    project: Path
    #: None: settings given as data, where no variable sets anything.
    env: Mapping[str, str] | None
    script: Path | None
    overrides: list[str]
    profile: str | None

    def sets_something(self) -> bool:
        """Whether a variable or an option sets a key."""
        return bool(self.overrides or self.profile) or any(map(_is_ours, self.env or ()))


def _made(request: Request, layers: list[Layer], mistakes: list[Mistake]) -> Loaded:
    if not (mistakes or request.sets_something() or any(layer.data for layer in layers)):
        # Nothing is set anywhere: the common case, and nothing needs to be checked.
        files = [layer.path for layer in layers if layer.path]
        return Loaded(Settings(), request.project, request.cwd, files=files, security_tables=[{}])
    from llmspell_core.config.assemble import Assembly

    return Assembly(request, layers, mistakes).loaded()


def _is_ours(name: str) -> bool:
    upper = name.upper()
    return upper.startswith("LLMSPELL_") and ("__" in name or upper == "LLMSPELL_ENV")


class _Files:
    """Reads the files, in order; what cannot be read is a mistake, and the others are read."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.env = env
        self.layers: list[Layer] = []
        self.mistakes: list[Mistake] = []

    def project(self, start: Path, home: Path | None) -> tuple[Path | None, Path]:
        from llmspell_core.config.files import project_file

        file = project_file(start, home or _home())
        return file, file.parent if file else start

    def read_base(self, system_file: Path | None) -> None:
        from llmspell_core.config.directories import system_config_file, user_config_file

        self._read(system_file or system_config_file(), "system", optional=True)
        self._read(user_config_file(self.env), "user", optional=True)

    def read_named(self, file: Path) -> None:
        from llmspell_core.errors import ConfigError

        path = self.cwd / file
        if not path.is_file():
            raise ConfigError(
                f"no configuration file {file}", code="config.not_found", hint="named by --config"
            )
        self._read(path, "named")

    def read_project(self, file: Path | None, project: Path) -> None:
        from llmspell_core.config.files import in_folder

        if file is None:
            return
        from llmspell_core.config.trust import is_trusted

        trusted = is_trusted(project, self.env)
        self._read_own(file, project, trusted)
        environment = self._environment()
        for name in (f"llmspell.{environment}", "llmspell.local"):
            if found := in_folder(project, name):
                self._read_own(found, project, trusted)

    def _read_own(self, file: Path, project: Path, trusted: bool) -> None:
        """Read a project's file. A stranger's link could show a script what is the user's."""
        if not trusted and not file.resolve().is_relative_to(project.resolve()):
            from llmspell_core.config.files import label

            hint = f"make it a file, or trust the folder: llmspell trust {project}"
            where = label(file, self.cwd)
            self.mistakes.append(Mistake((), "is a link to a file outside its folder", hint, where))
            return
        self._read(file, "project", trusted=trusted)

    def _environment(self) -> str:
        """`LLMSPELL_ENV`, else `[system] environment` as far as it is read."""
        merged = Merged()
        for layer in self.layers:
            merged.add(layer)
        named = self.env.get("LLMSPELL_SYSTEM__ENVIRONMENT")
        found = self.env.get("LLMSPELL_ENV") or named or merged.get(("system", "environment"))
        # A name with a separator would be a file of another folder.
        valid = isinstance(found, str) and found and not set(found) & set("/\\:\0")
        return found if valid and found != "local" else "default"

    def _read(self, path: Path, kind: Any, *, trusted: bool = True, optional: bool = False) -> None:
        from llmspell_core.config import files

        if optional and not path.is_file():
            return
        name = files.label(path, self.cwd)
        try:
            data, text = files.read(path, name)
        except ConfigMistakes as error:
            self.mistakes += error.mistakes
            return
        base = path.absolute().parent
        self.layers.append(Layer(kind, name, data, base, path.absolute(), text, trusted))


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None
