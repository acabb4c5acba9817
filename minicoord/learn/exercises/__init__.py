"""The exercises of the course, one module each; ``minicoord/learn/definition/course.py`` has them in order."""
