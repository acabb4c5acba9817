"""A2C, an agent with an actor and a critic: does it help to know where things are?

``returns.py`` says what actions were worth, ``losses.py`` how actor and critic learn from that.

Begin with ``losses.py``, then ``returns.py``.
"""
