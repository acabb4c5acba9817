"""Image classification (paper, section 5): where position does not matter, do coordinates harm?

Begin with ``experiment.py``; the networks are in ``networks.py``, where an image lies on its canvas in ``places.py``,
and how two networks are compared over seeds in ``paired.py``.
"""
