"""The door of the terminal: ``minicoord learn``. What its commands print is ASCII.

Nothing of the course is imported before a command runs, so that ``minicoord --help`` stays quick.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicoord.learn.grading.grading_command import grade
from minicoord.system.console import print_json, print_wrapped, say

if TYPE_CHECKING:
    from minicoord.learn.checking.verdict import Verdict
    from minicoord.learn.submissions.submission import Answer

FAILED = 1
INTERRUPTED = 130

learn = typer.Typer(
    name="learn",
    help="The exercises of the course: write functions in a file or notebook, and have them checked.",
    epilog=(
        "Exit codes: 0 done, and nothing that was attempted is wrong; 1 an answer is wrong, or the one that was asked "
        "for is not there or not attempted, or a file cannot be used; 2 wrong option or name; 130 interrupted (Ctrl-C; "
        "watch ends with it, and with 0)."
    ),
    no_args_is_help=True,
)


def _complete_id(incomplete: str) -> list[str]:
    from minicoord.learn.definition.course import exercise_ids

    return [id for id in exercise_ids() if id.startswith(incomplete)]


def _known_id(id: str | None) -> str | None:
    from minicoord.learn.definition.course import exercise_ids, unknown

    if id is not None and id not in exercise_ids():
        raise typer.BadParameter(unknown(id))
    return id


def _known_lesson(lesson: int) -> int:
    from minicoord.learn.definition.course import LESSONS

    if lesson not in LESSONS:
        raise typer.BadParameter(f"there is no lesson {lesson}; wanted {min(LESSONS)} to {max(LESSONS)}")
    return lesson


_ID: dict[str, Any] = {"metavar": "ID", "autocompletion": _complete_id, "callback": _known_id}
Id = Annotated[str, typer.Argument(help="Such as im2col; `minicoord learn list` has them all.", **_ID)]
IdOrAll = Annotated[str | None, typer.Argument(help="Such as im2col; by default all that are found.", **_ID)]
Work = Annotated[
    Path, typer.Option("--work", metavar="DIR", exists=True, file_okay=False, help="Your folder; by default this one.")
]
HERE = Path(".")


@learn.command("list")
def list_exercises(
    work: Work = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """List the exercises of all lessons, with their minutes, and which you have passed."""
    from minicoord.learn.definition.course import COURSE, LESSONS, get
    from minicoord.learn.submissions.progress import read_progress

    progress = read_progress(work)
    _complain(progress.complaint)
    if as_json:
        names = ("id", "lesson", "title", "minutes", "difficulty", "builds_on", "compiled")
        exercises = [get(id) for ids in COURSE.values() for id in ids]
        states = [{"passed": progress.of(e.id).passed, "outcome": progress.of(e.id).outcome} for e in exercises]
        print_json([{n: getattr(e, n) for n in names} | s for e, s in zip(exercises, states, strict=True)])
        return
    for lesson, ids in COURSE.items():
        _print(f"Lesson {lesson:02d}: {LESSONS[lesson]}")
        for e in (get(id) for id in ids):
            done = "x" if progress.of(e.id).passed else " "
            _print(f"  [{done}] {e.id:<25}{e.minutes:>4} min  {'*' * e.difficulty:<4}{e.title}", indent=45)
    _print("")
    _print("[x] passed; * easy, ** medium, *** hard. Begin with: minicoord learn start 0")


@learn.command()
def start(
    lesson: Annotated[int, typer.Argument(metavar="N", help="The number of the lesson.", callback=_known_lesson)],
    work: Work = HERE,
) -> None:
    """Write lessonNN.py with the stubs of a lesson. Nothing that you wrote is overwritten."""
    from minicoord.learn.submissions.submission import LoadError
    from minicoord.learn.submissions.workbook import WorkbookError, start as begin

    with _failures(WorkbookError, LoadError):
        path, what = begin(lesson, work)
        _print(f"{path}: {what}.")
        _print("Edit it, then: minicoord learn check")


@learn.command()
def check(id: IdOrAll = None, work: Work = HERE) -> None:
    """Check one answer, or every answer that is found in the files of your folder."""
    from minicoord.learn.submissions.submission import read_submission

    with _failures():
        submission = read_submission(work)
    for problem in submission.problems:
        say(_ascii(problem))
    if id is not None and id not in submission.answers:
        say(f"there is no {id} in {work}; {_how_to_start(id)}")
        raise typer.Exit(FAILED)
    answers = list(submission.answers.values()) if id is None else [submission.answers[id]]
    if not answers:
        say(f"there is no exercise in {work}; {_how_to_start()}")
        raise typer.Exit(FAILED)
    try:
        verdicts = [verdict for _, verdict in _checked(answers, work)]
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    passed, left = _summary(verdicts)
    wrong = len(verdicts) - passed - left
    if id is None:
        _print(f"{passed} passed, {wrong} wrong, {left} not attempted.")
    raise typer.Exit(FAILED if wrong or submission.problems or (id is not None and not passed) else 0)


@learn.command()
def watch(work: Work = HERE) -> None:
    """Check the answers in a file whenever you save it, until Ctrl-C."""
    from minicoord.learn.doors.watching import saved_files
    from minicoord.learn.submissions.submission import read_submission

    _print(f"Watching {work.resolve()}: save a file, and its answers are checked. Ctrl-C ends.")
    if not read_submission(work).answers:
        _print(f"There is no exercise in it yet; {_how_to_start()}.")
    before: dict[str, str] = {}
    try:
        for files in saved_files(work):
            for file in files:
                submission = read_submission(file)
                if not submission.answers:  # others may import it
                    submission = read_submission(work)
                for problem in submission.problems:
                    say(_ascii(problem))
                answers = [answer for answer in submission.answers.values() if not answer.stub]
                if not submission.answers:
                    _print(f"-- {file.name}: no exercise is in it")
                    continue
                _print(f"-- {file.name}: {len(answers)} of {len(submission.answers)} attempted")
                news = False
                for answer, verdict in _checked(answers, work, quiet_about=before):
                    news = news or not verdict.passed or before.get(answer.id) != str(verdict)
                    before[answer.id] = str(verdict)
                if answers and not news:
                    _print("       passed, as before")
    except KeyboardInterrupt:
        _print("Stopped. Your progress: minicoord learn progress")


@learn.command()
def hint(id: Id, work: Work = HERE) -> None:
    """Show the next hint for an exercise; after the last one, all of them."""
    from minicoord.learn.doors.notebook import next_hint

    text, complaint = next_hint(id, work)
    _print(text)
    _complain(complaint)


@learn.command()
def solution(
    id: Id,
    now: Annotated[bool, typer.Option("--now", help="Also if you have not passed it.")] = False,
    work: Work = HERE,
) -> None:
    """Show the solution of an exercise that you have passed."""
    from minicoord.learn.definition.course import get
    from minicoord.learn.submissions.progress import read_progress, record_solution

    progress = read_progress(work)
    if not now and not progress.of(id).passed:
        _complain(progress.complaint)
        say(f"{id} is not passed yet; --now shows the solution all the same, and `minicoord learn hint {id}` helps")
        raise typer.Exit(FAILED)
    typer.echo(_ascii(get(id).solution_text().rstrip("\n")))
    _complain(progress.complaint or record_solution(id, work))


@learn.command()
def reset(id: Id, work: Work = HERE) -> None:
    """Put the stub of one exercise back into your file. What was there is kept in a copy."""
    from minicoord.learn.submissions.workbook import WorkbookError, reset as put_back

    with _failures(WorkbookError):
        path, copy = put_back(id, work)
        _print(f"{path}: {id} is a stub again; the file as it was is {copy.name}.")


@learn.command()
def progress(work: Work = HERE) -> None:
    """Show how far you are, lesson by lesson."""
    from minicoord.learn.definition.course import COURSE, LESSONS
    from minicoord.learn.submissions.progress import read_progress

    known = read_progress(work)
    _complain(known.complaint)
    total = sum(len(ids) for ids in COURSE.values())
    for lesson, ids in COURSE.items():
        passed = sum(known.of(id).passed for id in ids)
        _print(
            f"Lesson {lesson:02d}  {'#' * passed + '.' * (len(ids) - passed):<11}"
            f"{passed:>2} of {len(ids):<4}{LESSONS[lesson]}",
            indent=33,
        )
        for id in ids:
            entry = known.of(id)
            if entry.checks and not (entry.passed and entry.outcome == "passed"):
                ever = "; passed before" if entry.passed else ""
                facts = f"{_count(entry.checks, 'check')}, {_count(entry.hints, 'hint')}"
                _print(f"    {id}: {entry.outcome} at the last of {facts}{ever}", indent=6)
    _print(f"{sum(known.of(id).passed for ids in COURSE.values() for id in ids)} of {total} exercises passed.")


learn.command()(grade)


def _checked(
    answers: Iterable[Answer], work: Path, quiet_about: dict[str, str] | None = None
) -> Iterator[tuple[Answer, Verdict]]:
    """Check answers, print and record what came of each; nothing is printed of a pass that was there before."""
    from minicoord.learn.submissions.progress import record
    from minicoord.learn.submissions.submission import BEFORE_THE_CALL, verdict_on

    told: set[str] = set()
    for answer in answers:
        verdict = verdict_on(answer)
        if verdict.sentence in told:
            _print(f"[FAIL] {answer.id}: as above, {answer.place} cannot be run.", indent=7)
        elif not (verdict.passed and (quiet_about or {}).get(answer.id) == str(verdict)):
            _print_verdict(answer, verdict)
        if verdict.sentence.startswith(BEFORE_THE_CALL):
            told.add(verdict.sentence)
        _complain(record(verdict, work))
        yield answer, verdict


def _print_verdict(answer: Answer, verdict: Verdict) -> None:
    mark = "pass" if verdict.passed else "    " if verdict.outcome == "not attempted" else "FAIL"
    first, *rest = str(verdict).splitlines()
    _print(f"[{mark}] {first} ({answer.place})", indent=7)
    for line in rest:
        _print(f"       {line}", indent=7)
    if mark == "FAIL":
        _print(f"       A hint: minicoord learn hint {answer.id}", indent=7)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _summary(verdicts: list[Verdict]) -> tuple[int, int]:
    """Return how many passed, and how many were not attempted."""
    return sum(v.passed for v in verdicts), sum(v.outcome == "not attempted" for v in verdicts)


def _how_to_start(id: str | None = None) -> str:
    from minicoord.learn.definition.course import get

    lesson = 0 if id is None else get(id).lesson
    return f"`minicoord learn start {lesson}` writes a file to begin with, `minicoord lessons DIR` the notebooks"


@contextlib.contextmanager
def _failures(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds, and of files, into a sentence and exit code 1."""
    try:
        yield
    except kinds as error:
        say(_ascii(str(error)))
    except OSError as error:
        say(_ascii(f"{error.filename or 'a file'} cannot be used: {error.strerror or error}"))
    else:
        return
    raise typer.Exit(FAILED)


def _complain(sentence: str | None) -> None:
    if sentence:
        say(_ascii(sentence))


def _print(text: str, indent: int = 0) -> None:
    """Print each line of a text, broken where the terminal is narrower; what is below the first is indented."""
    for line in text.split("\n"):
        print_wrapped(_ascii(line), indent)


def _ascii(text: str) -> str:
    """Return a text without signs that a plain console may not have."""
    plain = text.translate(str.maketrans({"×": "x", "–": "-", "—": "-", "…": "...", "−": "-", "’": "'"}))
    return plain.encode("ascii", "replace").decode("ascii")
