"""Supervised Rendering (paper, figure 6): from (x, y) to the square around it.

Begin with ``experiment.py``; the networks are in ``renderers.py``.
"""
