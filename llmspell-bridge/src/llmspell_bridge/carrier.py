"""How an engine's sessions are carried: in this process, or in a worker process each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from llmspell_core.script.engine import ScriptEngine
from llmspell_core.security.select import profile_for

if TYPE_CHECKING:
    from llmspell_bridge.session import HostSession
    from llmspell_bridge.worker.proxy import WorkerProcess
    from llmspell_core.config.sources import Loaded
    from llmspell_core.script.protocol import ScriptSession
    from llmspell_core.security.profile import SecurityProfile


class Carrier:
    """Makes sessions of one engine. A worker may be made ready before it is needed."""

    def __init__(self, engine: ScriptEngine, loaded: Loaded, isolation: str | None = None) -> None:
        self.engine = engine
        self._isolation = isolation or profile_for(loaded).isolation
        self._spare: WorkerProcess | None = None

    @property
    def in_worker(self) -> bool:
        """Whether scripts run in a process of their own."""
        return self._isolation != "process" or not self.engine.info.in_process

    def prepare(self) -> None:
        """Start a worker now, so that it is ready when the first run needs it."""
        if self.in_worker:
            self._spare = self._spawn()

    def check(self, profile: SecurityProfile) -> None:
        """Raise when this machine cannot give the isolation that the profile asks for."""
        if profile.isolation == "sandbox":
            from llmspell_bridge.isolation import require_sandbox

            require_sandbox(profile.name)

    async def open(self, host: HostSession, options: dict[str, Any]) -> ScriptSession:
        """A session of its own for one run."""
        if not self.in_worker:
            guest = importlib.import_module(self.engine.info.guest)
            session: ScriptSession = guest.create(host, options)
            return session
        worker, self._spare = self._spare or self._spawn(), None
        return await worker.start(host, options)

    def close(self) -> None:
        """End a worker that was made ready and not used."""
        if self._spare is not None:
            self._spare.kill()
            self._spare = None

    def _spawn(self) -> WorkerProcess:
        from llmspell_bridge.worker.proxy import WorkerProcess

        return WorkerProcess(self.engine.info)
