"""Two coloured objects (paper, figure 7): the networks of the GAN.

Begin with ``networks.py``.
"""
