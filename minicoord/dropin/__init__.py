"""CoordConv for networks of other frameworks: one self-contained file each, made to be imported or copied.

Begin with ``torch.py``, whose layers stand in the place of PyTorch's ``nn.Conv2d``; ``keras.py`` has the same for Keras
3, and ``jax.py`` for JAX, as pure functions and as modules of Flax. Each file imports its framework and nothing else:
not minicoord, not the other two files. Nothing is imported here, so that each needs its own extra only.
"""
