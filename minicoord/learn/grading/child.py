"""The program that runs one answer of one submission: ``python -m minicoord.learn.grading.child FOLDER``.

It reads ``FOLDER/job.json`` and the arguments of each case, calls the learner's function, and writes what came of each
call to ``FOLDER/answers``. Where the job names no exercise, it writes which answers there are. It knows no right result
and compares nothing: `minicoord.learn.grading.grade` started it, and does that.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import manner_of
from minicoord.learn.checking.check import file_of, plain_function
from minicoord.learn.checking.errors import in_words, wrong_arguments
from minicoord.learn.grading.exchange import read_value, write_value
from minicoord.learn.grading.limits import limit_this_process
from minicoord.learn.submissions.submission import LoadError, Submission, read_submission

Function = Callable[..., Any]
Job = dict[str, Any]
Answer = dict[str, Any]

PYTHON = "python"
MAX_WORDS = 2000
MAX_PROBLEMS = 20


def main(folder: Path) -> None:
    """Do the job that lies in a folder."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    limit_this_process(job["memory_bytes"], job["cpu_seconds"])
    job["answers"] = folder / "answers"
    submission = read_submission(Path(job["submission"]))
    if job["exercise"] is None:
        _hand_back(job, "contents", contents(submission))
        return
    functions = import_module(job["functions"]) if job["functions"] else None
    cases = [read_value(case, folder / "cases", sys.maxsize, functions) for case in job["cases"]]
    try:
        function = plain_function(submission.answers[job["exercise"]].load())
    except LoadError as error:
        _hand_back(job, "loading", {"error": str(error)[:MAX_WORDS]})
        return
    _hand_back(job, "loading", {"manner": manner_of(function).report()})
    if _all_returned(job, PYTHON, function, function, cases) and job["compiled"]:
        _run_compiled(job, function, cases)


def contents(submission: Submission) -> Answer:
    """Return which exercises there is an answer to, each with whether it is a stub, and what cannot be read."""
    stubs = {id: answer.stub for id, answer in submission.answers.items()}
    return {"stubs": stubs, "problems": [problem[:MAX_WORDS] for problem in submission.problems[:MAX_PROBLEMS]]}


def _run_compiled(job: Job, function: Function, cases: Sequence[tuple[Any, ...]]) -> None:
    """Run the function at every stage of compiled code."""
    from minicoord.learn.checking.check_compiled import RACE_STAGE, REPEATS, STAGES, at_stage
    from minicoord.learn.checking.races import find_race

    for stage in STAGES:
        if stage == RACE_STAGE:
            race = next(filter(None, (find_race(function, copy.deepcopy(args)) for args in cases)), None)
            _hand_back(job, "race", {"race": None if race is None else dataclasses.asdict(race)})
        run = at_stage(function, stage)
        for repeat in range(REPEATS if stage == STAGES[-1] else 1):
            if not _all_returned(job, f"{stage}-{repeat}", run, function, cases):
                return


def _all_returned(job: Job, name: str, run: Function, function: Function, cases: Sequence[tuple[Any, ...]]) -> bool:
    """Run a form of the function on all cases, and hand back what came of each; False ends at the first error."""
    for k, args in enumerate(cases):
        answer = _answer(job, f"{name}-{k}", run, function, copy.deepcopy(args))
        _hand_back(job, f"{name}-{k}", answer)
        if "error" in answer:
            return False
    return True


def _answer(job: Job, name: str, run: Function, function: Function, args: tuple[Any, ...]) -> Answer:
    """Call a form of the function, and return what came of it."""
    process = os.getpid()
    try:
        sentence = wrong_arguments(function, args, _signature_of(job))
        if sentence:
            return {"error": sentence, "uncalled": True}
        with np.errstate(all="ignore"):
            result = copy.deepcopy(run(*args))
    except BaseException as error:
        answer: Answer = {"error": _words(error, function, run is not function), "type": type(error).__name__}
        if type(error) is NotImplementedError and not error.args:
            answer["stub"] = True
    else:
        answer = {
            "result": write_value(result, job["answers"], f"{name}-result", job["max_bytes"]),
            "after": write_value(args, job["answers"], f"{name}-after", job["max_bytes"]),
        }
    finally:
        if os.getpid() != process:  # the function forked: the first process alone hands back
            os._exit(0)
    return answer


def _words(error: BaseException, function: Function | None = None, compiled: bool = False) -> str:
    if compiled:
        from minicoord.learn.checking.numba_errors import numba_in_words

        return numba_in_words(error)[:MAX_WORDS]
    return in_words(error, file_of(function))[:MAX_WORDS]


def _signature_of(job: Job) -> Function:
    """Return something with the name and the parameters of the function that is wanted."""

    def wanted() -> None: ...

    wanted.__name__ = job["exercise"]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in job["parameters"]]
    wanted.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return wanted


def _hand_back(job: Job, name: str, answer: Answer) -> None:
    """Write an answer under its final name only when it is whole."""
    path = job["answers"] / f"{name}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(answer), "utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # All is handed back. A thread that a submission left running would hold this process until its time is over.
    os._exit(0)
