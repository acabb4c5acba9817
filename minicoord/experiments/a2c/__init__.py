"""A2C, an agent with an actor and a critic: does it help to know where things are?

How it learns: ``returns.py`` says what actions were worth, ``losses.py`` how actor and critic change with it, and
``agent.py`` acts and takes the steps; ``episodes.py`` adds up rewards. ``networks.py`` has the networks: coordinates in
the first layer or none, global pooling or a dense layer.

The experiment: ``games.py`` has the games by name, ``settings.py`` what can be varied, ``evaluation.py`` what is
measured; ``experiment.py`` declares it all, ``grids.py`` has its sweeps, ``figures.py`` and ``record_figures.py`` draw
its figures.

Begin with ``agent.py``, then ``losses.py``.
"""
