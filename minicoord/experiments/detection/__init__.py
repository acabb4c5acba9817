"""Detection: a region proposal network finds digits that are scattered over a canvas, with and without coordinates.

From pixels to kept boxes: ``networks.py`` makes a map of the image, and from it four numbers and two scores for every
anchor of ``anchors.py``; ``boxes.py`` moves the anchors by these numbers; ``proposals.py`` keeps ten of an image.
``detector.py`` holds all of this together. To train it, ``sampling.py`` says which boxes hold a digit and which of them
the losses of ``losses.py`` see, and ``trainer.py`` takes the steps.

The experiment: ``data.py`` has the images, ``settings.py`` what can be varied, ``evaluation.py`` what is measured, by
the metrics of ``metrics.py`` beside the yardsticks of ``yardsticks.py``; ``comparison.py`` says by how much coordinates
change the result; ``experiment.py`` declares it all, ``grids.py`` has its sweeps, ``figures.py`` and
``record_figures.py`` its figures.

Begin with ``networks.py``, then ``detector.py``.
"""
