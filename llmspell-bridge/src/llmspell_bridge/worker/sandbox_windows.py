"""What holds a worker on Windows: a job object that ends with the host and allows one process.

It bounds memory and processes and takes the desktop away; files and the network it leaves.
"""

from __future__ import annotations

import ctypes
from typing import Any

_KILL_ON_CLOSE, _DIE_ON_EXCEPTION = 0x2000, 0x400
_ACTIVE_PROCESSES, _PROCESS_MEMORY = 0x8, 0x100
_EXTENDED_LIMITS, _UI_LIMITS = 9, 4
#: Handles, clipboard, system parameters, display, atoms, desktops, ending the session.
_ALL_UI = 0xFF
_SET_QUOTA, _TERMINATE = 0x0100, 0x0001


class _Basic(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class Limits(ctypes.Structure):
    """`JOBOBJECT_EXTENDED_LIMIT_INFORMATION`."""

    _fields_ = (
        ("Basic", _Basic),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


def limits(memory_mb: float = 0) -> Limits:
    """What a job of one worker allows; 0 is no limit of memory."""
    made = Limits()
    made.Basic.LimitFlags = _KILL_ON_CLOSE | _DIE_ON_EXCEPTION | _ACTIVE_PROCESSES
    made.Basic.ActiveProcessLimit = 1
    if memory_mb:
        made.Basic.LimitFlags |= _PROCESS_MEMORY
        made.ProcessMemoryLimit = int(memory_mb * (1 << 20))
    return made


class Job:
    """A job object with one process in it. OSError when Windows refuses it."""

    def __init__(self, pid: int, kernel: Any = None) -> None:
        self._kernel = kernel or _kernel()
        self._job = self._need(self._kernel.CreateJobObjectW(None, None))
        try:
            self._set(_EXTENDED_LIMITS, limits())
            self._set(_UI_LIMITS, ctypes.c_uint32(_ALL_UI))
            self._add(pid)
        except OSError:
            self.close()
            raise

    def limit_memory(self, memory_mb: float) -> None:
        """Bound the memory of its process."""
        self._set(_EXTENDED_LIMITS, limits(memory_mb))

    def close(self) -> None:
        """Close it, which ends its process."""
        job, self._job = self._job, None
        if job:
            self._kernel.CloseHandle(job)

    def _add(self, pid: int) -> None:
        process = self._need(self._kernel.OpenProcess(_SET_QUOTA | _TERMINATE, 0, pid))
        try:
            self._need(self._kernel.AssignProcessToJobObject(self._job, process))
        finally:
            self._kernel.CloseHandle(process)

    def _set(self, kind: int, value: Any) -> None:
        size = ctypes.sizeof(value)
        self._need(self._kernel.SetInformationJobObject(self._job, kind, ctypes.byref(value), size))

    def _need(self, result: Any) -> Any:
        if not result:
            code = getattr(ctypes, "get_last_error", int)()
            raise OSError(code, "the job object of a worker could not be made")
        return result


def _kernel() -> Any:
    made: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    handle, number = ctypes.c_void_p, ctypes.c_uint32
    made.CreateJobObjectW.restype = handle
    made.CreateJobObjectW.argtypes = (handle, ctypes.c_wchar_p)
    made.OpenProcess.restype = handle
    made.OpenProcess.argtypes = (number, ctypes.c_int, number)
    made.AssignProcessToJobObject.argtypes = (handle, handle)
    made.SetInformationJobObject.argtypes = (handle, ctypes.c_int, handle, number)
    made.CloseHandle.argtypes = (handle,)
    return made
