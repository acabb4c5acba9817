"""A class in which many answers do harm is graded to a complete table, and the right answers among them pass."""

import csv
import os
import sys

import pytest
from graded_rows import POSIX, has_ended, solution
from typer.testing import CliRunner

from minicoord.learn.doors.terminal import learn

pytestmark = POSIX

RIGHT = solution("pixel_index")
LINUX = sys.platform.startswith("linux")

NESTS = """import os
for k in range(1500):
    os.mkdir('d')
    os.chdir('d')
"""
# Other folders come and go meanwhile, which the glob of pathlib would stumble over.
OVERWRITES_COPIES = """import glob, pathlib
for path in map(pathlib.Path, glob.glob('{temporary}/minicoord-grading-*/*/*')):
    if path.is_file() and path.stat().st_size == {size}:
        path.write_text('')
"""
LEAVES_A_PROCESS = """import os, subprocess, sys, time
code = 'import os, time; open("{pid}", "w").write(str(os.getpid())); time.sleep(600)'
subprocess.Popen([sys.executable, '-S', '-c', code], start_new_session=True)
while not os.path.exists('{pid}') or not os.path.getsize('{pid}'):
    time.sleep(0.01)
"""
KILLS_ITS_GUARDIAN = """import os, subprocess, time
os.kill(int(subprocess.run(['ps', '-o', 'ppid=', '-p', str(os.getppid())], stdout=subprocess.PIPE).stdout), 9)
time.sleep(60)
"""
BEFORE = {  # what an answer does when it is loaded, and what comes of it
    "nests folders": (NESTS, "passed"),
    "locks folders": ("import os\nos.makedirs('a/b/c')\nos.chmod('a/b', 0)\nos.chmod('a', 0)\n", "passed"),
    "kills its parent": ("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)\n", "crashed"),
    "stops its parent": ("import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(60)\n", "crashed"),
    "kills its guardian": (KILLS_ITS_GUARDIAN, "crashed"),
    "kills its group": ("import os\nos.killpg(0, 9)\n", "crashed"),
    "overwrites an original": ("open('{folder}/zoe.py', 'w').close()\n", "passed"),
    "overwrites a copy": (OVERWRITES_COPIES, "passed"),
    "leaves a process": (LEAVES_A_PROCESS, "passed"),
}


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    submissions, temporary = folder / "submissions", folder / "tmp"
    submissions.mkdir()
    temporary.mkdir()
    yves = RIGHT + "# the last but one\n"
    words = {"folder": submissions, "temporary": temporary, "size": len(yves), "pid": folder / "pid"}
    for name, (before, _) in BEFORE.items():
        (submissions / f"{name}.py").write_text(before.format(**words) + RIGHT)
    (submissions / "yves.py").write_text(yves)
    (submissions / "zoe.py").write_text(RIGHT)
    (submissions / "anna").symlink_to(submissions)
    (submissions / "zipped.zip").write_bytes(b"PK")
    for name in ("n" * 255, "two  spaces", "two spaces"):
        (submissions / name).mkdir()
        (submissions / name / f"{'m' * 252}.py").write_text(RIGHT)
    (submissions / "two spaces" / "more.zip").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(temporary))
        out = folder / "grades.csv"
        arguments = ["grade", str(submissions), "--lesson", "0", "--out", str(out), "--seconds", "30", "--workers", "2"]
        result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["learner"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(list(submissions.iterdir()))
    return rows, folder, result.output


@pytest.mark.parametrize("name", [*BEFORE, "yves", "zoe", "n" * 255, "two  spaces", "two spaces"])
def test_harm_costs_its_own_row_at_most(graded_class, name):
    row = graded_class[0][name]
    assert row["outcome"] == BEFORE.get(name, ("", "passed"))[1], row["sentence"]
    if name in ("kills its parent", "stops its parent", "kills its guardian"):
        assert row["sentence"].endswith("it ended or stopped the process that watched it.")
        assert float(row["seconds"]) < 25


def test_a_link_and_an_archive_get_rows(graded_class):
    rows = graded_class[0]
    assert rows["anna"]["outcome"] == rows["zipped"]["outcome"] == "not readable"
    assert rows["anna"]["sentence"].endswith("anna is a link, which is not followed.")
    assert rows["zipped"]["sentence"].endswith("zipped.zip is an archive; unpack it.")


def test_changed_originals_are_told(graded_class):
    _, folder, output = graded_class
    assert (folder / "submissions" / "zoe.py").read_text() == ""
    assert f"graded as they were then: {folder / 'submissions' / 'zoe.py'}\n" in output


def test_nothing_is_left_behind(graded_class):
    _, folder, _ = graded_class
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.skipif(not LINUX, reason="elsewhere, a process that leaves its group is not found")
def test_processes_that_leave_the_group_are_ended(graded_class):
    pid = int((graded_class[1] / "pid").read_text())
    assert has_ended(pid)


def test_the_command_advises_root(graded_class, monkeypatch, tmp_path):
    (tmp_path / "anna.txt").touch()
    (tmp_path / "ben").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    arguments = ["grade", str(tmp_path), "--lesson", "0", "--out", str(tmp_path / "grades.csv")]
    assert "grade as a user without root's rights" in CliRunner().invoke(learn, arguments).output
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "you are root" not in CliRunner().invoke(learn, [*arguments, "--resume"]).output
