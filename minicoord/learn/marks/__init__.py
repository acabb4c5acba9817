"""What becomes of the verdicts on a class: points, summaries, a page for each student, and files for a gradebook.

Begin with ``scheme.py``, which says how many points an exercise is worth and when it is due. ``outcomes.py`` reads the
rows of a table of grades, and the other files make something of them.
"""
