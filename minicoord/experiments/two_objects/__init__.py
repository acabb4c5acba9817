"""What GAN and VAE share: how samples of two coloured objects are judged.

``finder.py`` finds the middles of the two objects in an image. From the middles of many samples, ``entropies.py`` says
how evenly they cover the canvas, which is the paper's measure, ``coverage.py`` how much of the data they cover, and
``duplicates.py`` how often an arrangement comes twice. ``judge.py`` has all of this for a set of samples, beside the
same numbers for the data. ``interpolation.py`` walks from one random vector to another, and says whether objects move
on the way or fade. ``pictures.py`` measures samples and ways, and keeps what figures show of them; ``passes.py`` has
the order in which images are trained on.

Begin with ``finder.py``, then ``judge.py``.
"""
