"""A class of submissions becomes a table; what is wrong with one touches no other, and no verdict can be forged."""

import csv
import json
import os
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord.learn.definition.course import get
from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases
from minicoord.learn.doors.terminal import learn
from minicoord.learn.grading.class_folder import submissions_in
from minicoord.learn.grading.grade import NOT_READABLE, grade_folder
from minicoord.learn.grading.grading_command import COLUMNS, write_table
from minicoord.learn.grading.reports import CRASHED, TIMED_OUT
from minicoord.learn.submissions.submission import read_submission, verdict_on

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def graded(folder, *ids, **options):
    """Return the rows by learner and exercise."""
    found = grade_folder(folder, ids, **{"seconds": 20.0, **options})
    return {(row.learner, row.exercise): row for rows in found for row in rows}


def grade_one(tmp_path, source, id="add_coords", **options):
    (tmp_path / "learner.py").write_text(source)
    return graded(tmp_path, id, **options)["learner", id]


def solution(id):
    return get(id).solution_text()


# A class


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Five submissions, graded by the command; the rows of the table by learner and exercise."""
    folder = tmp_path_factory.mktemp("class")
    submissions = folder / "submissions"
    (submissions / "empty").mkdir(parents=True)
    (submissions / "right").mkdir()
    (submissions / "right" / "lesson01.py").write_text(solution("draw_square"))
    (submissions / "right" / "lesson01.ipynb").write_text(
        json.dumps(
            {
                "cells": [
                    {"cell_type": "code", "metadata": {}, "source": "raise SystemExit('not an exercise')"},
                    {
                        "cell_type": "code",
                        "metadata": {"tags": ["exercise", "one_hot"]},
                        "source": solution("one_hot").splitlines(keepends=True),
                    },
                ],
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {},
            }
        )
    )
    (submissions / "wrong.py").write_text(
        "from minicoord.learn.exercises.one_hot import exercise\n"
        "def one_hot(*args):\n    return exercise.mistakes[0].function(*args)\n"
        f"{get('draw_square').stub_text()}"
    )
    (submissions / "crashing.py").write_text(
        "import ctypes, os\ndef one_hot(*args):\n    ctypes.string_at(0)\ndef draw_square(*args):\n    os._exit(0)\n"
    )
    (submissions / "endless.py").write_text("while True:\n    print('x' * 1000)\ndef one_hot(x):\n    return x\n")
    (submissions / "notes.txt").write_text("not a submission")
    out = folder / "grades.csv"
    arguments = ["grade", str(submissions), "--out", str(out), "--lesson", "1", "--seconds", "3", "--workers", "2"]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    return {(row["learner"], row["exercise"]): row for row in rows}


def test_there_is_a_row_for_each_learner_and_exercise(table):
    learners = ("crashing", "empty", "endless", "right", "wrong")
    assert list(table) == [(name, id) for name in learners for id in ("draw_square", "one_hot", "quadrant_split")]
    assert {row["lesson"] for row in table.values()} == {"1"}


@pytest.mark.parametrize(
    ("learner", "id", "outcome", "words"),
    [
        ("right", "draw_square", "passed", "all"),
        ("right", "one_hot", "passed", "all"),
        ("right", "quadrant_split", "not attempted", "no answer was submitted"),
        ("wrong", "draw_square", "not attempted", "not attempted yet"),
        ("crashing", "draw_square", CRASHED, "before it gave an answer"),
        ("crashing", "one_hot", CRASHED, "before it gave an answer"),
        ("endless", "one_hot", TIMED_OUT, "still running after 3 seconds"),
        ("empty", "one_hot", "not attempted", "no answer was submitted"),
    ],
)
def test_the_table_says_what_came_of_each(table, learner, id, outcome, words):
    row = table[learner, id]
    assert row["outcome"] == outcome and words in row["sentence"]
    assert row["passed"] == str(outcome == "passed")


def test_a_usual_mistake_is_named_as_in_a_notebook(table, tmp_path):
    row = table["wrong", "one_hot"]
    (tmp_path / "wrong.py").write_text(
        "from minicoord.learn.exercises.one_hot import exercise\n"
        "def one_hot(*args):\n    return exercise.mistakes[0].function(*args)\n"
    )
    verdict = verdict_on(read_submission(tmp_path / "wrong.py").answers["one_hot"])
    assert (row["outcome"], row["sentence"], row["cause"]) == (verdict.outcome, verdict.sentence, verdict.cause)
    assert row["cause"] == get("one_hot").mistakes[0].cause


def test_the_time_is_that_of_the_answer(table):
    assert 3 <= float(table["endless", "one_hot"]["seconds"]) < 6
    assert float(table["empty", "one_hot"]["seconds"]) == 0


# One verdict for all doors


@pytest.mark.parametrize(
    "body",
    [
        "    return None",
        "    return [1, 2]",
        "    x[:] = 0\n    return solution(x)",
        "    return 1 / 0",
        "    return {'a': x}",
        "    raise SystemExit",
        "    return solution(x) + 1e-3",
        "    return solution(x).astype(object)",
        "    import numpy as np\n    return np.ma.masked_array(solution(x) + 1)",
    ],
)
def test_an_answer_gets_the_verdict_of_its_own_check(body, tmp_path):
    source = f"from minicoord.learn.exercises.add_coords import add_coords as solution\ndef add_coords(x):\n{body}\n"
    row = grade_one(tmp_path, source)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["add_coords"])
    assert (row.outcome, row.sentence, row.cause) == (verdict.outcome, verdict.sentence, verdict.cause or "")
    assert not row.passed


@pytest.mark.parametrize(
    "source",
    [
        "def add_coords(x, y):\n    return x",
        "def add_coords(x:\n    return x",
        "1 / 0\ndef add_coords(x):\n    return x",
    ],
    ids=["other arguments", "no Python", "raises when it is read"],
)
def test_an_answer_that_cannot_be_called_gets_the_verdict_of_its_own_check(source, tmp_path):
    row = grade_one(tmp_path, source)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["add_coords"])
    assert (row.outcome, row.sentence) == (verdict.outcome, verdict.sentence) and row.outcome == "raised"


def test_a_broken_notebook_is_said_in_every_row(tmp_path):
    (tmp_path / "anna.ipynb").write_text("{")
    rows = graded(tmp_path, "add_coords", "im2col")
    assert {row.outcome for row in rows.values()} == {NOT_READABLE}
    assert "anna.ipynb is not a notebook" in rows["anna", "im2col"].sentence


IN_PARALLEL = """import numpy as np
from numba import prange
def pixel_index(x, y, height, width):
    index, row = np.empty(len(x), x.dtype), np.zeros(1, x.dtype)
    for k in prange(len(x)):
        {line}
    return index
"""


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("index[k] = y[k] * width + x[k]", "passed"),
        ("index[k] = eval('y[k]') * width + x[k]", "not compiled"),
        ("row[0] = y[k] * width; index[k] = row[0] + x[k]", "depends on threads"),
    ],
)
def test_compiled_answers_get_the_verdict_of_their_own_check(line, outcome, tmp_path, monkeypatch):
    monkeypatch.setattr(get("pixel_index"), "compiled", True)
    row = grade_one(tmp_path, IN_PARALLEL.format(line=line), "pixel_index", seconds=60.0)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["pixel_index"])
    assert (row.outcome, row.sentence) == (verdict.outcome, verdict.sentence) and row.outcome == outcome


# Forging


FORGERIES = {
    "patches what compares": (
        "import numpy as np\nimport minicoord.learn.checking.verdict as v, minicoord.learn.checking.comparison as w\n"
        "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
        "w.values_differ = w.wrong_shape = v.values_differ = v.wrong_shape = lambda *a, **k: None\n"
        "v.compare = lambda *a, **k: v.passed\n"
        "def add_coords(x):\n    return x\n"
    ),
    "equals everything": (
        "class Yes:\n    shape = dtype = None\n    def __eq__(self, other): return True\n"
        "    def __array__(self, *a, **k): return None\n"
        "def add_coords(x):\n    return Yes()\n"
    ),
    "prints that it passed and ends well": (
        "import os\ndef add_coords(x):\n    print('passed, all 7 cases are right.', flush=True)\n    os._exit(0)\n"
    ),
    "writes reports of its own": (
        "import json, os, pathlib, sys\nimport numpy as np\n"
        "folder = pathlib.Path(sys.argv[1]) / 'reports'\n"
        "def add_coords(x):\n"
        "    for k in range(20):\n"
        "        result = {'kind': 'other', 'type': 'ndarray'}\n"
        "        report = {'passed': True, 'outcome': 'passed', 'result': result, 'after': []}\n"
        "        (folder / f'python-{k}.json').write_text(json.dumps(report))\n"
        "    (folder / 'verdict.json').write_text(json.dumps({'outcome': 'passed'}))\n"
        "    os._exit(0)\n"
    ),
    "pickles": (
        "import numpy as np, pathlib, sys, json, os\n"
        "class Bomb:\n    def __reduce__(self): return (os._exit, (0,))\n"
        "folder = pathlib.Path(sys.argv[1]) / 'reports'\n"
        "def add_coords(x):\n"
        "    np.save(folder / 'r.npy', np.array([Bomb()], dtype=object), allow_pickle=True)\n"
        "    value = {'kind': 'array', 'file': 'r.npy'}\n"
        "    (folder / 'python-0.json').write_text(json.dumps({'result': value, 'after': value}))\n"
        "    os._exit(0)\n"
    ),
    "swaps the solution": (
        "from minicoord.learn.definition.course import get\nget('add_coords')._solution = lambda x: x\n"
        "def add_coords(x):\n    return x\n"
    ),
    "gives a huge result": (
        "import numpy as np\ndef add_coords(x):\n    return np.broadcast_to(x[0, 0, 0, 0], (10**6, 10**6, 1, 1))\n"
    ),
}


@pytest.mark.parametrize("source", FORGERIES.values(), ids=FORGERIES)
def test_no_verdict_can_be_forged(source, tmp_path):
    row = grade_one(tmp_path, source)
    assert not row.passed and row.outcome not in ("passed", "not attempted") and row.sentence


def test_the_answers_are_not_in_the_process_of_a_submission(tmp_path):
    source = (
        "import sys\ndef add_coords(x):\n"
        "    raise ValueError(sorted(name for name in sys.modules if name.startswith('minicoord.learn.exercises.')))\n"
    )
    assert "ValueError: []" in grade_one(tmp_path, source).sentence


def test_the_environment_of_the_teacher_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_TEACHER", "secret")
    source = "import os\ndef add_coords(x):\n    raise ValueError(os.environ.get('TOKEN_OF_THE_TEACHER'))\n"
    assert "ValueError: None" in grade_one(tmp_path, source).sentence


def test_what_was_handed_in_is_not_changed(tmp_path):
    source = "def add_coords(x):\n    open(__file__, 'w').write('')\n    raise ValueError(__file__)\n"
    row = grade_one(tmp_path, source)
    assert row.outcome == "raised" and str(tmp_path) not in row.sentence
    assert (tmp_path / "learner.py").read_text() == source


@POSIX
def test_a_fork_hands_back_once(tmp_path):
    source = solution("add_coords").replace("    n, h, w, _ =", "    import os\n    os.fork()\n    n, h, w, _ =")
    assert grade_one(tmp_path, source).passed


@pytest.mark.parametrize(
    "left",
    [
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(600)).start()\n",
        "import atexit, time\natexit.register(lambda: time.sleep(600))\n",
    ],
    ids=["a thread", "something to do at the end"],
)
def test_what_an_answer_leaves_running_is_not_waited_for(left, tmp_path):
    row = grade_one(tmp_path, left + solution("add_coords"), seconds=60.0)
    assert row.passed and row.seconds < 30


@POSIX
def test_a_grandchild_ends_with_the_answer(tmp_path):
    pid_file = tmp_path / "pid"
    source = (
        f"import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
    )
    assert grade_one(tmp_path, source + solution("add_coords")).passed
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(int(pid_file.read_text()), 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:  # nobody may have reaped it: then it is a zombie
        with open(f"/proc/{pid_file.read_text()}/stat") as file:
            assert file.read().split(")")[1].split()[0] == "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux holds to a limit of memory")
def test_too_much_memory_is_an_error_of_that_answer(tmp_path):
    source = "def add_coords(x):\n    return bytearray(3 * 2**30)\n"
    row = grade_one(tmp_path, source, memory_mb=1024)
    assert row.outcome == "raised" and "not enough memory" in row.sentence


# Hidden cases


def test_hidden_cases_catch_what_knows_the_visible_ones(tmp_path):
    exercise = get("pixel_index")
    cases = list(exercise.cases(np.random.default_rng(0)))
    known = {repr(case.args): exercise.solution(*case.args).tolist() for case in cases}
    source = (
        f"import numpy as np\nfrom numpy import array\nKNOWN = {known!r}\n"
        "def pixel_index(*args):\n    return np.array(KNOWN.get(repr(args), 0), int)\n"
    )
    assert grade_one(tmp_path, source, "pixel_index").passed
    hidden = tmp_path / "hidden.toml"
    hidden.write_text("seeds = [101, 102, 103]\n")
    row = grade_one(tmp_path, source, "pixel_index", hidden=read_hidden_cases(hidden))
    assert not row.passed
    right = grade_one(tmp_path, solution("pixel_index"), "pixel_index", hidden=read_hidden_cases(hidden))
    assert right.passed and f"all {4 * len(known)} cases" in right.sentence


def test_hidden_cases_may_be_of_other_shapes(tmp_path):
    hidden = tmp_path / "hidden.toml"
    hidden.write_text(
        """
        [im2col]
        seeds = [7]
        [[im2col.cases]]
        name = "a wide image"
        args = [{ shape = [2, 5, 11, 3], dtype = "float32", seed = 1 }, 5, 2, 1]
        [[im2col.cases]]
        args = [{ values = [[[[1], [2]], [[3], [4]]]], dtype = "float64" }, 2, 1, 0]
        [[im2col.cases]]
        args = [{ shape = [1, 3, 3, 1], below = 9, dtype = "int64", seed = 1 }, 2, 1, 0]
        """
    )
    cases = read_hidden_cases(hidden)("im2col")
    assert [case.name for case in cases[-3:]] == ["a wide image", "hidden case 2", "hidden case 3"]
    wide = cases[-3].args
    assert wide[0].shape == (2, 5, 11, 3) and wide[0].dtype == np.float32 and wide[1:] == (5, 2, 1)
    assert cases[-1].args[0].max() < 9 and read_hidden_cases(hidden)("add_coords") == []
    assert len(cases) == 3 + len(list(get("im2col").cases(np.random.default_rng(7))))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seeds = 3", "expected a list of integers"),
        ("seeds = [-1]", "expected a list of integers"),
        ("[im2cl]\nseeds = [1]", "did you mean 'im2col'"),
        ("[im2col]\nseed = 1", "may have seeds and cases"),
        ("[[im2col.cases]]\nname = 'x'", "im2col, case 1: expected args"),
        ("[[im2col.cases]]\nargs = [{ shape = [2], dtype = 'float32' }, 1]", "an array has shape, dtype"),
        ("[[im2col.cases]]\nargs = [{ values = [1], dtype = 'flot' }, 1]", "flot"),
        ("[[im2col.cases]]\nargs = [1]", "the solution fails on these arguments"),
        ("[[im2col.cases]]\nargs = [{ shape = [4], dtype = 'object', seed = 1 }, 1, 1, 0]", "expected a numeric one"),
        ("not toml", "cannot be read as TOML"),
        ("[im2col]\ncases = 3", "expected a table .*im2col.cases"),
        (
            "[[im2col.cases]]\nargs = [{ shape = [100000, 100000, 100], dtype = 'float32', seed = 1 }]",
            "case 1: .*allocate",
        ),
    ],
)
def test_a_wrong_file_of_hidden_cases_says_where(text, words, tmp_path):
    (tmp_path / "hidden.toml").write_text(text)
    with pytest.raises(HiddenCasesError, match=words):
        read_hidden_cases(tmp_path / "hidden.toml")


def test_hidden_cases_from_a_windows_editor_are_read(tmp_path):
    (tmp_path / "hidden.toml").write_text("\ufeffseeds = [5]", "utf-8")
    assert len(read_hidden_cases(tmp_path / "hidden.toml")("im2col")) >= 3


# What cannot be read


@POSIX
def test_what_is_no_file_costs_its_own_rows_alone(tmp_path):
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    (tmp_path / "right.py").write_text(solution("add_coords"))
    rows = graded(tmp_path, "add_coords")
    outcomes = {learner: row.outcome for (learner, _), row in rows.items()}
    assert outcomes == {"gone": NOT_READABLE, "pipe": NOT_READABLE, "endless": NOT_READABLE, "right": "passed"}
    assert "No such file" in rows["gone", "add_coords"].sentence
    assert "endless.py is not a regular file" in rows["endless", "add_coords"].sentence


def test_a_suffix_may_be_in_capitals(tmp_path):
    (tmp_path / "carl.PY").write_text(solution("add_coords"))
    (tmp_path / "dora").mkdir()
    (tmp_path / "dora" / "LESSON05.PY").write_text(solution("add_coords"))
    assert [row.passed for row in graded(tmp_path, "add_coords").values()] == [True, True]


def test_subfolders_are_named_where_an_answer_is_missing(tmp_path):
    (tmp_path / "bob" / "inner").mkdir(parents=True)
    (tmp_path / "bob" / "inner" / "lesson05.py").write_text(solution("add_coords"))
    assert graded(tmp_path, "add_coords")["bob", "add_coords"].sentence.endswith("Subfolders are not read: inner.")


@POSIX
def test_what_is_not_read_is_named_where_an_answer_is_missing(tmp_path):
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "lesson05.py").symlink_to("elsewhere.py")
    (tmp_path / "bob" / "lesson05.zip").touch()
    (tmp_path / "bob" / "notes.py").touch()
    with (tmp_path / "bob" / "huge.ipynb").open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    sentence = graded(tmp_path, "add_coords")["bob", "add_coords"].sentence
    assert sentence.endswith("Not read: huge.ipynb (over 50 MB), lesson05.py (a link), lesson05.zip.")


# The command


def test_what_the_command_cannot_use_ends_it_before_it_begins(tmp_path):
    (tmp_path / "nobody").mkdir()
    (tmp_path / "hidden.toml").write_text("seeds = 3")
    (tmp_path / "anna.py").write_text("")
    for arguments, words in (
        ([str(tmp_path / "nobody")], "no submission"),
        ([str(tmp_path / "missing")], "is not a folder"),
        ([str(tmp_path), "--lesson", "9"], "no lesson 9"),
        ([str(tmp_path), "--hidden", str(tmp_path / "hidden.toml")], "expected a list"),
        ([str(tmp_path), "--out", str(tmp_path / "missing" / "grades.csv")], "no folder"),
        ([str(tmp_path), "--out", str(tmp_path)], "is a folder, expected a file name"),
        ([str(tmp_path), "--seconds", "inf"], "expected a finite number"),
    ):
        result = CliRunner().invoke(learn, ["grade", *arguments])
        assert result.exit_code == 2
        assert words in " ".join(result.output.replace("\u2502", " ").split())


def test_what_was_graded_before_an_interrupt_is_kept(tmp_path, monkeypatch):
    from minicoord.learn.grading import grade as grading

    def interrupted(*arguments, **options):
        yield next(grade_folder(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade_folder", interrupted)
    for name in ("anna.py", "ben.py", "ben.ipynb"):
        (tmp_path / name).touch()
    out = tmp_path / "grades.csv"
    result = CliRunner().invoke(learn, ["grade", str(tmp_path), "--lesson", "8", "--out", str(out), "--seconds", "60"])
    assert result.exit_code == 130
    assert "interrupted; 1 of 3 learners graded" in result.output
    assert [line.split(",")[0] for line in out.read_text("utf-8").splitlines()] == ["learner", *["anna"] * 3]
    # 3 learners, a minute to read each submission, and 3 minutes for each of 3 answers, which are compiled
    assert "learners: 3, exercises: 3, minutes: at most 30 (" in result.output
    assert "ben.py counts as a separate learner" in result.output


def test_a_learner_is_the_name_of_a_folder_or_file(tmp_path):
    for name in ("anna.py", "ben.ipynb", ".hidden.py", "readme.txt"):
        (tmp_path / name).touch()
    for name in ("anna", "carla smith", "__pycache__", ".git"):
        (tmp_path / name).mkdir()
    assert list(submissions_in(tmp_path)) == ["anna", "anna.py", "ben", "carla smith"]


def test_no_cell_of_the_table_is_a_formula(tmp_path):
    (tmp_path / "=1+1.py").touch()
    write_table(tmp_path / "grades.csv", next(grade_folder(tmp_path, ["im2col"])))
    assert (tmp_path / "grades.csv").read_text("utf-8").splitlines()[1].startswith("'=1+1,2,im2col,not attempted,False")


ODD_NAME = "carl\udcff" if sys.platform.startswith("linux") else "carl"


@POSIX
def test_no_word_of_a_learner_costs_the_table(tmp_path):
    (tmp_path / f"{ODD_NAME}.py").write_text(
        "def im2col(*a):\n    raise ValueError('half a pair \\udcff, \\x1b[31m, \\0')\n"
    )
    (tmp_path / "\t=1+1.py").touch()
    write_table(tmp_path / "grades.csv", [row for rows in grade_folder(tmp_path, ["im2col"]) for row in rows])
    _, formula, odd = (tmp_path / "grades.csv").read_text("utf-8").splitlines()
    assert formula.startswith("'=1+1,")
    assert odd.startswith(ascii(ODD_NAME)[1:-1]) and "half a pair \\udcff, \\x1b[31m, \\x00" in odd


def test_a_table_that_cannot_be_written_is_written_beside_it(tmp_path, monkeypatch):
    from minicoord.learn.grading import grading_command

    def held_open(path, rows):
        if path.name == "grades.csv":
            raise PermissionError(13, "Permission denied")
        write_table(path, rows)

    monkeypatch.setattr(grading_command, "write_table", held_open)
    (tmp_path / "anna.py").touch()
    (tmp_path / "dora.zip").touch()
    arguments = ["grade", str(tmp_path), "--lesson", "0", "--out", str(tmp_path / "grades.csv")]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    assert "grades-2.csv" in result.output and "grades.csv cannot be written: Permission denied" in result.output
    assert "not graded: dora.zip" in result.output
    assert "anna,0," in (tmp_path / "grades-2.csv").read_text("utf-8")
