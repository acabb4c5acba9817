"""Two coloured objects (paper, figure 7): a GAN of convolutions collapses, one with CoordConv covers the canvas.

``networks.py`` has both generators and the discriminator, ``recipes.py`` two ways to train them, with the losses of
``losses.py``, and ``trainer.py`` takes the steps.

The experiment: ``settings.py`` has what can be varied, ``data.py`` what is trained on, ``evaluation.py`` what is
measured, by the judges of ``../two_objects/judge.py`` and its neighbours; ``experiment.py`` declares it all,
``grids.py`` has its sweeps, ``figures.py`` and ``record_figures.py`` its figures.

Begin with ``networks.py``, then ``trainer.py``.
"""
