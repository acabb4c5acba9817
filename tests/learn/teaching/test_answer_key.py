"""The answer key: every question is in it, most have criteria of their own, and no criteria are left over."""

import pytest

from minicoord import lessons_folder
from minicoord.learn.teaching.answer_key import Criteria, Rubric, answer_key, read_rubric
from minicoord.learn.teaching.questions import Question, all_questions
from minicoord.system.paths import teaching_folder

QUESTIONS = all_questions(lessons_folder())
RUBRIC = read_rubric(teaching_folder() / "rubric.toml")


def test_every_question_is_in_the_key_with_the_answer_of_its_lesson():
    key = answer_key(QUESTIONS, RUBRIC)
    for question in QUESTIONS:
        assert f"### {question.id} {question.text}\n" in key
        assert question.answer.split("\n")[0] in key
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS) >= 36


def test_most_questions_have_criteria_of_their_own():
    own = [question for question in QUESTIONS if RUBRIC.of(question)]
    assert len(own) >= 0.75 * len(QUESTIONS)


@pytest.mark.parametrize("criteria", RUBRIC.criteria, ids=lambda criteria: criteria.asks[:40])
def test_no_criteria_are_left_over_from_a_question_that_is_gone(criteria):
    asked = [question.id for question in QUESTIONS if RUBRIC.of(question) == criteria]
    assert len(asked) == 1
    assert len(criteria.points) == 2 and all(point.endswith((".", ".)")) for point in criteria.points)


def test_a_question_that_was_reworded_keeps_its_criteria_and_another_one_has_the_general_ones():
    rubric = Rubric(
        ("The claim.", "A reason."), (Criteria("Why do we not train with numerical gradients?", ("Cost.",)),)
    )
    same = Question("03", 1, "So why does nobody train with numerical gradients?", "Too slow.")
    other = Question("03", 2, "What is a kink?", "A corner.")
    assert rubric.of(same) is None or rubric.of(same) == rubric.criteria[0]
    assert rubric.of(Question("03", 1, "Why do we never train with numerical gradients?", "")) == rubric.criteria[0]
    assert rubric.of(other) is None
    key = answer_key([other], rubric)
    assert "- The claim. **(1)**\n- A reason. **(1)**" in key and "> A corner." in key


@pytest.mark.parametrize("text", ["", "general = ['a']\n[[question]]\nasks = 'x'\n", "general = ['a']\nquestion = 3\n"])
def test_a_malformed_rubric_is_refused(tmp_path, text):
    (tmp_path / "rubric.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"rubric\.toml is not a rubric"):
        read_rubric(tmp_path / "rubric.toml")
