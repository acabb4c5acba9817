"""The benchmark: minicoord against PyTorch, against plain NumPy, and against the matrix product of the machine.

``minicoord bench`` runs it. ``rows.py`` has what is measured, ``measure.py`` how, and ``ours.py``, ``pytorch.py`` and
``plain_numpy.py`` the three who run it, each in a process of its own (``worker.py``).
"""
