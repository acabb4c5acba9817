"""Submissions are copied before an answer runs, an error of ours costs one row, and every folder can be removed."""

import os

import pytest
from graded_rows import POSIX, graded, solution

from minicoord.learn.grading import grade
from minicoord.learn.grading.removal import new_folder
from minicoord.learn.grading.reports import Reports
from minicoord.learn.grading.snapshot import ChangedError, changed_originals, keep


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "anna" / "a.py").write_bytes(b"a = 1\r\n")
    os.utime(tmp_path / "anna" / "a.py", (3, 4))
    return keep({"anna": tmp_path / "anna"}, tmp_path / "store")


def test_a_file_is_written_as_it_was(kept, tmp_path):
    (file,) = kept["anna"].files
    for place in (file.copy, file.original):
        content = place.read_bytes()
        place.write_bytes(b"")
        file.write_to(tmp_path)
        assert (tmp_path / "a.py").read_bytes() == b"a = 1\r\n" and (tmp_path / "a.py").stat().st_mtime == 4
        place.write_bytes(content)
    assert changed_originals(kept) == []


@POSIX
def test_a_file_that_was_changed_everywhere_is_refused(kept, tmp_path):
    (file,) = kept["anna"].files
    file.copy.write_bytes(b"")
    file.original.unlink()
    assert changed_originals(kept) == [str(file.original)]
    os.mkfifo(file.original)  # to read it would wait for ever
    assert changed_originals(kept) == [str(file.original)]
    with pytest.raises(ChangedError, match=r"a\.py was changed while other answers ran\."):
        file.write_to(tmp_path)


def test_what_cannot_be_copied_is_a_problem_of_that_learner(tmp_path):
    (tmp_path / "anna.py").touch()
    kept = keep({"gone": tmp_path / "gone.py", "null": tmp_path / "\0.py", "anna": tmp_path / "anna.py"}, tmp_path)
    assert [bool(submission.problem) for submission in kept.values()] == [True, True, False]
    assert kept["gone"].problem == "the submission cannot be read: gone.py is No such file or directory."


def test_an_error_of_ours_costs_one_row(tmp_path, monkeypatch):
    def failing(self):
        if self.exercise.id == "one_hot":
            raise RecursionError("too deep")
        return whole(self)

    whole = Reports.verdict
    monkeypatch.setattr(Reports, "verdict", failing)
    (tmp_path / "anna.py").write_text("\n\n".join(map(solution, ("one_hot", "draw_square"))))
    rows = graded(tmp_path, "one_hot", "draw_square")
    row = rows["anna", "one_hot"]
    assert (row.outcome, row.sentence) == ("not graded", "grading it raised RecursionError: too deep")
    assert rows["anna", "draw_square"].passed
    monkeypatch.setattr(grade, "run_child", lambda *arguments: 1 / 0)
    assert {row.outcome for row in graded(tmp_path, "one_hot", "draw_square").values()} == {"not graded"}


@POSIX
def test_a_folder_is_removed_and_what_links_point_to_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "mine").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with new_folder() as folder:
        (folder / "link").symlink_to(tmp_path / "mine")
        (folder / "folder").symlink_to(tmp_path)
        os.mkfifo(folder / "pipe")
        (folder / "locked" / "inner").mkdir(parents=True)
        (folder / "locked" / "inner" / "file").touch()
        for name in ("locked/inner", "locked"):
            (folder / name).chmod(0)
        os.chdir(folder)
        for _ in range(1500):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        os.chdir(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == [] and (tmp_path / "mine").read_text() == "mine"
