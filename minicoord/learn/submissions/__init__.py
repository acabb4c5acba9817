"""Answers in a learner's files: where they stand in notebooks and modules, how they are run, the progress file.

Begin with ``submission.py``.
"""
