"""The benchmark: minicoord against PyTorch, against plain NumPy, and against the machine's own matrix product.

Begin with ``rows.py``, which says what is measured; ``measure.py`` says how. ``ours.py``, ``pytorch.py`` and
``plain_numpy.py`` are the three contestants, each run in a process of its own (``worker.py``). The command
``minicoord bench`` is in ``command.py``.
"""
