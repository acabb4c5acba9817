"""The exercises of the course, one module each.

Begin with ``pixel_index.py``, the first and smallest.
"""
