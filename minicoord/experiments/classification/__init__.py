"""Supervised Coordinate Classification (paper, section 4.1 and figures 4 and 5): from (x, y) to one of 4,096 pixels.

Begin with ``experiment.py``; the networks are in ``painters.py``.
"""
