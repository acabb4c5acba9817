"""What a teacher gets beside the notebooks: slides, an answer key, pages that print, and editions without solutions.

All of it is made from the notebooks as they are committed, and lessons are found by their file names. Begin with
``notebooks.py``, which reads them. ``slides.py`` cuts a lesson into slides and ``slide_page.py`` writes them as one
page; ``questions.py`` and ``answer_key.py`` deal with the questions to think about, and ``marked.py`` with the edition
of a course that marks. ``student_wheel.py`` makes an installation without solutions, ``pack.py`` puts all together.
"""
