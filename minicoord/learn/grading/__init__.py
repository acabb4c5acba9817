"""A class of submissions, each answer in a process of its own, with a table as the outcome.

Begin with ``grade.py``; ``child.py`` is the program that each process runs.
"""
