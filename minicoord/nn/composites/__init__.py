"""Layers made of layers: what they share, a sum of two paths, several heads on one input, and spectral normalisation.

Begin with ``base.py``. `minicoord.nn.model.Sequential` is the third of them: layers one after the other.
"""
