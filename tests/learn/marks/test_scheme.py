"""The marking scheme: points, weights and lateness, and a sentence for each mistake in its file."""

from datetime import datetime, timedelta, timezone

import pytest

from minicoord.learn.marks.scheme import Scheme, SchemeError, read_scheme

ZONE = timezone(timedelta(hours=1))
DUE = datetime(2026, 12, 3, 23, 59, tzinfo=ZONE)


def scheme_of(tmp_path, text) -> Scheme:
    path = tmp_path / "marks.toml"
    path.write_text(text, encoding="utf-8")
    return read_scheme(path)


def test_the_example_of_the_docstring_is_a_scheme(tmp_path):
    from minicoord.learn.marks import scheme as module

    example = "\n".join(line[4:] for line in str(module.__doc__).splitlines() if line.startswith("    "))
    scheme = scheme_of(tmp_path, example)
    assert scheme.due == DUE and scheme.grace == timedelta(minutes=10) and scheme.late_percent == 10
    assert (
        scheme.possible("2", "im2col") == 3 and scheme.possible("3", "conv_dw") == 2 and scheme.possible("2", "x") == 1
    )
    assert scheme.due_of_lesson["3"].replace(microsecond=0, tzinfo=None) == datetime(2026, 12, 17, 23, 59, 59)
    assert scheme.handed_in == {"anna": datetime(2026, 12, 4, 8, tzinfo=ZONE)}


def test_an_empty_file_gives_a_point_for_each_exercise_and_nothing_is_late(tmp_path):
    scheme = scheme_of(tmp_path, "")
    assert scheme == Scheme()
    assert scheme.possible("0", "pixel_index") == 1 and scheme.days_late("anna", "0", DUE) == 0
    assert scheme.earned("0", "pixel_index", True, 0) == 1 and scheme.earned("0", "pixel_index", False, 0) == 0


@pytest.mark.parametrize(
    "late, days",
    [(-60, 0), (0, 0), (600, 0), (601, 1), (86400, 1), (86401, 2), (10 * 86400, 10)],
)
def test_days_that_have_begun_count_from_the_due_date(late, days):
    scheme = Scheme(due=DUE, grace=timedelta(minutes=10), late_percent=15)
    assert scheme.days_late("anna", "2", DUE + timedelta(seconds=late)) == days
    assert scheme.earned("2", "im2col", True, days) == pytest.approx(max(0, 1 - 0.15 * days))


def test_offsets_from_utc_are_compared():
    scheme = Scheme(due=DUE)
    assert scheme.days_late("anna", "2", datetime(2026, 12, 3, 22, 59, tzinfo=timezone.utc)) == 0
    assert scheme.days_late("anna", "2", datetime(2026, 12, 3, 23, 0, tzinfo=timezone.utc)) == 1


def test_a_lesson_has_its_own_date_and_a_learner_their_own_time():
    scheme = Scheme(due=DUE, due_of_lesson={"3": DUE + timedelta(days=7)}, handed_in={"ben": DUE - timedelta(days=1)})
    late = DUE + timedelta(days=3)
    assert scheme.days_late("anna", "2", late) == 3 and scheme.days_late("anna", "3", late) == 0
    assert scheme.days_late("ben", "2", late) == 0
    assert scheme.days_late("anna", "2", None) == 0, "a time that is not known does no harm"


@pytest.mark.parametrize(
    "text, words",
    [
        ("due = 3", "due was 3, expected a date such as 2026-12-03"),
        ('due = "3 December"', "due was '3 December', expected a date"),
        ("late_percent = 120", "late_percent was 120, expected a number from 0 to 100"),
        ("late_percent = -1", "late_percent was -1, expected a number from 0"),
        ("points = nan", "points was nan, expected a number"),
        ("points = true", "points was True, expected a number"),
        ("dew = 2026-12-03", "the file has the entry 'dew', which is unknown; did you mean 'due'?"),
        ("[exercises]\nim2cal = 3", "[exercises] has the entry 'im2cal', which is unknown; did you mean 'im2col'?"),
        ("[exercises]\nim2col = 'much'", "im2col in [exercises] was 'much', expected a number"),
        ("exercises = 3", "exercises was 3, expected a table [exercises]"),
        ("[lessons.x]\nweight = 2", "[lessons] has the entry 'x', which is unknown; choose from 0, 1"),
        ("[lessons]\n2 = 3", "lessons.2 was 3, expected a table [lessons.2]"),
        ("[lessons.2]\nwait = 2", "[lessons.2] has the entry 'wait', which is unknown; did you mean 'weight'?"),
        ("[lessons.2]\ndue = 2", "due in [lessons.2] was 2, expected a date"),
        ("[handed_in]\nanna = true", "anna in [handed_in] was True, expected a date"),
        ("due = ", "cannot be read as TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path, text, words):
    with pytest.raises(SchemeError) as caught:
        scheme_of(tmp_path, text)
    assert words in str(caught.value) and str(caught.value).startswith(str(tmp_path / "marks.toml"))
    assert "\n" not in str(caught.value).strip()


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SchemeError, match=r"none\.toml cannot be read: No such file"):
        read_scheme(tmp_path / "none.toml")
