"""The ways in: notebook, terminal, pytest, and watching a file. All reach the same verdict.

Begin with ``notebook.py``.
"""
