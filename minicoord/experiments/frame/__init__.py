"""What all experiments share: the declaration, the settings, the run and the files that it writes.

Begin with ``declaration.py``, which says what an experiment is, then ``run.py``.
"""
