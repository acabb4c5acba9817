"""Detection: a region proposal network finds digits that are scattered over a canvas, with and without coordinates.

From pixels to kept boxes: ``networks.py`` makes a map of the image, and from it four numbers and two scores for every
anchor of ``anchors.py``; ``boxes.py`` moves the anchors by these numbers; ``sampling.py`` says which boxes hold a digit
and which of them the losses of ``losses.py`` see; ``proposals.py`` keeps ten of an image; ``metrics.py`` judges them,
and ``yardsticks.py`` has what they are compared with.

Begin with ``networks.py``.
"""
