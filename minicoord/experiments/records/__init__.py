"""Records of finished runs, and what is made of them: the table beside the paper's results, and the paper's figures.

Begin with ``reading.py``, which reads the records of a folder; ``writing.py`` makes them from finished runs, and
``reproduce.py`` compares them with the paper.
"""
