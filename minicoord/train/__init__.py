"""Training: the loop, optimisers, schedules, the history of a run, and the checkpoint files from which it resumes."""
