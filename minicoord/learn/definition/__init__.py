"""What an exercise is, which exercises make up the course, and the hidden cases that an answer is checked on.

Begin with ``exercise.py``.
"""
