"""Runs a suite: every case as often as it says, some at once, and each answer is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_bridge.evaluation.checks import look
from llmspell_bridge.evaluation.judging import Judges
from llmspell_bridge.evaluation.results import Answer, Attempt, CaseResult, Report, Verdict
from llmspell_bridge.evaluation.targets import Target, target_of
from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from llmspell_bridge.evaluation.places import Places
    from llmspell_bridge.evaluation.suite import Case, Check, Suite
    from llmspell_core.account import Account

OnCase = Callable[[CaseResult], None]


async def evaluate(suite: Suite, places: Places, on_case: OnCase | None = None) -> Report:
    """Run all cases and say what came of them.

    Args:
        suite: the suite
        places: open
        on_case: told of each case when it is over, in the order of the suite

    Raises:
        LLMSpellError: what is wrong with the target, before anything runs
    """
    started = time.perf_counter()
    target = await target_of(suite, places)
    run = _Evaluation(suite, places, target)
    tasks = [asyncio.ensure_future(run.case(one)) for one in suite.cases]
    results = []
    try:
        for task in tasks:
            results.append(await task)
            if on_case:
                on_case(results[-1])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Report(
        suite=suite.name,
        target=f"{suite.target} {_name(suite)}",
        model=suite.model or places.runtime.settings.default.model,
        threshold=suite.threshold,
        pass_at=suite.pass_at,
        cases=results,
        judging=_used(run.judges.used),
        ms=(time.perf_counter() - started) * 1000,
    )


class _Evaluation:
    """One run of a suite."""

    def __init__(self, suite: Suite, places: Places, target: Target) -> None:
        self._suite = suite
        self._places = places
        self._target = target
        self._turn = asyncio.Semaphore(suite.concurrency)
        self.judges = Judges(suite, places)

    async def case(self, case: Case) -> CaseResult:
        """All attempts of a case."""
        count = case.repeat or self._suite.repeat
        attempts = await asyncio.gather(*(self._attempt(case) for _ in range(count)))
        return CaseResult(case.name, case.input, case.tags, attempts)

    async def _attempt(self, case: Case) -> Attempt:
        async with self._turn:
            answer = await self._answer(case)
            expects_error = any(one.kind == "error" for one in case.checks)
            if answer.error is not None and not expects_error:
                code = answer.error.get("code")
                reason = str(answer.error.get("message")) + (f"  [{code}]" if code else "")
                return Attempt(answer, [Verdict("answers", False, 0.0, reason)])
            verdicts = [await self._verdict(check, case, answer) for check in case.checks]
            return Attempt(answer, verdicts)

    async def _answer(self, case: Case) -> Answer:
        ctx = self._places.context()
        ctx = ctx.child(deadline=ctx.within(self._suite.timeout_ms))
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._suite.timeout_ms / 1000):
                answer = await self._target(case, ctx)
        except TimeoutError:
            limit = f"it took longer than {self._suite.timeout_ms:g} ms"
            answer = Answer(error={"code": "evaluation.timeout", "message": limit})
        except LLMSpellError as error:
            answer = Answer(error=error.to_dict())
        account = ctx.account
        return Answer(
            **{
                **answer.model_dump(),
                "requests": account.requests,
                "tokens": account.usage.total_tokens,
                "cost_usd": account.usage.cost_usd if account.usage.total_tokens else 0.0,
                "ms": (time.perf_counter() - started) * 1000,
            }
        )

    async def _verdict(self, check: Check, case: Case, answer: Answer) -> Verdict:
        try:
            if check.kind == "judge":
                return await self.judges.judge(check, case, answer)
            if check.kind == "script":
                return await self.judges.function(check, case, answer, self._places.folder)
            return look(check, answer)
        except LLMSpellError as error:
            where = f" ({error.source})" if error.source else ""
            return Verdict(check.label, False, 0.0, f"{error.message}{where}  [{error.code}]")


def _name(suite: Suite) -> str:
    subject = suite.subject
    if isinstance(subject, dict):
        return str(subject.get("name") or subject.get("extends") or suite.name)
    return str(subject)


def _used(account: Account) -> dict[str, Any]:
    usage = account.usage
    if not usage.total_tokens:
        return {}
    return {"tokens": usage.total_tokens, "cost_usd": usage.cost_usd}
