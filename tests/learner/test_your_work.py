"""Tests that a learner runs on their own answers: ``pytest tests/learner --work DIR``."""

from minicoord.learn.doors.test_your_work import (
    pytest_generate_tests as pytest_generate_tests,
    submission as submission,
    test_your_answer as test_your_answer,
    test_your_files_can_be_read as test_your_files_can_be_read,
)
