"""What a user starts: the command ``minicoord``, the doctor, and the command that copies the lessons.

Begin with ``cli.py``, which lists the commands; each command is defined in the room that it belongs to.
"""
