"""The ways in for a learner: notebook, terminal and pytest. All of them lead to the same verdict.

Begin with ``notebook.py``.
"""
