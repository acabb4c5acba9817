"""Answers in a learner's files: where they stand in notebooks and ``.py`` files, how they are run, and the progress file.

Begin with ``submission.py``.
"""
