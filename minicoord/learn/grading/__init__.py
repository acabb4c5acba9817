"""Grading the submissions of a class into a table, each answer in a process of its own.

Begin with ``grade.py``; ``child.py`` is what each process runs. On Linux ``forking.py`` forks these processes, which
``fork_server.py`` asks it to; elsewhere ``limits.py`` starts each by itself. What becomes of the table is in ``marks/``.
"""
