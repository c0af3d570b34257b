"""`Sessions`: makes, finds and ends the sessions of a Runtime, and lets one run at a time in."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from llmspell_core.errors import HookError, LimitError, NotFoundError, PolicyError, StateError
from llmspell_core.hooks import HookContext
from llmspell_core.security.limits import LimitsPolicy, check_value
from llmspell_core.sessions.info import COMPLETED, SessionInfo, check_id, new_id, now
from llmspell_core.sessions.lease import Lease, busy
from llmspell_core.sessions.log import SessionLog
from llmspell_core.state.store import MISSING
from llmspell_core.state.view import StateView

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.overlay import Overlay
    from llmspell_core.runtime import Runtime

_SCOPE = "sessions"
MAX_SESSIONS = 10_000
MAX_INFO_KIB = 64
_KEPT_LOGS = 32


class Hold:
    """A session in the hands of one run: what it says is appended through it."""

    def __init__(self, info: SessionInfo, log: SessionLog, lease: Lease) -> None:
        self.info = info
        self.log = log
        self.lease = lease
        #: One lock for each conversation in the session.
        self.locks: dict[str, asyncio.Lock] = {}
        self.over = False

    async def append(self, record: dict[str, Any]) -> None:
        """Write a record; when this returns it survives the end of the process."""
        await self.log.append(self.lease, record)


#: The sessions that the present run holds, by runtime and id.
_held: ContextVar[dict[tuple[int, str], Hold]] = ContextVar("llmspell_sessions", default={})  # noqa: B039 - it is never changed


class Sessions:
    """The sessions in the configured state store.

    A run sees those that its own state scope made (a script, the `chat` command), the one it
    belongs to, and those that are `shared`, where its profile allows the scope `session`.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._logs: OrderedDict[str, SessionLog] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._begun: WeakKeyDictionary[Overlay, set[str]] = WeakKeyDictionary()

    # -- making and finding ------------------------------------------------------------------

    async def create(
        self, ctx: ExecutionContext, id: str | None = None, **fields: Any
    ) -> SessionInfo:
        """Make a session. Raises `session.exists`, `session.too_many`, `hook.cancelled`.

        Args:
            ctx: the run
            id: the id; made up when left out
            fields: name, description, tags, metadata, shared
        """
        made = SessionInfo(check_id(id) if id else new_id(), ctx.state_scope, **fields)
        _check_size(made)
        store = self._runtime.store()
        if len(await store.keys(_SCOPE)) >= MAX_SESSIONS:
            raise LimitError(
                f"there are {MAX_SESSIONS} sessions",
                code="session.too_many",
                hint="delete those that are not needed: llmspell session delete",
            )
        await self._moment("session_start", "create", made, ctx)
        if not await store.compare_and_set(_SCOPE, {made.id: (0, made.to_data())}):
            raise StateError(
                f'there is a session "{made.id}"',
                code="session.exists",
                hint="use it, or give another id",
            )
        self._begun.setdefault(ctx.overlay, set()).add(made.id)
        return made

    async def get(self, id: str, ctx: ExecutionContext) -> SessionInfo:
        """The session of this id. Raises `session.not_found`, `policy.session`."""
        found = await self._find(id)
        if found is None:
            raise NotFoundError(f'unknown session "{id}"', code="session.not_found")
        _check_access(found, ctx)
        return found

    async def open(self, id: str, ctx: ExecutionContext) -> SessionInfo:
        """The session for a turn, made when it is not there. Raises `session.completed`."""
        found = await self._find(id)
        if found is None:
            try:
                return await self.create(ctx, id)
            except StateError as error:
                # Another run was faster.
                found = await self._find(id) if error.code == "session.exists" else None
                if found is None:
                    raise
        _check_access(found, ctx)
        if found.status == COMPLETED:
            raise StateError(
                f'the session "{id}" is completed',
                code="session.completed",
                hint="begin a new one",
            )
        begun = self._begun.setdefault(ctx.overlay, set())
        if id not in begun:
            await self._moment("session_start", "resume", found, ctx)
            begun.add(id)
        return found

    async def list(
        self,
        ctx: ExecutionContext,
        *,
        status: str | None = None,
        tag: str | None = None,
        limit: int | None = None,
    ) -> list[SessionInfo]:
        """The sessions that the run may see, the one that was used last first."""
        found = [
            one
            for one in await self.everything()
            if _may(one, ctx)
            and (status is None or one.status == status)
            and (tag is None or tag in one.tags)
        ]
        return found if limit is None else found[:limit]

    async def everything(self) -> builtins.list[SessionInfo]:
        """All sessions, whoever made them, the one used last first: for people, not for scripts."""
        rows = (await self._runtime.store().all(_SCOPE)).values()
        found = [SessionInfo.of_data(row) for row in rows]
        found.sort(key=lambda one: (one.updated_at, one.id), reverse=True)
        return found

    # -- changing ----------------------------------------------------------------------------

    async def change(self, id: str, ctx: ExecutionContext, **fields: Any) -> SessionInfo:
        """Set fields of a session's info: name, description, tags, metadata, shared."""
        await self.get(id, ctx)

        def change(info: SessionInfo) -> None:
            for name, value in fields.items():
                setattr(info, name, value)
            _check_size(info)

        return await self._update(id, change)

    async def complete(self, id: str, ctx: ExecutionContext) -> SessionInfo:
        """Say that nothing more is said in it. Raises `session.busy`."""
        found = await self.get(id, ctx)
        if found.status == COMPLETED:
            return found
        async with self.hold(id, ctx):

            def change(info: SessionInfo) -> None:
                info.status = COMPLETED

            found = await self._update(id, change)
        await self._moment("session_end", "complete", found, ctx)
        return found

    async def delete(self, id: str, ctx: ExecutionContext) -> bool:
        """Delete a session with its records and its state; whether it was there.

        Raises `session.busy` while a run works in it.
        """
        found = await self._find(check_id(id))
        if found is None:
            return False
        _check_access(found, ctx)
        if self._holds(id) is not None:
            raise busy(id, None)
        store = self._runtime.store()
        async with self.hold(id, ctx, wait_ms=0):
            await store.delete(_SCOPE, id)
            await store.clear(f"session:{id}")
            await store.clear(log_scope(id))
        self._logs.pop(id, None)
        if ctx.overlay.session == id:
            ctx.overlay.session = None
        await self._moment("session_end", "delete", found, ctx)
        return True

    async def turn_done(self, id: str, text: str) -> None:
        """Count a finished turn; `text` is what the user said."""

        def change(info: SessionInfo) -> None:
            info.turns += 1
            if not info.title:
                info.title = " ".join(text.split())[:80]

        await self._update(id, change)

    # -- records -----------------------------------------------------------------------------

    def log(self, id: str) -> SessionLog:
        """The records of a session, shared by all that read them in this process."""
        found = self._logs.get(id)
        if found is None:
            found = self._logs[id] = SessionLog(self._runtime.store(), log_scope(id), id)
            while len(self._logs) > _KEPT_LOGS:
                self._logs.popitem(last=False)
        self._logs.move_to_end(id)
        return found

    @asynccontextmanager
    async def hold(
        self, id: str, ctx: ExecutionContext, *, wait_ms: float | None = None
    ) -> AsyncIterator[Hold]:
        """Work in a session as the only run, in this process and in others.

        Inside of a run that holds it already, it is the same hold. Raises `session.busy` when
        another run does not end within `[sessions] wait_ms`.
        """
        held = self._holds(id)
        if held is not None:
            yield held
            return
        info = await self.get(id, ctx)
        settings = self._runtime.settings.sessions
        wait = settings.wait_ms if wait_ms is None else wait_ms
        left = ctx.remaining_ms()
        end = time.monotonic() + (wait if left is None else min(wait, left)) / 1000
        lock = self._locks.setdefault(id, asyncio.Lock())
        await _locked(lock, id, end)
        try:
            log = self.log(id)
            lease = Lease(self._runtime.store(), log_scope(id), id, settings.lease_ms)
            try:
                await lease.take(max(0.0, end - time.monotonic()))
                await log.refresh()
                hold = Hold(info, log, lease)
                token = _held.set({**_held.get(), (id_of(self._runtime), id): hold})
                try:
                    yield hold
                finally:
                    hold.over = True
                    _held.reset(token)
            finally:
                # A cancelled run must let go as well.
                await asyncio.shield(asyncio.ensure_future(lease.release()))
        finally:
            lock.release()

    def _holds(self, id: str) -> Hold | None:
        found = _held.get().get((id_of(self._runtime), id))
        return None if found is None or found.over else found

    async def _find(self, id: str) -> SessionInfo | None:
        data, _ = await self._runtime.store().get(_SCOPE, check_id(id))
        return None if data is MISSING else SessionInfo.of_data(data)

    async def _update(self, id: str, change: Callable[[SessionInfo], None]) -> SessionInfo:
        def changed(data: Any) -> Any:
            if data is None:
                raise NotFoundError(f'unknown session "{id}"', code="session.not_found")
            info = SessionInfo.of_data(data)
            change(info)
            info.updated_at = now()
            return info.to_data()

        return SessionInfo.of_data(
            await StateView(self._runtime.store(), _SCOPE).update(id, changed)
        )

    async def _moment(
        self, point: str, operation: str, info: SessionInfo, ctx: ExecutionContext
    ) -> None:
        if not ctx.hooks.active(point):
            return
        seen = HookContext(
            point=point,
            component=info.name or info.id,
            component_id=info.id,
            operation=operation,
            metadata=info.to_script(),
            correlation_id=ctx.correlation_id,
            language=ctx.language,
        )
        outcome = await ctx.hooks.run(point, seen)
        if outcome.kind == "cancel" and point == "session_start":
            reason = outcome.reason or "by a hook"
            raise HookError(f'the session "{info.id}" was refused: {reason}')


def log_scope(id: str) -> str:
    """The scope of the store that the records of a session lie in."""
    return f"session-log:{id}"


def id_of(runtime: Runtime) -> int:
    """Tells runtimes of one process apart."""
    return id(runtime)


def _may(info: SessionInfo, ctx: ExecutionContext) -> bool:
    policy = ctx.policy
    return (
        info.owner == ctx.state_scope
        or info.id == ctx.own_session
        or "*" in policy.profile.state_scopes
        or (info.shared and policy.allows_scope("session"))
    )


def _check_access(info: SessionInfo, ctx: ExecutionContext) -> None:
    if not _may(info, ctx):
        raise PolicyError(
            f'the session "{info.id}" belongs to another script',
            code="policy.session",
            hint="make it with shared = true, or name another id",
        )


def _check_size(info: SessionInfo) -> None:
    if check_value(info.to_data(), LimitsPolicy()) > MAX_INFO_KIB * 1024:
        raise LimitError(
            f"name, description, tags and metadata of a session have {MAX_INFO_KIB} KiB together",
            code="limit.value_size",
            hint='keep more in State.save("session", ...)',
        )


async def _locked(lock: asyncio.Lock, id: str, end: float) -> None:
    if not lock.locked():
        await lock.acquire()
        return
    try:
        async with asyncio.timeout(max(0.0, end - time.monotonic())):
            await lock.acquire()
    except TimeoutError:
        raise busy(id, None) from None
