"""Grading the submissions of a class into a table, each answer in a process of its own.

Begin with ``grade.py``; ``child.py`` is what each process runs. On Linux ``forking.py`` forks these processes, asked by
``fork_server.py``; elsewhere ``limits.py`` starts each by itself. What becomes of the table stands in ``learn/marks``.
"""
