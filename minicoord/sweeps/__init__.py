"""Many runs of an experiment: every combination of some settings, each in a process of its own.

Begin with ``grids.py``, which says which runs there are; ``runs.py`` does one of them, ``schedule.py`` does them all,
on this machine or on a cluster. What is recorded is a folder with ``result.json`` for each run; a run that has one is
not done again.
"""
