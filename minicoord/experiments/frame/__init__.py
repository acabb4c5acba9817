"""What every experiment shares: what one is, its settings, its runs and the files that they write.

Begin with ``experiment.py``, which says what an experiment is, then ``run.py``.
"""
