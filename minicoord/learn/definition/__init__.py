"""What an exercise is, which exercises make up the course, and the hidden cases that grading adds.

Begin with ``exercise.py``.
"""
