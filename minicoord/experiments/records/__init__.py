"""What is kept of finished runs, and what is shown of it: records, the table beside the paper, the paper's figures.

Begin with ``reading.py``, which says what a record is; ``reproduce.py`` sets records beside the paper.
"""
