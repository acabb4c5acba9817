"""The figures and small training runs of the lessons, one module for each, and the page helpers that they share.

Begin with ``page.py``.
"""
