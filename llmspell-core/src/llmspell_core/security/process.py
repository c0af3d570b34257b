"""The gate to other programs: absolute executables from a list, no shell, bounded, killed whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, NotFoundError, PolicyError, ValidationError
from llmspell_core.security.env import loads_programs

if TYPE_CHECKING:
    from llmspell_core.security.audit import AuditLog
    from llmspell_core.security.env import EnvGate
    from llmspell_core.security.files import FileGate

DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_MAX_BYTES = 1024 * 1024
_CHUNK = 65536
_POSIX = os.name == "posix"
#: Starts the program under limits. A function run between fork and exec could deadlock in a
#: process with threads; a program of one line cannot.
_LAUNCHER = (
    "import os,sys,resource as r\n"
    "for n,v in zip(sys.argv[1].split(','),sys.argv[2].split(',')):\n"
    "    k=getattr(r,'RLIMIT_'+n,None)\n"
    "    if k is None: continue\n"
    "    h=r.getrlimit(k)[1]; v=int(v); v=v if h==r.RLIM_INFINITY else min(v,h)\n"
    "    try: r.setrlimit(k,(v,v))\n"
    "    except (ValueError,OSError): pass\n"
    "try: os.execv(sys.argv[3],sys.argv[4:])\n"
    "except OSError as e: sys.exit('cannot start: %s'%e.strerror)\n"
)


@dataclass(slots=True)
class ProcessResult:
    """How a program ended. `exit_code` is -N when signal N ended it."""

    stdout: bytes
    stderr: bytes
    exit_code: int
    timed_out: bool
    duration_ms: float
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Limits of a started program (POSIX); 0 is no limit."""

    memory_mb: int = 2048
    cpu_s: int = 0
    file_mb: int = 1024
    open_files: int = 1024


class ProcessGate:
    """Starts programs that the policy lists.

    Args:
        layers: the allowed executables of each profile of the chain: names found on PATH, or
            absolute paths; `*` is all.
        files: checks the working directory.
        env: gives the variables that programs may see.
    """

    def __init__(
        self,
        layers: tuple[tuple[str, ...], ...],
        *,
        files: FileGate,
        env: EnvGate,
        audit: AuditLog | None = None,
        path: str | None = None,
    ) -> None:
        self._layers = layers
        self._files = files
        self._env = env
        self._audit = audit
        self._path = os.environ.get("PATH", os.defpath) if path is None else path
        self._free = all("*" in layer for layer in layers)

    def resolve(self, executable: str) -> str:
        """The absolute path of an allowed executable.

        Raises:
            PolicyError: `policy.process`; also for one that does not exist.
            NotFoundError: `process.not_found`: it is listed but not installed.
        """
        if not executable or "\0" in executable:
            raise ValidationError("the executable is empty or has a NUL character")
        found = self._find(executable)
        allowed = all(self._allows(layer, executable, found) for layer in self._layers)
        if self._audit is not None:
            verdict = "allow" if allowed else "deny"
            self._audit.record("process", found or executable, verdict, "processes")
        if not allowed:
            raise PolicyError(
                f'starting "{executable}" is not allowed under this security profile',
                code="policy.process",
                hint="[security.processes] allowed lists executables",
                details={"executable": executable},
            )
        if found is None:
            raise NotFoundError(f'"{executable}" is not installed', code="process.not_found")
        return found

    async def run(
        self,
        executable: str,
        arguments: Sequence[str] = (),
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        input: bytes | str | None = None,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        limits: ProcessLimits | None = None,
    ) -> ProcessResult:
        """Run a program to its end, with nothing between it and its arguments.

        Args:
            executable: a name on PATH or an absolute path.
            arguments: passed as they are; no shell reads them.
            cwd: a directory that the file gate lets be read; the run's own by default.
            env: added to the few variables that the policy names.
            input: what it reads from its standard input.
            timeout_ms: then it is killed together with all it started.
            max_bytes: kept of stdout and of stderr, each; the rest is dropped.
            limits: memory, CPU and size of files.
        """
        path = self.resolve(executable)
        words = [str(word) for word in arguments]
        if any("\0" in word for word in words):
            raise ValidationError("an argument has a NUL character")
        folder = self._files.resolve("." if cwd is None else cwd, "read")
        variables = self._variables(env or {})
        command = self._command(path, words, limits or ProcessLimits())
        data = input.encode() if isinstance(input, str) else input
        return await _run(
            command, folder, variables, data, timeout_ms=timeout_ms, max_bytes=max_bytes
        )

    def _find(self, executable: str) -> str | None:
        if os.path.dirname(executable):  # noqa: PTH120
            # A relative path would depend on a directory that scripts can write to.
            return _spelled(executable) if Path(executable).is_absolute() else None
        import shutil

        # Neither the working directory nor an empty entry is a place for programs.
        entries = [entry for entry in self._path.split(os.pathsep) if Path(entry).is_absolute()]
        found = shutil.which(executable, path=os.pathsep.join(entries))
        return _spelled(found) if found is not None and Path(found).is_absolute() else None

    def _allows(self, layer: Sequence[str], executable: str, found: str | None) -> bool:
        if "*" in layer:
            return True
        if found is None:
            return executable in layer
        return any(self._find(entry) == found for entry in layer)

    def _variables(self, given: Mapping[str, str]) -> dict[str, str]:
        made = self._env.for_process()
        made.setdefault("PATH", self._path)
        if not _POSIX:
            # Windows programs do not start without it.
            made.update({k: v for k, v in os.environ.items() if k.upper() == "SYSTEMROOT"})
        for name, value in given.items():
            bad = "=" in name or "\0" in name + str(value) or not name
            if bad or (loads_programs(name) and not self._free):
                raise PolicyError(
                    f'the variable "{name}" may not be given to a program',
                    code="policy.environment",
                    hint="it could make the program run another one",
                )
            made[name] = str(value)
        return made

    def _command(self, path: str, words: list[str], limits: ProcessLimits) -> list[str]:
        if not _POSIX or self._free:
            return [path, *words]
        mib = 1024 * 1024
        values = {
            "AS": limits.memory_mb * mib,
            "CPU": limits.cpu_s,
            "FSIZE": limits.file_mb * mib,
            "NOFILE": limits.open_files,
        }
        set_ones = {name: str(value) for name, value in values.items() if value} | {"CORE": "0"}
        return [
            sys.executable, "-I", "-S", "-c", _LAUNCHER,
            ",".join(set_ones), ",".join(set_ones.values()), path, path, *words,
        ]  # fmt: skip


async def _run(
    command: list[str],
    folder: Path,
    variables: dict[str, str],
    data: bytes | None,
    *,
    timeout_ms: float,
    max_bytes: int,
) -> ProcessResult:
    started = time.perf_counter()
    own_group: dict[str, Any] = (
        {"start_new_session": True} if _POSIX else {"creationflags": 0x00000200}
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=variables,
            stdin=asyncio.subprocess.DEVNULL if data is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **own_group,
        )
    except OSError as error:
        raise LLMSpellError(
            f"cannot start {command[0]}: {error.strerror}", code="process.failed"
        ) from None
    output = [_Output(max_bytes), _Output(max_bytes)]
    timed_out = False
    try:
        async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
            await asyncio.gather(
                _feed(process.stdin, data),
                output[0].read(process.stdout),
                output[1].read(process.stderr),
                process.wait(),
            )
    except TimeoutError:
        timed_out = True
    finally:
        await _end(process)
    return ProcessResult(
        bytes(output[0].data),
        bytes(output[1].data),
        process.returncode if process.returncode is not None else -9,
        timed_out,
        (time.perf_counter() - started) * 1000,
        output[0].truncated or output[1].truncated,
    )


class _Output:
    """Collects what a program writes, up to a limit, and lets it go on beyond."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.truncated = False
        self._limit = limit

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            room = self._limit - len(self.data) if self._limit else len(chunk)
            self.data += chunk[:room]
            self.truncated = self.truncated or len(chunk) > room


async def _feed(stdin: asyncio.StreamWriter | None, data: bytes | None) -> None:
    if stdin is None or data is None:
        return
    # A program may end without reading everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(data)
        await stdin.drain()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.close()
        await stdin.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the program and whatever of its group is left, and collect it."""
    if _POSIX:
        # Not `process.kill()`: it collects the exit code before asyncio's watcher does.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.returncode is None:
        killer = await asyncio.create_subprocess_exec(
            "taskkill", "/F", "/T", "/PID", str(process.pid),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await killer.wait()
    # A pipe that is full, or that a grandchild still holds, would keep `wait` waiting for ever.
    transport = getattr(process, "_transport", None)
    for number in (0, 1, 2):
        pipe = transport.get_pipe_transport(number) if transport is not None else None
        if pipe is not None:
            pipe.close()
    await process.wait()
    if transport is not None:
        transport.close()


def _spelled(path: str) -> str:
    """One spelling of a program's path: links of directories resolved, its own name kept.

    Its own, because one binary under many names (busybox) acts by the name.
    """
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
