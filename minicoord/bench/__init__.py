"""The benchmark: minicoord against PyTorch, against plain NumPy, and against the peak of the machine.

Begin with ``rows.py``, which says what is measured; ``contest.py`` says who takes part and ``measure.py`` how they are
timed. ``ours.py``, ``pytorch.py`` and ``plain_numpy.py`` are the three contestants, each run in a process of its own
(``worker.py``), ``peak.py`` is the yardstick and ``goals.py`` what is wanted. The command ``minicoord bench`` is in
``command.py``.
"""
