"""The page of a student: verdicts, causes, lateness and the next hint; and that nothing in it is obeyed or lost."""

import json
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from graded_outcomes import NOON, outcome

from minicoord.learn.definition.course import get
from minicoord.learn.marks.feedback import hints_seen, page_name, page_of, write_feedback
from minicoord.learn.marks.outcomes import Student
from minicoord.learn.marks.scheme import Scheme

SCHEME = Scheme(due=NOON, late_percent=10)


class Words(HTMLParser):
    """The text of a page, and the names of its tags."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(page)

    def handle_data(self, data):
        self.words += data.split()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    @property
    def text(self):
        return " ".join(self.words)


def progress(folder, **hints):
    folder.mkdir(parents=True, exist_ok=True)
    entries = {id: {"hints": count} for id, count in hints.items()}
    (folder / "minicoord-progress.json").write_text(json.dumps({"version": 1, "exercises": entries}), encoding="utf-8")


def test_a_page_has_verdicts_causes_lateness_and_the_next_hint(tmp_path):
    rows = [
        outcome("anna", "pixel_index", scheme=SCHEME),
        outcome("anna", "one_hot", False, cause="x and y are exchanged", scheme=SCHEME),
        outcome("anna", "im2col", saved=NOON + timedelta(days=1, hours=1), scheme=SCHEME),
        outcome("anna", "conv_product", False, outcome="not attempted", scheme=SCHEME),
    ]
    progress(tmp_path / "class" / "anna", one_hot=1, conv_product=99)
    assert write_feedback(tmp_path / "pages", rows, {"anna": tmp_path / "class" / "anna"}) == (1, 1)
    page = Words((tmp_path / "pages" / "anna.html").read_text(encoding="utf-8"))
    assert "2 of 4 exercises passed: 1.8 of 4 points (45 %)" in page.text
    assert "Late: 1 answer, by 2 days at most" in page.text and "Late by 2 days." in page.text
    assert "Likely cause: x and y are exchanged." in page.text
    assert f"Hint 2 of {len(get('one_hot').hints)}:" in page.text, "the first one that the student has not seen"
    assert f"You have seen all {len(get('conv_product').hints)} hints." in page.text
    assert page.text.count("Hint") == 1, "none for what has passed"
    assert {"script", "link", "img"}.isdisjoint(page.tags), "nothing is loaded or run"


def test_text_of_students_is_text(tmp_path):
    nasty = "<script>alert(1)</script>&"
    row = outcome(nasty, "im2col", False, cause=nasty)
    page = page_of(Student(nasty, [row]), {})
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page


def test_pages_that_would_not_change_are_left_alone(tmp_path):
    rows = [outcome("anna", "im2col"), outcome("ben", "im2col")]
    assert write_feedback(tmp_path, rows, {}) == (2, 2)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    rows[1] = outcome("ben", "im2col", False)
    assert write_feedback(tmp_path, rows, {}) == (2, 1)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert after["anna.html"] == before["anna.html"] and after["ben.html"] != before["ben.html"]


NAMES = [
    "anna",
    "Anna Arm",
    "../anna",
    "..",
    ".",
    "",
    "a/b",
    "a_b",
    "a:b",
    ".hidden",
    "n" * 255,
    "é" * 200,
    "a\nb",
    "con\x1b",
]


def test_every_name_has_a_page_of_its_own_in_the_folder(tmp_path):
    rows = [outcome(name, "im2col") for name in NAMES]
    write_feedback(tmp_path / "pages", rows, {})
    found = sorted(path.name for path in (tmp_path / "pages").iterdir())
    assert len(found) == len({row.learner for row in rows}) and sorted(tmp_path.iterdir()) == [tmp_path / "pages"]
    assert page_name("Anna Arm") == "Anna Arm.html"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"exercises": 3}',
        '{"exercises": {"im2col": {"hints": "many"}}}',
        '{"exercises": {"im2col": {"hints": -2}}}',
    ],
)
def test_a_damaged_progress_file_is_read_over_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "minicoord-progress.json"
    path.write_text(content, encoding="utf-8")
    assert hints_seen(tmp_path) == {}
    assert path.read_text(encoding="utf-8") == content and list(tmp_path.iterdir()) == [path]


def test_a_submission_that_is_a_file_has_no_progress(tmp_path):
    (tmp_path / "anna.py").touch()
    assert hints_seen(tmp_path / "anna.py") == {} == hints_seen(tmp_path / "nobody")
