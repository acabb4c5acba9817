"""Answers in a learner's files: finding them in notebooks and modules, running them, and recording progress.

Begin with ``submission.py``.
"""
