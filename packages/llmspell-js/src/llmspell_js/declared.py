"""The declarations of globals: what the prelude gets of them, and whether it answers them all."""

from __future__ import annotations

from llmspell_core.script.compact import compact
from llmspell_core.script.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def head(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the prelude needs of a global at once; it reads the rest when a script touches it."""
    made: dict[str, Any] = {"text": dumps(manifest)}
    names = ("name", "aliases", "call", "index")
    made.update({key: manifest[key] for key in names if key in manifest})
    return made


def unanswered(manifests: list[dict[str, Any]]) -> list[str]:
    """Guest methods of these globals that neither the prelude nor `natives` answers."""
    from llmspell_core.script.natives import NATIVES
    from llmspell_js.guest import JsSession

    session = JsSession(_Nobody(), {})  # type: ignore[arg-type]
    found = []
    for manifest in filter(None, map(compact, manifests)):
        for method, guest in manifest["guest"].items():
            name = f"{manifest['name']}.{method}"
            known = name in NATIVES or method in manifest["builders"]
            if guest and not known and not session.answers(manifest["name"], method):
                found.append(name)
    session.close()
    return found


class _Nobody:
    """A channel for a session that runs nothing."""

    def call(self, *_: object) -> None: ...
