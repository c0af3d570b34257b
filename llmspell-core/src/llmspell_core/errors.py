"""Every error llmspell raises on purpose.

    LLMSpellError            code            when
    ├── ConfigError          config.*        a settings file, variable or option is wrong
    ├── PolicyError          policy.*        the security policy refuses something
    ├── ValidationError      input.invalid   an argument has the wrong type, name or range
    ├── NotFoundError        *.not_found     a name that nothing is registered under
    ├── ToolError            tool.*          a tool failed
    │   ├── ToolRetry        tool.retry      the model should call again with other arguments
    │   ├── ToolFailed       tool.failed     the call failed and the run goes on
    │   └── ToolFatal        tool.fatal      the run must not go on
    ├── AgentError           agent.*         an agent run failed or reached a limit
    ├── ProviderError        provider.*      a model service refused, failed or is missing
    ├── WorkflowError        workflow.*      a workflow specification or run failed
    ├── HookError            hook.*          a hook cancelled or a guard failed
    ├── StateError           state.*         a store could not do what was asked
    ├── LimitError           limit.*         one call asked for too much; the script may go on
    ├── ScriptError          script.*        a script failed, was stopped or could not start
    ├── Cancelled            cancelled       the work was cancelled
    ├── DeadlineError        timeout         a deadline passed
    └── ExtensionError       engine.*, plugin.*   something is not installed or is broken

Codes are stable: scripts and callers compare them. Only the command line maps errors to
exit codes.
"""

from __future__ import annotations

from typing import Any


class LLMSpellError(Exception):
    """Base of all: catch it to catch everything llmspell raises on purpose.

    `code` is stable (`tool.not_found`), `hint` says what to do, `details` is JSON data,
    `retryable` says whether the same call may succeed later, `source` is where it happened
    (`spell.lua:12`), `stack` is the script's own stack where there is one.
    """

    code = "error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
        retryable: bool | None = None,
        source: str | None = None,
        stack: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.details = details or {}
        self.retryable = type(self).retryable if retryable is None else retryable
        self.source = source
        self.stack = stack

    def to_dict(self) -> dict[str, Any]:
        """The error as data, without what is empty: what crosses to scripts, JSON and events."""
        data = {
            "message": self.message,
            "code": self.code,
            "hint": self.hint,
            "details": self.details,
            "retryable": self.retryable,
            "source": self.source,
            "stack": self.stack,
        }
        return {key: value for key, value in data.items() if value not in (None, {})}

    def __str__(self) -> str:
        return self.message


class ConfigError(LLMSpellError):
    """A settings file, variable or option is wrong; `details["mistakes"]` lists all of them."""

    code = "config.invalid"


class PolicyError(LLMSpellError):
    """The security policy refuses a file, host, process, variable, module or tool."""

    code = "policy.denied"


class ValidationError(LLMSpellError):
    """An argument has the wrong type, name or range; `details["errors"]` has one entry a field."""

    code = "input.invalid"


class NotFoundError(LLMSpellError):
    """Nothing is registered under this name; the hint names the nearest one."""

    code = "name.not_found"


class ToolError(LLMSpellError):
    """A tool failed."""

    code = "tool.failed"


class ToolRetry(ToolError):  # noqa: N818 - a signal of the tool to the model, named for what it asks
    """Raised by a tool: the message goes to the model, which should call again differently."""

    code = "tool.retry"


class ToolFailed(ToolError):  # noqa: N818 - as above
    """Raised by a tool: this call failed, the agent's run goes on."""

    code = "tool.failed"


class ToolFatal(ToolError):  # noqa: N818 - as above
    """A tool found that the run must not go on: it ends with this error."""

    code = "tool.fatal"


class AgentError(LLMSpellError):
    """An agent's run failed or reached a limit."""

    code = "agent.failed"


class ProviderError(LLMSpellError):
    """A model service refused, failed, or is not configured.

    Codes: `provider.auth`, `provider.rate_limit` (`details["retry_after_ms"]`),
    `provider.timeout`, `provider.connection`, `provider.context_length`, `provider.server`,
    `provider.invalid_request`, `provider.bad_response`, `provider.not_configured`,
    `provider.unknown`, `provider.model_missing`, `provider.circuit_open` (it failed too often).
    """

    code = "provider.failed"


class WorkflowError(LLMSpellError):
    """A workflow specification is wrong or its run failed."""

    code = "workflow.failed"


class HookError(LLMSpellError):
    """A hook cancelled the operation (`hook.cancelled`) or a guard failed (`hook.failed`)."""

    code = "hook.cancelled"


class StateError(LLMSpellError):
    """A state store could not do what was asked."""

    code = "state.failed"


class JournalError(LLMSpellError):
    """The journal of a run could not do what was asked, or a paused run cannot go on."""

    code = "journal.failed"


class LimitError(LLMSpellError):
    """One call asked for too much (`limit.<name>`); the script may catch it and go on."""

    code = "limit.exceeded"


class ScriptError(LLMSpellError):
    """A script failed, was stopped by a limit, or could not be started."""

    code = "script.error"


class Cancelled(LLMSpellError):  # noqa: N818 - the state, as asyncio names it
    """The work was cancelled by its caller."""

    code = "cancelled"


class DeadlineError(LLMSpellError):
    """A deadline passed before the work was done."""

    code = "timeout"
    retryable = True


class ExtensionError(LLMSpellError):
    """A distribution is not installed (the hint names the extra) or is broken."""

    code = "extension.unavailable"


#: Comparing takes time by the length, and a script may give megabytes for a name.
_LONGEST_NAME = 100


def did_you_mean(name: str, known: list[str]) -> str | None:
    """`did you mean "calculator"?` for the nearest known name, or None when none is near."""
    near = nearest(name, known)
    return None if near is None else f'did you mean "{near}"?'


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that was probably meant, or None."""
    if len(name) > _LONGEST_NAME:
        return None
    from difflib import get_close_matches

    plain = {candidate.lower().replace("_", "-"): candidate for candidate in known}
    found = get_close_matches(name.lower().replace("_", "-"), list(plain), n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def error_data(error: BaseException) -> dict[str, Any]:
    """Any exception as the data a script or an event may see: never a Python traceback."""
    import asyncio

    if isinstance(error, LLMSpellError):
        return error.to_dict()
    if isinstance(error, asyncio.CancelledError):
        return {"message": "cancelled", "code": "cancelled", "retryable": False}
    if isinstance(error, TimeoutError):
        return {"message": str(error) or "timed out", "code": "timeout", "retryable": True}
    return {
        "message": f"{type(error).__name__}: {error}",
        "code": "internal",
        "retryable": False,
    }
