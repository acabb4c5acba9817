"""What is kept of finished runs, and what is shown of it: records, the table beside the paper, the paper's figures.

Begin with ``reading.py``, which reads the records of a folder; ``writing.py`` makes them from finished runs, and
``reproduce.py`` sets them beside the paper.
"""
