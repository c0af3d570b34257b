"""Specifications in files: TOML, JSON and, with the extra, YAML; read through the file gate."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ExtensionError, ValidationError

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

MAX_BYTES = 4 * 1024 * 1024


async def read_spec(path: str, ctx: ExecutionContext) -> dict[str, Any]:
    """The data of a specification file.

    Raises `policy.*`, `input.invalid` for what is no such file or is broken, and
    `extension.unavailable` for YAML without its extra.
    """
    suffix = PurePath(path).suffix.lower()
    parse = _PARSERS.get(suffix)
    if parse is None:
        raise ValidationError(
            f"{path}: a workflow file ends in {', '.join(_PARSERS)}",
            hint="give a table, or a file of one of these formats",
        )
    data = await asyncio.to_thread(ctx.policy.files.read_bytes, path, MAX_BYTES)
    try:
        found = parse(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ValidationError(f"{path}: {error}", hint=f"it must be valid {suffix[1:]}") from None
    if isinstance(found, list):
        found = {"steps": found}
    if not isinstance(found, dict):
        raise ValidationError(f"{path}: a workflow is a table or a list of steps")
    return {"name": PurePath(path).stem, **found}


def _yaml(text: str) -> Any:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError
    except ImportError as error:
        raise ExtensionError(
            "YAML files need an extra",
            hint="install it with:  pip install 'llmspell[yaml]'",
        ) from error
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


_PARSERS: dict[str, Callable[[str], Any]] = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
}
