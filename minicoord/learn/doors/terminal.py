"""The commands of ``minicoord learn``.

Nothing of the course is imported before a command runs, so that ``minicoord --help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicoord.learn.doors.terminal_output import (
    FAILED,
    complain,
    count,
    failures_as_sentences,
    how_to_start,
    in_ascii,
    print_text,
    print_verdict,
)
from minicoord.learn.grading.grading_command import grade
from minicoord.system.console import print_json, say

if TYPE_CHECKING:
    from minicoord.learn.checking.verdict import Verdict
    from minicoord.learn.submissions.answer import Answer

INTERRUPTED = 130

learn = typer.Typer(
    name="learn",
    help="The exercises of the course: write functions in a file or notebook, and have them checked.",
    epilog=(
        "Exit codes: 0 done, and no attempted answer is wrong; 1 an answer is wrong, or the one asked for is missing "
        "or not attempted, or a file cannot be used; 2 wrong option or name; 130 interrupted with Ctrl-C (which ends "
        "watch with 0)."
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


def _part(name: str) -> str:
    """Return the part of the course for what was typed: "03b" for 3b or 03b."""
    from minicoord.learn.definition.course import LESSONS, PARTS, typed

    parts = {typed(part): part for part in PARTS}
    part = parts.get(typed(str(name).lower()))
    if part is None:
        further = [word for word in parts if not word.isdecimal()]
        expected = ", ".join([f"{min(LESSONS)} to {max(LESSONS)}", *further])
        raise typer.BadParameter(f"there is no lesson {name}; expected {expected}")
    return part


_ID: dict[str, Any] = {"metavar": "ID", "autocompletion": _complete_id, "callback": _known_id}
Id = Annotated[str, typer.Argument(help="Such as im2col; `minicoord learn list` shows them all.", **_ID)]
IdOrAll = Annotated[str | None, typer.Argument(help="Such as im2col; by default, every answer that is found.", **_ID)]
Work = Annotated[
    Path,
    typer.Option(
        "--work", metavar="DIR", exists=True, file_okay=False, help="Your folder; by default, the current one."
    ),
]
HERE = Path(".")


@learn.command("list")
def list_exercises(
    work: Work = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else.")] = False,
) -> None:
    """List the exercises of all lessons, with their minutes, and which you have passed."""
    from minicoord.learn.definition.course import PARTS, exercise_ids, get, part_of
    from minicoord.learn.submissions.progress import read_progress

    progress = read_progress(work)
    complain(progress.complaint)
    if as_json:
        names = ("id", "lesson", "title", "minutes", "difficulty", "builds_on", "compiled")
        exercises = [get(id) for id in exercise_ids()]
        states = {e.id: {"passed": progress.of(e.id).passed, "outcome": progress.of(e.id).outcome} for e in exercises}
        print_json([{n: getattr(e, n) for n in names} | {"part": part_of(e.id)} | states[e.id] for e in exercises])
        return
    for name, part in PARTS.items():
        print_text(f"Lesson {name}: {part.title}")
        for e in (get(id) for id in part.exercises):
            done = "x" if progress.of(e.id).passed else " "
            print_text(f"  [{done}] {e.id:<25}{e.minutes:>4} min  {'*' * e.difficulty:<4}{e.title}", indent=45)
    print_text("")
    print_text("[x] passed; * easy, ** medium, *** hard. To begin: minicoord learn start 0")


@learn.command()
def start(
    lesson: Annotated[str, typer.Argument(metavar="N", help="Its number, such as 3 or 3b.", parser=_part)],
    work: Work = HERE,
) -> None:
    """Write lessonNN.py with the stubs of a lesson. Nothing that you wrote is overwritten."""
    from minicoord.learn.submissions.answer import LoadError
    from minicoord.learn.submissions.workbook import WorkbookError, start as write_stubs

    with failures_as_sentences(WorkbookError, LoadError):
        path, what = write_stubs(lesson, work)
        print_text(f"{path}: {what}.")
        print_text("Edit it, then: minicoord learn check")


@learn.command()
def check(
    id: IdOrAll = None,
    work: Work = HERE,
    show: Annotated[bool, typer.Option("--show", help="Write out the smallest case that an answer fails.")] = False,
) -> None:
    """Check one answer, or every answer in the files of your folder."""
    from minicoord.learn.submissions.submission import read_submission

    with failures_as_sentences():
        submission = read_submission(work)
    for problem in submission.problems:
        complain(problem)
    for note in [submission.notes.get(id)] if id else submission.notes.values():
        complain(note)
    if id is not None and id not in submission.answers:
        say(f"there is no answer to {id} in {work}; {how_to_start(id)}")
        raise typer.Exit(FAILED)
    answers = list(submission.answers.values()) if id is None else [submission.answers[id]]
    if not answers:
        say(f"there is no exercise in {work}; {how_to_start()}")
        raise typer.Exit(FAILED)
    try:
        verdicts = [verdict for _, verdict in _checked(answers, work, show=show)]
    except (KeyboardInterrupt, StoppedError) as stopped:
        say(f"interrupted while {stopped} was running" if str(stopped) else "interrupted")
        raise typer.Exit(INTERRUPTED) from None
    passed = sum(verdict.passed for verdict in verdicts)
    not_attempted, not_run = (sum(v.outcome == outcome for v in verdicts) for outcome in ("not attempted", "not run"))
    wrong = len(verdicts) - passed - not_attempted - not_run
    if id is None:
        rest = f", {not_run} not run" if not_run else ""
        print_text(f"{passed} passed, {wrong} wrong, {not_attempted} not attempted{rest}.")
    raise typer.Exit(FAILED if wrong or not_run or submission.problems or (id is not None and not passed) else 0)


@learn.command()
def watch(work: Work = HERE) -> None:
    """Check the answers in a file whenever you save it, until Ctrl-C."""
    from minicoord.learn.doors.watching import saved_files
    from minicoord.learn.submissions.submission import read_submission

    work = work.resolve()  # an answer may change the current folder
    print_text(f"Watching {work}: save a file, and its answers are checked. Ctrl-C ends.")
    if not read_submission(work).answers:
        print_text(f"The folder contains no exercise yet; {how_to_start()}.")
    last_verdicts: dict[str, str] = {}
    try:
        for files in saved_files(work):
            for file in files:
                try:
                    _check_saved(file, work, last_verdicts)
                except StoppedError as stopped:
                    print_text(f"       {stopped}: stopped. Still watching; Ctrl-C ends.", indent=7)
    except KeyboardInterrupt:
        print_text("Stopped. Your progress: minicoord learn progress")


@learn.command()
def hint(id: Id, work: Work = HERE) -> None:
    """Show the next hint for an exercise; after the last one, all of them."""
    from minicoord.learn.doors.notebook import next_hint

    text, complaint = next_hint(id, work)
    print_text(text)
    complain(complaint)


@learn.command()
def solution(
    id: Id,
    now: Annotated[bool, typer.Option("--now", help="Show it even if you have not passed.")] = False,
    work: Work = HERE,
) -> None:
    """Show the solution of an exercise that you have passed."""
    from minicoord.learn.definition.course import get
    from minicoord.learn.definition.sealed import ASK
    from minicoord.learn.submissions.progress import read_progress, record_solution

    if get(id).sealed:
        say(ASK.format(id=id))
        raise typer.Exit(FAILED)
    progress = read_progress(work)
    if not now and not progress.of(id).passed:
        complain(progress.complaint)
        say(f"{id} is not passed yet; `minicoord learn hint {id}` gives a hint, and --now shows the solution now")
        raise typer.Exit(FAILED)
    typer.echo(in_ascii(get(id).solution_text().rstrip("\n")))
    complain(progress.complaint or record_solution(id, work))


@learn.command()
def reset(id: Id, work: Work = HERE) -> None:
    """Put the stub of one exercise back into your file. The file as it was is kept as a copy."""
    from minicoord.learn.submissions.workbook import WorkbookError, reset as put_back_stub

    with failures_as_sentences(WorkbookError):
        path, copy = put_back_stub(id, work)
        print_text(f"{path}: {id} is a stub again; the file as it was is kept as {copy.name}.")


@learn.command()
def progress(work: Work = HERE) -> None:
    """Show how far you are, lesson by lesson."""
    from minicoord.learn.definition.course import PARTS, exercise_ids
    from minicoord.learn.submissions.progress import read_progress

    known = read_progress(work)
    complain(known.complaint)
    for name, part in PARTS.items():
        passed = sum(known.of(id).passed for id in part.exercises)
        number = len(part.exercises)
        print_text(
            f"Lesson {name:<4}{'#' * passed + '.' * (number - passed):<11}{passed:>2} of {number:<4}{part.title}",
            indent=33,
        )
        for id in part.exercises:
            entry = known.of(id)
            if entry.checks and not (entry.passed and entry.outcome == "passed"):
                before = "; passed before" if entry.passed else ""
                effort = f"{count(entry.checks, 'check')}, {count(entry.hints, 'hint')}"
                print_text(f"    {id}: {entry.outcome} after {effort}{before}", indent=6)
    print_text(f"{sum(known.of(id).passed for id in exercise_ids())} of {len(exercise_ids())} exercises passed.")


learn.command()(grade)


class StoppedError(Exception):
    """Ctrl-C stopped an answer that was running; the message is the id of its exercise."""


def _check_saved(file: Path, work: Path, last_verdicts: dict[str, str]) -> None:
    """Check the answers in a file that was saved; print the verdicts, except passes that were printed before.

    Parameters
    ----------
    file, work : Path
        The file, and the learner's folder.
    last_verdicts : dict
        The last verdict on each exercise; updated here.
    """
    from minicoord.learn.submissions.submission import read_submission

    submission = read_submission(file)
    if not submission.answers:  # a helper, perhaps, that files with answers import
        submission = read_submission(work)
    for sentence in (*submission.problems, *submission.notes.values()):
        complain(sentence)
    if not submission.answers:
        print_text(f"-- {file.name}: contains no exercise")
        return
    attempted = [answer for answer in submission.answers.values() if not answer.stub]
    print_text(f"-- {file.name}: {len(attempted)} of {len(submission.answers)} attempted")
    news = False
    for answer, verdict in _checked(attempted, work, last_verdicts):
        news = news or not verdict.passed or last_verdicts.get(answer.id) != str(verdict)
        last_verdicts[answer.id] = str(verdict)
    if attempted and not news:
        print_text("       passed, as before")


def _checked(
    answers: Iterable[Answer], work: Path, last_verdicts: dict[str, str] | None = None, show: bool = False
) -> Iterator[tuple[Answer, Verdict]]:
    """Check answers, print and record each verdict; a pass that is also the last verdict is not printed again."""
    from minicoord.learn.checking.verdict import NOT_RUN
    from minicoord.learn.doors.still_running import told_if_slow
    from minicoord.learn.submissions.answer import BEFORE_THE_CALL, verdict_on, with_smallest_case
    from minicoord.learn.submissions.progress import record

    work = work.resolve()  # an answer may change the current folder
    load_errors: set[str] = set()
    for answer in answers:
        try:
            with told_if_slow(answer.id):
                verdict = verdict_on(answer)
                verdict = with_smallest_case(answer, verdict) if show else verdict
        except KeyboardInterrupt:
            raise StoppedError(answer.id) from None
        if verdict.outcome == NOT_RUN:  # the error of the file was told before, once
            print_text(f"[    ] {answer.id}: not run, because {answer.place} has an error.", indent=7)
        elif verdict.sentence in load_errors:
            print_text(f"[FAIL] {answer.id}: as above, {answer.place} cannot be run.", indent=7)
        elif not (verdict.passed and (last_verdicts or {}).get(answer.id) == str(verdict)):
            print_verdict(answer, verdict)
        if verdict.sentence.startswith(BEFORE_THE_CALL):
            load_errors.add(verdict.sentence)
        complain(record(verdict, work))
        yield answer, verdict
