"""A variational autoencoder on two coloured objects: on the way between images, do objects move or fade?

``networks.py`` has encoder and decoder, plain and with coordinates before every convolution; ``losses.py`` the step
from codes to a random vector, the squared error and the KL divergence; ``trainer.py`` takes the steps.

The experiment: ``settings.py`` has what can be varied, ``evaluation.py`` what is measured, with ``disentanglement.py``
and the judges of ``../two_objects/judge.py``; ``experiment.py`` declares it all, ``grids.py`` has its sweeps,
``figures.py`` and ``record_figures.py`` its figures.

Begin with ``losses.py``, then ``trainer.py``.
"""
