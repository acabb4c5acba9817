"""The verdict on an answer: comparing results, recognising common mistakes, finding races, drawing what is wrong.

Begin with ``check.py``; ``verdict.py`` defines what a verdict is.
"""
