"""The declaration of `Async`; the engines' preludes answer it."""

from __future__ import annotations

from typing import Any

from llmspell_core.script.api import (
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    guest_only,
    script_method,
)
from llmspell_core.script.model import ScriptModel


class RetryOptions(ScriptModel):
    """How `Async.retry` repeats. Times are ms."""

    max_attempts: int = 3
    backoff_ms: float = 500
    multiplier: float = 2
    jitter: bool = True


class AsyncOptions(ScriptModel):
    """Options of `all`, `all_settled` and `race`."""

    concurrency: int | None = None


class Task(ScriptObject):
    """A running function of the script."""

    type_name = "task"

    @script_method(guest=True)
    def await_(self) -> Any:
        """Wait for its end: its values, or its error thrown."""

    @script_method(guest=True)
    def cancel(self) -> bool:
        """Cancel it: it gets the error `cancelled`; whether it was still running."""
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def status(self) -> str:
        """`running`, `done` or `failed`."""
        return guest_only()  # type: ignore[no-any-return]


class Queue(ScriptObject):
    """A queue between tasks."""

    type_name = "queue"

    @script_method(guest=True)
    def push(self, value: Any) -> None:
        """Add a value; waits while the queue is full."""

    @script_method(guest=True)
    def pop(self) -> Any:
        """Take the next value; waits while the queue is empty, nil once it is closed."""

    @script_method(guest=True)
    def close(self) -> None:
        """Nothing more is pushed."""


class AsyncGlobal(ScriptGlobal):
    """Run functions of a script at the same time, and wait for them."""

    name = "Async"
    kind = "async"
    objects = (Task, Queue)

    @script_method(guest=True)
    def spawn(self, fn: ScriptFunction, *args: Any) -> Task:
        """Start a function as a task.

        Args:
            fn: the function
            args: its arguments
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def all(self, tasks: Any, options: AsyncOptions | None = None) -> Any:
        """Run functions or wait for tasks, together, and give their results as they were given.

        The first error is thrown and the others are cancelled.

        Args:
            tasks: a list or a map of functions, tasks or promises
            options: `{concurrency = n}` runs at most n at once
        """

    @script_method(guest=True)
    def all_settled(self, tasks: Any, options: AsyncOptions | None = None) -> Any:
        """Like `all`, but never throws: `{success, value | error}` for each.

        Args:
            tasks: a list or a map of functions, tasks or promises
            options: `{concurrency = n}` runs at most n at once
        """

    @script_method(guest=True)
    def race(self, tasks: Any) -> Any:
        """The result of the first that ends; the others are cancelled.

        Args:
            tasks: a list or a map of functions, tasks or promises
        """

    @script_method(guest=True)
    def sleep(self, ms: float) -> None:
        """Wait.

        Args:
            ms: milliseconds
        """

    @script_method(guest=True)
    def timeout(self, ms: float, fn: ScriptFunction) -> Any:
        """Run a function; when it takes longer, cancel it and throw `timeout`.

        Args:
            ms: milliseconds
            fn: the function
        """

    @script_method(guest=True)
    def retry(self, fn: ScriptFunction, options: RetryOptions | None = None) -> Any:
        """Run a function again while it fails.

        Args:
            fn: the function; it gets the number of the attempt
            options: `{max_attempts, backoff_ms, multiplier, jitter}`
        """

    @script_method(name="yield", guest=True)
    def yield_(self) -> None:
        """Let other tasks go on."""

    @script_method(name="await", guest=True)
    def await_(self, task: Any) -> Any:
        """Wait for a task or a promise.

        Args:
            task: what `spawn` or `promise` gave
        """

    @script_method(guest=True)
    def queue(self, size: int | None = None) -> Queue:
        """A queue between tasks.

        Args:
            size: how many values it holds before `push` waits; no bound when left out
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method(guest=True)
    def promise(self, fn: ScriptFunction) -> Any:
        """A promise with `:next`, `:catch` and `:finally` (Lua).

        Args:
            fn: called at once with `resolve` and `reject`
        """
