"""What a child process handed back, and the verdict on it. Nothing here trusts what it reads."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minicoord.learn.checking.bytecode import Manner
from minicoord.learn.checking.check import manner_verdict, not_attempted
from minicoord.learn.checking.races import Race
from minicoord.learn.checking.recognition import Run, likely_cause
from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.checking.verdict import NOT_COMPILED, RAISED, Verdict, compare, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.grading.exchange import UnusableError, read_value
from minicoord.learn.grading.limits import Ending

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
        If it is no report: neither a link nor a large file is read.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_REPORT_BYTES:
        raise UnusableError(f"{path.name} is no ordinary file of at most {MAX_REPORT_BYTES:,} bytes")
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UnusableError(f"{path.name} is no JSON") from None
    if not isinstance(report, dict):
        raise UnusableError(f"{path.name} is no report")
    return report


class _MissingError(Exception):
    """An answer was not handed back; the message says which, as the end of a sentence."""


@dataclass(frozen=True)
class Answers:
    """The answers of one child process.

    Attributes
    ----------
    folder : Path
        Where it wrote them.
    exercise : Exercise
    cases : list of Case
        What it was given, hidden cases included.
    ending : Ending
        How it ended.
    """

    folder: Path
    exercise: Exercise
    cases: list[Case]
    ending: Ending

    def verdict(self) -> Verdict:
        """Return the verdict: what a check says about the same answers, or how the process failed to answer."""
        try:
            loading = self._report("loading")
            if "error" in loading:
                words = in_one_line(loading["error"])
                return self._verdict(RAISED, f"{RAISED} an error before it could be called: {words}")
            verdict = self._python_verdict()
            if verdict.passed and self.exercise.manner:
                verdict = manner_verdict(self.exercise, Manner.of_report(loading.get("manner")), verdict)
            return self._compiled_verdict() if verdict.passed and self.exercise.compiled else verdict
        except _MissingError as missing:
            return self._unanswered(str(missing))
        except UnusableError as error:
            return self._verdict(CRASHED, f"what it handed back cannot be used: {error}.")

    def _python_verdict(self) -> Verdict:
        """Return the verdict on the function as it is, as `minicoord.learn.checking.check.python_verdict` would."""
        runs: list[Run] = []
        for k, case in enumerate(self.cases):
            report = self._report(f"python-{k}", case)
            if "error" in report:
                if report.get("stub") and not runs:
                    return not_attempted(self.exercise)
                words = in_one_line(report["error"])
                if report.get("uncalled"):
                    return self._verdict(RAISED, f"{RAISED} an error: {words}")
                sentence = f"{RAISED} an error on {in_quotes(case.name)}: {words}"
                verdict = Verdict(self.exercise.id, RAISED, sentence, case=case.name)
                runs.append(Run(case, error=in_one_line(report.get("type"))))
            else:
                result, after = self._values(report)
                verdict = self._compared(case, result, after)
                runs.append(Run(case, result, after))
            if not verdict.passed:
                return replace(verdict, cause=self._cause(runs))
        return passed(self.exercise, len(self.cases))

    def _compiled_verdict(self) -> Verdict:
        """Return the verdict on the compiled function, as `checking_compiled.compiled_verdict` would."""
        from minicoord.learn.checking.check_compiled import (
            RACE_STAGE,
            REPEATS,
            STAGES,
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
                        words = in_one_line(report["error"])
                        sentence = f"right in Python, but not compiled on {in_quotes(case.name)}: {words}"
                        return Verdict(self.exercise.id, NOT_COMPILED, sentence, case=case.name)
                    result, after = self._values(report)
                    verdict = stage_verdict(self.exercise, stage, self._compared(case, result, after))
                    if not verdict.passed:
                        return verdict
        return passed(self.exercise, len(self.cases))

    def _report(self, name: str, case: Case | None = None, stage: str = "") -> Report:
        """Return the report of this name."""
        report = read_report(self.folder / f"{name}.json")
        if report is None:
            of_case = "" if case is None else f" on {in_quotes(case.name)}"
            raise _MissingError(of_case + (f", {stage}" if stage else ""))
        return report

    def _values(self, report: Report) -> tuple[Any, tuple[Any, ...]]:
        """Return the result and the arguments after the call."""
        result = read_value(report.get("result"), self.folder, MAX_RESULT_BYTES)
        after = read_value(report.get("after"), self.folder, MAX_RESULT_BYTES)
        return result, after

    def _compared(self, case: Case, result: Any, after: Any) -> Verdict:
        """Return what `compare` says, which never raises for what a function returned, but may for what was forged."""
        try:
            return compare(self.exercise, case, result, after, recognise=False)
        except Exception as error:
            raise UnusableError(f"comparing it raises {type(error).__name__}") from error

    def _unanswered(self, where: str) -> Verdict:
        """Return the verdict on a process that ended before it answered."""
        if self.ending.timed_out:
            return self._verdict(TIMED_OUT, f"still running after {self.ending.seconds:.0f} seconds{where}.")
        return self._verdict(CRASHED, f"Python ended before there was an answer{where}: {self.ending.in_words()}.")

    def _cause(self, runs: list[Run]) -> str | None:
        with contextlib.suppress(Exception):  # as in `_compared`; a wrong answer stays wrong without a cause
            return likely_cause(self.exercise, runs, self._runs_after(len(runs)))
        return None

    def _runs_after(self, first: int) -> Iterator[Run]:
        """Yield what the answer did with the cases from number `first` on, as far as it handed that back."""
        for k, case in enumerate(self.cases[first:], start=first):
            with contextlib.suppress(_MissingError, UnusableError):
                report = self._report(f"python-{k}", case)
                if "error" not in report:
                    yield Run(case, *self._values(report))

    def _verdict(self, outcome: str, sentence: str) -> Verdict:
        return Verdict(self.exercise.id, outcome, sentence)


def _race(report: Any) -> Race:
    """Return the race that a report tells of."""
    try:
        index, shape = (tuple(map(int, report[key])) for key in ("index", "shape"))
        first, second = map(in_one_line, report["tasks"])
        return Race(in_one_line(report["array"]), index, shape, (first, second), bool(report["reads"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableError("its report of a race is none") from error
