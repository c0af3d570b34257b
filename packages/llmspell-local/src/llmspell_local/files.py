"""Where the model files lie: names to paths, and what is in the cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from llmspell_core.errors import ConfigError, ProviderError, did_you_mean
from llmspell_core.provider import ModelInfo
from llmspell_local.catalogue import CATALOGUE, DEFAULT_MODEL, CatalogueModel
from llmspell_local.fetch import is_whole

SUFFIX = ".gguf"


@dataclass(slots=True)
class ModelFiles:
    """The models of one provider: of the catalogue, configured, or lying in the cache.

    `configured` are the paths that `[providers.local] models` names: ``name=path``, or a path
    whose file name is the model's.
    """

    folder: Path
    default: str = DEFAULT_MODEL
    configured: dict[str, Path] = field(default_factory=dict)
    catalogue: dict[str, CatalogueModel] = field(default_factory=lambda: CATALOGUE)

    def list(self) -> list[ModelInfo]:
        """Every model that has a name, present or not."""
        found = {name: self._info(name, path) for name, path in self.configured.items()}
        if self.folder.is_dir():
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                if path.stem not in self.catalogue:
                    found.setdefault(path.stem, self._info(path.stem, path))
        for name, model in self.catalogue.items():
            present = is_whole(self.folder / model.file_name, model)
            row = ModelInfo(name, model.size, present, model.description, name == self.default)
            found.setdefault(name, row)
        return [found[name] for name in sorted(found)]

    def named(self, name: str) -> Path | None:
        """Where the model of this name lies or would lie; None when it is no name of ours."""
        if name in self.configured:
            return self.configured[name]
        if name in self.catalogue:
            return self.folder / self.catalogue[name].file_name
        cached = self.folder / f"{name}{SUFFIX}"
        return cached if not is_path(name) and cached.is_file() else None

    def to_fetch(self, name: str) -> CatalogueModel | None:
        """The catalogue's entry when this model is one and its file is not here."""
        model = None if name in self.configured else self.catalogue.get(name)
        return None if model is None or is_whole(self.folder / model.file_name, model) else model

    def unknown(self, name: str) -> ProviderError:
        """The error for a name that nothing has."""
        known = [one.name for one in self.list()]
        return ProviderError(
            f'there is no local model "{name}"',
            code="provider.model_missing",
            hint=(did_you_mean(name, known) or f"there are: {', '.join(known)}")
            + f"; a file is named by its path, local/PATH{SUFFIX}; "
            f"to fetch the default one: llmspell models pull {self.default}",
        )

    def absent(self, name: str, path: Path) -> ProviderError:
        """The error for a file that is not where it was said to be."""
        if name in self.catalogue and name not in self.configured:
            text, hint = "is not on this machine", f"llmspell models pull {name}"
        else:
            text, hint = f"has no file {path}", "check the path"
        return ProviderError(
            f'the local model "{name}" {text}',
            code="provider.model_missing",
            hint=hint,
            details={"model": name, "path": str(path)},
        )

    def remove(self, name: str) -> None:
        """Delete a file of the cache; `provider.invalid_request` for any other."""
        path = self.named(name)
        if path is None:
            raise self.unknown(name)
        if name in self.configured:
            raise ProviderError(
                f'the model "{name}" is a file of yours, not of the cache: {path}',
                code="provider.invalid_request",
                hint="delete it yourself, and its entry in [providers.local] models",
            )
        try:
            path.unlink()
        except FileNotFoundError:
            raise self.absent(name, path) from None

    def _info(self, name: str, path: Path) -> ModelInfo:
        size = path.stat().st_size if path.is_file() else 0
        return ModelInfo(name, size, bool(size), str(path), name == self.default)


def is_path(name: str) -> bool:
    """Whether a model is named by its file's path."""
    return name.endswith(SUFFIX) or "/" in name or "\\" in name or name.startswith("~")


def configured_paths(entries: list[str]) -> dict[str, Path]:
    """`[providers.local] models` as names and paths; a catalogue name stands for itself."""
    found: dict[str, Path] = {}
    for entry in entries:
        name, equals, path = entry.partition("=")
        if equals and name.strip() and path.strip():
            found[name.strip()] = Path(path.strip()).expanduser()
        elif is_path(entry):
            given = Path(entry).expanduser()
            found[given.stem] = given
        elif entry not in CATALOGUE:
            raise ConfigError(
                f'[providers.local] models: "{entry}" is neither name=path nor a known model',
                hint=did_you_mean(entry, list(CATALOGUE)) or 'for example "qwen=~/qwen.gguf"',
            )
    return found
