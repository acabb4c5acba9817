"""The exercises of the course, one module each; ``minicoord/learn/course.py`` has them in order."""
