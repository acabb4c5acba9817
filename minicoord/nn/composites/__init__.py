"""Layers made of layers: what they share, a sum of two paths, and several heads on one input.

Begin with ``base.py``. `minicoord.nn.model.Sequential` is the third of them: layers one after the other.
"""
