"""What the three tasks on Not-so-Clevr share, and no other experiment: settings, training, pixel metrics.

Begin with ``experiment.py``.
"""
