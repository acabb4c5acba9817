"""Training: the loop, its optimisers and schedules, the history of a run, and the checkpoints from which it resumes.

Begin with ``fit.py``, which has the four lines of training, then ``loop.py``; ``optim.py`` has the update rules, and
``trainer.py`` says what else the loop can train.
"""
