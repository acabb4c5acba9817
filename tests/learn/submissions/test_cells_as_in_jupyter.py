"""What runs in Jupyter runs here: imports of other cells, the last attempt, and what only Jupyter offers to a cell."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from answer_files import SOLVED, STUB, TAGS, WRONG, notebook, outcome

from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.free_names import free_names, imports_of
from minicoord.learn.submissions.submission import read_submission

WITH_NUMPY = "def pixel_index(x, y, height, width):\n    return np.add(np.multiply(y, width), x)\n"


def answer_in(path: Path, *cells: tuple[str, list[str]]):
    path.write_text(notebook(*cells))
    return read_submission(path).answers["pixel_index"]


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np, nothing_of_that_name",
        "import math\nimport numpy as np\nprint(math.pi)\n1 / 0",
        "%matplotlib inline\nimport numpy as np",
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_imports_of_other_cells_come_along_if_the_cell_needs_them(tmp_path: Path, line: str, after: bool):
    cells = [(line, []), (WITH_NUMPY, TAGS)]
    assert verdict_on(answer_in(tmp_path / "a.ipynb", *(cells[::-1] if after else cells))).passed


@pytest.mark.parametrize("line", ["from numpy import *", "from numpy import add, multiply as times, zeros"])
def test_names_from_modules_come_along_too(tmp_path: Path, line: str):
    times = "multiply" if "*" in line else "times"
    cell = f"def pixel_index(x, y, height, width):\n    return add({times}(y, width), x)\n"
    assert verdict_on(answer_in(tmp_path / "a.ipynb", (line, []), (cell, TAGS))).passed


def test_which_names_are_free():
    source = (
        "import a.b\nc = d\ndef f(e, *g):\n    global h\n    h = i = e\n    return [j(k) for k in g if l] and len(i)\n"
    )
    assert free_names(source) == {"d", "j", "l"}
    assert free_names("async def f(): ...\nawait g()\nclass A(B):\n    c = d\n    def e(self): return display(c)") == {
        "B",
        "c",
        "d",
        "g",
    }
    assert free_names("def f(:") == set()


def test_only_the_needed_imports_come_along():
    cells = ["import a.b, c\nfrom d import e as f, g\nfrom __future__ import annotations", "import c\nh = 3", "def (:"]
    assert imports_of({"a", "c", "f", "h"}, cells) == "import a.b, c\nfrom d import e as f\nimport c"
    assert imports_of(set(), ["from d import *"]) == ""


@pytest.mark.parametrize("first", ["", "# my answer is below", WRONG, STUB, "def pixel_indices(x):\n    return x\n"])
def test_the_last_attempt_counts(tmp_path: Path, first: str):
    assert verdict_on(answer_in(tmp_path / "a.ipynb", (first, TAGS), (SOLVED, []))).passed
    assert verdict_on(answer_in(tmp_path / "a.ipynb", (SOLVED, []), (first, TAGS))).passed is (first != WRONG)


def test_an_emptied_cell_is_not_attempted(tmp_path: Path):
    assert verdict_on(answer_in(tmp_path / "a.ipynb", ("# soon\n", TAGS))).outcome == "not attempted"


@pytest.mark.parametrize(
    "before",
    [
        "display(3, clear=True)",
        "get_ipython().run_line_magic('matplotlib', 'inline')\nfiles = list(get_ipython().getoutput('ls'))",
        "import asyncio\nawait asyncio.sleep(0)\nasync def later():\n    return 3\nassert await later() == 3",
        "!pip install a \\\n  --quiet \\\n  --user",
        "%config A.b = 3 \\\n  + 4",
        "if True:\n    !pip install a \\\n      b",
        "!pip install a\n# %matplotlib inline",  # as Colab exports a notebook
        "found = {}\nfound['files'] = !ls",
        "get_ipython().config['a'] = 3\nwith get_ipython().builtin_trap:\n    b = get_ipython().user_ns['a']",
        "3\nprint(_, __, In, Out)",
    ],
)
@pytest.mark.parametrize("suffix", [".py", ".ipynb"])
def test_what_only_jupyter_understands_does_no_harm(tmp_path: Path, before: str, suffix: str):
    source = f"{before}\n{SOLVED}"
    (tmp_path / f"a{suffix}").write_text(source if suffix == ".py" else notebook((source, TAGS)))
    assert outcome(tmp_path) == "passed"


def prompted(first: str, others: str) -> str:
    """Return the right answer with a prompt before each line."""
    lines = SOLVED.splitlines()
    return "\n".join([first + lines[0], *(others + line for line in lines[1:])])


@pytest.mark.parametrize("first, others", [("  ", "  "), ("\t", "\t"), (">>> ", "... "), ("In [12]: ", "    ...: ")])
def test_indentation_and_prompts_before_every_line_are_stripped(tmp_path: Path, first: str, others: str):
    (tmp_path / "a.ipynb").write_text(notebook((f"\n{prompted(first, others)}", TAGS)))
    assert outcome(tmp_path) == "passed"


def test_a_cell_with_await_runs_inside_an_event_loop_too(tmp_path: Path):
    answer = answer_in(tmp_path / "a.ipynb", (f"import asyncio\nawait asyncio.sleep(0)\n{SOLVED}", TAGS))

    async def in_a_notebook() -> bool:
        return verdict_on(answer).passed

    assert asyncio.run(in_a_notebook())


@pytest.mark.parametrize("magic", ["%%writefile helper.py", "%%bash", "%%html"])
def test_a_cell_in_another_language_defines_nothing(tmp_path: Path, magic: str):
    (tmp_path / "a.ipynb").write_text(notebook((SOLVED, TAGS), (f"{magic}\n{WRONG}", [])))
    assert outcome(tmp_path) == "passed"


@pytest.mark.compiled
@pytest.mark.parametrize("suffix", [".py", ".ipynb"])
def test_a_cache_of_numba_is_neither_needed_nor_written(tmp_path: Path, suffix: str):
    source = (
        "import numba\n"
        "@numba.njit(cache=True)\ndef index(x, y, width):\n    return y * width + x\n"
        "def stored(x, cache=False):\n    return x if cache else None\n"
        "def pixel_index(x, y, height, width):\n    return stored(index(x, y, width), cache=True)\n"
    )
    (tmp_path / f"a{suffix}").write_text(source if suffix == ".py" else notebook((source, TAGS)))
    function = read_submission(tmp_path).answers["pixel_index"].load()
    assert function(2, 1, 5, 10) == 12
    assert len(list(tmp_path.rglob("*"))) == 1


def test_a_cell_knows_the_folder_that_it_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "factor.npy", 1)
    source = "import os\nfactor = int(np.load(os.path.join(os.path.dirname(__file__), 'factor.npy')))\n" + SOLVED
    for name, text in (
        ("a.py", f"import numpy as np\n{source}"),
        ("a.ipynb", notebook(("import numpy as np", []), (source, TAGS))),
    ):
        Path(name).write_text(text)
        answer = read_submission(Path(name)).answers["pixel_index"]
        assert Path(answer.load().__globals__["__file__"]).parent == tmp_path
        assert verdict_on(answer).passed


def test_a_cell_is_named_by_its_heading(tmp_path: Path):
    cells = json.loads(notebook(("def pixel_index(:", TAGS)))
    cells["cells"][0]["source"] = ["Words\n", "### Your **turn**: `pixel_index` ##\n", "more words"]
    (tmp_path / "00.ipynb").write_text(json.dumps(cells))
    sentence = verdict_on(read_submission(tmp_path).answers["pixel_index"]).sentence
    assert '00.ipynb, below "Your turn: pixel_index": line 1 (def pixel_index(:): SyntaxError' in sentence
    del cells["cells"][0]
    (tmp_path / "00.ipynb").write_text(json.dumps(cells))
    answer = read_submission(tmp_path).answers["pixel_index"]
    assert answer.place == '00.ipynb, the cell that begins with "def pixel_index(:"'
