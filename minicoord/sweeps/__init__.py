"""Many runs of an experiment: every combination of some settings, each in its own process.

Begin with ``grids.py``, which lists the runs; ``runs.py`` executes one of them, ``schedule.py`` all of them, on this
machine or on a cluster. Each run has a folder with a ``result.json``; a run that has one is not repeated.
"""
