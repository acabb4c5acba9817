"""The layers: ``forward(x)`` and ``backward(dy)`` on top of the kernels, one idea per file.

Begin with ``base.py``, which says what a layer is, then ``dense.py``, the smallest with parameters; ``arrays.py`` looks
after the parameters. The paper's layers are in ``coordinates.py`` and ``coordconv.py``; ``tiled_coordconv.py`` is the
first layer of its generators.
"""
