"""How an engine's sessions are carried: in this process, or in a worker process each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from llmspell_core.script.engine import ScriptEngine
from llmspell_core.security.select import profile_for

if TYPE_CHECKING:
    import asyncio

    from llmspell_bridge.isolation import Prober
    from llmspell_bridge.session import HostSession
    from llmspell_bridge.worker.proxy import WorkerProcess, WorkerSession
    from llmspell_core.config.sources import Loaded
    from llmspell_core.script.protocol import ScriptSession
    from llmspell_core.security.profile import SecurityProfile


class Carrier:
    """Makes sessions of one engine. A worker may be made ready before it is needed.

    Args:
        engine: the engine.
        loaded: the settings, whose profile decides.
        isolation: where to run instead; what the profile says of a sandbox stays in force.
        prober: asks which layers there are; the real one when None.
    """

    def __init__(
        self,
        engine: ScriptEngine,
        loaded: Loaded,
        isolation: str | None = None,
        prober: Prober | None = None,
    ) -> None:
        self.engine = engine
        self._profile = profile_for(loaded)
        wanted = self._profile.isolation
        self._isolation = wanted if wanted == "sandbox" else isolation or wanted
        self._prober = prober
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
        if "sandbox" in (profile.isolation, self._isolation):
            from llmspell_bridge import isolation

            isolation.require_sandbox(profile.name, self._prober or isolation.layers)

    async def open(self, host: HostSession, options: dict[str, Any]) -> ScriptSession:
        """A session of its own for one run. A worker is held by the layers that it needs by then.

        Raises:
            PolicyError: `security.no_sandbox`.
        """
        if not self.in_worker:
            guest = importlib.import_module(self.engine.info.guest)
            session: ScriptSession = guest.create(host, options)
            return session
        worker, self._spare = self._spare or self._spawn(), None
        # A script needs its worker's layers whatever engine asks for one: low and none, too.
        sandbox = self._isolation == "sandbox"
        isolation = "sandbox" if sandbox else "worker"
        session = await worker.start(host, {**options, "isolation": isolation})
        if sandbox:
            await self._confirm(session)
        else:
            session.ready.add_done_callback(_warn)
        return session

    async def _confirm(self, session: WorkerSession) -> None:
        """Wait until the worker says which layers hold it, before it is given a script."""
        from llmspell_bridge import isolation

        try:
            held = await session.started()
            isolation.check_applied(self._profile.name, held, self._prober or isolation.layers)
        except BaseException:
            session.close()
            raise

    def close(self) -> None:
        """End a worker that was made ready and not used."""
        if self._spare is not None:
            self._spare.kill()
            self._spare = None

    def _spawn(self) -> WorkerProcess:
        from llmspell_bridge.worker.proxy import WorkerProcess

        return WorkerProcess(self.engine.info)


def _warn(ready: asyncio.Future[list[str]]) -> None:
    if not ready.cancelled():
        from llmspell_bridge.isolation import warn_missing

        warn_missing(ready.result())
