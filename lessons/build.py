"""Build the notebooks of the lessons from their sources.

    python lessons/build.py                    every lesson, both editions, run from top to bottom
    python lessons/build.py 02 05              two of them
    python lessons/build.py 02 --words         if only prose has changed: outputs stay, nothing runs
    python lessons/build.py 02 --no-run        cells only, without running them and without outputs
    python lessons/build.py --check            are the committed notebooks up to date with the sources? Runs nothing
    python lessons/build.py --no-write         run and write nothing: do the lessons still run?
    python lessons/build.py --no-write -j 2    two at a time, each with its share of the cores
    python lessons/build.py --record           also write the measured minutes into README.md

A source is ``lessons/sources/NN_name.py`` in jupytext's percent format, and 03b is a lesson of its own. A cell tagged
``["exercise", ID]`` gets the stub of that exercise in the student edition (``lessons/NN_name.ipynb``), and its solution
in the solved one (``lessons/solutions/NN_name.ipynb``).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from minicoord.learn.definition.course import get

LESSONS = Path(__file__).resolve().parent
EDITIONS = ("student", "solved")
CELL_SECONDS = 1200
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # in which IPython prints the error of a cell

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
EXEC_LINES = "--IPKernelApp.exec_lines="  # what the kernel runs before the first cell
# A warning that minicoord or the lesson itself causes is an error.
WARNINGS = f"{EXEC_LINES}__import__('warnings').filterwarnings('error', module=r'minicoord|__main__')"


class BuildError(Exception):
    """What is wrong with a source or with running it, in one sentence."""


def sources(wanted: Sequence[str] = ()) -> list[Path]:
    """Return the sources of the lessons with these numbers, or of all, in order."""
    found = {part_of(path): path for path in sorted((LESSONS / "sources").glob("[0-9][0-9]*_*.py"))}
    unknown = set(wanted) - set(found)
    if unknown:
        raise BuildError(f"there is no lesson {min(unknown)!r}; there are {', '.join(found)}")
    return [path for part, path in found.items() if not wanted or part in wanted]


def part_of(source: Path) -> str:
    """Return the part of the course that a source is for: "03b" for 03b_pooling.py."""
    return source.name.partition("_")[0]


def notebook_path(source: Path, edition: str) -> Path:
    """Return the path of the notebook for this source and edition."""
    folder = LESSONS if edition == "student" else LESSONS / "solutions"
    return folder / source.with_suffix(".ipynb").name


def exercise_of(cell: NotebookNode) -> str | None:
    """Return the id of the exercise that a cell holds, or None."""
    tags = cell.metadata.get("tags", [])
    if "exercise" not in tags:
        return None
    others = [tag for tag in tags if tag != "exercise"]
    if len(others) != 1:
        raise BuildError(f"an exercise cell has the tags {tags}; it needs 'exercise' and one id")
    return others[0]


def make(source: Path, edition: str) -> NotebookNode:
    """Return the notebook of a source, with stubs or solutions in its exercise cells, not run."""
    read = jupytext.read(source, fmt="py:percent")
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    taken: set[str] = set()
    for old in read.cells:
        metadata = {"tags": old.metadata["tags"]} if old.metadata.get("tags") else {}
        new = nbformat.v4.new_code_cell if old.cell_type == "code" else nbformat.v4.new_markdown_cell
        cell = new(source=old.source.strip("\n"), metadata=metadata)  # formatters put blank lines before a function
        id = exercise_of(cell)
        if id is not None:
            exercise = get(id)
            cell.source = (exercise.stub_text() if edition == "student" else exercise.solution_text()).rstrip("\n")
        cell.id = _cell_id(id or old.source, taken)
        notebook.cells.append(cell)
    return notebook


def _cell_id(content: str, taken: set[str]) -> str:
    """Return an id that depends on the content alone, so that a cell keeps it when other cells come and go."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    id = next(name for name in (digest, *(f"{digest}-{k}" for k in range(2, 1000))) if name not in taken)
    taken.add(id)
    return id


def run(notebook: NotebookNode, name: str, beside: int = 0) -> float:
    """Run the notebook in an empty folder, keep its outputs, and return the seconds that it took.

    Parameters
    ----------
    notebook : NotebookNode
    name : str
        What errors call it.
    beside : int
        How many others run at the same time: the kernels use only its share of the cores.

    Raises
    ------
    BuildError
        If a cell fails, warns, or outputs a path of this machine.
    """
    # The page helpers show static figures, because in the stored page there is no kernel behind the sliders.
    environment = os.environ | {
        "MINICOORD_PAGES": "static",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(LESSONS.parent), os.environ.get("PYTHONPATH")])),
    }
    share = f"import minicoord; minicoord.set_threads(max(1, minicoord.get_threads() // {beside + 1}))"
    before = [WARNINGS, EXEC_LINES + share] if beside else [WARNINGS]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name=KERNEL["name"],
            extra_arguments=[*before, "--IPKernelApp.log_level=40"],
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        began = time.perf_counter()
        try:
            client.execute(env=environment)
        except Exception as error:  # of a cell or of the kernel, or a timeout
            raise BuildError(f"{name} does not run: {COLOURS.sub('', str(error))}") from None
        seconds = time.perf_counter() - began
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    _refuse_paths(notebook, name)
    return seconds


def _refuse_paths(notebook: NotebookNode, name: str) -> None:
    """Raise if an output contains a path of this machine, which means nothing to a learner."""
    private = {str(LESSONS.parent), sys.prefix, str(Path.home()) + os.sep, tempfile.gettempdir() + os.sep}
    for number, cell in enumerate(notebook.cells):
        outputs = str(cell.get("outputs", "")).replace("\\\\", "\\")  # the separator on Windows
        for path in private:
            if path in outputs:
                around = outputs[max(0, outputs.index(path) - 80) :][:200]
                raise BuildError(f"{name}: an output of cell {number} names a folder of this machine: ...{around}...")


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook atomically."""
    from minicoord.system.files import write_atomically
    from minicoord.system.places import make_folder

    nbformat.validate(notebook)
    make_folder(path.parent)
    with write_atomically(path, "w") as file:
        file.write(nbformat.writes(notebook) + "\n")


def differences(source: Path, edition: str) -> list[str]:
    """Return, in words, where the committed notebook differs from what its source gives; outputs are ignored."""
    path = notebook_path(source, edition)
    name = path.relative_to(LESSONS.parent).as_posix()
    if not path.is_file():
        return [f"{name} is missing"]
    there, wanted = nbformat.read(path, as_version=4), make(source, edition)
    if len(there.cells) != len(wanted.cells):
        return [f"{name} has {len(there.cells)} cells; its source gives {len(wanted.cells)}"]
    return [
        f"{name}, cell {number}: not what its source gives"
        for number, (a, b) in enumerate(zip(there.cells, wanted.cells, strict=True))
        if (a.cell_type, a.source, a.id, a.metadata) != (b.cell_type, b.source, b.id, b.metadata)
    ]


def keep_outputs(notebook: NotebookNode, path: Path) -> None:
    """Give a notebook that was not run the outputs of the one at `path`, which must have the same code.

    Raises
    ------
    BuildError
        If the code of the two differs.
    """
    old = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    new = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.source for cell in old] != [cell.source for cell in new]:
        raise BuildError(f"{path.name}: not only prose has changed; build it without --words, so that it runs")
    for cell, there in zip(new, old, strict=True):
        cell.outputs, cell.execution_count = there.outputs, there.execution_count


def record(part: str, edition: str, seconds: float, commit: str) -> None:
    """Write the minutes of a lesson into its row of the table in README.md."""
    from minicoord.system.files import write_atomically

    path = LESSONS / "README.md"
    lines = path.read_text(encoding="utf-8").split("\n")
    column = {"student": -4, "solved": -3}[edition]
    for k, line in enumerate(lines):
        if re.match(rf"\| {part} \|", line):
            cells = line.split("|")
            cells[column], cells[-2] = f" {seconds / 60:.1f} ", f" {commit} "
            lines[k] = "|".join(cells)
    with write_atomically(path, "w") as file:
        file.write("\n".join(lines))


def build(
    wanted: Sequence[str],
    editions: Sequence[str],
    *,
    runs: bool,
    writes: bool,
    records: bool,
    words: bool = False,
    jobs: int = 1,
) -> None:
    """Build the notebooks, `jobs` at a time, and report on stdout what was built; after an error no other begins."""

    def one(source: Path, edition: str) -> None:
        notebook, path = make(source, edition), notebook_path(source, edition)
        name = path.relative_to(LESSONS.parent).as_posix()
        if words:
            keep_outputs(notebook, path)
        seconds = run(notebook, name, beside=jobs - 1) if runs else 0.0
        if writes:
            write(notebook, path)
        size = len(nbformat.writes(notebook)) / 1e6
        done = "written" if writes else "run"
        print(f"{name}: {done}, {seconds / 60:.1f} minutes, {size:.2f} MB", flush=True)
        if records:
            record(part_of(source), edition, seconds, _commit())

    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(one, source, edition) for source in sources(wanted) for edition in editions]
        try:
            for each in waiting:
                each.result()
        finally:
            pool.shutdown(cancel_futures=True)  # those that run come to their end, the others do not begin


def _commit() -> str:
    from minicoord.experiments.frame.provenance import commit

    return (commit() or "")[:7]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description="Build the notebooks of the lessons from their sources.")
    parser.add_argument("lessons", nargs="*", metavar="NN", help="numbers of lessons; all of them by default")
    parser.add_argument("--edition", choices=(*EDITIONS, "both"), default="both")
    parser.add_argument("--check", action="store_true", help="compare cells with the sources; run and write nothing")
    parser.add_argument("--words", action="store_true", help="take the new prose, keep the outputs, run nothing")
    parser.add_argument("--no-run", action="store_true", help="write the cells without outputs")
    parser.add_argument("--no-write", action="store_true", help="run, and write nothing")
    parser.add_argument("--record", action="store_true", help="write the measured minutes into lessons/README.md")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="run N at a time; 1 by default")
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error(f"--jobs is {given.jobs}, wanted at least 1")
    if given.jobs > 1 and not given.no_write:
        parser.error("--jobs is for --no-write: what is written shows times, and those of a lesson alone")
    editions = EDITIONS if given.edition == "both" else (given.edition,)
    try:
        if given.check:
            wrong = [line for source in sources(given.lessons) for e in editions for line in differences(source, e)]
            print("\n".join(wrong) or "the notebooks are up to date with their sources")
            return int(bool(wrong))
        runs = not (given.no_run or given.words)
        records = given.record and runs
        writes = not given.no_write
        build(given.lessons, editions, runs=runs, writes=writes, records=records, words=given.words, jobs=given.jobs)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
