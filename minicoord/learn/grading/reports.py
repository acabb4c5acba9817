"""The reports of a child process, which are not trusted as an answer may forge them, and the verdict they lead to."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicoord.learn.checking.access_log import Race
from minicoord.learn.checking.bytecode import CodeTraits
from minicoord.learn.checking.check import code_verdict, not_attempted
from minicoord.learn.checking.check_result import compare, with_cause
from minicoord.learn.checking.recognition import Call, KnownCalls, likely_cause
from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.checking.verdict import NOT_RUN, RAISED, Verdict, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.grading.exchange import UnusableError, read_value
from minicoord.learn.grading.limits import Ending
from minicoord.learn.submissions.answer import BEFORE_THE_CALL, FILE_WITH_ERROR

TIMED_OUT = "timed out"
CRASHED = "crashed"

Report = dict[str, Any]

MAX_RESULT_BYTES = 64 * 2**20
MAX_REPORT_BYTES = 2**20


def read_report(path: Path) -> Report | None:
    """Return a report of a child process, or None if there is none.

    Raises
    ------
    UnusableError
        If the file is not a report; links and files over `MAX_REPORT_BYTES` are not read.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_REPORT_BYTES:
        raise UnusableError(f"{path.name} is not a regular file of at most {MAX_REPORT_BYTES:,} bytes")
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UnusableError(f"{path.name} is not valid JSON") from None
    if not isinstance(report, dict):
        raise UnusableError(f"{path.name} is not a report")
    return report


class _MissingReportError(Exception):
    """A report is missing; the message says which one, as the end of a sentence."""


@dataclass(frozen=True)
class Reports:
    """The reports of one child process on one answer.

    Attributes
    ----------
    folder : Path
        Where the process wrote them.
    exercise : Exercise
    cases : list of Case
        The cases that it was given, including hidden ones.
    ending : Ending
        How the process ended.
    known : KnownCalls
        What the solution and the common mistakes return for these cases, as far as it was needed before.
    """

    folder: Path
    exercise: Exercise
    cases: list[Case]
    ending: Ending
    known: KnownCalls = field(default_factory=KnownCalls)

    def verdict(self) -> Verdict:
        """Return the verdict: that of a check on the same results, or how the process failed."""
        try:
            loading = self._report("loading")
            if "error" in loading:
                outcome, begin = (NOT_RUN, FILE_WITH_ERROR) if loading.get("of_file") else (RAISED, BEFORE_THE_CALL)
                return self._verdict(outcome, f"{begin} {in_one_line(loading['error'])}")
            verdict = self._python_verdict()
            if verdict.passed and self.exercise.code_check:
                verdict = code_verdict(self.exercise, CodeTraits.from_report(self._report("traits")), verdict)
            return self._compiled_verdict() if verdict.passed and self.exercise.compiled else verdict
        except _MissingReportError as missing:
            return self._failure(str(missing))
        except UnusableError as error:
            return self._verdict(CRASHED, f"its report cannot be used: {error}.")

    def _python_verdict(self) -> Verdict:
        """Return the verdict on the plain function, as `minicoord.learn.checking.check.python_verdict` would."""
        calls: list[Call] = []
        for k, case in enumerate(self.cases):
            report = self._report(f"python-{k}", case)
            if "error" in report:
                if report.get("stub") and not calls:
                    return not_attempted(self.exercise)
                description = in_one_line(report["error"])
                if report.get("uncalled"):
                    return self._verdict(RAISED, f"{RAISED} an error: {description}")
                sentence = f"{RAISED} an error on {in_quotes(case.name)}: {description}"
                verdict = Verdict(self.exercise.id, RAISED, sentence, case=case.name)
                calls.append(Call(case, error=in_one_line(report.get("kind"))))
            else:
                result, after = self._values(report)
                verdict = self._compared(case, result, after)
                calls.append(Call(case, result, after))
            if not verdict.passed:
                return with_cause(verdict, self._cause(calls))
        return passed(self.exercise, len(self.cases))

    def _compiled_verdict(self) -> Verdict:
        """Return the verdict on the compiled function, as `check_compiled.compiled_verdict` would."""
        from minicoord.learn.checking.check_compiled import (
            RACE_STAGE,
            REPEATS,
            STAGES,
            compiled_failure,
            depends_on_threads,
            stage_verdict,
        )

        for stage in STAGES:
            if stage == RACE_STAGE:
                race = self._report("race", stage=stage).get("race")
                if race is not None:
                    found = _race(race)
                    return depends_on_threads(self.exercise, str(found), found, self.cases)
            for repeat in range(REPEATS if stage == STAGES[-1] else 1):
                for k, case in enumerate(self.cases):
                    report = self._report(f"{stage}-{repeat}-{k}", case, stage)
                    if "error" in report:
                        return compiled_failure(self.exercise, case, in_one_line(report["error"]))
                    result, after = self._values(report)
                    verdict = stage_verdict(self.exercise, stage, self._compared(case, result, after))
                    if not verdict.passed:
                        return verdict
        return passed(self.exercise, len(self.cases))

    def _report(self, name: str, case: Case | None = None, stage: str = "") -> Report:
        """Return the report of this name, or raise if it is missing."""
        report = read_report(self.folder / f"{name}.json")
        if report is None:
            of_case = "" if case is None else f" on {in_quotes(case.name)}"
            raise _MissingReportError(of_case + (f", {stage}" if stage else ""))
        return report

    def _values(self, report: Report) -> tuple[Any, tuple[Any, ...]]:
        """Return the result and the arguments after the call."""
        result = read_value(report.get("result"), self.folder, MAX_RESULT_BYTES)
        after = read_value(report.get("after"), self.folder, MAX_RESULT_BYTES)
        return result, after

    def _compared(self, case: Case, result: Any, after: Any) -> Verdict:
        """Return what `compare` says; it never raises for what a function returned, but may for a forged result."""
        try:
            expected = self.known(self.exercise.solution, case).result
            return compare(self.exercise, case, result, after, recognise=False, expected=expected)
        except Exception as error:
            raise UnusableError(f"comparing it raises {type(error).__name__}") from error

    def _failure(self, where: str) -> Verdict:
        """Return the verdict on a process that ended before it wrote all its reports."""
        if self.ending.timed_out:
            return self._verdict(TIMED_OUT, f"still running after {self.ending.seconds:.0f} seconds{where}.")
        return self._verdict(CRASHED, f"the process ended before it gave an answer{where}: {self.ending.describe()}.")

    def _cause(self, calls: list[Call]) -> str | None:
        with contextlib.suppress(Exception):  # as in `_compared`; a wrong answer stays wrong without a cause
            return likely_cause(self.exercise, calls, self._calls_from(len(calls)), self.known)
        return None

    def _calls_from(self, first: int) -> Iterator[Call]:
        """Yield the calls with the cases from number `first` on, as far as these were reported."""
        for k, case in enumerate(self.cases[first:], start=first):
            with contextlib.suppress(_MissingReportError, UnusableError):
                report = self._report(f"python-{k}", case)
                if "error" in report:
                    yield Call(case, error=in_one_line(report.get("kind")))
                else:
                    yield Call(case, *self._values(report))

    def _verdict(self, outcome: str, sentence: str) -> Verdict:
        return Verdict(self.exercise.id, outcome, sentence)


def _race(report: Any) -> Race:
    """Return the race that a report describes."""
    try:
        index, shape = (tuple(map(int, report[key])) for key in ("index", "shape"))
        first, second = map(in_one_line, report["tasks"])
        known = report.get("reads_first")
        reads_first = None if known is None else bool(known)
        return Race(in_one_line(report["array"]), index, shape, (first, second), bool(report["reads"]), reads_first)
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableError("it describes no race") from error
