"""`TestRuntime`: the runtime of one file of tests, with a cassette that tests may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmspell_bridge.runtime import ScriptRuntime
from llmspell_core.cassette import MODES, Cassette
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import PolicyError, ValidationError, did_you_mean


class TestRuntime(ScriptRuntime):
    """A ScriptRuntime whose models all stand behind a cassette, at first an empty one.

    Args:
        folder: of the test file; its cassettes are named from there
        recording: `llmspell test --record`: cassettes are recorded, not played
    """

    __test__ = False

    def __init__(self, *args: Any, folder: Path, recording: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.folder = folder
        self.recording = recording
        # Models are looked up once, an agent keeps its own: all are taped from the beginning.
        self.cassette = Cassette(None)

    def open_cassette(self, name: str, options: dict[str, Any], ctx: ExecutionContext) -> Cassette:
        """Play or record this file from now on.

        Raises `input.invalid`, `policy.file`, `cassette.missing`, `cassette.invalid`.
        """
        unknown = sorted(options.keys() - {"mode", "tools"})
        if unknown:
            near = did_you_mean(unknown[0], ["mode", "tools"])
            raise ValidationError(f'Test.cassette has no option "{unknown[0]}"', hint=near)
        mode = options.get("mode") or ("record" if self.recording else "replay")
        if mode not in MODES:
            raise ValidationError(f"Test.cassette: mode is one of {', '.join(MODES)}")
        path = self._path(name, mode, ctx)
        tools = options.get("tools", ["outside"])
        given = [tools] if isinstance(tools, str) else tools
        self.cassette = Cassette(path, mode, tools=given, redactor=self.redactor)
        return self.cassette

    def _path(self, name: str, mode: str, ctx: ExecutionContext) -> Path:
        path = (self.folder / name).absolute()
        if mode == "replay":
            return ctx.policy.files.resolve(path, "read")
        if not self.recording:
            return ctx.policy.files.resolve(path, "write")
        # The option allows what the profile may not: but only beside the tests.
        path = path.resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise PolicyError(
                f"the cassette {name} would be recorded outside of the test's folder",
                code="policy.file",
                hint="name it from the folder of the test",
            )
        return path
