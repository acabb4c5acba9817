"""Detection: the networks of the paper's region proposal network.

Begin with ``networks.py``.
"""
