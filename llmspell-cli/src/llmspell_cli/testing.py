"""`CommandLine`: the `llmspell` command for tests, as a process with folders of its own.

    llmspell = CommandLine(tmp_path)
    llmspell.write("x.lua", "return 6 * 7 + 0.5")
    assert llmspell("x.lua").out.strip() == "42.5"

Nothing of the user's configuration, state, keys and models is seen. No call may print a
traceback. `plugin` installs a distribution by hand; `serving` runs a server beside the process.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

#: Of the caller's environment none of these is passed on.
_HIDDEN = ("LLMSPELL_", "OPENAI_", "XDG_", "NO_COLOR", "FORCE_COLOR")
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Done:
    """How a call ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str
    raw: bytes = b""

    @property
    def lines(self) -> list[str]:
        """The lines of standard error."""
        return self.err.splitlines()


class CommandLine:
    """Calls `llmspell` in `folder/work`, with `folder/home` for all that it keeps."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder / "work"
        self.home = folder / "home"
        self.site = folder / "site"
        for one in (self.cwd, self.home, self.site):
            one.mkdir(parents=True, exist_ok=True)
        self.env = {name: v for name, v in os.environ.items() if not name.startswith(_HIDDEN)}
        paths = [str(self.site), *filter(None, [self.env.get("PYTHONPATH")])]
        self.env |= {
            "LLMSPELL_CONFIG_DIR": str(self.home / "config"),
            "LLMSPELL_SYSTEM__DATA_DIR": str(self.home / "data"),
            "LLMSPELL_SYSTEM__CACHE_DIR": str(self.home / "cache"),
            "XDG_CONFIG_DIRS": str(self.home / "system"),
            "PYTHONPATH": os.pathsep.join(paths),
        }

    def write(self, name: str, content: str | bytes) -> Path:
        """A file in the working directory; text is written as it is, line ends included."""
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def plugin(self, distribution: str, source: str, **groups: dict[str, str]) -> None:
        """Install a distribution of one module: `tools={"shout": "Shout"}` names its classes."""
        module = distribution.replace("-", "_")
        (self.site / f"{module}.py").write_text(source, encoding="utf-8")
        info = self.site / f"{module}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nSummary: A test\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        lines: list[str] = []
        for kind, points in groups.items():
            lines.append(f"[llmspell.{kind}]")
            lines += [f"{name} = {module}:{attribute}" for name, attribute in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self, *args: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start it and do not wait; the streams are pipes."""
        pipe = subprocess.PIPE
        given: dict[str, Any] = {"stdin": pipe, "stdout": pipe, "stderr": pipe, **options}
        env = {**self.env, **given.pop("env", {})}
        command = [sys.executable, "-m", "llmspell_cli", *map(str, args)]
        # The command is this module's own.
        return subprocess.Popen(  # noqa: S603
            command, cwd=self.cwd, env=env, **given
        )

    def __call__(
        self, *args: str | Path, stdin: str | bytes = b"", env: dict[str, str] | None = None
    ) -> Done:
        """Call it and wait for its end."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        with self.start(*args, env=env or {}) as process:
            try:
                out, err = process.communicate(data, timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        text = err.decode("utf-8", "replace")
        if "Traceback" in text and "--debug" not in args:
            raise AssertionError(f"llmspell {' '.join(map(str, args))}\n{text}")
        return Done(process.returncode, out.decode("utf-8", "replace"), text, out)


@contextmanager
def serving(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run an asynchronous server in a thread while synchronous code uses it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(TIMEOUT_S)

    try:
        opened: T = wait(server.__aenter__())
        try:
            yield opened
        finally:
            wait(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
