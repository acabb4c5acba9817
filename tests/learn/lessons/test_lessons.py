"""The notebooks of the course: in step with their sources, without solutions for learners, and in the right order.

The tests marked slow run the solved edition from top to bottom; `.ci/run` runs the student edition.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat import NotebookNode

from minicoord.learn.definition.course import PARTS, exercise_ids, get

FOLDER = Path(__file__).resolve().parents[3] / "lessons"


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_lessons", FOLDER / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


builder = load_builder()
SOURCES = builder.sources()
each_lesson = pytest.mark.parametrize("source", SOURCES, ids=[path.stem for path in SOURCES])


def part(source: Path) -> str:
    return source.name.partition("_")[0]


def student(source: Path) -> NotebookNode:
    return nbformat.read(builder.notebook_path(source, "student"), as_version=4)


def exercise_cells(notebook: NotebookNode) -> dict[str, int]:
    """The place of each exercise's cell in the notebook, by id."""
    found = [(builder.exercise_of(cell), k) for k, cell in enumerate(notebook.cells)]
    ids = [id for id, _ in found if id]
    assert len(ids) == len(set(ids)), f"an exercise has two cells: {ids}"
    return {id: k for id, k in found if id}


def outputs(notebook: NotebookNode) -> str:
    return str([cell.get("outputs", "") for cell in notebook.cells])


def test_there_is_a_source_for_every_lesson():
    assert [part(source) for source in SOURCES] == list(PARTS)


@each_lesson
@pytest.mark.parametrize("edition", builder.EDITIONS)
def test_the_notebook_is_in_step_with_its_source(source: Path, edition: str):
    assert builder.differences(source, edition) == []


@each_lesson
def test_each_exercise_of_a_lesson_is_there_once_and_checked_next(source: Path):
    notebook = student(source)
    cells = exercise_cells(notebook)
    assert tuple(cells) == PARTS[part(source)].exercises
    for id, place in cells.items():
        following = [cell.source.strip() for cell in notebook.cells[place + 1 :] if cell.cell_type == "code"]
        assert following[0] == f"check({id})"


@each_lesson
def test_a_lesson_needs_nothing_that_comes_later(source: Path):
    parts = list(PARTS)
    later = {id for name in parts[parts.index(part(source)) + 1 :] for id in PARTS[name].exercises}
    code = "\n".join(cell.source for cell in student(source).cells if cell.cell_type == "code")
    asked = set(re.findall(r'(?:check|hint|solution|yours_or_ours)\(\s*"?(\w+)', code))
    asked |= {name for call in re.findall(r"\busing\(([^)]*)\)", code) for name in re.findall(r"(\w+)\s*=", call)}
    assert asked & later == set()


def lines_of_the_solution(id: str) -> set[str]:
    """The lines of a solution that are its own: not in its stub, and long enough to give something away."""
    exercise = get(id)
    solution = ast.unparse(ast.parse(exercise.solution_text())).splitlines()
    docstring = set(ast.unparse(ast.parse(exercise.stub_text())).splitlines())
    return {line.strip() for line in solution if line not in docstring and len(line.strip()) > 12}


@each_lesson
def test_no_solution_is_in_the_student_edition(source: Path):
    notebook = student(source)
    for id, place in exercise_cells(notebook).items():
        assert notebook.cells[place].source == get(id).stub_text().strip("\n")
        assert "raise NotImplementedError" in notebook.cells[place].source
        code = [
            cell.source for cell in notebook.cells if cell.cell_type == "code" and builder.exercise_of(cell) is None
        ]
        written = {line.strip() for text in code for line in text.splitlines()}
        assert lines_of_the_solution(id) & written == set()
        for line in lines_of_the_solution(id):
            assert line not in outputs(notebook)


@pytest.mark.parametrize("id", exercise_ids())
def test_what_an_exercise_asks_can_be_read_without_scrolling(id: str):
    assert max(map(len, get(id).stub_text().splitlines())) <= 100


@each_lesson
def test_the_student_edition_was_run_with_nothing_attempted(source: Path):
    notebook = student(source)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    for place in exercise_cells(notebook).values():
        check = next(cell for cell in notebook.cells[place + 1 :] if cell.cell_type == "code")
        assert "not attempted" in str(check.outputs).lower()


@each_lesson
@pytest.mark.parametrize("edition", builder.EDITIONS)
def test_outputs_hold_no_error_no_widget_and_no_large_picture(source: Path, edition: str):
    path = builder.notebook_path(source, edition)
    notebook = nbformat.read(path, as_version=4)
    kinds = {output.output_type for cell in notebook.cells for output in cell.get("outputs", [])}
    assert "error" not in kinds
    assert "widget-view" not in outputs(notebook)
    assert path.stat().st_size < 2e6


@each_lesson
def test_every_picture_has_words_for_those_who_do_not_see_it(source: Path):
    for image in re.findall(r"<img [^>]*>", outputs(student(source))):
        words = re.search(r'alt="([^"]*)"', image)
        assert words and len(words[1]) > 30, image[-200:]


@each_lesson
def test_a_lesson_opens_and_ends_as_all_do(source: Path):
    text = "\n".join(cell.source for cell in student(source).cells if cell.cell_type == "markdown")
    first = student(source).cells[0].source
    assert first.startswith(f"# {part(source)} ")
    for words in ("After this lesson you can", "Minutes", "Builds on"):
        assert words.lower() in first.lower(), words
    for words in ("What you now know", "To think about", "Where the paper says it"):
        assert words.lower() in text.lower(), words
    assert text.count("<details>") == text.count("</details>") >= 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@each_lesson
def test_the_solved_edition_runs_and_all_its_checks_pass(source: Path):
    notebook = builder.make(source, "solved")
    builder.run(notebook, source.stem)
    for place in exercise_cells(notebook).values():
        check = next(cell for cell in notebook.cells[place + 1 :] if cell.cell_type == "code")
        said = str(check.outputs).lower()
        assert "passed" in said and "not attempted" not in said


def test_the_table_of_lessons_names_every_lesson_and_exercise():
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in PARTS:
        (row,) = re.findall(rf"^\| {name} \|.*$", table, re.M)
        assert re.search(rf"\]\({name}_\w+\.ipynb\)", row)
        for id in PARTS[name].exercises:
            assert f"`{id}`" in row
    assert len(exercise_ids()) >= 24


# The builder itself.


def write_source(folder: Path, text: str) -> Path:
    source = folder / "42_probe.py"
    source.write_text(text, encoding="utf-8")
    return source


def test_an_exercise_cell_gets_the_stub_or_the_solution(tmp_path: Path):
    source = write_source(tmp_path, '# %% tags=["exercise", "im2col"]\n# exercise: im2col\n\n# %%\ncheck(im2col)\n')
    stub, solved = (builder.make(source, edition) for edition in builder.EDITIONS)
    assert stub.cells[0].source == get("im2col").stub_text().strip("\n")
    assert solved.cells[0].source == get("im2col").solution_text().strip("\n")
    assert stub.cells[0].metadata == {"tags": ["exercise", "im2col"]}
    assert [cell.id for cell in stub.cells] == [cell.id for cell in solved.cells]


def test_a_cell_keeps_its_id_when_others_come_before_it(tmp_path: Path):
    before = builder.make(write_source(tmp_path, "# %%\n1 + 1\n\n# %%\n1 + 1\n\n# %%\n2\n"), "student")
    after = builder.make(
        write_source(tmp_path, "# %% [markdown]\n# new\n\n# %%\n1 + 1\n\n# %%\n1 + 1\n\n# %%\n2\n"), "student"
    )
    assert [cell.id for cell in after.cells[1:]] == [cell.id for cell in before.cells]
    assert len({cell.id for cell in after.cells}) == 4


def test_a_cell_begins_with_its_first_line(tmp_path: Path):
    notebook = builder.make(write_source(tmp_path, "# %%\n\n\ndef one():\n    return 1\n\n\n# %%\none()\n"), "student")
    assert [cell.source for cell in notebook.cells] == ["def one():\n    return 1", "one()"]


def test_an_exercise_cell_without_one_id_is_refused(tmp_path: Path):
    source = write_source(tmp_path, '# %% tags=["exercise"]\n# exercise: im2col\n')
    with pytest.raises(builder.BuildError, match="it needs 'exercise' and one id"):
        builder.make(source, "student")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('old')", "UserWarning"),
        ("import os\nos.getcwd()", "names a folder of this machine"),
    ],
)
def test_a_run_that_fails_warns_or_shows_a_path_is_refused(tmp_path: Path, code: str, message: str):
    notebook = builder.make(write_source(tmp_path, f"# %%\n{code}\n"), "student")
    with pytest.raises(builder.BuildError, match=message):
        builder.run(notebook, "probe")


def test_a_run_keeps_outputs_and_no_times(tmp_path: Path):
    notebook = builder.make(
        write_source(tmp_path, "# %%\nprint('seen')\n\n# %%\nopen('note', 'w').close()\n"), "student"
    )
    assert builder.run(notebook, "probe") > 0
    assert notebook.cells[0].outputs[0].text == "seen\n"
    assert notebook.cells[0].metadata == {}
    assert not Path("note").exists()


def test_lessons_that_run_side_by_side_share_the_cores_and_warnings_stay_errors(tmp_path: Path):
    code = "import minicoord\nprint(minicoord.get_threads())\n\n# %%\nimport warnings\nwarnings.warn('old')\n"
    notebook = builder.make(write_source(tmp_path, f"# %%\n{code}"), "student")
    with pytest.raises(builder.BuildError, match="UserWarning"):
        builder.run(notebook, "probe", beside=10_000)
    assert notebook.cells[0].outputs[0].text == "1\n"


def test_what_is_written_is_run_alone(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        builder.main(["02", "--jobs", "2"])
    assert "--jobs is for --no-write" in capsys.readouterr().err


def test_new_words_keep_the_outputs_and_new_code_does_not(tmp_path: Path):
    path = tmp_path / "42_probe.ipynb"
    old = builder.make(write_source(tmp_path, "# %% [markdown]\n# old\n\n# %%\nprint(1)\n"), "student")
    old.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    builder.write(old, path)
    new = builder.make(write_source(tmp_path, "# %% [markdown]\n# new\n\n# more\n\n# %%\nprint(1)\n"), "student")
    builder.keep_outputs(new, path)
    assert new.cells[0].source.startswith("new") and new.cells[-1].outputs[0].text == "1\n"
    other = builder.make(write_source(tmp_path, "# %%\nprint(2)\n"), "student")
    with pytest.raises(builder.BuildError, match="not only prose has changed"):
        builder.keep_outputs(other, path)


def test_minutes_are_written_into_the_row_of_the_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(builder, "LESSONS", tmp_path)
    row = "| 02 | [Convolution](02.ipynb) | loops | `im2col` | 90 | - | - | - |"
    (tmp_path / "README.md").write_text(
        f"# Lessons\n\n{row}\n| 03 | a | b | c | 90 | 1.0 | 2.0 | abc |\n", encoding="utf-8"
    )
    builder.record("02", "student", 75.0, "1234567")
    builder.record("02", "solved", 120.0, "1234567")
    lines = (tmp_path / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[2] == "| 02 | [Convolution](02.ipynb) | loops | `im2col` | 90 | 1.2 | 2.0 | 1234567 |"
    assert lines[3] == "| 03 | a | b | c | 90 | 1.0 | 2.0 | abc |"


@each_lesson
def test_hint_and_solution_are_offered_below_each_check(source: Path):
    cells = student(source).cells
    for id, place in exercise_cells(student(source)).items():
        code = [cell.source for cell in cells[place + 1 :] if cell.cell_type == "code"]
        assert f'hint("{id}")' in code[1] and f'solution("{id}", now=True)' in code[1]


@each_lesson
def test_the_minutes_say_whose_functions_they_are_for(source: Path):
    if "using(" in source.read_text(encoding="utf-8"):
        minutes = student(source).cells[0].source.partition("**Minutes**")[2].partition("**Builds on**")[0]
        assert "with our" in minutes and "plain loops of your own" in " ".join(minutes.split())
