"""Networks: layers, the models made of them, losses, initial weights, and the check of gradients.

Begin with ``layers/base.py``, which says what a layer is, and ``model.py``, which runs layers one after the other;
``composites/`` has the other layers made of layers: sums of two paths, several heads, spectral normalisation.
"""
