"""Supervised Coordinate Regression (paper, figure 5): from one lit pixel to its position (x, y).

Begin with ``experiment.py``; the networks are in ``regressors.py``.
"""
