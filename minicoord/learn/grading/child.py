"""The program that runs one answer of one submission: ``python -m minicoord.learn.grading.child FOLDER``.

It reads ``FOLDER/job.json`` and the arguments of each case, calls the learner's function, and writes a report of each
call to ``FOLDER/reports``. If the job names no exercise, it reports which answers the submission contains. It knows no
expected results and compares nothing: that is left to the process of `minicoord.learn.grading.grade`.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import traits_of
from minicoord.learn.checking.check import file_of, plain_function
from minicoord.learn.checking.counted_loads import uncounted
from minicoord.learn.checking.empty_memory import with_filled_memory
from minicoord.learn.checking.errors import describe_error, error_kind, wrong_arguments
from minicoord.learn.checking.undisturbed import undisturbed
from minicoord.learn.checking.untrusted_text import MAX_CHARACTERS
from minicoord.learn.grading.exchange import read_value, write_value
from minicoord.learn.grading.limits import limit_this_process
from minicoord.learn.submissions.answer import Answer, FileError, LoadError
from minicoord.learn.submissions.submission import Submission, read_submission

Function = Callable[..., Any]
Job = dict[str, Any]
Report = dict[str, Any]

PYTHON = "python"
MAX_PROBLEMS = 20


def main(folder: Path) -> None:
    """Do the job described in a folder."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    limit_this_process(job["memory_bytes"], job["cpu_seconds"])
    job["reports"] = folder / "reports"
    submission = read_submission(Path(job["submission"]))
    if job["exercise"] is None:
        _write_report(job, "contents", contents(submission))
        return
    functions = import_module(job["functions"]) if job["functions"] else None
    cases = [read_value(case, folder / "cases", sys.maxsize, functions, counting=True) for case in job["cases"]]
    try:
        function = plain_function(submission.answers[job["exercise"]].load())
    except LoadError as error:
        of_file = isinstance(error, FileError)
        _write_report(job, "loading", {"error": str(error)[:MAX_CHARACTERS], "of_file": of_file})
        return
    _write_report(job, "loading", {})
    if not _all_returned(job, PYTHON, with_filled_memory(function), function, cases):
        return
    traced = None if job["traced"] is None else read_value(job["traced"], folder / "cases", sys.maxsize, functions)
    _write_report(job, "traits", traits_of(function, traced).report())
    if job["compiled"]:
        _run_compiled(job, function, cases)


def contents(submission: Submission) -> Report:
    """Report which exercises are answered, in which files, which of the answers are stubs, what is wrong, and notes."""
    answers = submission.answers
    stubs = {id: answer.stub for id, answer in answers.items()}
    problems = [problem[:MAX_CHARACTERS] for problem in submission.problems[:MAX_PROBLEMS]]
    files = {id: answer.path.name for id, answer in answers.items()}
    digests = {id: _digest(answer) for id, answer in answers.items()}
    return {"stubs": stubs, "problems": problems, "notes": submission.notes, "files": files, "digests": digests}


def _digest(answer: Answer) -> str:
    """Return the digest of all that an answer consists of in its own file, and of where it stands."""
    text = json.dumps([answer.place, answer.source, answer.imports, answer.defined])
    return hashlib.sha256(text.encode()).hexdigest()


def _run_compiled(job: Job, function: Function, cases: Sequence[tuple[Any, ...]]) -> None:
    """Run the function at every stage of a compiled check."""
    from minicoord.learn.checking.check_compiled import RACE_STAGE, REPEATS, STAGES, at_stage
    from minicoord.learn.checking.races import find_race

    for stage in STAGES:
        if stage == RACE_STAGE:
            race = next(filter(None, (find_race(function, copy.deepcopy(args)) for args in cases)), None)
            _write_report(job, "race", {"race": None if race is None else dataclasses.asdict(race)})
        compiled = at_stage(function, stage)
        for repeat in range(REPEATS if stage == STAGES[-1] else 1):
            if not _all_returned(job, f"{stage}-{repeat}", compiled, function, cases):
                return


def _all_returned(job: Job, name: str, form: Function, function: Function, cases: Sequence[tuple[Any, ...]]) -> bool:
    """Run a form of the function, plain or compiled, on all cases, and return whether none of them raised an error.

    After an error the compiled form stops. The plain one goes on, because the other cases tell the likeliest cause.
    """
    returned = True
    for k, args in enumerate(cases):
        report = _call_report(job, f"{name}-{k}", form, function, copy.deepcopy(args))
        _write_report(job, f"{name}-{k}", report)
        returned = returned and "error" not in report
        if not returned and name != PYTHON:
            break
    return returned


def _call_report(job: Job, name: str, form: Function, function: Function, args: tuple[Any, ...]) -> Report:
    """Call a form of the function, and return a report of its result or error."""
    try:
        sentence = wrong_arguments(function, args, _signature_of(job))
        if sentence:
            return {"error": sentence, "uncalled": True}
        with undisturbed(), np.errstate(all="ignore"):
            result = copy.deepcopy(uncounted(form(*args)))
    except BaseException as error:
        compiled = not name.startswith(PYTHON)
        report: Report = {"error": _description(error, function, compiled), "kind": error_kind(error)}
        if type(error) is NotImplementedError and not error.args:
            report["stub"] = True
    else:
        report = {
            "result": write_value(result, job["reports"], f"{name}-result", job["max_bytes"]),
            "after": write_value(uncounted(args), job["reports"], f"{name}-after", job["max_bytes"]),
        }
    return report


def _description(error: BaseException, function: Function, compiled: bool) -> str:
    if compiled:
        from minicoord.learn.checking.numba_errors import describe_numba_error

        return describe_numba_error(error)[:MAX_CHARACTERS]
    return describe_error(error, file_of(function))[:MAX_CHARACTERS]


def _signature_of(job: Job) -> Function:
    """Return a stand-in for the solution, with its name and parameters, for messages about wrong arguments."""

    def stand_in() -> None: ...

    stand_in.__name__ = job["exercise"]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in job["parameters"]]
    stand_in.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return stand_in


def _write_report(job: Job, name: str, report: Report) -> None:
    """Write a report; it gets its final name only when it is complete."""
    path = job["reports"] / f"{name}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(report), "utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # Everything is reported. A thread that a submission left running would keep this process alive until it times out.
    os._exit(0)
