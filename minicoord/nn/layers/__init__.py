"""The layers: ``forward(x)`` and ``backward(dy)`` on top of the kernels, one idea per file.

They share ``base.Layer``.
"""
