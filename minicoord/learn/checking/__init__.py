"""What is said about an answer: the verdict, the mistakes that are recognised, races, the picture of a wrong answer.

Begin with ``check.py``; ``verdict.py`` says what a verdict is.
"""
