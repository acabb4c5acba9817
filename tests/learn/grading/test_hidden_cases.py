"""Hidden cases: the file that a teacher writes, and answers that know only the visible cases."""

import numpy as np
import pytest
from graded_rows import grade_one, solution

from minicoord.learn.definition.course import get
from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases


def test_hidden_cases_catch_an_answer_that_memorised_the_visible_ones(tmp_path):
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
def test_an_error_in_a_file_of_hidden_cases_says_where(text, words, tmp_path):
    (tmp_path / "hidden.toml").write_text(text)
    with pytest.raises(HiddenCasesError, match=words):
        read_hidden_cases(tmp_path / "hidden.toml")


def test_hidden_cases_from_a_windows_editor_are_read(tmp_path):
    (tmp_path / "hidden.toml").write_text("\ufeffseeds = [5]", "utf-8")
    assert len(read_hidden_cases(tmp_path / "hidden.toml")("im2col")) >= 3
