"""Worlds for an agent: many episodes of a game side by side, all with one protocol.

``world.py`` is that protocol: reset, step, actions, and pictures in [0, 1] with the channels last; ``checks.py`` finds
worlds that break it. ``position.py`` is a small world of ours, in which place matters or does not. ``side_by_side.py``
makes a world of a game that knows one episode at a time, such as those of ``minatar_games.py`` and ``atari.py``, which
need the extra ``rl``. The games are cut into shares (``share.py``), each of which may be played in a process of its own
(``share_process.py``).

Begin with ``world.py``, then ``position.py``.
"""
