"""What every experiment shares: what one declares, its settings, its runs and the files that they write.

Begin with ``declaration.py``, which says what an experiment is, then ``run.py``.
"""
