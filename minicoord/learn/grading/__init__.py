"""Grading the submissions of a class into a table, each answer in a process of its own.

Begin with ``grade.py``; ``child.py`` is the program that each process runs.
"""
