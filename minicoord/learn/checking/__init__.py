"""What is said about an answer: the verdict, the mistakes that are recognised, races, and the picture of a wrong answer.

Begin with ``check.py``; ``verdict.py`` says what a verdict is.
"""
